import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Status } from '../../src/rollout/state.ts'
import { statusOf } from '../../src/rollout/status.ts'
import { deployment, type DeploymentFacts } from './objects.ts'

type Row = [name: string, object: KubeObject, state: Status['state'], message: string]

const missed = (at: string) => ({ reason: 'ProgressDeadlineExceeded', at })
const OBSERVING = 'waiting for the spec update to be observed'

/** A Deployment with more in its spec, and the annotation that the controller gives to one that has had a ReplicaSet. */
function written(spec: object, facts: DeploymentFacts, revision: string | null = '1'): KubeObject {
  const object = deployment('web', facts)
  const annotations = revision === null ? {} : { 'deployment.kubernetes.io/revision': revision }
  return { ...object, metadata: { ...object.metadata, annotations }, spec: { ...(object['spec'] as object), ...spec } }
}

describe('a Deployment', () => {
  it.each<Row>([
    [
      'not observed yet',
      deployment('web', { generation: 3, observed: 2, updated: 3, available: 3 }),
      'progressing',
      OBSERVING,
    ],
    ['without a status', { ...deployment('web'), status: undefined }, 'progressing', OBSERVING],
    ['no new pods', deployment('web'), 'progressing', '0 out of 3 new replicas have been updated'],
    [
      'some new pods',
      deployment('web', { updated: 2, total: 4 }),
      'progressing',
      '2 out of 3 new replicas have been updated',
    ],
    [
      'the only new pod is missing',
      deployment('web', { replicas: 1 }),
      'progressing',
      '0 out of 1 new replica has been updated',
    ],
    [
      'one old pod left',
      deployment('web', { updated: 3, total: 4, available: 4 }),
      'progressing',
      '1 old replica is pending termination',
    ],
    [
      'two old pods left',
      deployment('web', { updated: 3, total: 5, available: 5 }),
      'progressing',
      '2 old replicas are pending termination',
    ],
    [
      'scaled down, and pods are left',
      deployment('web', { replicas: 1, total: 2, updated: 2, available: 2 }),
      'progressing',
      '1 extra replica is pending termination',
    ],
    [
      'not all available',
      deployment('web', { updated: 3, available: 2 }),
      'progressing',
      '2 of 3 updated replicas are available',
    ],
    ['done', deployment('web', { updated: 3, available: 3 }), 'healthy', '3 of 3 replicas are available'],
    [
      'done with one',
      deployment('web', { replicas: 1, updated: 1, available: 1 }),
      'healthy',
      '1 of 1 replica is available',
    ],
    ['scaled to nothing', deployment('web', { replicas: 0 }), 'healthy', '0 of 0 replicas are available'],
    [
      'deadline missed',
      deployment('web', { updated: 1, total: 4, available: 3, progressing: missed('t1') }),
      'failed',
      'exceeded its progress deadline of 600 s: 1 out of 3 new replicas have been updated',
    ],
    [
      'done, although the deadline was missed before',
      deployment('web', { updated: 3, available: 3, progressing: { reason: 'NewReplicaSetAvailable', at: 't2' } }),
      'healthy',
      '3 of 3 replicas are available',
    ],
    [
      'done, beside a missed deadline that nothing has re-stamped',
      deployment('web', { updated: 3, available: 3, progressing: missed('t1') }),
      'healthy',
      '3 of 3 replicas are available',
    ],
    [
      'paused, with pods of an old template',
      written({ paused: true }, { updated: 0, total: 3, available: 3 }),
      'failed',
      'is paused, so it never finishes: 0 out of 3 new replicas have been updated; set spec.paused to false, or run kubectl rollout resume',
    ],
    [
      'paused from the start',
      written({ paused: true }, { total: 0 }, null),
      'failed',
      'is paused, so it never finishes: 0 out of 3 new replicas have been updated; set spec.paused to false, or run kubectl rollout resume',
    ],
    [
      'paused and scaled up on the template that runs, which goes on',
      written({ paused: true }, { updated: 1, total: 1, available: 1 }),
      'progressing',
      '1 out of 3 new replicas have been updated; it is paused',
    ],
    [
      'paused when only old pods had still to go, which may be on their way',
      written({ paused: true }, { updated: 3, total: 4, available: 3 }),
      'progressing',
      '1 old replica is pending termination; it is paused',
    ],
    [
      'paused and as it should be',
      written({ paused: true }, { updated: 3, available: 3 }),
      'healthy',
      '3 of 3 replicas are available',
    ],
    [
      'paused and scaled to nothing',
      written({ paused: true }, { replicas: 0 }, null),
      'healthy',
      '0 of 0 replicas are available',
    ],
  ])('%s', (_name, object, state, message) => {
    expect(statusOf(object, { generation: 2 })).toMatchObject({ state, message })
  })

  it('says why pods cannot be created, on one line', () => {
    const object = deployment('web', { total: 0 })
    const condition = {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: 'exceeded quota:\n  pods.',
    }
    object['status'] = { ...(object['status'] as object), conditions: [condition] }
    expect(statusOf(object, { generation: 2 }).message).toBe(
      '0 out of 3 new replicas have been updated; pods cannot be created: exceeded quota: pods',
    )
  })

  it('is not observed before the generation of our own write is', () => {
    // The watch can still show the object as it was before our write.
    const before = deployment('web', { generation: 1, observed: 1, updated: 3, available: 3 })
    expect(statusOf(before, { generation: 2 }).message).toBe(OBSERVING)
  })

  it('is not failed by a ProgressDeadlineExceeded from before our write', () => {
    const at = (time: string) => deployment('web', { updated: 1, total: 4, progressing: missed(time) })
    expect(statusOf(at('before'), { generation: 2, staleDeadline: 'before' }).state).toBe('progressing')
    expect(statusOf(at('after'), { generation: 2, staleDeadline: 'before' }).state).toBe('failed')
  })

  it('tells how many pods are available and wanted', () => {
    expect(statusOf(deployment('web', { updated: 3, available: 2 }), { generation: 2 }).pods).toEqual({
      available: 2,
      wanted: 3,
    })
  })
})

describe('a ReplicaSet', () => {
  const set = (status: object, replicas = 2): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'shop', generation: 2 },
    spec: { replicas },
    status: { observedGeneration: 2, replicas, availableReplicas: replicas, ...status },
  })

  it.each<Row>([
    ['not observed', set({ observedGeneration: 1 }), 'progressing', OBSERVING],
    ['some available', set({ availableReplicas: 1 }), 'progressing', '1 of 2 replicas are available'],
    [
      'refused',
      set({
        replicas: 1,
        availableReplicas: 1,
        conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' }],
      }),
      'progressing',
      '1 of 2 replicas are available; pods cannot be created: exceeded quota',
    ],
    ['too many', set({ replicas: 3 }), 'progressing', '1 extra replica is pending termination'],
    ['done', set({}), 'healthy', '2 of 2 replicas are available'],
    ['none wanted', set({}, 0), 'healthy', '0 of 0 replicas are available'],
    [
      'its forerunner',
      { ...set({ availableReplicas: 0 }, 1), apiVersion: 'v1', kind: 'ReplicationController' },
      'progressing',
      '0 of 1 replica is available',
    ],
  ])('%s', (_name, object, state, message) => {
    expect(statusOf(object, { generation: 2 })).toMatchObject({ state, message })
  })
})
