import { describe, expect, it } from '@jest/globals'
import type { Pod } from '../../src/manifest/kinds.ts'
import {
  type CreationFailure,
  creationFailureOf,
  doomDueInMs,
  doomOf,
  type FailFast,
  type Witness,
} from '../../src/rollout/fail-fast.ts'
import { podFacts } from '../../src/rollout/pod-facts.ts'
import {
  backingOff,
  ended,
  event,
  failedCreate,
  pod,
  ready,
  replicaSet,
  running,
  unschedulable,
  waiting,
} from './pods.ts'

const DEPLOYMENT = 'Deployment.apps'
const CRASHED = { exitCode: 1, reason: 'Error' }

const MISSING = waiting('ErrImagePull', 'manifest unknown')
const LIMITED = waiting('ImagePullBackOff', 'toomanyrequests: You have reached your pull rate limit')
const OOM = { exitCode: 137, reason: 'OOMKilled' }
const SLOW = waiting('ContainerCreating')
const UNREADY = running()
const HOMELESS = unschedulable('0/3 nodes are available: 3 Insufficient cpu.')
const HOUR = 3_600_000

const witness = (object: Pod, troubledForMs = 0): Witness => ({ pod: podFacts(object), troubledForMs })
const doomed = (kind: string, pods: readonly Witness[], mode: FailFast, creation?: CreationFailure) =>
  doomOf(kind, pods, creation, mode)?.reason

describe('a Deployment with one new pod', () => {
  const yes = (reason: string) => ({ safe: reason, eager: reason })
  const no = { safe: undefined, eager: undefined }

  it.each<[string, Witness, { safe: string | undefined; eager: string | undefined }]>([
    ['without its image', witness(MISSING), yes('ImagePull')],
    [
      'without its Secret',
      witness(waiting('CreateContainerConfigError', 'secret "db" not found')),
      yes('ContainerConfig'),
    ],
    ['that a registry limits', witness(LIMITED, 59_999), { safe: undefined, eager: 'ImagePull' }],
    ['that a registry has limited for a minute', witness(LIMITED, 60_000), yes('ImagePull')],
    ['that crashed once', witness(ended(CRASHED)), { safe: undefined, eager: 'CrashLoop' }],
    ['that crashed three times', witness(backingOff(CRASHED, 2), HOUR), { safe: undefined, eager: 'CrashLoop' }],
    ['that crashed four times', witness(backingOff(CRASHED, 3)), yes('CrashLoop')],
    [
      'that crashed three times and runs again: this run may be the good one',
      witness(running({ restartCount: 3, lastState: { terminated: CRASHED } }), HOUR),
      { safe: undefined, eager: 'CrashLoop' },
    ],
    [
      'that crashed four times and runs again',
      witness(running({ restartCount: 4, lastState: { terminated: CRASHED } })),
      yes('CrashLoop'),
    ],
    ['that ran out of memory four times', witness(backingOff(OOM, 3)), yes('OutOfMemory')],
    [
      'that crashed long before this release: only new runs count',
      { ...witness(backingOff(CRASHED, 40)), restartsBefore: 40 },
      { safe: undefined, eager: 'CrashLoop' },
    ],
    [
      'that has not crashed in this release',
      { ...witness(running({ restartCount: 40, lastState: { terminated: CRASHED } })), restartsBefore: 40 },
      no,
    ],
    ['that is being created, however long', witness(SLOW, HOUR), no],
    ['that is not ready, however long', witness(UNREADY, HOUR), no],
    ['that fits on no node, however long: an autoscaler may be adding one', witness(HOMELESS, HOUR), no],
    ['that is ready', witness(ready(3)), no],
    ['that its node lost', witness(ended({ exitCode: 255, reason: 'Unknown' }, 9), HOUR), no],
  ])('%s', (_name, one, expected) => {
    expect({ safe: doomed(DEPLOYMENT, [one], 'safe'), eager: doomed(DEPLOYMENT, [one], 'eager') }).toEqual(expected)
    expect(doomed(DEPLOYMENT, [one], 'off')).toBeUndefined()
  })
})

