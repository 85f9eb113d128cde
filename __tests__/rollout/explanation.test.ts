import { describe, expect, it } from '@jest/globals'
import type { KubeEvent, Pod } from '../../src/manifest/kinds.ts'
import { eventTime } from '../../src/rollout/evidence.ts'
import { explain } from '../../src/rollout/explanation.ts'
import { podFacts } from '../../src/rollout/pod-facts.ts'
import { backingOff, event, IMAGE, running, unschedulable, waiting } from './pods.ts'

const CRASHING = backingOff({ exitCode: 137, reason: 'Error' }, 3)
const CRASHED = 'container app of pod web-1 keeps crashing: exit code 137 (SIGKILL: killed), 3 restarts'
const CREATED = 'container app of pod web-1 has not been created yet'
const PULL = `container app of pod web-1 cannot pull the image ${IMAGE}`
const HOMELESS = 'pod web-1 fits on no node: 0/3 nodes are available: 3 Insufficient cpu'

const killing = (probe: string) =>
  event('Killing', `Container app failed ${probe} probe, will be restarted`, { type: 'Normal' })
const wholePod = { involvedObject: { kind: 'Pod', name: 'web-1', uid: 'uid-web-1' } }

function explained(object: Pod, events: readonly KubeEvent[], log?: string): string | undefined {
  const { trouble } = podFacts(object)
  const logs = new Map(log === undefined ? [] : [['app', log]])
  const cause = trouble && explain(trouble, { events, logs })
  return cause && `${cause.reason}: ${cause.message}`
}

