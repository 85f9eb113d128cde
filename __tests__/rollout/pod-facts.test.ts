import { describe, expect, it } from '@jest/globals'
import type { Pod } from '../../src/manifest/kinds.ts'
import { podFacts } from '../../src/rollout/pod-facts.ts'
import { backingOff, containerStatus, ended, IMAGE, pod, ready, running, unschedulable, waiting } from './pods.ts'

const APP = 'container app of pod web-1'
const CRASHED = { exitCode: 1, reason: 'Error' }

/** A short form of what podFacts says: `reason gravity failedRuns: message`. */
function told(object: Pod): string | undefined {
  const { trouble } = podFacts(object)
  return trouble && `${trouble.reason} ${trouble.gravity} ${trouble.failedRuns}: ${trouble.message}`
}

describe('the trouble of a pod', () => {
  it.each<[string, Pod, string]>([
    [
      'that cannot pull its image',
      waiting('ErrImagePull', 'manifest unknown'),
      `ImagePull fatal 0: ${APP} cannot pull the image ${IMAGE}: manifest unknown`,
    ],
    [
      'that lacks a Secret',
      waiting('CreateContainerConfigError', 'secret "database" not found'),
      `ContainerConfig fatal 0: ${APP} cannot be started: Secret database does not exist`,
    ],
    [
      'whose program is missing, before it backs off',
      waiting('RunContainerError', 'exec: "serve": executable file not found in $PATH: unknown'),
      `StartFailed fatal 1: ${APP} cannot be started: exec: "serve": executable file not found in $PATH`,
    ],
    [
      'whose program is missing, while it backs off',
      backingOff({
        exitCode: 128,
        reason: 'StartError',
        message: 'exec: "/app": stat /app: no such file or directory',
      }),
      `StartFailed fatal 2: ${APP} cannot be started: exec: "/app": stat /app: no such file or directory`,
    ],
    [
      'whose node cannot start containers: exit 128 alone proves nothing',
      backingOff({ exitCode: 128, reason: 'ContainerCannotRun', message: 'no space left on device' }),
      `StartFailed lasting 2: ${APP} cannot be started: ContainerCannotRun: no space left on device`,
    ],
    [
      'whose container was never made, which is no run that failed',
      waiting('CreateContainerError', 'failed to reserve container name "app": name "app" is reserved for "f00"'),
      `StartFailed lasting 0: ${APP} cannot be started: CreateContainerError: failed to reserve container name "app": name "app" is reserved for "f00"`,
    ],
    [
      'built for another architecture, told by its termination message',
      ended({ exitCode: 255, reason: 'Error', message: 'exec /app: exec format error' }),
      `StartFailed fatal 1: ${APP} cannot be started: the image was built for another processor architecture than the node has (exec format error)`,
    ],
    [
      'that crashed once',
      ended(CRASHED),
      `CrashLoop lasting 1: ${APP} crashed: exit code 1 (the program reported an error)`,
    ],
    [
      'that left a termination message',
      ended({ ...CRASHED, message: 'cannot reach\nthe database\n' }),
      `CrashLoop lasting 1: ${APP} crashed: exit code 1 (the program reported an error): cannot reach the database`,
    ],
    [
      'that keeps crashing',
      backingOff({ exitCode: 139, reason: 'Error' }, 3),
      `CrashLoop lasting 4: ${APP} keeps crashing: exit code 139 (SIGSEGV: invalid memory access), 3 restarts`,
    ],
    [
      'that backs off without saying how it ended',
      waiting('CrashLoopBackOff', 'back-off', { restartCount: 2 }),
      `CrashLoop lasting 3: ${APP} keeps ending, 2 restarts`,
    ],
    [
      'whose program ends well though it should go on',
      backingOff({ exitCode: 0, reason: 'Completed' }),
      `CrashLoop lasting 2: ${APP} ends, although it should keep running: exit code 0 (no error), 1 restart`,
    ],
    [
      'that runs again after a crash, and is not ready yet',
      running({ restartCount: 3, lastState: { terminated: CRASHED } }),
      `CrashLoop lasting 3: ${APP} keeps crashing: exit code 1 (the program reported an error), 3 restarts`,
    ],
    [
      'that will not be restarted',
      ended(CRASHED, 0, { restartPolicy: 'Never' }),
      `CrashLoop fatal 1: ${APP} crashed: exit code 1 (the program reported an error)`,
    ],
    [
      'that ran out of memory',
      pod({
        app: {
          state: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
          resources: { limits: { memory: '64Mi' } },
        },
      }),
      `OutOfMemory lasting 1: ${APP} ran out of memory and was killed: exit code 137 (SIGKILL: killed), its limit is 64Mi`,
    ],
    ['that runs and does not become ready', running(), `ProbeFailed passing 0: ${APP} runs but does not become ready`],
    [
      'that runs and does not pass its startup probe',
      running({ started: false }, { containers: [{ name: 'app', startupProbe: { periodSeconds: 1 } }] }),
      `ProbeFailed passing 0: ${APP} runs but does not pass its startup probe`,
    ],
    [
      'that waits for a readiness gate',
      pod({
        app: { ready: true, state: { running: {} } },
        status: {
          phase: 'Running',
          conditions: [
            {
              type: 'Ready',
              status: 'False',
              reason: 'ReadinessGatesNotReady',
              message: 'corresponding condition of pod readiness gate "example.com/lb" does not exist.',
            },
          ],
        },
      }),
      'ProbeFailed passing 0: pod web-1 waits for a readiness gate: corresponding condition of pod readiness gate "example.com/lb" does not exist',
    ],
    [
      'that is being created',
      waiting('ContainerCreating'),
      'ProgressDeadlineExceeded passing 0: container app of pod web-1 has not been created yet',
    ],
    ['that has no node yet', pod({}), 'ProgressDeadlineExceeded passing 0: pod web-1 has no node yet'],
    [
      'that its node has not taken up',
      pod({ spec: { nodeName: 'node-1' } }),
      'ProgressDeadlineExceeded passing 0: pod web-1 has not been started on node-1 yet',
    ],
    [
      'that waits for something new to us',
      waiting('Polishing', 'half done'),
      `ProgressDeadlineExceeded passing 0: ${APP} waits: Polishing: half done`,
    ],
    [
      'that fits on no node, with the taints',
      unschedulable(
        '0/3 nodes are available: 1 node(s) had untolerated taint {gpu: true}, 2 Insufficient memory. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
        {
          containers: [
            { name: 'app', resources: { requests: { memory: '8Gi', cpu: '1' } } },
            { name: 'b', resources: { requests: { memory: '1Gi' } } },
          ],
        },
      ),
      'Unschedulable passing 0: pod web-1 fits on no node: 0/3 nodes are available: 1 node(s) had untolerated taint {gpu: true}, 2 Insufficient memory; it asks for memory 8Gi + 1Gi',
    ],
    [
      'that asks for a device nobody has',
      unschedulable('0/1 nodes are available: 1 Insufficient nvidia.com/gpu.', {
        containers: [{ name: 'app', resources: { requests: { 'nvidia.com/gpu': '2' } } }],
      }),
      'Unschedulable passing 0: pod web-1 fits on no node: 0/1 nodes are available: 1 Insufficient nvidia.com/gpu; it asks for nvidia.com/gpu 2',
    ],
    [
      'that is held back by a gate',
      unschedulable('', {}, 'SchedulingGated'),
      'ProgressDeadlineExceeded passing 0: pod web-1 is held back by its scheduling gates',
    ],
  ])('%s', (_name, object, words) => {
    expect(told(object)).toBe(words)
  })

  it.each<[string, Pod]>([
    ['is ready', ready(5)],
    [
      'is being deleted',
      { ...waiting('ErrImagePull'), metadata: { name: 'web-1', deletionTimestamp: '2026-01-01T00:00:00Z' } },
    ],
    [
      'was evicted',
      pod({ status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' } }),
    ],
    ['was turned away by its node', pod({ status: { phase: 'Failed', reason: 'OutOfcpu' } })],
    [
      'was shut down with its node',
      pod({
        status: {
          phase: 'Failed',
          reason: 'Terminated',
          message: 'Pod was terminated in response to imminent node shutdown.',
        },
      }),
    ],
    [
      'is being preempted',
      pod({ status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] } }),
    ],
    ['has done its work', pod({ status: { phase: 'Succeeded' } })],
  ])('is none when it %s', (_name, object) => {
    expect(podFacts(object).trouble).toBeUndefined()
  })

  it.each([
    { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located' },
    { exitCode: 255, reason: 'Unknown' },
  ])('is no crash when its node lost it: $reason', (terminated) => {
    expect(told(ended(terminated, 1))).toBe('ProgressDeadlineExceeded passing 0: pod web-1 is not ready yet')
  })

  it('is the gravest of its containers', () => {
    const object = running()
    const other = containerStatus({ name: 'proxy', state: { waiting: { reason: 'InvalidImageName' } } })
    object.status?.containerStatuses?.push(other)
    expect(podFacts(object).trouble).toMatchObject({ container: 'proxy', gravity: 'fatal', reason: 'ImagePull' })
  })
})

describe('init containers and sidecars', () => {
  const withInit = (status: object, restartPolicy?: string) =>
    pod({
      app: { state: { waiting: { reason: 'PodInitializing' } } },
      spec: { initContainers: [{ name: 'setup', image: 'setup:1', ...(restartPolicy && { restartPolicy }) }] },
      status: { initContainerStatuses: [containerStatus({ name: 'setup', image: 'setup:1', ...status })] },
    })

  it.each<[string, Pod, string]>([
    [
      'an init container that cannot be pulled',
      withInit({ state: { waiting: { reason: 'ErrImagePull', message: 'manifest unknown' } } }),
      'ImagePull fatal 0: init container setup of pod web-1 cannot pull the image setup:1: manifest unknown',
    ],
    [
      'an init container that works',
      withInit({ state: { running: {} }, started: true }),
      'ProgressDeadlineExceeded passing 0: init container setup of pod web-1 has not finished yet',
    ],
    [
      'an init container that is done',
      withInit({ state: { terminated: { exitCode: 0, reason: 'Completed' } }, ready: true }),
      'ProgressDeadlineExceeded passing 0: container app of pod web-1 has not been created yet',
    ],
    [
      'an init container that was killed for its memory and says 0',
      withInit({ state: { terminated: { exitCode: 0, reason: 'OOMKilled' } } }),
      'OutOfMemory lasting 1: init container setup of pod web-1 ran out of memory and was killed: exit code 0 (no error)',
    ],
    [
      'a sidecar that ends',
      withInit({ state: { terminated: { exitCode: 0, reason: 'Completed' } } }, 'Always'),
      'CrashLoop lasting 1: container setup of pod web-1 ends, although it should keep running: exit code 0 (no error)',
    ],
    [
      'a sidecar that is not ready',
      withInit({ state: { running: {} }, started: true }, 'Always'),
      'ProbeFailed passing 0: container setup of pod web-1 runs but does not become ready',
    ],
  ])('%s', (_name, object, words) => {
    expect(told(object)).toBe(words)
  })

  it('count their restarts, except those of init containers that have finished', () => {
    const statuses = [
      containerStatus({ name: 'setup', restartCount: 4, state: { terminated: { exitCode: 0 } } }),
      containerStatus({ name: 'migrate', restartCount: 2, state: { running: {} } }),
      containerStatus({ name: 'proxy', restartCount: 1, state: { running: {} } }),
    ]
    const object = pod({
      app: { restartCount: 8 },
      spec: { initContainers: [{ name: 'setup' }, { name: 'migrate' }, { name: 'proxy', restartPolicy: 'Always' }] },
      status: { initContainerStatuses: statuses },
    })
    expect(podFacts(object).restarts).toBe(11)
  })
})

describe('where a pod belongs', () => {
  it('is told by its owner and its labels', () => {
    const object = pod({
      metadata: {
        labels: { 'controller-revision-hash': 'web-77', 'pod-template-generation': '3' },
        ownerReferences: [
          { apiVersion: 'example.com/v1', kind: 'Thing', name: 'a', uid: 'uid-a' },
          { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'web', uid: 'uid-web', controller: true },
        ],
      },
      spec: { nodeName: 'node-1' },
    })
    expect(podFacts(object)).toMatchObject({
      uid: 'uid-web-1',
      name: 'web-1',
      namespace: 'shop',
      ownerUid: 'uid-web',
      revision: 'web-77',
      templateGeneration: '3',
      node: 'node-1',
      deleting: false,
      ready: false,
    })
    expect(podFacts(pod({ metadata: { labels: { 'pod-template-hash': '5d9' } } })).revision).toBe('5d9')
  })

  it('needs no spec', () => {
    const { spec: _spec, ...bare } = waiting('ErrImagePull', 'manifest unknown')
    expect(told(bare as Pod)).toBe(`ImagePull fatal 0: ${APP} cannot pull the image ${IMAGE}: manifest unknown`)
  })
})
