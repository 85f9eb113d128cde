import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Status } from '../../src/rollout/state.ts'
import { statusOf } from '../../src/rollout/status.ts'
import { containerStatus, pod } from './pods.ts'

const READY = [{ type: 'Ready', status: 'True' }]
const ended = (exitCode: number, reason: string) => ({ state: { terminated: { exitCode, reason } } })

describe('a bare pod', () => {
  it.each<[string, KubeObject, Status]>([
    ['just made', pod({}), { state: 'progressing', message: '0 of 1 container is ready' }],
    [
      'on no node yet',
      pod({
        status: {
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes.' }],
        },
      }),
      { state: 'progressing', message: 'is on no node: 0/3 nodes' },
    ],
    [
      'starting',
      pod({ status: { phase: 'Running' }, app: { state: { running: {} } } }),
      { state: 'progressing', message: '0 of 1 container is ready' },
    ],
    [
      'with a sidecar and an init container, which counts only while it is none',
      pod({
        spec: {
          initContainers: [{ name: 'prepare' }, { name: 'proxy', restartPolicy: 'Always' }],
          containers: [{ name: 'app' }, { name: 'metrics' }],
        },
        status: {
          phase: 'Running',
          initContainerStatuses: [
            containerStatus({ name: 'prepare', ready: true }),
            containerStatus({ name: 'proxy', ready: true }),
          ],
          containerStatuses: [containerStatus({ ready: true }), containerStatus({ name: 'metrics' })],
        },
      }),
      { state: 'progressing', message: '2 of 3 containers are ready' },
    ],
    [
      'ready',
      pod({ status: { phase: 'Running', conditions: READY }, app: { ready: true } }),
      { state: 'healthy', message: '1 of 1 container is ready' },
    ],
    [
      'ready before the kubelet has seen the new image',
      pod({
        metadata: { generation: 2 },
        status: { phase: 'Running', conditions: READY, observedGeneration: 1 },
        app: { ready: true },
      }),
      { state: 'progressing', message: 'waiting for the spec update to be observed' },
    ],
    [
      'ready, with a kubelet that tells no generation',
      pod({ metadata: { generation: 2 }, status: { phase: 'Running', conditions: READY }, app: { ready: true } }),
      { state: 'healthy', message: '1 of 1 container is ready' },
    ],
    [
      'at its end',
      pod({ status: { phase: 'Succeeded' }, app: ended(0, 'Completed') }),
      { state: 'healthy', message: 'has completed' },
    ],
    [
      'ended with an error',
      pod({ status: { phase: 'Failed' }, app: ended(3, 'Error') }),
      { state: 'failed', reason: 'JobFailed', message: 'has failed: container app ended with exit code 3 (Error)' },
    ],
    [
      'out of memory',
      pod({ status: { phase: 'Failed' }, app: ended(137, 'OOMKilled') }),
      {
        state: 'failed',
        reason: 'OutOfMemory',
        message: 'has failed: container app ended with exit code 137 (OOMKilled)',
      },
    ],
    [
      'that cannot be started',
      pod({ status: { phase: 'Failed' }, app: ended(128, 'StartError') }),
      {
        state: 'failed',
        reason: 'StartFailed',
        message: 'has failed: container app ended with exit code 128 (StartError)',
      },
    ],
    [
      'whose init container failed',
      pod({
        status: {
          phase: 'Failed',
          initContainerStatuses: [containerStatus({ name: 'prepare', ...ended(1, 'Error') })],
          containerStatuses: [containerStatus({ state: { waiting: { reason: 'PodInitializing' } } })],
        },
      }),
      { state: 'failed', reason: 'JobFailed', message: 'has failed: container prepare ended with exit code 1 (Error)' },
    ],
    [
      'past its activeDeadlineSeconds',
      pod({ status: { phase: 'Failed', reason: 'DeadlineExceeded', message: 'Pod was active too long' } }),
      { state: 'failed', reason: 'JobFailed', message: 'has failed: Pod was active too long' },
    ],
    [
      'evicted, whatever its containers did',
      pod({
        status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory. ' },
        app: ended(137, 'Error'),
      }),
      {
        state: 'failed',
        reason: 'Deleted',
        message: 'was removed from its node (Evicted): The node was low on resource: memory; nothing makes it anew',
      },
    ],
  ])('%s', (_name, object, expected) => {
    expect(statusOf(object, { generation: 2 })).toEqual(expected)
  })
})
