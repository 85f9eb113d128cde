/** From the pods of a bad rollout to the reason, in the words of the kubelet, the scheduler and the controllers. */
import type { ReasonCode } from '../errors.ts'
import type { Pod, ReplicaSet } from '../manifest/kinds.ts'

export interface Cause {
  readonly reason: ReasonCode
  /** One sentence that names pod, container and what the cluster says. */
  readonly message: string
}

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]

/** Waiting reasons of the kubelet (pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime/kuberuntime_container.go). */
const WAITING: Readonly<Record<string, ReasonCode>> = {
  ErrImagePull: 'ImagePull',
  ImagePullBackOff: 'ImagePull',
  InvalidImageName: 'ImagePull',
  ErrImageNeverPull: 'ImagePull',
  ImageInspectError: 'ImagePull',
  RegistryUnavailable: 'ImagePull',
  SignatureValidationFailed: 'ImagePull',
  CreateContainerConfigError: 'ContainerConfig',
  CreateContainerError: 'StartFailed',
  RunContainerError: 'StartFailed',
  PreStartHookError: 'StartFailed',
  PostStartHookError: 'StartFailed',
}

/** Terminated reasons of a container that could not be started at all. */
const NOT_STARTED = ['ContainerCannotRun', 'StartError']

/** Pods that say nothing about the release: on their way out, or thrown out by the node. */
export function isEvidence(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp === undefined &&
    !['Evicted', 'Preempting', 'Shutdown', 'NodeShutdown', 'Terminated'].includes(pod.status?.reason ?? '')
  )
}

/** Why these pods are not available; undefined when they do not say. The gravest cause wins, then the first pod. */
export function causeOf(pods: readonly Pod[], replicaSets: readonly ReplicaSet[] = []): Cause | undefined {
  const refused = replicaSets.flatMap(refusedPods)[0]
  if (refused) return refused
  const evidence = pods.filter(isEvidence)
  return (
    evidence.flatMap((pod) => containersOf(pod).flatMap((container) => containerCause(pod, container) ?? []))[0] ??
    evidence.flatMap((pod) => unschedulable(pod) ?? [])[0] ??
    evidence.flatMap((pod) => notReady(pod) ?? [])[0]
  )
}

/** Init containers and sidecars first: until they are done, the others wait. */
export function containersOf(pod: Pod): ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
}

function containerCause(pod: Pod, container: ContainerStatus): Cause | undefined {
  const where = `container ${container.name} of pod ${pod.metadata.name}`
  const { waiting, terminated } = container.state ?? {}
  const ended = waiting ? container.lastState?.terminated : terminated
  const reason = waiting?.reason ?? ''
  const known = WAITING[reason]
  if (known === 'ImagePull') {
    const image = imageOf(pod, container.name) ?? container.image
    return {
      reason: known,
      message: `${where} cannot pull the image ${image}: ${pullFailure(waiting?.message ?? reason)}`,
    }
  }
  if (known !== undefined) {
    return {
      reason: known,
      message: `${where} cannot be started: ${reason}${waiting?.message === undefined ? '' : `: ${waiting.message}`}`,
    }
  }
  if (ended === undefined || (ended.exitCode === 0 && reason !== 'CrashLoopBackOff')) return undefined
  const how = `${ended.reason ?? 'ended'}, exit code ${ended.exitCode}${ended.message === undefined ? '' : `: ${ended.message}`}`
  if (ended.reason === 'OOMKilled')
    return { reason: 'OutOfMemory', message: `${where} ran out of memory and was killed (${how})` }
  if (NOT_STARTED.includes(ended.reason ?? ''))
    return { reason: 'StartFailed', message: `${where} cannot be started (${how})` }
  return { reason: 'CrashLoop', message: `${where} keeps ending after ${container.restartCount} restarts (${how})` }
}

/** As the pod's spec has it: the status of a container that never ran may name another form of it. */
function imageOf(pod: Pod, container: string): string | undefined {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].find(({ name }) => name === container)
    ?.image
}

/** The kubelet wraps the registry's answer in the words of everyone it passed through; the last of them says what is wrong. */
function pullFailure(message: string): string {
  const parts = message.split(/: (?=[a-z0-9"])/i)
  const words = parts.at(-1) ?? message
  // `403 Forbidden` alone would not tell who said so.
  return /^\d+ |^[a-z]{1,5}$/i.test(words) && parts.length > 1 ? parts.slice(-2).join(': ') : words
}

function unschedulable(pod: Pod): Cause | undefined {
  const condition = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (condition?.reason !== 'Unschedulable') return undefined
  return {
    reason: 'Unschedulable',
    message: `pod ${pod.metadata.name} fits on no node: ${condition.message ?? 'no reason given'}`,
  }
}

function notReady(pod: Pod): Cause | undefined {
  const running = containersOf(pod).find((container) => container.state?.running && !container.ready)
  if (!running || pod.status?.phase !== 'Running') return undefined
  return {
    reason: 'ProbeFailed',
    message: `container ${running.name} of pod ${pod.metadata.name} runs but does not become ready`,
  }
}

/** Pods that were never made: a quota, a policy or a webhook said no (ReplicaFailure, pkg/controller/replicaset). */
function refusedPods(replicaSet: ReplicaSet): Cause[] {
  const condition = replicaSet.status?.conditions?.find(
    ({ type, status }) => type === 'ReplicaFailure' && status === 'True',
  )
  if (!condition) return []
  return [
    {
      reason: 'QuotaOrAdmission',
      message: `ReplicaSet ${replicaSet.metadata.name} may not make pods: ${condition.message ?? condition.reason}`,
    },
  ]
}
