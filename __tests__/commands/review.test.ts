import { describe, expect, it } from '@jest/globals'
import { deploy } from '../../src/commands/deploy.ts'
import { rollback } from '../../src/commands/rollback.ts'
import { ClusterError } from '../../src/errors.ts'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { AccessRule } from '../../src/ports.ts'
import { createMemoryCluster, type MemoryCluster } from '../fakes/memory-cluster.ts'
import { problemsOfAsync } from '../manifest/problems.ts'
import { releaseRecord } from '../release/records.ts'
import { createRun, recordsOf, settings } from './runs.ts'

const rule = (group: string, resources: string[], verbs: string, resourceNames: string[] = []): AccessRule => ({
  apiGroups: [group],
  resources,
  verbs: verbs.split(' '),
  resourceNames,
})
const BOOKKEEPING = [
  rule('', ['secrets'], 'get list create update delete'),
  rule('coordination.k8s.io', ['leases'], 'get create update delete'),
]
const home: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }

function clusterWith(access: readonly AccessRule[], objects: readonly KubeObject[] = []): MemoryCluster {
  const cluster = createMemoryCluster(objects)
  cluster.access = access
  return cluster
}

const asked = ({ requests }: MemoryCluster) => requests.filter((request) => request.startsWith('ask '))
const written = ({ requests }: MemoryCluster) => requests.filter((request) => !/^(get|list|dry-run|ask) /.test(request))
const rejected = (cluster: MemoryCluster, objects: readonly KubeObject[], inputs: Record<string, string> = {}) =>
  problemsOfAsync(() => deploy(createRun(cluster, inputs, objects).run))

describe('a login that may do too little', () => {
  it('is told all that is missing, with the YAML that grants it, before anything is written', async () => {
    const cluster = clusterWith([rule('', ['configmaps'], 'get create')])
    const [problem, ...others] = await rejected(cluster, [settings('a')])
    expect(others).toEqual([])
    expect(problem).toEqual({
      code: 'Forbidden',
      message:
        'the login lacks rights that this release, or its way back, needs in namespace shop: get, create, update on leases.coordination.k8s.io; get, list, create, update on secrets; patch, update, delete on configmaps',
      hint: expect.stringContaining('apply the YAML in the log'),
      paste: expect.stringContaining('    resources: [configmaps]\n    verbs: [list, patch, update, delete]\n'),
    })
    expect(problem?.paste).toContain('    resources: [leases]\n    verbs: [get, create, update, delete]\n')
    expect(problem?.paste).toContain('  - kind: ServiceAccount\n    name: deployer\n    namespace: shop')
    expect(written(cluster)).toEqual([])
  })

  it('is told what only the way back needs', async () => {
    const cluster = clusterWith([...BOOKKEEPING, rule('', ['configmaps'], 'get create patch')])
    expect(await rejected(cluster, [settings('a')])).toMatchObject([
      { message: expect.stringContaining('in namespace shop: update, delete on configmaps') },
    ])
    expect(await deploy(createRun(cluster, { rollback: 'off' }, [settings('a')]).run)).toMatchObject({
      outcome: 'deployed',
    })
  })

  it('is asked in each namespace, and about what belongs to none', async () => {
    const configMaps = rule('', ['configmaps'], 'get create patch update delete')
    const cluster = clusterWith([...BOOKKEEPING, configMaps], [home])
    const inputs = { 'allowed-namespaces': 'shop\njobs' }
    const rules = cluster.rules.bind(cluster)
    cluster.rules = async (namespace) => (namespace === 'shop' ? rules(namespace) : [])
    cluster.isAllowed = async ({ namespace }) => namespace === 'shop'
    expect(await rejected(cluster, [home, settings('a'), settings('b', {}, 'jobs')], inputs)).toMatchObject([
      {
        message: expect.stringMatching(
          /in the whole cluster: get, create, patch, update, delete on namespaces; and in namespace jobs: get, create, /,
        ),
      },
    ])
  })

  it('may go back by hand no further than its rights', async () => {
    const cluster = clusterWith(BOOKKEEPING)
    await recordsOf(cluster).create(releaseRecord({ revision: 1, objects: [{ object: settings('a') }] }))
    const before = cluster.objects()
    const { run } = createRun(cluster, { command: 'rollback', 'to-revision': '1' })
    expect(await problemsOfAsync(() => rollback(run))).toMatchObject([
      { code: 'Forbidden', message: expect.stringContaining('on configmaps') },
    ])
    expect(cluster.objects()).toEqual(before)
  })
})