describe('how many pods it takes', () => {
  const bad = witness(MISSING)
  const good = witness(ready())

  it.each([DEPLOYMENT, 'ReplicaSet.apps'])('all new pods of a %s', (kind) => {
    expect(doomed(kind, [bad, witness(MISSING)], 'safe')).toBe('ImagePull')
    expect(doomed(kind, [bad, good], 'eager')).toBeUndefined()
    expect(doomed(kind, [bad, witness(SLOW)], 'eager')).toBeUndefined()
    expect(doomed(kind, [], 'eager')).toBeUndefined()
  })

  it.each(['StatefulSet.apps', 'DaemonSet.apps', 'Job.batch', 'Pod'])('the first of a %s', (kind) => {
    expect(doomed(kind, [good, bad, witness(SLOW)], 'safe')).toBe('ImagePull')
    expect(doomed(kind, [good], 'eager')).toBeUndefined()
  })

  it('names the gravest, not the first', () => {
    const pods = [witness(backingOff(CRASHED, 3)), bad]
    expect(doomed(DEPLOYMENT, pods, 'safe')).toBe('ImagePull')
  })

  it('leaves crashes to the Job, which has a backoffLimit, but not what keeps its pods from ever running', () => {
    const crash = witness(ended(CRASHED, 0, { restartPolicy: 'Never' }))
    expect(doomed('Job.batch', [crash], 'eager')).toBeUndefined()
    expect(doomed('Pod', [crash], 'safe')).toBe('CrashLoop')
    expect(doomed('Job.batch', [witness(LIMITED, 60_000)], 'safe')).toBe('ImagePull')
  })
})

describe('trap 10: pods that say nothing about the release', () => {
  it.each<[string, Pod]>([
    ['terminating', { ...MISSING, metadata: { name: 'web-2', deletionTimestamp: '2026-01-01T00:00:00Z' } }],
    ['evicted', pod({ status: { phase: 'Failed', reason: 'Evicted' } })],
    ['preempted', pod({ status: { phase: 'Failed', reason: 'Preempting' } })],
    ['shut down with their node', pod({ status: { phase: 'Failed', reason: 'NodeShutdown' } })],
  ])('%s', (_name, object) => {
    expect(doomed('DaemonSet.apps', [witness(object, HOUR)], 'eager')).toBeUndefined()
    expect(doomed(DEPLOYMENT, [witness(object)], 'eager')).toBeUndefined()
    expect(doomed(DEPLOYMENT, [witness(object), witness(MISSING)], 'safe')).toBe('ImagePull')
  })
})

describe('trap 9: pods that cannot be made', () => {
  const quota = (forMs: number): CreationFailure => ({
    reason: 'QuotaOrAdmission',
    message: 'm',
    gravity: 'lasting',
    forMs,
  })
  const denied: CreationFailure = { ...quota(0), gravity: 'fatal' }

  it.each<[string, Witness[], CreationFailure, { safe: boolean; eager: boolean }]>([
    ['denied', [], denied, { safe: true, eager: true }],
    ['by a quota that old pods may still leave', [], quota(59_999), { safe: false, eager: true }],
    ['by a quota that nobody leaves', [], quota(60_000), { safe: true, eager: true }],
    ['while those that were made get on', [witness(SLOW)], quota(HOUR), { safe: false, eager: false }],
    ['while those that were made are bad too', [witness(MISSING)], quota(60_000), { safe: true, eager: true }],
  ])('%s', (_name, pods, creation, expected) => {
    const isDoomed = (mode: FailFast) => doomed(DEPLOYMENT, pods, mode, creation) !== undefined
    expect({ safe: isDoomed('safe'), eager: isDoomed('eager') }).toEqual(expected)
    expect(isDoomed('off')).toBe(false)
  })

  it('stops a StatefulSet whatever its other pods do', () => {
    expect(doomed('StatefulSet.apps', [witness(ready())], 'safe', denied)).toBe('QuotaOrAdmission')
  })
})

describe('when time alone decides', () => {
  it('is the last of the pods that must be doomed, or the first that is enough', () => {
    const pods = [witness(LIMITED, 10_000), witness(LIMITED, 40_000)]
    expect(doomDueInMs(DEPLOYMENT, pods, undefined, 'safe')).toBe(50_000)
    expect(doomDueInMs('StatefulSet.apps', pods, undefined, 'safe')).toBe(20_000)
  })

  it.each<[string, Witness[], FailFast]>([
    ['it is decided already', [witness(MISSING)], 'safe'],
    ['a pod may become ready', [witness(LIMITED), witness(UNREADY)], 'safe'],
    ['runs are counted', [witness(backingOff(CRASHED, 1))], 'safe'],
    ['it may not be decided', [witness(LIMITED)], 'off'],
    ['there are no pods', [], 'safe'],
  ])('is never when %s', (_name, pods, mode) => {
    expect(doomDueInMs(DEPLOYMENT, pods, undefined, mode)).toBeUndefined()
  })
})

