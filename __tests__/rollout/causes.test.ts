import { describe, expect, it } from '@jest/globals'
import type { Pod, ReplicaSet } from '../../src/manifest/kinds.ts'
import { causeOf } from '../../src/rollout/causes.ts'

const IMAGE = 'registry.example/shop/web:v2'

/** A pod with one container in a given state. */
function pod(status: object, container?: object, more: object = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', ...more },
    spec: { containers: [{ name: 'app', image: IMAGE }] },
    status: {
      phase: 'Pending',
      ...(container && {
        containerStatuses: [{ name: 'app', image: IMAGE, imageID: '', ready: false, restartCount: 0, ...container }],
      }),
      ...status,
    },
  }
}

const waiting = (reason: string, message?: string, more: object = {}) =>
  pod({}, { state: { waiting: { reason, ...(message !== undefined && { message }) } }, ...more })

describe('the cause', () => {
  it.each<[string, Pod, string, string]>([
    [
      'an image that is not there',
      waiting(
        'ImagePullBackOff',
        `Back-off pulling image "${IMAGE}": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "${IMAGE}": failed to resolve reference "${IMAGE}": ${IMAGE}: not found`,
      ),
      'ImagePull',
      `container app of pod web-1 cannot pull the image ${IMAGE}: not found`,
    ],
    [
      'an image that may not be pulled',
      waiting(
        'ErrImagePull',
        `failed to pull and unpack image "${IMAGE}": failed to authorize: failed to fetch anonymous token: unexpected status from GET request: 403 Forbidden`,
      ),
      'ImagePull',
      `container app of pod web-1 cannot pull the image ${IMAGE}: unexpected status from GET request: 403 Forbidden`,
    ],
    [
      'an image without a message',
      waiting('ImagePullBackOff'),
      'ImagePull',
      `container app of pod web-1 cannot pull the image ${IMAGE}: ImagePullBackOff`,
    ],
    [
      'a missing ConfigMap',
      waiting('CreateContainerConfigError', 'configmap "settings" not found'),
      'ContainerConfig',
      'container app of pod web-1 cannot be started: CreateContainerConfigError: configmap "settings" not found',
    ],
    [
      'a crash',
      waiting('CrashLoopBackOff', 'back-off 10s', {
        restartCount: 2,
        lastState: { terminated: { exitCode: 1, reason: 'Error' } },
      }),
      'CrashLoop',
      'container app of pod web-1 keeps ending after 2 restarts (Error, exit code 1)',
    ],
    [
      'too little memory',
      waiting('CrashLoopBackOff', 'back-off 10s', {
        lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
      }),
      'OutOfMemory',
      'container app of pod web-1 ran out of memory and was killed (OOMKilled, exit code 137)',
    ],
    [
      'a command that is not there',
      waiting('CrashLoopBackOff', 'back-off 10s', {
        lastState: { terminated: { exitCode: 128, reason: 'StartError', message: 'exec: "serve": not found' } },
      }),
      'StartFailed',
      'container app of pod web-1 cannot be started (StartError, exit code 128: exec: "serve": not found)',
    ],
    [
      'a crash that has not been restarted yet',
      pod({}, { state: { terminated: { exitCode: 2, reason: 'Error' } } }),
      'CrashLoop',
      'container app of pod web-1 keeps ending after 0 restarts (Error, exit code 2)',
    ],
    [
      'no node',
      pod({
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
        ],
      }),
      'Unschedulable',
      'pod web-1 fits on no node: 0/3 nodes are available',
    ],
    [
      'a probe',
      pod({ phase: 'Running' }, { state: { running: {} } }),
      'ProbeFailed',
      'container app of pod web-1 runs but does not become ready',
    ],
  ])('%s', (_name, object, reason, message) => {
    expect(causeOf([object])).toEqual({ reason, message })
  })

  it.each<[string, Pod]>([
    ['a pod that is being deleted', waiting('ImagePullBackOff')],
    ['a pod that was evicted', pod({ phase: 'Failed', reason: 'Evicted' })],
    ['a pod that is being made', waiting('ContainerCreating')],
    [
      'an init container that has done its work',
      pod({}, { state: { terminated: { exitCode: 0, reason: 'Completed' } } }),
    ],
  ])('is not %s', (name, object) => {
    const pods = name.includes('deleted')
      ? [{ ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }]
      : [object]
    expect(causeOf(pods)).toBeUndefined()
  })

  it('is in the init container before it is in the containers that wait for it', () => {
    const object = waiting('PodInitializing')
    const init = {
      name: 'setup',
      image: 'setup:1',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { waiting: { reason: 'ErrImagePull', message: 'manifest unknown' } },
    }
    object.status = { ...object.status, initContainerStatuses: [init] }
    expect(causeOf([object])).toEqual({
      reason: 'ImagePull',
      message: 'container setup of pod web-1 cannot pull the image setup:1: manifest unknown',
    })
  })

  it('is the refusal of the pods, when there are none', () => {
    const replicaSet: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'web-5d9' },
      status: {
        replicas: 0,
        conditions: [
          {
            type: 'ReplicaFailure',
            status: 'True',
            reason: 'FailedCreate',
            message: 'pods "web-5d9-x" is forbidden: exceeded quota: small',
          },
        ],
      },
    }
    expect(causeOf([], [replicaSet])).toEqual({
      reason: 'QuotaOrAdmission',
      message: 'ReplicaSet web-5d9 may not make pods: pods "web-5d9-x" is forbidden: exceeded quota: small',
    })
  })
})
