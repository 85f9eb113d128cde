/**
 * When a rollout is known to be bad before its deadline: from evidence that waiting does not mend. A verdict that is too
 * early undoes a good release, so what can heal must first prove that it does not.
 */
import type { ReasonCode } from '../errors.ts'
import type { KubeEvent, ReplicaSet } from '../manifest/kinds.ts'
import { oneLine } from './container-words.ts'
import type { PodFacts } from './pod-facts.ts'
import { byGravity, type Gravity } from './trouble.ts'

/** `safe`: fatal evidence at once, lasting evidence when it has proved itself. `eager`: both at once. `off`: never. */
export type FailFast = 'off' | 'safe' | 'eager'

/** `fatal`: as `safe`, while other workloads of the release are still coming up: what lasts may be waiting for one of them. */
export type DoomMode = FailFast | 'fatal'

export interface Cause {
  readonly reason: ReasonCode
  /** One sentence without a full stop that names pod, container and what the cluster says. */
  readonly message: string
}

/** A pod of the new revision. */
export interface Witness {
  readonly pod: PodFacts
  /** For how long it has had trouble of this reason without a break. */
  readonly troubledForMs: number
  /** Restarts that it already had when the release was applied, for a pod that is older than that; 0 if not given. */
  readonly restartsBefore?: number
}

/** Why pods cannot even be made. */
export interface CreationFailure extends Cause {
  readonly gravity: Exclude<Gravity, 'passing'>
  /** Without a break. */
  readonly forMs: number
}

/**
 * Failed runs after which a program that keeps ending will not get through any more. The kubelet waits 0, 10 and 20 s between
 * the first four, so one that only waits for something else to come up has half a minute to find it; krane and kubedog, both
 * made for this judgement, allow two runs.
 */
export const FAILED_RUNS = 4

/**
 * For trouble that does not count runs: a registry that limits, a quota that old pods still use up. The kubelet tries to pull
 * again after 10, 30 and 70 s, and a pod that was told to stop has 30 s by default, so a minute holds three attempts and
 * twice the time that old pods have to leave.
 */
const LASTING_MS = 60_000

/** Here one bad pod is enough to stop the rollout; the controllers of other kinds go on, or make another pod. */
const STOPPED_BY_ONE = ['StatefulSet.apps', 'DaemonSet.apps', 'Job.batch', 'Pod']

/**
 * The cause when the workload cannot become healthy any more; undefined while it may. Each new pod must be doomed, or
 * none can be made; of a StatefulSet, DaemonSet, Job or bare Pod the first one that is doomed is enough. `kind` is the group
 * kind, `Deployment.apps`; `witnesses` are pods of the new revision only.
 */
export function doomOf(
  kind: string,
  witnesses: readonly Witness[],
  creation: CreationFailure | undefined,
  mode: DoomMode,
): Cause | undefined {
  if (doomedInMs(kind, witnesses, creation, mode) > 0) return undefined
  const causes = [
    ...(creation && creationDueInMs(creation, mode) <= 0 ? [creation] : []),
    ...witnesses.flatMap((witness) =>
      witness.pod.trouble && dueInMs(witness, kind, mode) <= 0 ? [witness.pod.trouble] : [],
    ),
  ]
  const [gravest] = causes.toSorted(byGravity)
  return gravest && { reason: gravest.reason, message: gravest.message }
}

/** In how many milliseconds doomOf would answer if nothing changed but the time; undefined when it has, or never would. */
export function doomDueInMs(
  kind: string,
  witnesses: readonly Witness[],
  creation: CreationFailure | undefined,
  mode: DoomMode,
): number | undefined {
  const due = doomedInMs(kind, witnesses, creation, mode)
  return due > 0 && due < Infinity ? due : undefined
}

/** 0 or less when it is doomed now, Infinity when time alone will not doom it. */
function doomedInMs(
  kind: string,
  witnesses: readonly Witness[],
  creation: CreationFailure | undefined,
  mode: DoomMode,
): number {
  const due = [
    ...(creation ? [creationDueInMs(creation, mode)] : []),
    ...witnesses.filter(({ pod }) => !pod.deleting).map((witness) => dueInMs(witness, kind, mode)),
  ]
  if (due.length === 0) return Infinity
  return STOPPED_BY_ONE.includes(kind) ? Math.min(...due) : Math.max(...due)
}

