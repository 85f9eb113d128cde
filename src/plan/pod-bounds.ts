/**
 * How many pods a workload has at the least and at the most while it is rolled out, by the arithmetic of Kubernetes'
 * own controllers (pkg/controller/deployment/rolling.go and sync.go, statefulset/stateful_set_control.go,
 * daemon/update.go). As there, pods that are already ending count neither as available nor in all.
 */
import type { DaemonSet, Deployment, StatefulSet } from '../manifest/kinds.ts'
import { groupKindOf, type KubeObject } from '../manifest/object.ts'
import { scaledValue } from './int-or-percent.ts'
import { isEqual } from './json.ts'

export interface PodBounds {
  /** Pods wanted; for a DaemonSet, nodes that are to have one. */
  readonly replicas: number
  /** Pods available at every moment, as long as none of them fails by itself. */
  readonly leastAvailable: number
  /** Pods in all at any moment. */
  readonly mostTotal: number
  /** Why the numbers are not what the strategy alone would give; without a full stop. */
  readonly note?: string
}

/** The pods before the rollout. */
interface Pods {
  readonly available: number
  readonly total: number
}

/**
 * The bounds of the rollout that turns `live` into `workload`, which is best the API server's answer to a dry run: only
 * there are all defaults filled in and replicas that an autoscaler owns. Without `live` the workload is new. Undefined for
 * kinds without such bounds, and for a new DaemonSet, as only its status tells how many nodes it is for.
 */
export function podBounds(workload: KubeObject, live?: KubeObject): PodBounds | undefined {
  switch (groupKindOf(workload)) {
    case 'Deployment.apps':
      return deploymentBounds(workload, live)
    case 'StatefulSet.apps':
      return statefulSetBounds(workload, live)
    case 'DaemonSet.apps':
      return live && daemonSetBounds(workload, live)
    default:
      return undefined
  }
}

/** For people: `at least 2 of 3 available, at most 4 pods in all`. */
export function describeBounds({ replicas, leastAvailable, mostTotal, note }: PodBounds): string {
  const most = `at most ${mostTotal} ${mostTotal === 1 ? 'pod' : 'pods'} in all`
  return `at least ${leastAvailable} of ${replicas} available, ${most}${note === undefined ? '' : ` (${note})`}`
}

/** The two numbers of a Deployment's rolling update, in pods (deployment_util.go, ResolveFenceposts and MaxUnavailable). */
export function resolveFenceposts(
  maxSurge: unknown,
  maxUnavailable: unknown,
  replicas: number,
): { readonly surge: number; readonly unavailable: number } {
  const surge = scaledValue(maxSurge, replicas, 'up')
  const unavailable = scaledValue(maxUnavailable, replicas, 'down')
  // Rounding can make both zero, and then nothing could be replaced. A surge might not fit into a quota, so one goes missing.
  const allowed = surge === 0 && unavailable === 0 ? 1 : unavailable
  return { surge, unavailable: Math.min(allowed, replicas) }
}

const NEW = 'it is new'

function deploymentBounds(workload: Deployment, live: Deployment | undefined): PodBounds {
  const replicas = workload.spec?.replicas ?? 1
  if (!live) return { replicas, leastAvailable: 0, mostTotal: replicas, note: NEW }
  const { status } = live
  const before = {
    available: status?.availableReplicas ?? 0,
    total: Math.max(status?.replicas ?? 0, live.spec?.replicas ?? 1),
  }
  if (workload.spec?.paused === true) return scaled(before, replicas, 'it is paused, so no pod is replaced')
  const isFinished = (status?.updatedReplicas ?? 0) === (status?.replicas ?? 0)
  if (hasTemplateOf(live, workload) && isFinished) return scaled(before, replicas)
  const { type, rollingUpdate } = workload.spec?.strategy ?? {}
  if (type === 'Recreate')
    return { ...scaled(before, replicas), leastAvailable: 0, note: 'Recreate removes all old pods first' }
  const { maxSurge = '25%', maxUnavailable = '25%' } = rollingUpdate ?? {}
  const { surge, unavailable } = resolveFenceposts(maxSurge, maxUnavailable, replicas)
  // When the number of replicas changes too, the old pods are scaled to it first. New ones are then added up to the surge,
  // but never more than replicas (sync.go, scale; deployment_util.go, NewRSNewReplicas).
  const old = before.total === 0 ? 0 : Math.max(before.total, replicas)
  if (isFinished || replicas === (live.spec?.replicas ?? 1)) {
    const mostTotal = Math.max(old, Math.min(replicas + surge, replicas + old))
    return fromBefore(before, { replicas, leastAvailable: replicas - unavailable, mostTotal })
  }
  // Several ReplicaSets at once are scaled in proportion: up to the surge, and down whether their pods are available or not.
  const mostTotal = Math.max(old, replicas + surge)
  if (before.total <= replicas + surge)
    return fromBefore(before, { replicas, leastAvailable: replicas - unavailable, mostTotal })
  return {
    replicas,
    leastAvailable: 0,
    mostTotal,
    note: 'the rollout before is unfinished and has more pods than that',
  }
}

