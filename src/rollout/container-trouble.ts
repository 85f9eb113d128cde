/** What troubles one container, from its status, in the words of the kubelet and the container runtime. */
import type { ReasonCode } from '../errors.ts'
import type { Pod } from '../manifest/kinds.ts'
import { exitInWords, oneLine, restartsInWords } from './container-words.ts'
import { isPullReason, pullFailure } from './pull-failure.ts'
import { configFailure, isStartReason, startFailure, WRONG_ARCHITECTURE } from './start-failure.ts'
import type { Trouble } from './trouble.ts'

export type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]
type Container = NonNullable<Pod['spec']>['containers'][number]
type Terminated = NonNullable<NonNullable<ContainerStatus['state']>['terminated']>

/** A container with what its pod says of it. */
export interface PodContainer {
  readonly pod: Pod
  readonly status: ContainerStatus
  /** Absent when the pod came without its spec. */
  readonly spec: Container | undefined
  /** Runs to its end before the others start. A sidecar is none: it is an init container that keeps running. */
  readonly isInit: boolean
}

/** Init containers and sidecars first: until they are done, the others wait. */
export function podContainers(pod: Pod): PodContainer[] {
  const find = (specs: readonly Container[] | undefined, { name }: ContainerStatus) =>
    specs?.find((spec) => spec.name === name)
  return [
    ...(pod.status?.initContainerStatuses ?? []).map((status) => {
      const spec = find(pod.spec?.initContainers, status)
      return { pod, status, spec, isInit: spec?.restartPolicy !== 'Always' }
    }),
    ...(pod.status?.containerStatuses ?? []).map((status) => ({
      pod,
      status,
      spec: find(pod.spec?.containers, status),
      isInit: false,
    })),
  ]
}

/** Undefined when the container does what it should, or waits for its turn. */
export function containerTrouble(container: PodContainer): Trouble | undefined {
  const { status, isInit } = container
  const { waiting, running, terminated } = status.state ?? {}
  const last = status.lastState?.terminated
  if (waiting) return waitingTrouble(container, waiting.reason ?? '', waiting.message ?? '')
  if (terminated) return endedTrouble(container, terminated, 'down')
  if (!running || (status.ready && !isInit)) return undefined
  // A run that goes on after one that failed may be the good one; until it is ready, the failure stands.
  const failed = last && status.restartCount > 0 ? endedTrouble(container, last, 'running') : undefined
  if (failed) return failed
  return isInit
    ? slow(container, `${nameOf(container)} has not finished yet`)
    : passing(container, 'ProbeFailed', `${nameOf(container)} runs but does not ${unpassed(container)}`)
}

function waitingTrouble(container: PodContainer, reason: string, message: string): Trouble | undefined {
  const { status, spec } = container
  const name = nameOf(container)
  if (isPullReason(reason)) {
    const { gravity, words } = pullFailure(reason, message)
    // The status of a container that never ran may name another form of the image than the manifest.
    const image = spec?.image ?? status.image
    return troubleOf(container, {
      reason: 'ImagePull',
      gravity,
      message: `${name} cannot pull the image ${image}: ${words}`,
    })
  }
  if (reason === 'CreateContainerConfigError') {
    const { words, ...failure } = configFailure(message)
    return troubleOf(container, { ...failure, message: `${name} cannot be started: ${words}` })
  }
  if (isStartReason(reason)) {
    // Of the others no container was made, so nothing ran that could be counted.
    const hasRun = reason === 'RunContainerError' || reason === 'PostStartHookError'
    return notStarted(container, reason, message, hasRun ? status.restartCount + 1 : 0)
  }
  const last = status.lastState?.terminated
  if (reason === 'CrashLoopBackOff') {
    const ended = last && endedTrouble(container, last, 'down')
    return ended ?? crash(container, `${name} keeps ending, ${restartsInWords(status.restartCount)}`, 'lasting', 'down')
  }
  // These two are how every container begins; the pod tells what it waits for.
  if (['ContainerCreating', 'PodInitializing', ''].includes(reason)) return undefined
  return slow(container, `${name} waits: ${oneLine(message === '' ? reason : `${reason}: ${message}`)}`)
}