function creationDueInMs({ gravity, forMs }: CreationFailure, mode: DoomMode): number {
  if (mode === 'off' || (mode === 'fatal' && gravity !== 'fatal')) return Infinity
  return gravity === 'fatal' || mode === 'eager' ? 0 : Math.max(0, LASTING_MS - forMs)
}

function dueInMs({ pod, troubledForMs, restartsBefore = 0 }: Witness, kind: string, mode: DoomMode): number {
  const { trouble } = pod
  if (mode === 'off' || !trouble || trouble.gravity === 'passing' || pod.deleting) return Infinity
  const isCrash = trouble.reason === 'CrashLoop' || trouble.reason === 'OutOfMemory'
  // How often a Job may fail is its own to say (backoffLimit), and the Job reports it.
  if (isCrash && kind === 'Job.batch') return Infinity
  if (trouble.gravity === 'fatal') return 0
  if (mode === 'fatal') return Infinity
  const failedRuns = trouble.failedRuns - restartsBefore
  if (mode === 'eager') return isCrash && failedRuns < 1 ? Infinity : 0
  if (failedRuns >= FAILED_RUNS) return 0
  // A program that runs for a while before it ends may yet get through: its runs are counted, not its time.
  return isCrash ? Infinity : Math.max(0, LASTING_MS - troubledForMs)
}

/**
 * What says that the pod template is not acceptable here, which will be said again of every pod
 * (k8s.io/apiserver/pkg/admission, k8s.io/pod-security-admission, plugin/pkg/admission in kubernetes/kubernetes).
 */
const DENIALS: readonly RegExp[] = [
  /violates PodSecurity/,
  /ValidatingAdmissionPolicy '[^']*' .*denied request/,
  /admission webhook "[^"]*" denied the request/,
  /(minimum|maximum) \S+ usage per (Container|Pod) is/,
  // A quota for a resource demands that every container names it.
  /failed quota: .*must specify/,
  /no PriorityClass with name/,
  /error looking up service account .* not found/,
  /Pod "[^"]*" is invalid:/,
  /unable to validate against any security context constraint/,
]

/**
 * Undefined when the object says nothing about pods that could not be made. ReplicaSets say it in a condition
 * (ReplicaFailure), StatefulSets, DaemonSets and Jobs only in events. Old events tell of old releases: the caller sorts them out.
 */
export function creationFailureOf(source: ReplicaSet | KubeEvent): Omit<CreationFailure, 'forMs'> | undefined {
  const said = isEvent(source) ? eventText(source) : conditionText(source)
  if (said === undefined) return undefined
  const { controller, text } = said
  const gravity = DENIALS.some((denial) => denial.test(text)) ? 'fatal' : 'lasting'
  const why = text.replace(/^(pods|persistentvolumeclaims) "[^"]*" is forbidden: /, '')
  return { reason: 'QuotaOrAdmission', gravity, message: `${controller} may not make pods: ${oneLine(why)}` }
}

function isEvent(source: ReplicaSet | KubeEvent): source is KubeEvent {
  return 'involvedObject' in source
}

/** The ReplicaSet controller has FailedDelete under the same type of condition (pkg/controller/replicaset/replica_set_utils.go). */
function conditionText({ metadata, status }: ReplicaSet): { controller: string; text: string } | undefined {
  const failure = status?.conditions?.find(({ type, status: value }) => type === 'ReplicaFailure' && value === 'True')
  if (failure?.reason !== 'FailedCreate') return undefined
  return { controller: `ReplicaSet ${metadata.name}`, text: failure.message ?? 'no reason given' }
}

/** `Error creating: …`, or of StatefulSets `Create Pod web-0 in StatefulSet web failed error: …`. */
function eventText({ involvedObject, reason, message }: KubeEvent): { controller: string; text: string } | undefined {
  const { kind = '', name = '' } = involvedObject
  if (reason !== 'FailedCreate' || !['ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job'].includes(kind)) return undefined
  const text = (message ?? 'no reason given').replace(/^Error creating: |^create .*? failed error: /i, '')
  return { controller: `${kind} ${name}`, text }
}