describe('why pods cannot be made', () => {
  const forbidden = (why: string) => `pods "web-5d9-x" is forbidden: ${why}`

  it.each<[string, string, 'fatal' | 'lasting', string]>([
    [
      'a quota',
      forbidden('exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2'),
      'lasting',
      'exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2',
    ],
    [
      'a quota that has not been counted yet',
      forbidden('status unknown for quota: small, resources: pods'),
      'lasting',
      'status unknown for quota: small, resources: pods',
    ],
    [
      'a quota that wants limits',
      forbidden('failed quota: small: must specify limits.memory for: app'),
      'fatal',
      'failed quota: small: must specify limits.memory for: app',
    ],
    [
      'a LimitRange',
      forbidden('maximum memory usage per Container is 1Gi, but limit is 2Gi'),
      'fatal',
      'maximum memory usage per Container is 1Gi, but limit is 2Gi',
    ],
    [
      'PodSecurity',
      forbidden('violates PodSecurity "restricted:latest": runAsNonRoot != true'),
      'fatal',
      'violates PodSecurity "restricted:latest": runAsNonRoot != true',
    ],
    [
      'a ValidatingAdmissionPolicy',
      forbidden("ValidatingAdmissionPolicy 'team' with binding 'team' denied request: pods must have a label"),
      'fatal',
      "ValidatingAdmissionPolicy 'team' with binding 'team' denied request: pods must have a label",
    ],
    [
      'a webhook that says no',
      'admission webhook "policy.example" denied the request: no latest tags.',
      'fatal',
      'admission webhook "policy.example" denied the request: no latest tags',
    ],
    [
      'a webhook that does not answer',
      'Internal error occurred: failed calling webhook "policy.example": failed to call webhook: Post "https://policy.example": connect: connection refused',
      'lasting',
      'Internal error occurred: failed calling webhook "policy.example": failed to call webhook: Post "https://policy.example": connect: connection refused',
    ],
    [
      'a ServiceAccount that is missing',
      forbidden('error looking up service account shop/web: serviceaccount "web" not found'),
      'fatal',
      'error looking up service account shop/web: serviceaccount "web" not found',
    ],
    [
      'a PriorityClass that is missing',
      forbidden('no PriorityClass with name urgent was found'),
      'fatal',
      'no PriorityClass with name urgent was found',
    ],
    ['an API server in trouble', 'etcdserver: request timed out', 'lasting', 'etcdserver: request timed out'],
  ])('%s', (_name, message, gravity, why) => {
    const told = (controller: string) => ({
      reason: 'QuotaOrAdmission',
      gravity,
      message: `${controller} may not make pods: ${why}`,
    })
    expect(creationFailureOf(replicaSet(message))).toEqual(told('ReplicaSet web-5d9'))
    for (const kind of ['DaemonSet', 'Job'])
      expect(creationFailureOf(failedCreate(kind, `Error creating: ${message}`))).toEqual(told(`${kind} web`))
    const inStatefulSet = `Create Pod web-0 in StatefulSet web failed error: ${message}`
    expect(creationFailureOf(failedCreate('StatefulSet', inStatefulSet))).toEqual(told('StatefulSet web'))
  })

  it('may be that a claim cannot be made', () => {
    const message =
      'Create Claim data-web-0 for Pod web-0 in StatefulSet web failed error: persistentvolumeclaims "data-web-0" is forbidden: exceeded quota: small, requested: persistentvolumeclaims=1, used: persistentvolumeclaims=0, limited: persistentvolumeclaims=0'
    expect(creationFailureOf(failedCreate('StatefulSet', message))?.message).toBe(
      'StatefulSet web may not make pods: exceeded quota: small, requested: persistentvolumeclaims=1, used: persistentvolumeclaims=0, limited: persistentvolumeclaims=0',
    )
  })

  it.each([
    ['another event', event('FailedScheduling', '0/3 nodes are available')],
    ['an event of another kind', failedCreate('CronJob', 'Error creating job: forbidden')],
    ['a ReplicaSet that cannot delete pods', replicaSet('pods "web" is forbidden', 'FailedDelete')],
    ['a healthy ReplicaSet', { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'web' } }],
  ])('is not told by %s', (_name, source) => {
    expect(creationFailureOf(source)).toBeUndefined()
  })
})
