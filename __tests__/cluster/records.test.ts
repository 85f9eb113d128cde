import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openRecords } from '../../src/commands/session/records.ts'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Cluster } from '../../src/ports.ts'
import { RecordError } from '../../src/release/read-record.ts'
import { createMemoryCluster } from '../fakes/memory-cluster.ts'
import { randomFrom } from '../fixtures/random.ts'
import { configMap, incompressible, releaseRecord } from '../release/records.ts'
import { connect } from './settled.ts'
import { withNamespace } from './testbed.ts'

const MEGABYTE = 1024 * 1024
let real: Cluster
beforeAll(async () => {
  real = await connect()
})
afterAll(() => real.close())

describe('records on a real API server', () => {
  it('are created, listed, read, updated and removed, above the size of a Secret and below', () =>
    withNamespace('records', async ({ name: namespace, kubectl }) => {
      const random = randomFrom(7)
      const objects = [1, 2].map((at) => incompressible(`noise-${at}`, 2 * MEGABYTE, random))
      const large = releaseRecord({ namespace, revision: 1, status: 'pending', message: '', objects })
      const small = releaseRecord({ namespace, revision: 2 })
      const records = openRecords(real, { namespace, release: 'shop' })
      await records.create(large)
      await records.create(small)

      const others = openRecords(real, { namespace, release: 'shop' })
      const heads = await others.list()
      expect(heads).toMatchObject([
        { revision: 1, status: 'pending', namespace },
        { revision: 2, status: 'good', parts: [] },
      ])
      expect(heads[0]?.parts.length).toBeGreaterThanOrEqual(4)
      expect(await Promise.all(heads.map(others.read))).toEqual([large, small])

      await expect(others.create(large)).rejects.toMatchObject({ status: 409, reason: 'AlreadyExists' })
      const settled = { ...large, status: 'good' as const, message: 'all is well' }
      await others.update(settled)
      await expect(records.update({ ...large, message: 'late' })).rejects.toMatchObject({ status: 409 })
      expect(await Promise.all((await records.list()).map(records.read))).toEqual([settled, small])

      await records.update({ ...small, revision: 1 })
      const secrets = (await kubectl(['get', 'secrets', '-o', 'name'])).trim().split('\n')
      // Those of the update that came too late are still there, and go with the revision.
      expect(secrets.filter((secret) => secret.endsWith('.v1') || secret.endsWith('.v2'))).toHaveLength(2)
      await records.remove(await records.list())
      expect((await kubectl(['get', 'secrets', '-o', 'name'])).trim()).toBe('')
    }))

  it('of which a part was deleted cannot be read', () =>
    withNamespace('records', async ({ name: namespace, kubectl }) => {
      const records = openRecords(real, { namespace, release: 'shop' })
      const objects = [incompressible('noise', 2 * MEGABYTE, randomFrom(8))]
      await records.create(releaseRecord({ namespace, objects }))
      await kubectl(['delete', 'secrets', '-l', 'rollsafe.dev/record-part=1'])
      await expect(Promise.all((await records.list()).map(records.read))).rejects.toThrow(RecordError)
    }))
})

/** What both clusters are asked, so that tests with the one in memory mean something. */
async function answersOf(cluster: Cluster, namespace: string): Promise<unknown[]> {
  const answers: unknown[] = []
  const ask = async (question: () => Promise<unknown>): Promise<void> => {
    answers.push(
      await question().then(shown, (error: { status: number; reason: string }) => [error.status, error.reason]),
    )
  }
  const made = async (name: string, labels: Record<string, string>): Promise<KubeObject> =>
    cluster.create({ ...configMap(name, { colour: 'green' }), metadata: { name, namespace, labels } })
  const listed =
    (labelSelector: string, more: object = {}) =>
    async () => {
      const { objects } = await cluster.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace, labelSelector, ...more })
      return objects.map(({ metadata, data }) => [metadata.name, data])
    }
  const one = await made('one', { app: 'a', tier: 'web' })
  const two = await made('two', { app: 'b' })
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'one' }
  await ask(() => made('one', {}))
  await ask(() => cluster.get({ ...ref, name: 'none' }))
  await ask(() => cluster.get(ref))
  for (const selector of ['app=a', 'app==b', 'app!=a,app', 'tier', '!tier,app', 'app in (a, b),tier notin (db)', 'x=y'])
    await ask(listed(selector))
  await ask(listed('app', { metadataOnly: true }))
  await ask(listed('app', { fieldSelector: 'metadata.name=two' }))
  const changed = await cluster.replace({ ...one, data: { colour: 'red' } })
  answers.push(changed.metadata.uid === one.metadata.uid)
  await ask(() => cluster.replace({ ...one, data: { colour: 'blue' } }))
  await ask(() => cluster.replace({ ...one, metadata: { name: 'none', namespace } }))
  const same = await cluster.replace(changed)
  answers.push(same.metadata.resourceVersion === changed.metadata.resourceVersion)
  await ask(() =>
    cluster.apply({ ...configMap('one', { size: 'big' }), metadata: { name: 'one', namespace } }, { dryRun: true }),
  )
  await ask(() => cluster.get(ref))
  await ask(() => cluster.delete(ref, two.metadata.uid ?? ''))
  await ask(() =>
    cluster.delete(ref, { uid: one.metadata.uid ?? '', resourceVersion: one.metadata.resourceVersion ?? '' }),
  )
  await ask(() => cluster.delete(ref, one.metadata.uid ?? ''))
  await ask(() => cluster.delete(ref, one.metadata.uid ?? ''))
  const stop = new AbortController()
  for await (const seen of cluster.watch(
    { apiVersion: 'v1', kind: 'ConfigMap', namespace, labelSelector: 'app' },
    { signal: stop.signal },
  )) {
    if (seen.type === 'lost' || seen.type === 'found') continue
    answers.push([seen.type, 'object' in seen ? seen.object.metadata.name : seen.objects.length])
    if (seen.type === 'listed') await made('three', { app: 'c' })
    if (seen.type === 'changed') await cluster.delete({ ...ref, name: 'three' }, seen.object.metadata.uid ?? '')
    if (seen.type === 'deleted') break
  }
  stop.abort()
  return answers
}

function shown(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('metadata' in answer)) return answer
  const { metadata, data } = answer as KubeObject
  return [metadata.name, metadata.labels, data, Object.keys(metadata).includes('uid')]
}

it('the cluster in memory answers as the real one does', () =>
  withNamespace('memory', async ({ name }) => {
    expect(await answersOf(createMemoryCluster(), name)).toEqual(await answersOf(real, name))
  }))
