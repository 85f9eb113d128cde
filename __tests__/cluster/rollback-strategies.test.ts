import { describe, expect, it } from '@jest/globals'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { isObject, type KubeObject } from '../../src/manifest/object.ts'
import { watchAskedPods } from './asked-pods.ts'
import { configMap, deployment, documents } from './manifests.ts'
import { createCheckout, type RunResult } from './rollsafe.ts'
import { connect } from './settled.ts'
import { replicaSets, snapshot } from './snapshot.ts'
import { type TestNamespace, testbed, withNamespace } from './testbed.ts'

const REPLICAS = 10

/** What watches of our own have seen of the pods of `web`. */
interface Sampled {
  leastAvailable: number
  mostAsked: number
}

function isAvailable({ metadata, status }: KubeObject): boolean {
  const conditions = isObject(status) && Array.isArray(status['conditions']) ? status['conditions'] : []
  const isReady = conditions.some((one) => isObject(one) && one['type'] === 'Ready' && one['status'] === 'True')
  return isReady && metadata.deletionTimestamp === undefined
}

/** Counts the pods after each change of one of them, until the signal aborts. */
async function sample(namespace: TestNamespace, signal: AbortSignal, sampled: Sampled): Promise<void> {
  await using asked = await watchAskedPods(namespace, 'web')
  await using cluster = await connect()
  const pods = new Map<string, KubeObject>()
  const query = { apiVersion: 'v1', kind: 'Pod', namespace: namespace.name, labelSelector: 'app=web' }
  try {
    for await (const seen of cluster.watch(query, { signal })) {
      if (seen.type === 'lost' || seen.type === 'found') continue
      const objects = seen.type === 'listed' ? seen.objects : [seen.object]
      if (seen.type === 'listed') pods.clear()
      for (const pod of objects) {
        const uid = pod.metadata.uid ?? ''
        if (seen.type === 'deleted') pods.delete(uid)
        else pods.set(uid, pod)
      }
      const all = [...pods.values()]
      sampled.leastAvailable = Math.min(sampled.leastAvailable, all.filter(isAvailable).length)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  sampled.mostAsked = asked.most()
}

const inWave = (object: object, wave: string): object => ({
  ...object,
  metadata: { ...(object as KubeObject).metadata, annotations: { 'rollsafe.dev/wave': wave } },
})

/** All pods of `web` are new and healthy when `api` turns out to be bad: its old pods take a second each to be ready again. */
const release = (version: string, api: string, strategy: object = {}) => {
  const web = deployment('web', { tag: `${version}-slow-1s`, replicas: REPLICAS, deadlineSeconds: 60 }) as KubeObject
  return documents([
    inWave(configMap('settings', { version }), '1'),
    inWave({ ...web, spec: { ...(web['spec'] as object), ...strategy } }, '1'),
    inWave(deployment('api', { tag: api, replicas: 1, deadlineSeconds: 60 }), '2'),
  ])
}

/** A good release, then a bad one that goes back; what was seen while it did. */
async function goBack(
  namespace: TestNamespace,
  inputs: Record<string, string>,
  strategy: object = {},
): Promise<{ result: RunResult; sampled: Sampled }> {
  await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1', 'v1', strategy) })
  // All at once, which is no strategy of the way back.
  const first = await checkout.run({ namespace: namespace.name })
  expect({ ...first.outputs, log: first.log }).toMatchObject({ outcome: 'deployed' })
  const before = await snapshot(namespace)
  const running = (await replicaSets(namespace)).filter((hash) => hash.startsWith('+'))

  const sampled = { leastAvailable: Infinity, mostAsked: 0 }
  const over = new AbortController()
  let sampling: Promise<void> | undefined
  const onLog = (log: string) => {
    if (log.includes('Apply wave 2')) sampling ??= sample(namespace, over.signal, sampled)
  }
  await checkout.write('k8s/app.yaml', release('v2', 'v2-unpullable', strategy))
  const result = await checkout.run({ namespace: namespace.name, ...inputs }, { onLog })
  over.abort(new Error('the rollback is over'))
  await sampling
  expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'rolled-back', reason: 'ImagePull' })
  expect(await snapshot(namespace)).toEqual(before)
  expect((await replicaSets(namespace)).filter((hash) => hash.startsWith('+'))).toEqual(running)
  return { result, sampled }
}

