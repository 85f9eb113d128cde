import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { historyOf } from './history.ts'
import { configMap, deployment, documents, IMAGE } from './manifests.ts'
import { type Checkout, createCheckout, type RunResult } from './rollsafe.ts'
import { snapshot } from './snapshot.ts'
import { eventually, type TestNamespace, withNamespace } from './testbed.ts'

type Kind = 'Deployment' | 'StatefulSet' | 'DaemonSet'
const KINDS = 'configmaps,deployments,statefulsets,daemonsets'

/** New pods are a long time coming, so that there is a rollout to be deleted in the middle of. */
function workload(kind: Kind, tag: string): object {
  const { metadata, spec } = deployment('web', { tag, deadlineSeconds: 60 }) as KubeObject & {
    spec: { selector: object; template: object }
  }
  const { selector, template } = spec
  const more = { Deployment: spec, StatefulSet: { replicas: 2, serviceName: 'web' }, DaemonSet: {} }[kind]
  return { apiVersion: 'apps/v1', kind, metadata, spec: { ...more, selector, template } }
}

const release = (kind: Kind, tag: string) => documents([configMap('settings', { tag }), workload(kind, tag)])

async function deleteInRollout(
  checkout: Checkout,
  namespace: TestNamespace,
  kind: Kind,
  cascade: string,
  inputs: Record<string, string> = {},
): Promise<RunResult> {
  let deleting: Promise<string> | undefined
  const onLog = (log: string) => {
    if (!log.includes(`${kind} ${namespace.name}/web configured`)) return
    deleting ??= eventually(async () => {
      // Its first new pod is there, so the rollout is under way.
      const pods = await namespace.kubectl(['get', 'pods', '-o', 'yaml'])
      expect(pods).toContain(`image: ${IMAGE}:v2-slow-60s`)
    }).then(() => namespace.kubectl(['delete', kind.toLowerCase(), 'web', `--cascade=${cascade}`, '--wait=false']))
  }
  await checkout.write('k8s/app.yaml', release(kind, 'v2-slow-60s'))
  const result = await checkout.run({ namespace: namespace.name, ...inputs }, { onLog })
  expect(await deleting).toContain('deleted')
  return result
}

/** Made anew, it is the same but for what only the server can give. */
async function withoutIdentity(namespace: TestNamespace): Promise<unknown> {
  const objects = Object.entries(await snapshot(namespace, KINDS)) as [string, KubeObject][]
  return objects.map(([key, { metadata, ...object }]) => {
    const { uid: _uid, creationTimestamp: _created, ...rest } = metadata
    return [key, object, rest]
  })
}

const readyImages = async (namespace: TestNamespace) => {
  const { items } = JSON.parse(await namespace.kubectl(['get', 'pods', '-o', 'json'])) as {
    items: { metadata: { deletionTimestamp?: string }; spec: { containers: { image: string }[] } }[]
  }
  const living = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  return new Set(living.flatMap(({ spec }) => spec.containers.map(({ image }) => image)))
}

describe('a workload that is deleted in the middle of its rollout', () => {
  it.concurrent.each<[Kind]>([['Deployment'], ['StatefulSet'], ['DaemonSet']])(
    '%s comes back as it was before',
    async (kind) => {
      const restored = (cascade: string) =>
        withNamespace('deleted', async (namespace) => {
          await using checkout = await createCheckout({ 'k8s/app.yaml': release(kind, 'v1') })
          expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
          const before = await withoutIdentity(namespace)
          const result = await deleteInRollout(checkout, namespace, kind, cascade)
          expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'rolled-back', reason: 'Deleted' })
          expect(await withoutIdentity(namespace)).toEqual(before)
          expect(await readyImages(namespace)).toEqual(new Set([`${IMAGE}:v1`]))
          await checkout.write('k8s/app.yaml', release(kind, 'v3'))
          expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ outputs: { outcome: 'deployed' } })
        })
      await Promise.all(['background', 'foreground', 'orphan'].map(restored))
    },
  )

  it.concurrent('is left to those who deleted it, with on-delete: fail', () =>
    withNamespace('deleted', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('Deployment', 'v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const result = await deleteInRollout(checkout, namespace, 'Deployment', 'background', { 'on-delete': 'fail' })
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'failed', reason: 'Deleted' })
      expect(Object.keys(await snapshot(namespace, KINDS))).not.toContain('Deployment/web')
      expect(await historyOf(namespace)).toEqual(['1 good', '2 bad'])
    }),
  )
})