function statefulSetBounds(workload: StatefulSet, live: StatefulSet | undefined): PodBounds {
  const { spec } = workload
  const replicas = spec?.replicas ?? 1
  if (!live) return { replicas, leastAvailable: 0, mostTotal: replicas, note: NEW }
  const { status } = live
  const before = {
    available: status?.availableReplicas ?? status?.readyReplicas ?? 0,
    total: Math.max(status?.replicas ?? 0, live.spec?.replicas ?? 1),
  }
  const { type, rollingUpdate } = spec?.updateStrategy ?? {}
  if (type === 'OnDelete') return scaled(before, replicas, 'updateStrategy OnDelete replaces no pod by itself')
  const isFinished = status?.updateRevision === status?.currentRevision
  if (hasTemplateOf(live, workload) && isFinished) return scaled(before, replicas)
  const mostTotal = Math.max(before.total, replicas)
  if (type === 'Recreate')
    return { replicas, leastAvailable: 0, mostTotal, note: 'Recreate removes all old pods first' }
  // At least one, however small the percentage (stateful_set_utils.go, getStatefulSetMaxUnavailable).
  const unavailable = Math.max(1, scaledValue(rollingUpdate?.maxUnavailable ?? 1, replicas, 'down'))
  const replaced = Math.max(0, replicas - (rollingUpdate?.partition ?? 0))
  return fromBefore(before, { replicas, leastAvailable: replicas - Math.min(unavailable, replaced), mostTotal })
}

function daemonSetBounds(workload: DaemonSet, live: DaemonSet): PodBounds {
  const { status } = live
  const replicas = status?.desiredNumberScheduled ?? 0
  const before = { available: status?.numberAvailable ?? 0, total: status?.currentNumberScheduled ?? 0 }
  const { type, rollingUpdate } = workload.spec?.updateStrategy ?? {}
  if (type === 'OnDelete') return scaled(before, replicas, 'updateStrategy OnDelete replaces no pod by itself')
  const isFinished = (status?.updatedNumberScheduled ?? 0) >= replicas
  if (hasTemplateOf(live, workload) && isFinished) return scaled(before, replicas)
  // Unlike those of a Deployment, both percentages round up (daemonset_util.go, SurgeCount and UnavailableCount).
  const surge = Math.min(replicas, scaledValue(rollingUpdate?.maxSurge ?? 0, replicas, 'up'))
  const unavailable = surge > 0 ? 0 : Math.max(1, scaledValue(rollingUpdate?.maxUnavailable ?? 1, replicas, 'up'))
  // An old pod that is not available gets its new one at once, beyond the surge.
  const beside = surge === 0 ? 0 : Math.min(replicas, surge + Math.max(0, replicas - before.available))
  const leastAvailable = Math.max(0, replicas - unavailable)
  return fromBefore(before, { replicas, leastAvailable, mostTotal: Math.max(before.total, replicas) + beside })
}

/** No pod is replaced: there are only more or fewer of them. */
function scaled(before: Pods, replicas: number, note?: string): PodBounds {
  const mostTotal = Math.max(before.total, replicas)
  return fromBefore(before, { replicas, leastAvailable: replicas, mostTotal }, note)
}

/** A rollout does not take available pods away below its bound, but it does not start with more than there are, either. */
function fromBefore({ available }: Pods, bounds: PodBounds, note?: string): PodBounds {
  if (available >= bounds.leastAvailable) return { ...bounds, ...(note !== undefined && { note }) }
  const now = `${available} ${available === 1 ? 'is' : 'are'} available now`
  return { ...bounds, leastAvailable: available, note: note === undefined ? now : `${note}; ${now}` }
}

function hasTemplateOf(
  live: { readonly spec?: { readonly template?: unknown } },
  workload: { readonly spec?: { readonly template?: unknown } },
): boolean {
  return isEqual(live.spec?.template, workload.spec?.template)
}

/** What was really seen during a rollout, as the workload's status told it. */
export interface SeenBounds {
  readonly leastAvailable: number
  /** Absent for a DaemonSet, whose status counts nodes and not pods. */
  readonly mostTotal?: number
}

/**
 * What was seen until now, with one more observation of the workload. Undefined for kinds without such bounds. A status is
 * the sum of what ReplicaSets last reported: for a moment it may count pods twice that have just been replaced.
 */
export function seenBounds(previous: SeenBounds | undefined, workload: KubeObject): SeenBounds | undefined {
  const now = podsNow(workload)
  if (!now) return previous
  const { available, total } = now
  return {
    leastAvailable: Math.min(previous?.leastAvailable ?? available, available),
    ...(total !== undefined && { mostTotal: Math.max(previous?.mostTotal ?? total, total) }),
  }
}

/** Pods as the workload's status tells them; `total` is absent for a DaemonSet. */
export function podsNow(workload: KubeObject): { available: number; total?: number } | undefined {
  switch (groupKindOf(workload)) {
    case 'Deployment.apps': {
      const { status } = workload as Deployment
      return { available: status?.availableReplicas ?? 0, total: status?.replicas ?? 0 }
    }
    case 'StatefulSet.apps': {
      const { status } = workload as StatefulSet
      return { available: status?.availableReplicas ?? status?.readyReplicas ?? 0, total: status?.replicas ?? 0 }
    }
    case 'DaemonSet.apps': {
      const { status } = workload as DaemonSet
      return { available: status?.numberAvailable ?? 0 }
    }
    default:
      return undefined
  }
}
