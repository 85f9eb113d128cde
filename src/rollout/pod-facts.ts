/** A pod in the few facts that a verdict needs, so that thousands of them cost little memory. */
import type { Pod } from '../manifest/kinds.ts'
import { oneLine } from './container-words.ts'
import { containerTrouble, podContainers } from './container-trouble.ts'
import { unscheduled } from './scheduling.ts'
import { byGravity, type Trouble } from './trouble.ts'

export type { Trouble } from './trouble.ts'

export interface PodFacts {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  /** Of the controller: of a Deployment's pod, its ReplicaSet. */
  readonly ownerUid?: string
  /** Label `pod-template-hash`, or `controller-revision-hash` of StatefulSets and DaemonSets. */
  readonly revision?: string
  /** Label `pod-template-generation` of a DaemonSet's pod. */
  readonly templateGeneration?: string
  readonly node?: string
  /** By the API server's clock. */
  readonly createdAt?: string
  /** On its way out, or thrown out by scheduler or node: says nothing about the release. */
  readonly deleting: boolean
  readonly ready: boolean
  /** Of all containers that should keep running, and of init containers that have not finished. */
  readonly restarts: number
  /** The gravest; absent for a pod that is ready, and for one that is deleting. */
  readonly trouble?: Trouble
}

/** From a Pod as the API server sends it. Where the spec is left out, the messages only say less. */
export function podFacts(pod: Pod): PodFacts {
  const { metadata, spec, status } = pod
  const { labels = {} } = metadata
  const ownerUid = metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid
  const revision = labels['pod-template-hash'] ?? labels['controller-revision-hash']
  const templateGeneration = labels['pod-template-generation']
  const deleting = isOnItsWayOut(pod)
  const ready = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
  const trouble = deleting || ready || status?.phase === 'Succeeded' ? undefined : troubleOf(pod)
  return {
    uid: metadata.uid ?? '',
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    ...(ownerUid !== undefined && { ownerUid }),
    ...(revision !== undefined && { revision }),
    ...(templateGeneration !== undefined && { templateGeneration }),
    ...(spec?.nodeName !== undefined && { node: spec.nodeName }),
    ...(metadata.creationTimestamp !== undefined && { createdAt: metadata.creationTimestamp }),
    deleting,
    ready,
    restarts: restartsOf(pod),
    ...(trouble && { trouble }),
  }
}

/**
 * Also true of pods that the kubelet turned away or threw out (Evicted, OutOfcpu, NodeAffinity, UnexpectedAdmissionError …):
 * they are Failed with a reason of their own, their controller makes another pod, and they stay behind. A pod that failed
 * because its containers did has no reason, except when its own activeDeadlineSeconds ended it.
 */
function isOnItsWayOut({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return true
  if (status?.conditions?.some(({ type, status: value }) => type === 'DisruptionTarget' && value === 'True'))
    return true
  return status?.phase === 'Failed' && !['', 'DeadlineExceeded'].includes(status.reason ?? '')
}

function restartsOf(pod: Pod): number {
  return podContainers(pod)
    .filter(({ isInit, status }) => !isInit || status.state?.terminated?.exitCode !== 0)
    .reduce((sum, { status }) => sum + status.restartCount, 0)
}

function troubleOf(pod: Pod): Trouble | undefined {
  const none = { restarts: 0, failedRuns: 0, gravity: 'passing' } as const
  const homeless = unscheduled(pod)
  if (homeless) {
    const reason = homeless.isGated ? 'ProgressDeadlineExceeded' : 'Unschedulable'
    return { ...none, reason, message: homeless.message }
  }
  const [gravest] = podContainers(pod)
    .flatMap((container) => containerTrouble(container) ?? [])
    .toSorted(byGravity)
  if (gravest) return gravest
  return { ...none, ...begun(pod) }
}

/** Of a pod that is neither ready nor in trouble: how far it has come. */
function begun(pod: Pod): Pick<Trouble, 'reason' | 'message' | 'container'> {
  const name = `pod ${pod.metadata.name}`
  const waiting = podContainers(pod).find(({ status }) => status.state?.waiting)?.status.name
  if (waiting !== undefined) {
    return {
      reason: 'ProgressDeadlineExceeded',
      message: `container ${waiting} of ${name} has not been created yet`,
      container: waiting,
    }
  }
  const gate = pod.status?.conditions?.find(
    ({ type, reason }) => type === 'Ready' && reason === 'ReadinessGatesNotReady',
  )
  if (gate)
    return { reason: 'ProbeFailed', message: `${name} waits for a readiness gate: ${oneLine(gate.message ?? '')}` }
  const where =
    pod.spec?.nodeName === undefined ? 'has no node yet' : `has not been started on ${pod.spec.nodeName} yet`
  return podContainers(pod).length === 0
    ? { reason: 'ProgressDeadlineExceeded', message: `${name} ${where}` }
    : { reason: 'ProgressDeadlineExceeded', message: `${name} is not ready yet` }
}
