/**
 * The rules are those of Kubernetes 1.37 (pkg/controller/statefulset, stateful_set_control.go and stateful_set_utils.go), and
 * hold for older ones.
 */
import type { RollbackStrategy } from '../inputs/rollback-strategy.ts'
import type { StatefulSet } from '../manifest/kinds.ts'
import type { PodFacts } from '../rollout/pod-facts.ts'
import { type BadRevision, isOfBadRevision } from './bad-revision.ts'
import { podsInOrder, type Slot } from './pods-in-order.ts'
import { boundOf, DONE, namesOf, type Replacement } from './replacement.ts'

/**
 * An OrderedReady set stands still at its lowest pod that is not ready, even when that is to be replaced, so exactly that one
 * is deleted: one above it would not be made anew before. Then come healthy pods that the controller leaves alone.
 */
export function replaceInStatefulSet(
  set: StatefulSet,
  bad: BadRevision | undefined,
  pods: readonly PodFacts[],
  strategy: RollbackStrategy,
): Replacement {
  const { type = 'RollingUpdate' } = set.spec?.updateStrategy ?? {}
  // The alpha type Recreate deletes all old pods before anything can block it.
  if (type !== 'RollingUpdate' && type !== 'OnDelete') return DONE
  const isOnDelete = type === 'OnDelete'
  const isOrdered = set.spec?.podManagementPolicy !== 'Parallel'
  const { slots, extra } = podsInOrder(set, pods)
  const isLeftToUs = leftToUs(set)
  const isWrong = wrongPods(set, bad)
  const wrong = slots.filter(isWrong)
  const unavailable = slots.filter(({ pod }) => !isUp(pod))
  const [blocker] = unavailable
  const highestFirst = wrong.toReversed().flatMap(({ pod, index }) => (pod && !pod.deleting ? [{ pod, index }] : []))
  const broken = highestFirst.filter(({ pod }) => !pod.ready).map(({ pod }) => pod)
  const answer = (some: readonly PodFacts[], note?: string): Replacement => ({
    delete: some,
    isDone: wrong.length === 0 && unavailable.length === 0 && extra.length === 0,
    ...(note !== undefined && { note }),
  })

  if (strategy.type === 'fast' && highestFirst.length > 0) {
    const all = highestFirst.map(({ pod }) => pod)
    return answer(all, `deletes ${namesOf(all)} of the bad revision, all at once`)
  }
  if (isOrdered && blocker && (!blocker.pod || blocker.pod.deleting || !isWrong(blocker)))
    return answer([], waitFor(blocker))
  const [top] = highestFirst
  const relapsing = isOrdered ? blocker : unavailable.find((slot) => !slot.pod || isWrong(slot))
  if (top && relapsing && comesBackBad(relapsing, slots, set)) {
    const busy = slots.find(({ pod, index }) => {
      const isStarting = !isOrdered && index > top.index && !isUp(pod)
      return index > relapsing.index && (pod?.deleting === true || isStarting)
    })
    if (busy) return answer([], waitFor(busy))
    return answer([top.pod], `deletes pod ${top.pod.name}: before, ${relapsing.name} would get the bad revision again`)
  }
  if (isOrdered && blocker?.pod)
    return answer([blocker.pod], `deletes pod ${blocker.name}, which the controller would wait for (kubernetes#67250)`)

  const surplus = extra.find(({ deleting }) => deleting) ?? extra[0]
  if (isOrdered && surplus && isStuckSurplus(surplus, set, bad))
    return answer([surplus], `deletes pod ${surplus.name}, beyond the replicas and not ready, which is in the way`)

  // Kubernetes 1.37 deletes broken pods of a Parallel set itself, without asking how many. Older ones with the feature gate
  // MaxUnavailableStatefulSet wait for them for ever. To delete one twice does no harm.
  const room = Math.max(0, boundOf(strategy, slots.length, 'down') - (unavailable.length - broken.length))
  const healthy = highestFirst.filter(({ pod, index }) => pod.ready && isLeftToUs(index)).map(({ pod }) => pod)
  const some = [
    ...(isOnDelete ? broken.slice(0, room) : broken),
    ...healthy.slice(0, Math.max(0, room - broken.length)),
  ]
  if (some.length > 0) return answer(some, `deletes ${namesOf(some)} of the bad revision`)
  return answer([], blocker && waitFor(blocker))
}

/** Whether the controller never replaces the pod at an index: any with OnDelete, and those below a partition. */
function leftToUs({ spec }: StatefulSet): (index: number) => boolean {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {}
  const partition = type === 'OnDelete' ? Infinity : (rollingUpdate?.partition ?? 0)
  return (index) => index < partition
}

/**
 * Pods that are not of the revision they should have. What the controller leaves alone may be of any, so there only the pods
 * of the bad release count, and only if they would come back as others: below a partition, a new pod gets the current revision.
 */
function wrongPods(set: StatefulSet, bad: BadRevision | undefined): (slot: Slot) => boolean {
  const { status, spec } = set
  const isLeftToUs = leftToUs(set)
  const cameBackAs = spec?.updateStrategy?.type === 'OnDelete' ? status?.updateRevision : status?.currentRevision
  return ({ pod, index }) => {
    if (!pod) return false
    if (!isLeftToUs(index)) return pod.revision !== status?.updateRevision
    return isOfBadRevision(pod, bad) && pod.revision !== cameBackAs
  }
}

/**
 * A set whose `rollingUpdate` is absent makes pods of the current revision for its lowest ordinals, as many as there are of it
 * (newVersionedStatefulSetPod). After a rollout that was once complete that is the bad revision, so a pod that is deleted, by
 * whomever, comes back as it was until enough of those above it are replaced: the highest has to go first.
 */
function comesBackBad(slot: Slot, slots: readonly Slot[], { spec, status }: StatefulSet): boolean {
  const { type = 'RollingUpdate', rollingUpdate } = spec?.updateStrategy ?? {}
  if (type !== 'RollingUpdate' || rollingUpdate || status?.currentRevision === status?.updateRevision) return false
  const current = slots.filter(({ pod }) => pod && !pod.deleting && pod.revision === status?.currentRevision)
  return current.filter(({ index }) => index !== slot.index).length > slot.index
}

/** The controller removes pods beyond the replicas from the highest down, but only ready ones if a lower one is not ready. */
function isStuckSurplus(pod: PodFacts, { spec, status }: StatefulSet, bad: BadRevision | undefined): boolean {
  if (pod.deleting || pod.ready || pod.revision === status?.updateRevision) return false
  return spec?.updateStrategy?.type !== 'OnDelete' || isOfBadRevision(pod, bad)
}

function isUp(pod: PodFacts | undefined): boolean {
  return pod !== undefined && pod.ready && !pod.deleting
}

function waitFor({ pod, name }: Slot): string {
  return `waits for pod ${name} to ${pod?.deleting ? 'end' : pod ? 'be ready' : 'be made'}`
}
