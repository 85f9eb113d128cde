/** From the pods of a bad rollout to the one sentence that says why. */
import type { KubeEvent, Pod, ReplicaSet } from '../manifest/kinds.ts'
import { eventTime } from './evidence.ts'
import { explain, type Findings, NO_FINDINGS } from './explanation.ts'
import { type Cause, creationFailureOf } from './fail-fast.ts'
import { podFacts, type Trouble } from './pod-facts.ts'
import { byGravity } from './trouble.ts'

/** Pods that have trouble, the gravest first; those that are on their way out say nothing and are left out. */
export function troubledPods<Seen extends Pod>(pods: readonly Seen[]): Seen[] {
  return inTrouble(pods).map(({ pod }) => pod)
}

/**
 * Why these pods are not available; undefined when nothing says so. The gravest trouble wins, then that pods cannot be made,
 * then the first pod. `refusals` are what may tell of pods that were never made: the ReplicaSet, and events of the workload.
 * `findings`, by UID of the pod, make the words richer.
 */
export function causeOf(
  pods: readonly Pod[],
  refusals: readonly (ReplicaSet | KubeEvent)[] = [],
  findings: ReadonlyMap<string, Findings> = new Map(),
): Cause | undefined {
  const refused = refusals.flatMap((source) => creationFailureOf(source) ?? [])
  const troubled = inTrouble(pods)
  const [gravest] = [...refused, ...troubled].toSorted(byGravity)
  if (gravest === undefined) return undefined
  if (!('trouble' in gravest)) return { reason: gravest.reason, message: gravest.message }
  return explain(gravest.trouble, findings.get(gravest.pod.metadata.uid ?? '') ?? NO_FINDINGS)
}

/**
 * The events that tell of a refusal which still stands: since the last of them no pod was made. Events stay for an hour, so
 * older ones tell of releases long gone; both times are the cluster's own.
 */
export function standingRefusals(events: readonly KubeEvent[], pods: readonly Pod[]): KubeEvent[] {
  const made = pods.map(({ metadata }) => metadata.creationTimestamp ?? '').toSorted()
  const lastMade = made.at(-1) ?? ''
  return events.filter((event) => event.reason === 'FailedCreate' && eventTime(event) >= lastMade)
}

interface Troubled<Seen extends Pod> {
  readonly pod: Seen
  readonly trouble: Trouble
  readonly gravity: Trouble['gravity']
}

function inTrouble<Seen extends Pod>(pods: readonly Seen[]): Troubled<Seen>[] {
  return pods
    .flatMap((pod) => {
      const { trouble } = podFacts(pod)
      return trouble ? [{ pod, trouble, gravity: trouble.gravity }] : []
    })
    .toSorted(byGravity)
}
