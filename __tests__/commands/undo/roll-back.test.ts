import { describe, expect, it } from '@jest/globals'
import { rollBack } from '../../../src/commands/undo/roll-back.ts'
import { ClusterError } from '../../../src/errors.ts'
import { type KubeObject, refOf } from '../../../src/manifest/object.ts'
import type { Cluster } from '../../../src/ports.ts'
import { createMemoryCluster, type MemoryCluster } from '../../fakes/memory-cluster.ts'
import { createRun } from '../runs.ts'

const FIELDS = { 'f:spec': { 'f:replicas': {}, 'f:strategy': {}, 'f:template': {} } }

function web(image: string): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      labels: { 'rollsafe.dev/release': 'shop' },
      managedFields: [{ manager: 'rollsafe', operation: 'Apply', apiVersion: 'apps/v1', fieldsV1: FIELDS }],
    },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { spec: { containers: [{ name: 'app', image }] } },
    },
  }
}

/** Its controller is at once done with whatever is applied, unless it never gets there. */
function controlled(cluster: MemoryCluster, isHealthy: boolean): Cluster {
  return {
    ...cluster,
    async apply(object, options) {
      const applied = await cluster.apply(object, options)
      const available = isHealthy ? 4 : 0
      const counts = { replicas: 4, updatedReplicas: 4, readyReplicas: available, availableReplicas: available }
      return cluster.put({ ...applied, status: { observedGeneration: applied.metadata.generation, ...counts } })
    },
  }
}

async function goBack(isHealthy: boolean, onRequest: MemoryCluster['onRequest'] = () => undefined) {
  const cluster = createMemoryCluster()
  const { status: _status, ...before } = cluster.put(web('web:v1'))
  const after = cluster.put({ ...before, spec: web('web:v2')['spec'] })
  cluster.onRequest = onRequest
  const inputs = { 'rollback-strategy': 'fast', 'rollback-timeout': isHealthy ? '20s' : '1s' }
  const { run } = createRun(controlled(cluster, isHealthy), inputs)
  const writes = [{ type: 'update' as const, ref: refOf(after), before, after }]
  const rolledBack = await rollBack({ writes, signal: new AbortController().signal }, run)
  return { ...rolledBack, spec: cluster.objects().get('Deployment.apps/shop/web')?.['spec'], before }
}

/** Refuses the second apply and those after it, so many times. */
function refusing(status: number, times: number): MemoryCluster['onRequest'] {
  let applied = 0
  return (request, moment) => {
    if (moment === 'before' && request.startsWith('apply Deployment') && ++applied > 1 && applied <= 1 + times)
      throw new ClusterError('the object has been modified', { status, reason: 'Conflict', request })
  }
}

describe('a workload that goes back with another strategy than its own', () => {
  it('has its own again at the end', async () => {
    const { report, spec, before } = await goBack(true)
    expect(report).toMatchObject({ outcome: 'rolled-back', steps: [{ step: 'restored' }], commands: [] })
    expect(spec).toEqual(before['spec'])
  })

  it('has its own again although somebody else wrote it at the same moment', async () => {
    const { report, spec, before } = await goBack(true, refusing(409, 3))
    expect(report.outcome).toBe('rolled-back')
    expect(spec).toEqual(before['spec'])
  })

  it('is told when its own cannot be put back, with what to do', async () => {
    const { report, spec } = await goBack(true, refusing(403, Infinity))
    expect(report.outcome).toBe('rollback-failed')
    expect(report.message).toContain('its old pods are back, but not its own strategy')
    expect(report.commands).not.toEqual([])
    expect(spec).toMatchObject({ template: { spec: { containers: [{ image: 'web:v1' }] } } })
  })

  it('has its own again also when its old pods do not get well', async () => {
    const { report, spec, before } = await goBack(false)
    expect(report.outcome).toBe('rollback-failed')
    expect(report.message).toContain('The previous revision is back, but')
    expect(spec).toEqual(before['spec'])
  })
})