/** `now` says whether the container is down, or in its next run. */
function endedTrouble(container: PodContainer, ended: Terminated, now: 'down' | 'running'): Trouble | undefined {
  const { pod, status, isInit } = container
  const { reason = '', exitCode, message = '' } = ended
  const name = nameOf(container)
  const isOutOfMemory = reason === 'OOMKilled'
  const keepsRunning = !isInit && (pod.spec?.restartPolicy ?? 'Always') === 'Always'
  const neverAgain = pod.spec?.restartPolicy === 'Never' && container.spec?.restartPolicy !== 'Always'
  if (isLost(ended)) return undefined
  // Since Kubernetes 1.23, an init container that ran out of memory has failed even with exit code 0 (#104650).
  if (exitCode === 0 && !isOutOfMemory && !keepsRunning && !isSidecar(container)) return undefined
  if (isStartReason(reason) || WRONG_ARCHITECTURE.test(message))
    return notStarted(container, reason, message, now === 'down' ? status.restartCount + 1 : status.restartCount)

  const count = status.restartCount > 0 ? `, ${restartsInWords(status.restartCount)}` : ''
  const said = message === '' ? '' : `: ${oneLine(message)}`
  const gravity = neverAgain ? 'fatal' : 'lasting'
  if (isOutOfMemory) {
    const limit = memoryLimit(container)
    const limited = limit === undefined ? '' : `, its limit is ${limit}`
    const text = `${name} ran out of memory and was killed: ${exitInWords(exitCode)}${limited}${count}${said}`
    return { ...crash(container, text, gravity, now), reason: 'OutOfMemory' }
  }
  const how =
    exitCode === 0 ? 'ends, although it should keep running' : status.restartCount > 0 ? 'keeps crashing' : 'crashed'
  return crash(container, `${name} ${how}: ${exitInWords(exitCode)}${count}${said}`, gravity, now)
}

/** The node was rebooted or lost sight of the container: nobody knows how it ended (pkg/kubelet/kubelet_pods.go). */
function isLost({ reason = '', exitCode }: Terminated): boolean {
  return reason === 'ContainerStatusUnknown' || (reason === 'Unknown' && exitCode === 255)
}

function isSidecar({ spec }: PodContainer): boolean {
  return spec?.restartPolicy === 'Always'
}

function notStarted(container: PodContainer, reason: string, message: string, failedRuns: number): Trouble {
  const { words, ...failure } = startFailure(reason, message)
  return {
    ...troubleOf(container, { ...failure, message: `${nameOf(container)} cannot be started: ${words}` }),
    failedRuns,
  }
}

function crash(
  container: PodContainer,
  message: string,
  gravity: Trouble['gravity'],
  now: 'down' | 'running',
): Trouble {
  const { restartCount } = container.status
  const failedRuns = now === 'down' ? restartCount + 1 : restartCount
  return { ...troubleOf(container, { reason: 'CrashLoop', gravity, message }), failedRuns }
}

function passing(container: PodContainer, reason: ReasonCode, message: string): Trouble {
  return troubleOf(container, { reason, gravity: 'passing', message })
}

/** Nothing is wrong but the time that it takes. */
function slow(container: PodContainer, message: string): Trouble {
  return passing(container, 'ProgressDeadlineExceeded', message)
}

function troubleOf(
  { status }: PodContainer,
  { reason, gravity, message }: Pick<Trouble, 'reason' | 'gravity' | 'message'>,
): Trouble {
  return { reason, gravity, message, container: status.name, restarts: status.restartCount, failedRuns: 0 }
}

/** `container app of pod web-1`, `init container migrate of pod web-1`. */
function nameOf({ pod, status, isInit }: PodContainer): string {
  return `${isInit ? 'init container' : 'container'} ${status.name} of pod ${pod.metadata.name}`
}

function unpassed({ status, spec }: PodContainer): string {
  return spec?.startupProbe && status.started !== true ? 'pass its startup probe' : 'become ready'
}

function memoryLimit({ status, spec }: PodContainer): string | undefined {
  return status.resources?.limits?.['memory'] ?? spec?.resources?.limits?.['memory']
}
