import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Status } from '../../src/rollout/state.ts'
import { deadlineConditionTime, progressDeadlineSeconds, statusOf } from '../../src/rollout/status.ts'
import { deployment } from './objects.ts'

const missed = (at: string) => ({ reason: 'ProgressDeadlineExceeded', at })

describe('a Deployment', () => {
  it.each<[string, KubeObject, Status['state'], string]>([
    [
      'not observed yet',
      deployment('web', { generation: 3, observed: 2, updated: 3, available: 3 }),
      'progressing',
      'waiting for the spec update to be observed',
    ],
    ['no new pods', deployment('web'), 'progressing', '0 out of 3 new replicas have been updated'],
    [
      'some new pods',
      deployment('web', { updated: 2, total: 4 }),
      'progressing',
      '2 out of 3 new replicas have been updated',
    ],
    [
      'one old pod left',
      deployment('web', { updated: 3, total: 4, available: 4 }),
      'progressing',
      '1 old replica is pending termination',
    ],
    [
      'not all available',
      deployment('web', { updated: 3, available: 2 }),
      'progressing',
      '2 of 3 updated replicas are available',
    ],
    ['done', deployment('web', { updated: 3, available: 3 }), 'healthy', '3 of 3 replicas are available'],
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
  ])('%s', (_name, object, state, message) => {
    expect(statusOf(object, { generation: 2 })).toMatchObject({ state, message })
  })

  it('is not observed before the generation of our own write is', () => {
    // The watch can still show the object as it was before our write.
    const before = deployment('web', { generation: 1, observed: 1, updated: 3, available: 3 })
    expect(statusOf(before, { generation: 2 }).message).toBe('waiting for the spec update to be observed')
  })

  it('is not failed by a ProgressDeadlineExceeded from before our write', () => {
    const stale = deployment('web', { updated: 1, total: 4, progressing: missed('before') })
    expect(statusOf(stale, { generation: 2, staleDeadline: 'before' }).state).toBe('progressing')
    expect(
      statusOf(deployment('web', { updated: 1, total: 4, progressing: missed('after') }), {
        generation: 2,
        staleDeadline: 'before',
      }).state,
    ).toBe('failed')
  })

  it('counts a missing spec.replicas as one', () => {
    const object = deployment('web', { updated: 1, total: 1, available: 1 })
    delete (object['spec'] as { replicas?: number }).replicas
    expect(statusOf(object, { generation: 2 })).toMatchObject({ state: 'healthy', pods: { available: 1, wanted: 1 } })
  })

  it('tells the time of a missed deadline, to know it again', () => {
    expect(deadlineConditionTime(deployment('web', { progressing: missed('t1') }))).toBe('t1')
    expect(
      deadlineConditionTime(deployment('web', { progressing: { reason: 'ReplicaSetUpdated', at: 't1' } })),
    ).toBeUndefined()
    expect(deadlineConditionTime(undefined)).toBeUndefined()
  })

  it.each([
    [undefined, 600],
    [20, 20],
    [2 ** 31 - 1, undefined],
  ])('progressDeadlineSeconds %s means %s', (written, expected) => {
    const object = deployment('web')
    object['spec'] = written === undefined ? {} : { progressDeadlineSeconds: written }
    expect(progressDeadlineSeconds(object)).toBe(expected)
  })
})

describe('a StatefulSet', () => {
  const set = (spec: object, status: object): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'shop', generation: 2 },
    spec: { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }, ...spec },
    status: {
      observedGeneration: 2,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      updatedReplicas: 3,
      currentRevision: 'b',
      updateRevision: 'b',
      ...status,
    },
  })

  it.each<[string, KubeObject, Status['state'], string]>([
    ['never observed', set({}, { observedGeneration: 0 }), 'progressing', 'waiting for the spec update to be observed'],
    ['not all ready', set({}, { readyReplicas: 1, availableReplicas: 1 }), 'progressing', '1 of 3 pods are ready'],
    [
      'not all updated',
      set({}, { updatedReplicas: 1, currentRevision: 'a' }),
      'progressing',
      '1 out of 3 new pods have been updated',
    ],
    ['revisions not joined yet', set({}, { currentRevision: 'a' }), 'progressing', '3 of 3 pods are at revision b'],
    ['minReadySeconds not over', set({}, { availableReplicas: 2 }), 'progressing', '2 of 3 updated pods are available'],
    ['done', set({}, {}), 'healthy', '3 of 3 pods are available'],
    [
      'partition kept',
      set(
        { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } },
        { updatedReplicas: 1, currentRevision: 'a' },
      ),
      'healthy',
      '3 of 3 pods are available',
    ],
    [
      'OnDelete',
      set({ updateStrategy: { type: 'OnDelete' } }, { updatedReplicas: 0, currentRevision: 'a' }),
      'healthy',
      '3 of 3 pods are ready; updateStrategy OnDelete replaces none by itself',
    ],
  ])('%s', (_name, object, state, message) => {
    expect(statusOf(object, { generation: 2 })).toMatchObject({ state, message })
  })
})

describe('a DaemonSet', () => {
  const set = (status: object, type = 'RollingUpdate'): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'shop', generation: 2 },
    spec: { updateStrategy: { type } },
    status: {
      observedGeneration: 2,
      desiredNumberScheduled: 2,
      updatedNumberScheduled: 2,
      numberAvailable: 2,
      ...status,
    },
  })

  it.each<[string, KubeObject, Status['state'], string]>([
    ['not observed', set({ observedGeneration: 1 }), 'progressing', 'waiting for the spec update to be observed'],
    ['not all updated', set({ updatedNumberScheduled: 1 }), 'progressing', '1 out of 2 new pods have been updated'],
    ['not all available', set({ numberAvailable: 1 }), 'progressing', '1 of 2 updated pods are available'],
    ['done', set({}), 'healthy', '2 of 2 pods are available'],
    ['OnDelete', set({ updatedNumberScheduled: 0 }, 'OnDelete'), 'healthy', '2 of 2 pods are available'],
    [
      'no node to run on',
      set({ desiredNumberScheduled: 0, updatedNumberScheduled: 0, numberAvailable: 0 }),
      'healthy',
      '0 of 0 pods are available',
    ],
  ])('%s', (_name, object, state, message) => {
    expect(statusOf(object, { generation: 2 })).toMatchObject({ state, message })
  })
})

describe('a Job', () => {
  const job = (status: object): KubeObject => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'migrate', namespace: 'shop' },
    spec: { completions: 1 },
    status,
  })

  it.each<[string, KubeObject, Status['state'], string]>([
    ['started is not done', job({ active: 1 }), 'progressing', '0 of 1 completions, 0 failed pods'],
    [
      'complete',
      job({ succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] }),
      'healthy',
      'is complete, 1 of 1 succeeded',
    ],
    [
      'failed',
      job({
        failed: 7,
        conditions: [{ type: 'Failed', status: 'True', message: 'Job has reached the specified backoff limit' }],
      }),
      'failed',
      'failed: Job has reached the specified backoff limit',
    ],
  ])('%s', (_name, object, state, message) => {
    expect(statusOf(object, { generation: 0 })).toMatchObject({ state, message })
  })
})

it('does not wait for kinds that have no status of their own', () => {
  expect(
    statusOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' } }, { generation: 0 }).state,
  ).toBe('healthy')
})
