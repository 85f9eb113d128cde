import { describe, expect, it } from '@jest/globals'
import { deploy } from '../../src/commands/deploy.ts'
import { rollback } from '../../src/commands/rollback.ts'
import { ClusterError, RejectedError } from '../../src/errors.ts'
import { keyOf, type KubeObject, refOf } from '../../src/manifest/object.ts'
import { createMemoryCluster } from '../fakes/memory-cluster.ts'
import { releaseRecord } from '../release/records.ts'
import { createRun, recordsOf, settings } from './runs.ts'

const clusterRole: KubeObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  // A namespace that the server would ignore: scope comes from discovery.
  metadata: { name: 'admin-of-all', namespace: 'shop' },
}
const home: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }
const written = (requests: readonly string[]) => requests.filter((request) => !/^(get|list|dry-run|ask) /.test(request))

/** An object outside of the namespace of the release, as the release has left it. */
const outside = (name: string, namespace: string): KubeObject => {
  const object = settings(name, { a: '1' }, namespace)
  const labels = { ...object.metadata.labels, 'rollsafe.dev/release-namespace': 'shop' }
  return { ...object, metadata: { ...object.metadata, labels } }
}

describe('a release that reaches further than it may', () => {
  it('is rejected with all that is outside, before its own namespace is made', async () => {
    const cluster = createMemoryCluster()
    const objects = [home, settings('a'), settings('b', {}, 'other'), clusterRole]
    const refused = deploy(createRun(cluster, {}, objects).run)
    await expect(refused).rejects.toThrow(RejectedError)
    await expect(refused).rejects.toMatchObject({
      problems: [
        { code: 'Fenced', message: expect.stringContaining('ConfigMap other/b is in a namespace') },
        { code: 'Fenced', message: expect.stringContaining('ClusterRole admin-of-all belongs to no namespace') },
      ],
    })
    expect(written(cluster.requests)).toEqual([])
  })

  it('is deployed when that is allowed', async () => {
    const cluster = createMemoryCluster()
    const inputs = { 'allowed-namespaces': 'shop\nother', 'allow-cluster-scoped': 'ClusterRole' }
    const objects = [home, settings('a'), settings('b', {}, 'other'), clusterRole]
    expect(await deploy(createRun(cluster, inputs, objects).run)).toMatchObject({ outcome: 'deployed' })
    expect([...cluster.objects().keys()]).toEqual(
      expect.arrayContaining([
        'Namespace//shop',
        'ConfigMap/other/b',
        'ClusterRole.rbac.authorization.k8s.io//admin-of-all',
      ]),
    )
  })

  it.each(['deploy', 'rollback'])('takes no lock in a namespace that is not allowed: %s', async (command) => {
    const cluster = createMemoryCluster()
    const { run } = createRun(cluster, { command, 'allowed-namespaces': 'other' }, [settings('a')])
    const refused = (command === 'deploy' ? deploy : rollback)(run)
    await expect(refused).rejects.toMatchObject({
      problems: [{ code: 'Fenced', message: expect.stringContaining('the namespace of the release, shop, is not') }],
    })
    expect(written(cluster.requests)).toEqual([])
  })
})

describe('a rollback by hand', () => {
  const had = outside('b', 'other')

  it('stays inside of the fences of its own run', async () => {
    const cluster = createMemoryCluster([had])
    await recordsOf(cluster).create(releaseRecord({ revision: 1, objects: [{ object: had }] }))
    const before = cluster.objects()
    const refused = rollback(createRun(cluster, { command: 'rollback', 'to-revision': '1' }).run)
    await expect(refused).rejects.toMatchObject({
      problems: [{ code: 'Fenced', message: expect.stringContaining('ConfigMap other/b is in a namespace') }],
    })
    expect(cluster.objects()).toEqual(before)
  })

  it('is told what it may not read', async () => {
    const cluster = createMemoryCluster([had])
    await recordsOf(cluster).create(releaseRecord({ revision: 1, objects: [{ object: had }] }))
    cluster.onRequest = (request) => {
      if (request === 'get ConfigMap other/b')
        throw new ClusterError('no', { status: 403, request: 'get configmaps b in namespace other' })
    }
    const inputs = { command: 'rollback', 'to-revision': '1', 'allowed-namespaces': 'shop\nother' }
    await expect(rollback(createRun(cluster, inputs).run)).rejects.toMatchObject({ problems: [{ code: 'Forbidden' }] })
  })
})

describe('what an earlier release has left outside', () => {
  it('is not pruned, and is named', async () => {
    const cluster = createMemoryCluster()
    const wide = { 'allowed-namespaces': 'shop\nother' }
    await deploy(createRun(cluster, wide, [settings('a'), settings('b', {}, 'other')]).run)
    const requests = cluster.requests.length
    const { run, log } = createRun(cluster, { prune: 'true' }, [settings('a', { a: '2' })])
    const report = await deploy(run)
    expect(report).toMatchObject({ outcome: 'deployed' })
    const note = 'ConfigMap other/b stays, as it is in a namespace that is not allowed; allowed is shop'
    expect(log).toContain(note)
    expect(report.warnings.join('\n')).toContain(note)
    expect(cluster.requests.slice(requests).filter((request) => request.includes('other/'))).toEqual([])
    expect(cluster.objects().has('ConfigMap/other/b')).toBe(true)
  })

  it('is not restored after a run that was killed, and is named', async () => {
    const before = outside('b', 'other')
    const now = { ...before, data: { a: 'new' } }
    const cluster = createMemoryCluster([now])
    const after = cluster.objects().get(keyOf(refOf(now)))
    await recordsOf(cluster).create(
      releaseRecord({
        revision: 1,
        status: 'pending',
        objects: [],
        writes: [{ type: 'update', ref: refOf(before), before, ...(after && { after }) }],
      }),
    )
    const { run, log } = createRun(cluster, {}, [settings('a')])
    expect(await deploy(run)).toMatchObject({ outcome: 'deployed' })
    expect(cluster.objects().get(keyOf(refOf(now)))).toEqual(after)
    expect(log.join('\n')).toContain(
      'ConfigMap other/b is in a namespace that is not allowed; allowed is shop: left as it is',
    )
  })
})