describe('a trouble in richer words', () => {
  it.each<[string, Pod, KubeEvent[], string | undefined, string]>([
    ['nothing is found', CRASHING, [], undefined, `CrashLoop: ${CRASHED}`],
    [
      'the log says why',
      CRASHING,
      [],
      'starting\nfatal: no database\n    at main (a.js:1:1)\n',
      `CrashLoop: ${CRASHED}; its log ends with: fatal: no database`,
    ],
    [
      'the image was built for another architecture, told by the log alone',
      CRASHING,
      [],
      'exec /docker-entrypoint.sh: exec format error\n',
      `StartFailed: ${CRASHED}; its image was built for another processor architecture than the node has (exec format error)`,
    ],
    [
      'a liveness probe has it killed',
      CRASHING,
      [
        event('Unhealthy', 'Readiness probe failed: EOF'),
        event('Unhealthy', 'Liveness probe failed: HTTP probe failed with statuscode: 500'),
        killing('liveness'),
      ],
      'listening on :8080\n',
      `ProbeFailed: ${CRASHED}; the kubelet stops it because its liveness probe fails: Liveness probe failed: HTTP probe failed with statuscode: 500`,
    ],
    [
      'a startup probe has it killed, whose output has expired',
      CRASHING,
      [killing('startup')],
      undefined,
      `ProbeFailed: ${CRASHED}; the kubelet stops it because its startup probe fails`,
    ],
    [
      'the probe of another container fails',
      running(),
      [
        event('Unhealthy', 'Readiness probe failed: EOF', {
          involvedObject: { kind: 'Pod', name: 'web-1', uid: 'uid-web-1', fieldPath: 'spec.containers{proxy}' },
        }),
      ],
      undefined,
      'ProbeFailed: container app of pod web-1 runs but does not become ready',
    ],
    [
      'probes fail in different ways: the last one counts',
      running(),
      [
        event('Unhealthy', 'Readiness probe failed: first', { lastTimestamp: '2026-01-01T09:00:00Z' }),
        event('Unhealthy', 'Readiness probe failed: last', { lastTimestamp: '2026-01-01T09:00:09Z' }),
      ],
      undefined,
      'ProbeFailed: container app of pod web-1 runs but does not become ready: Readiness probe failed: last',
    ],
    [
      'an old kubelet tells why it cannot pull in the event alone',
      waiting('ImagePullBackOff', `Back-off pulling image "${IMAGE}"`),
      [
        event('Failed', `Failed to pull image "${IMAGE}": rpc error: code = NotFound desc = ${IMAGE}: not found`),
        event('Failed', 'Error: ErrImagePull'),
      ],
      undefined,
      `ImagePull: ${PULL}: not found`,
    ],
    [
      'the pull secret is missing',
      waiting('ErrImagePull', 'pull access denied'),
      [
        event(
          'FailedToRetrieveImagePullSecret',
          'Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.',
          wholePod,
        ),
      ],
      undefined,
      `ImagePull: ${PULL}: pull access denied; its image pull secrets cannot be read: regcred`,
    ],
    [
      'an autoscaler adds a node',
      unschedulable('0/3 nodes are available: 3 Insufficient cpu.'),
      [event('TriggeredScaleUp', 'pod triggered scale-up: [{pool-1 3->4 (max: 5)}]', wholePod)],
      undefined,
      `Unschedulable: ${HOMELESS}; the cluster autoscaler is adding a node`,
    ],
    [
      'an autoscaler adds none',
      unschedulable('0/3 nodes are available: 3 Insufficient cpu.'),
      [event('NotTriggerScaleUp', "pod didn't trigger scale-up: 1 max node group size reached", wholePod)],
      undefined,
      `Unschedulable: ${HOMELESS}; the cluster autoscaler adds no node: pod didn't trigger scale-up: 1 max node group size reached`,
    ],
    [
      'a ConfigMap that is mounted is missing',
      waiting('ContainerCreating'),
      [event('FailedMount', 'MountVolume.SetUp failed for volume "config" : configmap "settings" not found', wholePod)],
      undefined,
      `ContainerConfig: ${CREATED}: ConfigMap settings does not exist (volume config)`,
    ],
    [
      'a volume cannot be attached',
      waiting('ContainerCreating'),
      [
        event(
          'FailedAttachVolume',
          'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-0',
          wholePod,
        ),
      ],
      undefined,
      `StartFailed: ${CREATED}: FailedAttachVolume: Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-0`,
    ],
    [
      'the network of the node is not there',
      waiting('ContainerCreating'),
      [
        event(
          'FailedCreatePodSandBox',
          'Failed to create pod sandbox: rpc error: code = Unknown desc = cni plugin not initialized',
          wholePod,
        ),
      ],
      undefined,
      `StartFailed: ${CREATED}: FailedCreatePodSandBox: Failed to create pod sandbox: rpc error: code = Unknown desc = cni plugin not initialized`,
    ],
    [
      'its image takes long to pull',
      waiting('ContainerCreating'),
      [event('Pulling', `Pulling image "${IMAGE}"`, { type: 'Normal' })],
      undefined,
      `ProgressDeadlineExceeded: ${CREATED}: its image is still being pulled`,
    ],
  ])('when %s', (_name, object, events, log, words) => {
    expect(explained(object, events, log)).toBe(words)
  })
})

describe('trap 18: the time of an event', () => {
  const none = { metadata: { name: 'event' } }
  const { lastTimestamp: _lastTimestamp, ...timeless } = event('Unhealthy', 'm', none)

  it.each<[string, object, string]>([
    [
      'lastTimestamp',
      { lastTimestamp: '2026-01-01T09:00:03Z', firstTimestamp: '2026-01-01T09:00:01Z' },
      '2026-01-01T09:00:03Z',
    ],
    [
      'series, when it repeats',
      {
        series: { count: 3, lastObservedTime: '2026-01-01T09:00:04.000000Z' },
        eventTime: '2026-01-01T09:00:01.000000Z',
      },
      '2026-01-01T09:00:04.000000Z',
    ],
    [
      'eventTime, when lastTimestamp is null',
      { lastTimestamp: null, eventTime: '2026-01-01T09:00:02.000000Z' },
      '2026-01-01T09:00:02.000000Z',
    ],
    ['firstTimestamp', { firstTimestamp: '2026-01-01T09:00:01Z' }, '2026-01-01T09:00:01Z'],
    [
      'that of its creation',
      { metadata: { name: 'event', creationTimestamp: '2026-01-01T09:00:00Z' } },
      '2026-01-01T09:00:00Z',
    ],
    ['unknown', {}, ''],
  ])('is %s', (_name, times, expected) => {
    expect(eventTime({ ...timeless, ...times })).toBe(expected)
  })
})