describe('a rollback of ten pods', () => {
  it.concurrent('with max-unavailable never has fewer pods available than that allows', () =>
    withNamespace('careful', async (namespace) => {
      // By its own strategy four could be missing.
      const rollingUpdate = { maxSurge: 0, maxUnavailable: '40%' }
      const { sampled } = await goBack(
        namespace,
        { 'rollback-strategy': 'max-unavailable', 'max-unavailable': '1' },
        { strategy: { type: 'RollingUpdate', rollingUpdate } },
      )
      expect(sampled.leastAvailable).toBe(REPLICAS - 1)
      // Without a surge of its own it gets none.
      expect(sampled.mostAsked).toBe(REPLICAS)
    }),
  )

  it.concurrent('that is fast brings all old pods at once', () =>
    withNamespace('fast', async (namespace) => {
      const { sampled } = await goBack(namespace, { 'rollback-strategy': 'fast' })
      expect(sampled.mostAsked).toBe(2 * REPLICAS)
      expect(sampled.leastAvailable).toBeGreaterThanOrEqual(REPLICAS * 0.75)
    }),
  )

  it.concurrent('stays Recreate where that is what was written, and says so', () =>
    withNamespace('recreate', async (namespace) => {
      const strategy = { strategy: { type: 'Recreate' } }
      const { result, sampled } = await goBack(namespace, { 'rollback-strategy': 'fast' }, strategy)
      expect(sampled.mostAsked).toBe(REPLICAS)
      expect(result.report.rollback?.steps.find(({ name }) => name === 'web')?.message).toBe(
        `restored; Deployment ${namespace.name}/web: it goes back by Recreate, with all of its pods gone for a while, as two versions of it must not run side by side.`,
      )
    }),
  )
})

interface AuditEvent {
  readonly verb: string
  readonly objectRef?: { readonly name?: string }
}

async function podsDeletedByUs({ name }: TestNamespace): Promise<string[]> {
  const deleted: string[] = []
  for await (const line of createInterface({ input: createReadStream(testbed().auditLog) })) {
    if (!line.includes(`/namespaces/${name}/pods/`) || !line.includes('"userAgent":"rollsafe/')) continue
    const { verb, objectRef } = JSON.parse(line) as AuditEvent
    if (verb === 'delete') deleted.push(objectRef?.name ?? '')
  }
  return deleted
}

it.concurrent('a StatefulSet that is stuck on a broken pod gets exactly that pod replaced', () =>
  withNamespace('stuck', async (namespace) => {
    const set = (tag: string) => {
      const { spec, metadata } = deployment('web', { tag, replicas: 3 }) as KubeObject & { spec: object }
      const { progressDeadlineSeconds: _deadline, ...rest } = spec as Record<string, unknown>
      return documents([
        { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec: { ...rest, serviceName: 'web' } },
      ])
    }
    const uids = async () => {
      const columns = 'jsonpath={range .items[*]}{.metadata.name}={.metadata.uid} {end}'
      return (await namespace.kubectl(['get', 'pods', '-o', columns])).trim().split(' ')
    }
    await using checkout = await createCheckout({ 'k8s/app.yaml': set('v1') })
    expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
    const before = await snapshot(namespace, 'statefulsets')
    const podsBefore = await uids()
    await checkout.write('k8s/app.yaml', set('v2-unpullable'))
    const result = await checkout.run({ namespace: namespace.name })
    expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'rolled-back', reason: 'ImagePull' })
    expect(await snapshot(namespace, 'statefulsets')).toEqual(before)
    expect(await podsDeletedByUs(namespace)).toEqual(['web-2'])
    expect((await uids()).slice(0, 2)).toEqual(podsBefore.slice(0, 2))
  }),
)
