import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Status } from '../../src/rollout/state.ts'
import { statusOf } from '../../src/rollout/status.ts'

const OBSERVING = 'waiting for the spec update to be observed'
const partitioned = (partition: number) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } } })

const set = (spec: object, status: object): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db', namespace: 'shop', generation: 2 },
  spec: { replicas: 3, ...partitioned(0), ...spec },
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

describe('a StatefulSet', () => {
  it.each<[string, KubeObject, Status['state'], string]>([
    ['never observed', set({}, { observedGeneration: 0 }), 'progressing', OBSERVING],
    ['not observed since our write', set({}, { observedGeneration: 1 }), 'progressing', OBSERVING],
    ['without a status', { ...set({}, {}), status: {} }, 'progressing', OBSERVING],
    ['not all ready', set({}, { readyReplicas: 1, availableReplicas: 1 }), 'progressing', '1 of 3 pods are ready'],
    [
      'the first pod holds up the others (OrderedReady)',
      set({ podManagementPolicy: 'OrderedReady' }, { replicas: 1, readyReplicas: 0, availableReplicas: 0 }),
      'progressing',
      '0 of 3 pods are ready',
    ],
    [
      'all pods at once (Parallel)',
      set({ podManagementPolicy: 'Parallel' }, { readyReplicas: 2, availableReplicas: 2 }),
      'progressing',
      '2 of 3 pods are ready',
    ],
    [
      'not all updated',
      set({}, { updatedReplicas: 1, currentRevision: 'a' }),
      'progressing',
      '1 out of 3 new pods have been updated',
    ],
    ['revisions not joined yet', set({}, { currentRevision: 'a' }), 'progressing', '3 of 3 pods are at revision b'],
    ['not all available', set({}, { availableReplicas: 2 }), 'progressing', '2 of 3 updated pods are available'],
    [
      'minReadySeconds not over',
      set({ minReadySeconds: 10 }, { availableReplicas: 2 }),
      'progressing',
      '2 of 3 updated pods are available; minReadySeconds is 10',
    ],
    ['scaled down, and pods are left', set({ replicas: 1 }, {}), 'progressing', '2 extra pods are pending termination'],
    ['done', set({}, {}), 'healthy', '3 of 3 pods are available'],
    [
      'no replicas written',
      set({ replicas: undefined }, { replicas: 1, readyReplicas: 1, availableReplicas: 1, updatedReplicas: 1 }),
      'healthy',
      '1 of 1 pod is available',
    ],
    [
      'scaled to nothing',
      set({ replicas: 0 }, { replicas: 0, readyReplicas: 0, availableReplicas: 0, updatedReplicas: 0 }),
      'healthy',
      '0 of 0 pods are available',
    ],
    [
      'an API server that does not count available pods yet',
      set({}, { availableReplicas: undefined }),
      'healthy',
      '3 of 3 pods are available',
    ],
    [
      'partition not reached',
      set(partitioned(1), { updatedReplicas: 1, currentRevision: 'a' }),
      'progressing',
      '1 out of 2 new pods have been updated',
    ],
    [
      'partition kept',
      set(partitioned(2), { updatedReplicas: 1, currentRevision: 'a' }),
      'healthy',
      '3 of 3 pods are available; 2 of them keep the old revision (partition 2)',
    ],
    [
      'partition beyond the last pod',
      set(partitioned(9), { updatedReplicas: 0, currentRevision: 'a' }),
      'healthy',
      '3 of 3 pods are available; 3 of them keep the old revision (partition 9)',
    ],
    ['partition without an update', set(partitioned(2), {}), 'healthy', '3 of 3 pods are available'],
    [
      'OnDelete',
      set({ updateStrategy: { type: 'OnDelete' } }, { updatedReplicas: 2, currentRevision: 'a' }),
      'healthy',
      '3 of 3 pods are available; 1 of them keeps the old revision until deleted (updateStrategy OnDelete)',
    ],
    [
      'OnDelete, and a pod is not ready',
      set({ updateStrategy: { type: 'OnDelete' } }, { readyReplicas: 2, availableReplicas: 2 }),
      'progressing',
      '2 of 3 pods are ready',
    ],
  ])('%s', (_name, object, state, message) => {
    expect(statusOf(object, { generation: 2 })).toMatchObject({ state, message })
  })
})
