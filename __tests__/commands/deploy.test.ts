import { describe, expect, it } from '@jest/globals'
import { deploy } from '../../src/commands/deploy.ts'
import { ClusterError } from '../../src/errors.ts'
import { keyOf, type KubeObject, refOf } from '../../src/manifest/object.ts'
import type { Cluster } from '../../src/ports.ts'
import { createMemoryCluster, type MemoryCluster } from '../fakes/memory-cluster.ts'
import { createRun, recordsOf } from './runs.ts'

const WEB: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'web:v1' }] } },
  },
}

/** Sees what there is at first, and nothing from then on. */
const goingBlind = (cluster: MemoryCluster): Cluster => ({
  ...cluster,
  async *watch(query, options) {
    yield { type: 'listed', objects: (await cluster.list(query)).objects }
    yield { type: 'lost', why: 'the API server does not answer' }
    await new Promise((_resolve, reject) => {
      options.signal.addEventListener('abort', () => reject(options.signal.reason))
    })
  },
})

/** As its controller would, once all its pods are there. */
function makeHealthy(cluster: MemoryCluster): void {
  const web = cluster.objects().get('Deployment.apps/shop/web')
  if (!web) throw new Error('there is no Deployment')
  const counts = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 }
  cluster.put({ ...web, status: { observedGeneration: web.metadata.generation, ...counts } })
}

async function historyIn(cluster: Cluster): Promise<string[]> {
  const records = recordsOf(cluster)
  const all = await Promise.all((await records.list()).map((head) => records.read(head)))
  return all.map(({ revision, status, reason = '', writes }) => `${revision} ${status} ${reason} ${writes.length}`)
}

describe('a release that nobody could see to its end', () => {
  it('is left, and is good when the next run finds it healthy', async () => {
    const cluster = createMemoryCluster()
    const unknown = await deploy(createRun(goingBlind(cluster), { timeout: '1s' }, [WEB]).run)
    expect(unknown).toMatchObject({ outcome: 'unknown', reason: 'ClusterUnreachable', revision: 1, changed: true })
    expect(await historyIn(cluster)).toEqual(['1 bad ClusterUnreachable 1'])

    makeHealthy(cluster)
    const { run } = createRun(cluster, {}, [WEB])
    expect(await deploy(run)).toMatchObject({ outcome: 'unchanged', revision: 1, changed: false })
    expect(await historyIn(cluster)).toEqual(['1 good  0'])
  })

  it('is good as it is by then, when somebody has mended the manifests and the cluster alike', async () => {
    const cluster = createMemoryCluster()
    await deploy(createRun(goingBlind(cluster), { timeout: '1s' }, [WEB]).run)
    const mended = { ...WEB, spec: { ...(WEB['spec'] as object), replicas: 0 } }
    const live = cluster.objects().get('Deployment.apps/shop/web')
    if (!live) throw new Error('there is no Deployment')
    const { metadata } = cluster.put({ ...live, spec: mended.spec })
    cluster.put({ ...live, metadata, spec: mended.spec, status: { observedGeneration: metadata.generation } })
    expect(await deploy(createRun(cluster, {}, [mended]).run)).toMatchObject({ outcome: 'unchanged' })
    const records = recordsOf(cluster)
    const [record] = await Promise.all((await records.list()).map((head) => records.read(head)))
    expect(record).toMatchObject({ status: 'good', objects: [{ object: { spec: { replicas: 0 } } }] })
  })

  it('is taken back when that was asked for', async () => {
    const cluster = createMemoryCluster()
    // Who owns what is not known to this cluster, so there has to be an owner for what is made to be known as ours.
    const owned = {
      ...cluster,
      apply: async (...args: Parameters<Cluster['apply']>) => {
        const applied = await cluster.apply(...args)
        if (args[1]?.dryRun) return applied
        const managedFields = [{ manager: 'rollsafe', operation: 'Apply', fieldsV1: { 'f:spec': {} } }]
        return cluster.put({ ...applied, metadata: { ...applied.metadata, managedFields } })
      },
    }
    const blind = goingBlind(owned)
    const report = await deploy(createRun(blind, { timeout: '1s', 'on-unknown': 'rollback' }, [WEB]).run)
    expect(report).toMatchObject({ outcome: 'rolled-back', reason: 'ClusterUnreachable', changed: false })
    const ref = { ...refOf(WEB), namespace: 'shop' }
    expect(cluster.objects().has(keyOf(ref))).toBe(false)
    expect(await historyIn(cluster)).toEqual(['1 rolled-back ClusterUnreachable 0'])
  })
})

describe('a binding and the role that it binds', () => {
  const RBAC = 'rbac.authorization.k8s.io/v1'
  const role: KubeObject = { apiVersion: RBAC, kind: 'Role', metadata: { name: 'reader' }, rules: [] }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' }
  const binding: KubeObject = { apiVersion: RBAC, kind: 'RoleBinding', metadata: { name: 'reader' }, roleRef }

  /** As the API server does for a login that may not bind everything: it reads the role. */
  const careful = () => {
    const cluster = createMemoryCluster()
    cluster.onRequest = (request, moment) => {
      if (moment === 'after' || !/^(dry-run|apply) RoleBinding/.test(request)) return
      if (cluster.objects().has('Role.rbac.authorization.k8s.io/shop/reader')) return
      throw new ClusterError('rolebindings "reader" not found', { status: 404, reason: 'NotFound', request })
    }
    return cluster
  }

  it('may come in one release', async () => {
    const cluster = careful()
    expect(await deploy(createRun(cluster, {}, [binding, role]).run)).toMatchObject({ outcome: 'deployed' })
    expect(cluster.objects().has('RoleBinding.rbac.authorization.k8s.io/shop/reader')).toBe(true)
  })

  it('are refused when the role is nowhere', async () => {
    const refused = deploy(createRun(careful(), {}, [binding]).run)
    await expect(refused).rejects.toMatchObject({ problems: [{ code: 'InvalidManifest' }] })
  })
})
