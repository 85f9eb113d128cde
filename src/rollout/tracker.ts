/**
 * What is known of a rollout, as a reducer: state and observation in, state out. It reads no clock: `now` is milliseconds
 * on a clock that never jumps, and comes from outside.
 */
import type { ReasonCode } from '../errors.ts'
import { groupKindOf, keyOf, type KubeObject, type ObjectRef, refOf } from '../manifest/object.ts'
import type { Observation, Query } from '../ports.ts'
import type { Expectation, Status } from './state.ts'
import { progressMark, statusOf } from './status.ts'

/** An object to follow. */
export interface Target {
  readonly ref: ObjectRef
  /** Of the object that was written or found; another object under the same name is not the release's. */
  readonly uid: string
  readonly expectation: Expectation
}

export interface Tracked {
  readonly target: Target
  readonly status: Status
  /** As last seen. */
  readonly object?: KubeObject
  readonly mark: string
  /** When the rollout last got ahead. */
  readonly progressedAt: number
}

export interface RolloutState {
  /** By key (keyOf). */
  readonly tracked: ReadonlyMap<string, Tracked>
  /** Sources that cannot be observed at the moment, and why. */
  readonly lost: ReadonlyMap<string, string>
  /** Since when all have been healthy without a break. */
  readonly healthySince?: number
  /** What was healthy together with all others and then no longer was. */
  readonly unstable?: { readonly ref: ObjectRef; readonly message: string }
}

/** One source is one watch: a kind in a namespace. */
export function sourceOf(of: Pick<Query, 'apiVersion' | 'kind' | 'namespace'>): string {
  return `${groupKindOf(of)}/${of.namespace ?? ''}`
}

const UNSEEN: Status = { state: 'progressing', message: 'is applied' }

export function startTracking(targets: readonly Target[], now: number): RolloutState {
  const tracked = targets.map(
    (target) => [keyOf(target.ref), { target, status: UNSEEN, mark: '', progressedAt: now }] as const,
  )
  return withHealth({ tracked: new Map(tracked), lost: new Map() }, now)
}

export function observe(state: RolloutState, source: string, observation: Observation, now: number): RolloutState {
  const seen = (next: Tracked) =>
    withHealth({ ...state, tracked: new Map(state.tracked).set(keyOf(next.target.ref), next) }, now)
  switch (observation.type) {
    case 'listed':
      return observeList(state, source, observation.objects, now)
    case 'changed': {
      const tracked = state.tracked.get(keyOf(refOf(observation.object)))
      return tracked ? seen(look(tracked, observation.object, now)) : state
    }
    case 'deleted': {
      const tracked = state.tracked.get(keyOf(refOf(observation.object)))
      return tracked && observation.object.metadata.uid === tracked.target.uid ? seen(missing(tracked)) : state
    }
    case 'lost':
      return { ...state, lost: new Map(state.lost).set(source, observation.why) }
    case 'found': {
      const lost = new Map(state.lost)
      lost.delete(source)
      // Nobody knows what happened meanwhile, so the time without progress starts anew.
      const tracked = new Map(
        [...state.tracked].map(([key, one]) => [
          key,
          sourceOf(one.target.ref) === source ? { ...one, progressedAt: now } : one,
        ]),
      )
      return { ...state, lost, tracked }
    }
  }
}

function observeList(state: RolloutState, source: string, objects: readonly KubeObject[], now: number): RolloutState {
  const listed = new Map(objects.map((object) => [keyOf(refOf(object)), object]))
  const tracked = [...state.tracked].map(([key, one]) => {
    if (sourceOf(one.target.ref) !== source) return [key, one] as const
    const object = listed.get(key)
    return [key, object ? look(one, object, now) : missing(one)] as const
  })
  return withHealth({ ...state, tracked: new Map(tracked) }, now)
}

function look(tracked: Tracked, object: KubeObject, now: number): Tracked {
  if (object.metadata.uid !== tracked.target.uid)
    return failed(tracked, 'Deleted', 'was deleted and made anew by somebody else')
  const mark = progressMark(object)
  const status: Status =
    object.metadata.deletionTimestamp === undefined
      ? statusOf(object, tracked.target.expectation)
      : { state: 'failed', reason: 'Deleted', message: 'is being deleted by somebody else' }
  return { ...tracked, object, status, mark, progressedAt: mark === tracked.mark ? tracked.progressedAt : now }
}

function missing(tracked: Tracked): Tracked {
  return failed(tracked, 'Deleted', 'was deleted by somebody else')
}

function failed(tracked: Tracked, reason: ReasonCode, message: string): Tracked {
  return { ...tracked, status: { state: 'failed', reason, message } }
}

function withHealth(state: RolloutState, now: number): RolloutState {
  const { healthySince, ...rest } = state
  const unhealthy = [...state.tracked.values()].find(({ status }) => status.state !== 'healthy')
  if (!unhealthy) return { ...rest, healthySince: healthySince ?? now }
  if (healthySince === undefined) return rest
  return { ...rest, unstable: { ref: unhealthy.target.ref, message: unhealthy.status.message } }
}