describe('the review', () => {
  it('is one request where the rules of the namespace grant everything', async () => {
    const cluster = createMemoryCluster()
    await deploy(createRun(cluster, {}, [settings('a')]).run)
    expect(asked(cluster)).toEqual(['ask SelfSubjectRulesReview'])
  })

  it('asks single questions of an authorizer that lists no rules, and believes them', async () => {
    const cluster = createMemoryCluster()
    cluster.rules = () => Promise.resolve([])
    expect(await deploy(createRun(cluster, {}, [settings('a')]).run)).toMatchObject({ outcome: 'deployed' })
    // Seven for the lock and the records, five for the kind.
    expect(asked(cluster)).toEqual(Array<string>(12).fill('ask SelfSubjectAccessReview'))
  })

  it('asks by name where all may not be touched', async () => {
    const mine = rule('', ['configmaps'], 'get patch update delete', ['a', 'b'])
    const cluster = clusterWith([...BOOKKEEPING, mine, rule('', ['configmaps'], 'create')])
    cluster.rules = () => Promise.resolve([])
    expect(await deploy(createRun(cluster, {}, [settings('a')]).run)).toMatchObject({ outcome: 'deployed' })
    expect(await rejected(cluster, [settings('c')], { release: 'other' })).toMatchObject([{ code: 'Forbidden' }])
  })

  it('does not guess what will be allowed in a namespace that the release makes', async () => {
    const cluster = clusterWith([rule('', ['namespaces'], 'get create patch update delete')])
    expect(await deploy(createRun(cluster, {}, [home, settings('a')]).run)).toMatchObject({ outcome: 'deployed' })
    expect(await rejected(cluster, [home, settings('a', { a: '2' })])).toMatchObject([{ code: 'Forbidden' }])
  })

  it('warns that a StatefulSet may not come back, where pods may not be deleted', async () => {
    const database: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'db' } },
        template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image: 'db:v1' }] } },
      },
    }
    const sets = rule('apps', ['statefulsets'], 'get list watch create patch update delete')
    const cluster = clusterWith([...BOOKKEEPING, sets])
    const { run, log } = createRun(cluster, { timeout: '1s' }, [database])
    await deploy(run)
    expect(log.filter((line) => line.includes('may not be deleted'))).toEqual([
      'warning: pods may not be deleted in namespace shop, so a set of pods that hangs on a broken one, or has OnDelete, does not come back',
    ])
  })

  it('that is not possible stands in the way of nothing', async () => {
    const cluster = createMemoryCluster()
    cluster.onRequest = (request) => {
      if (request.startsWith('ask ')) throw new ClusterError('no such API', { status: 404, request: 'ask' })
    }
    const { run, log } = createRun(cluster, {}, [settings('a')])
    expect(await deploy(run)).toMatchObject({ outcome: 'deployed' })
    expect(log).toContain('warning: what the login may do cannot be asked, so a missing right shows late: no such API')
  })

  it('says when the login itself is refused', async () => {
    const cluster = createMemoryCluster()
    cluster.onRequest = (request) => {
      if (request.startsWith('ask ')) throw new ClusterError('Unauthorized', { status: 401, request: 'ask' })
    }
    expect(await rejected(cluster, [settings('a')])).toMatchObject([
      { code: 'Forbidden', message: expect.stringContaining('does not accept the credentials') },
    ])
  })

  it('has no Role to bind where nobody knows who the login is', async () => {
    const cluster = clusterWith([])
    cluster.onRequest = (request) => {
      if (request === 'ask SelfSubjectReview') throw new ClusterError('no', { status: 404, request })
    }
    const [problem] = await rejected(cluster, [settings('a')])
    expect(problem?.paste).toContain('kind: Role\n')
    expect(problem?.paste).not.toContain('kind: RoleBinding')
  })
})
