/**
 * The input `rollback-strategy`: how bad pods make way for old ones. A workload goes back by its own old strategy, or, for as
 * long as the way back takes, by another one that is written together with the old template.
 */
import type { RollbackStrategy } from '../inputs/rollback-strategy.ts'
import { describe, groupKindOf, isObject, type KubeObject, refOf } from '../manifest/object.ts'
import { isZeroBound, scaledValue } from '../plan/int-or-percent.ts'
import { isEqual } from '../plan/json.ts'
import { othersFields } from '../plan/ownership.ts'
import { resolveFenceposts } from '../plan/pod-bounds.ts'

export interface WayBack {
  /** What to apply first. */
  readonly body: KubeObject
  /** False: the original body has to be applied once the workload is healthy, to put its own strategy back. */
  readonly isFinal: boolean
  /** A whole sentence for people, when what was asked for cannot be had. */
  readonly note?: string
}

type Fields = Readonly<Record<string, unknown>>
type Wanted = RollbackStrategy & { readonly type: Exclude<RollbackStrategy['type'], 'as-written'> }
/** No strategy: the workload goes back by its own. */
type Wish = { readonly strategy?: Fields; readonly note?: string }

/** What Kubernetes takes for a Deployment that says nothing (pkg/apis/apps/v1/defaults.go, SetDefaults_Deployment). */
const DEFAULT_BOUND = '25%'

/**
 * `body` is what restores the workload (restoringApply), `before` the workload as it was before the release, `current` as it is
 * now. Only to be asked where the templates of the two differ: otherwise no pod is replaced, and nothing is to be had.
 */
export function onTheWayBack(
  body: KubeObject,
  before: KubeObject,
  strategy: RollbackStrategy,
  current: KubeObject = before,
): WayBack {
  const { type } = strategy
  if (type === 'as-written') return { body, isFinal: true }
  const field = groupKindOf(before) === 'Deployment.apps' ? 'strategy' : 'updateStrategy'
  const wish = wishFor(before, replicasOf(body, current, before), { ...strategy, type })
  const note = (text: string | undefined) => text !== undefined && { note: `${describe(refOf(before))}: ${text}.` }
  if (!wish.strategy || isEqual(wish.strategy, specOf(before)[field]))
    return { body, isFinal: true, ...note(wish.note) }
  // To take the fields would be to keep them: their owner could not get them back from us.
  if (othersFields(current)['f:spec']?.[`f:${field}`] !== undefined) {
    const kept = `it goes back by the ${field} it has, as another tool has set that`
    return { body, isFinal: true, ...note(kept) }
  }
  const spec = { ...specOf(body), [field]: wish.strategy }
  return { body: { ...body, spec }, isFinal: false, ...note(wish.note) }
}

function wishFor(before: KubeObject, replicas: number, wanted: Wanted): Wish {
  switch (groupKindOf(before)) {
    case 'Deployment.apps':
      return ofDeployment(fieldsOf(specOf(before)['strategy']), replicas, wanted)
    case 'StatefulSet.apps':
      return ofStatefulSet(fieldsOf(specOf(before)['updateStrategy']), replicas, wanted)
    case 'DaemonSet.apps':
      return ofDaemonSet(fieldsOf(specOf(before)['updateStrategy']), wanted)
    default:
      return {}
  }
}

const RECREATE: Wish = {
  note: 'it goes back by Recreate, with all of its pods gone for a while, as two versions of it must not run side by side',
}

function ofDeployment(own: Fields, replicas: number, { type, maxUnavailable }: Wanted): Wish {
  if (own['type'] === 'Recreate') return RECREATE
  const bounds = fieldsOf(own['rollingUpdate'])
  const ownSurge = bounds['maxSurge'] ?? DEFAULT_BOUND
  const ownUnavailable = bounds['maxUnavailable'] ?? DEFAULT_BOUND
  // More than twice as many pods are never needed. Several that the workload allows beyond that are no reason to write it.
  if (type === 'fast') {
    const isFast = resolveFenceposts(ownSurge, ownUnavailable, replicas).surge >= replicas
    return isFast ? {} : rolling({ maxSurge: '100%', maxUnavailable: ownUnavailable })
  }
  const wished = maxUnavailable ?? ownUnavailable
  // Where both numbers come to nothing, the controller lets one pod go missing all the same.
  const most = Math.max(1, replicas)
  const isBroken = resolveFenceposts(ownSurge, wished, most).unavailable > scaledValue(wished, most, 'down')
  return rolling({ maxSurge: isBroken ? 1 : ownSurge, maxUnavailable: wished })
}

/** `fast` is not the strategy's business: replacePods deletes the pods. It has room for OnDelete, too. */
function ofStatefulSet(own: Fields, replicas: number, { type, maxUnavailable }: Wanted): Wish {
  if (own['type'] === 'Recreate') return RECREATE
  if (own['type'] === 'OnDelete' || type === 'fast' || maxUnavailable === undefined) return {}
  // The API server refuses 0, and the controller never takes less than 1 (getStatefulSetMaxUnavailable).
  const bound = isZeroBound(maxUnavailable) ? 1 : maxUnavailable
  const note =
    'one pod at a time is missing on the way back, as a StatefulSet cannot start the old one beside the bad one'
  return {
    ...rolling({ ...fieldsOf(own['rollingUpdate']), maxUnavailable: bound }),
    ...(scaledValue(maxUnavailable, replicas, 'down') < 1 && { note }),
  }
}

/**
 * Exactly one of the two numbers may be other than 0 (pkg/apis/apps/validation, ValidateRollingUpdateDaemonSet). One that
 * adds pods keeps doing so, as then none is missing; one that does not may have a reason, such as a port of the node.
 */
function ofDaemonSet(own: Fields, { type, maxUnavailable }: Wanted): Wish {
  if (own['type'] === 'OnDelete') return {}
  const { maxSurge = 0 } = fieldsOf(own['rollingUpdate'])
  if (!isZeroBound(maxSurge)) return type === 'fast' ? rolling({ maxSurge: '100%', maxUnavailable: 0 }) : {}
  if (type === 'fast') return rolling({ maxSurge: 0, maxUnavailable: '100%' })
  if (maxUnavailable === undefined) return {}
  if (!isZeroBound(maxUnavailable)) return rolling({ maxSurge: 0, maxUnavailable })
  const note = 'one pod at a time is missing on the way back, as its maxSurge of 0 allows no second one on a node'
  return { ...rolling({ maxSurge: 0, maxUnavailable: 1 }), note }
}

function rolling(rollingUpdate: Fields): Wish {
  return { strategy: { type: 'RollingUpdate', rollingUpdate } }
}

/** An autoscaler's number is in no body of ours, but in the workload as it is. */
function replicasOf(...objects: readonly KubeObject[]): number {
  const numbers = objects.map((object) => specOf(object)['replicas'])
  return numbers.find((number) => typeof number === 'number') ?? 1
}

function specOf(object: KubeObject): Fields {
  return fieldsOf(object['spec'])
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {}
}
