import { describe, expect, it } from '@jest/globals'
import { teardown } from '../../src/commands/teardown.ts'
import { ClusterError } from '../../src/errors.ts'
import { keyOf, type KubeObject, refOf } from '../../src/manifest/object.ts'
import { RELEASE_LABEL } from '../../src/plan/desired.ts'
import { createMemoryCluster, type MemoryCluster } from '../fakes/memory-cluster.ts'
import { releaseRecord } from '../release/records.ts'
import { createRun, recordsOf, settings } from './runs.ts'

const HOME: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }
const of = (kind: string, name: string, more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : kind === 'Deployment' ? 'apps/v1' : 'v1',
  kind,
  metadata: { name, namespace: 'shop', labels: { [RELEASE_LABEL]: 'shop' }, ...more },
})

/** A cluster with a release of these objects, all known by their UIDs but for the Jobs of hooks. */
async function released(objects: readonly KubeObject[]): Promise<MemoryCluster> {
  const cluster = createMemoryCluster([HOME])
  const recorded = objects.map((object) => {
    const { uid = '' } = cluster.put(object).metadata
    return object.kind === 'Job' ? { object } : { object, uid }
  })
  await recordsOf(cluster).create(releaseRecord({ revision: 1, objects: recorded }))
  await recordsOf(cluster).create(releaseRecord({ revision: 2, status: 'rolled-back' }))
  return cluster
}

const left = (cluster: MemoryCluster) =>
  [...cluster.objects().values()].map(({ kind, metadata }) => `${kind}/${metadata.name}`).toSorted()

describe('a teardown', () => {
  it('deletes all of a release, what uses others first, and its records at last', async () => {
    const hook = of('Job', 'migrate', { annotations: { 'rollsafe.dev/hook': 'pre-deploy' } })
    const cluster = await released([settings('a'), hook, of('Deployment', 'web')])
    cluster.put(settings('foreign', {}, 'other'))
    const report = await teardown(createRun(cluster, { command: 'teardown' }).run)
    expect(report).toMatchObject({
      outcome: 'removed',
      changed: true,
      message: '3 objects of the release shop deleted',
      warnings: [],
    })
    const deleted = cluster.requests.filter((request) => request.startsWith('delete'))
    expect(deleted.slice(0, 3)).toEqual([
      'delete Job shop/migrate',
      'delete Deployment shop/web',
      'delete ConfigMap shop/a',
    ])
    expect(left(cluster)).toEqual(['ConfigMap/foreign', 'Namespace/shop'])
  })

  it('leaves and names what holds data, what says so, and what is somebody else’s', async () => {
    const objects = [
      of('PersistentVolumeClaim', 'data'),
      of('ConfigMap', 'kept', { annotations: { 'rollsafe.dev/prune': 'keep' } }),
      settings('theirs'),
    ]
    const cluster = await released(objects)
    cluster.drop(refOf(settings('theirs')))
    cluster.put(settings('theirs', { by: 'somebody else' }))
    const report = await teardown(createRun(cluster, { command: 'teardown' }).run)
    expect(report).toMatchObject({ outcome: 'removed', changed: false })
    expect(report.message).toBe('there was nothing of the release shop to delete; 3 objects stayed')
    expect(report.warnings).toHaveLength(3)
    expect(report.warnings[0]).toContain('kubectl delete persistentvolumeclaim data --namespace shop')
    expect(left(cluster)).toEqual([
      'ConfigMap/kept',
      'ConfigMap/theirs',
      'Namespace/shop',
      'PersistentVolumeClaim/data',
    ])
  })

  it.each<[string, MemoryCluster]>([
    ['there is no release', createMemoryCluster([HOME])],
    ['there is no namespace', createMemoryCluster()],
  ])('has nothing to do where %s', async (_name, cluster) => {
    const report = await teardown(createRun(cluster, { command: 'teardown' }).run)
    expect(report).toMatchObject({ outcome: 'removed', changed: false })
    expect(cluster.requests.filter((request) => request.startsWith('delete') && !request.includes('Lease'))).toEqual([])
  })

  it('keeps the records when something cannot be deleted, and goes on from there', async () => {
    const cluster = await released([settings('a'), settings('b')])
    cluster.onRequest = (request) => {
      if (request === 'delete ConfigMap shop/a') throw new ClusterError('cannot delete', { status: 403, request })
    }
    const report = await teardown(createRun(cluster, { command: 'teardown' }).run)
    expect(report).toMatchObject({ outcome: 'failed', reason: 'Forbidden', changed: true })
    expect(report.message).toMatch(/^1 object of the release shop deleted, and then: ConfigMap shop\/a/)
    expect(left(cluster)).toContain('Secret/rollsafe.shop.v1')

    cluster.onRequest = () => undefined
    expect(await teardown(createRun(cluster, { command: 'teardown' }).run)).toMatchObject({ outcome: 'removed' })
    expect(left(cluster)).toEqual(['Namespace/shop'])
  })

  it('first takes back what a run that was killed has left', async () => {
    const cluster = await released([settings('a')])
    const made = settings('made')
    cluster.put(made)
    const writes = [{ type: 'create' as const, ref: refOf(made) }]
    const { endedAt: _endedAt, ...pending } = releaseRecord({ revision: 3, status: 'pending', message: '', writes })
    await recordsOf(cluster).create(pending)
    const report = await teardown(createRun(cluster, { command: 'teardown' }).run)
    expect(report.outcome).toBe('removed')
    expect(cluster.objects().has(keyOf(refOf(made)))).toBe(false)
    expect(left(cluster)).toEqual(['Namespace/shop'])
  })
})
