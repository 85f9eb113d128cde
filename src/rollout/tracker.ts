/**
 * What is known of a rollout, as a reducer: state and observation in, state out. It reads no clock: `now` is milliseconds
 * on a clock that never jumps, and comes from outside.
 */
import { isObject, keyOf, type KubeObject, type ObjectRef, refOf } from '../manifest/object.ts'
import { podsNow, type SeenBounds, seenBounds } from '../plan/pod-bounds.ts'
import type { Observation } from '../ports.ts'
import { type Course, withSample } from './course.ts'
import type { PodFacts } from './pod-facts.ts'
import { createPodIndex, isIndexed, isOfPods, type PodIndex } from './pods.ts'
import { sourceOf } from './sources.ts'
import type { Expectation, Status } from './state.ts'
import { statusWhenGone } from './jobs.ts'
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
  /** Fewest and most pods so far. */
  readonly seen?: SeenBounds
  /** Its pods so far. */
  readonly course?: Course
}

/** All have been healthy without a break since then. */
export interface Soak {
  readonly since: number
  /** Restarts of each new pod, by UID, when the soak began. */
  readonly restarts: ReadonlyMap<string, number>
  /** Keys of what is only taken for healthy, as no controller has spoken of it yet. */
  readonly assumed: ReadonlySet<string>
  /** What was asked for, by key: when more is, by an autoscaler or with a new node, nothing has become worse. */
  readonly asked: ReadonlyMap<string, string>
}

export interface RolloutState {
  /** By key (keyOf). */
  readonly tracked: ReadonlyMap<string, Tracked>
  readonly pods: PodIndex
  /** Of the index when this state was made. */
  readonly podsVersion: number
  /** Something is unfinished and has no trouble so far: others may be waiting for it. */
  readonly isComingUp: boolean
  /** Sources that cannot be observed at the moment, and why. */
  readonly lost: ReadonlyMap<string, string>
  readonly soak?: Soak
  /** What was healthy together with all others and then no longer was. */
  readonly unstable?: { readonly ref: ObjectRef; readonly message: string }
}

const UNSEEN: Status = { state: 'progressing', message: 'is applied' }

/** What an earlier part of the same run has seen. */
export type Seen = Pick<RolloutState, 'pods' | 'tracked'>

export function startTracking(targets: readonly Target[], now: number, before?: Seen): RolloutState {
  const pods = before?.pods ?? createPodIndex()
  const tracked = targets.map((target): [string, Tracked] => {
    const key = keyOf(target.ref)
    const { seen, course } = before?.tracked.get(key) ?? {}
    const known = { ...(seen && { seen }), ...(course && { course }) }
    return [key, { target, status: UNSEEN, mark: '', progressedAt: now, ...known }]
  })
  return withHealth(
    { tracked: new Map(tracked), pods, podsVersion: pods.version, isComingUp: true, lost: new Map() },
    now,
  )
}

export function observe(state: RolloutState, source: string, observation: Observation, now: number): RolloutState {
  if (isOfPods(source) || isIndexed(source)) state.pods.observe(source, observation, now)
  const known = observeTracked({ ...state, podsVersion: state.pods.version }, source, observation, now)
  const isComingUp =
    !state.pods.hasTrouble || [...known.tracked.values()].some((tracked) => isUntroubled(known, tracked, now))
  // What has waited for others gets another chance now that they are there.
  if (state.isComingUp && !isComingUp) state.pods.giveAnotherChance(now)
  return withHealth({ ...known, isComingUp }, now)
}

/** Once a pod has failed, a workload is no longer one that others may just be waiting for, also while the pod runs again. */
function isUntroubled(state: RolloutState, tracked: Tracked, now: number): boolean {
  if (tracked.status.state !== 'progressing') return false
  if (!tracked.object || !isObserved(tracked)) return true
  const { witnesses, creation } = state.pods.witnessesOf(tracked.object, now)
  return (
    witnesses.length === 0 && !creation && !state.pods.newPodsOf(tracked.object).some(({ restarts }) => restarts > 0)
  )
}

function observeTracked(state: RolloutState, source: string, observation: Observation, now: number): RolloutState {
  const seen = (next: Tracked) => ({ ...state, tracked: new Map(state.tracked).set(keyOf(next.target.ref), next) })
  switch (observation.type) {
    case 'listed':
      return isOfPods(source) ? state : observeList(state, source, observation.objects, now)
    case 'changed': {
      const tracked = state.tracked.get(keyOf(refOf(observation.object)))
      return tracked ? seen(look(tracked, observation.object, now)) : state
    }
    case 'deleted': {
      const tracked = state.tracked.get(keyOf(refOf(observation.object)))
      if (!tracked || observation.object.metadata.uid !== tracked.target.uid) return state
      return seen({ ...tracked, status: statusWhenGone(observation.object, true) })
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
    return [key, object ? look(one, object, now) : { ...one, status: statusWhenGone(one.object) }] as const
  })
  return { ...state, tracked: new Map(tracked) }
}

function look(tracked: Tracked, object: KubeObject, now: number): Tracked {
  if (object.metadata.uid !== tracked.target.uid) {
    return {
      ...tracked,
      status: { state: 'failed', reason: 'Deleted', message: 'was deleted and made anew by somebody else' },
    }
  }
  const mark = progressMark(object)
  const status = statusOf(object, tracked.target.expectation)
  const seen = seenBounds(tracked.seen, object)
  const pods = podsNow(object)
  const course = pods ? withSample(tracked.course, { at: now, ...pods }) : tracked.course
  const progressedAt = mark === tracked.mark ? tracked.progressedAt : now
  return { ...tracked, object, status, mark, progressedAt, ...(seen && { seen }), ...(course && { course }) }
}

/**
 * The pods of the revision that is being rolled out; none while the controller has not seen our spec, since the newest
 * revision is an older one then.
 */
export function newPodsIn(state: RolloutState, tracked: Tracked): PodFacts[] {
  return tracked.object && isObserved(tracked) ? [...state.pods.newPodsOf(tracked.object)] : []
}

/** Whether the controller works on our spec. Kinds that do not say count as observed. */
export function isObserved({ object, target }: Tracked): boolean {
  const status = object?.['status']
  const observed = isObject(status) ? status['observedGeneration'] : undefined
  return typeof observed !== 'number' || observed >= target.expectation.generation
}

/**
 * The pods are seen on another connection than their workload, so what they tell of the time just before the soak may come
 * a moment after it has begun.
 */
const SETTLING_MS = 1_000

function withHealth(state: RolloutState, now: number): RolloutState {
  const { soak, ...rest } = state
  const all = [...state.tracked.values()]
  const unhealthy = all.find(({ status }) => status.state !== 'healthy')
  if (unhealthy) {
    const key = keyOf(unhealthy.target.ref)
    const isWorse = soak && !soak.assumed.has(key) && soak.asked.get(key) === askedOf(unhealthy)
    return isWorse ? { ...rest, unstable: { ref: unhealthy.target.ref, message: unhealthy.status.message } } : rest
  }
  if (!soak || now - soak.since < SETTLING_MS) {
    const pods = all.flatMap((tracked) => newPodsIn(state, tracked))
    const assumed = all.filter(({ status }) => status.state === 'healthy' && status.isAssumed)
    return {
      ...rest,
      soak: {
        since: soak?.since ?? now,
        restarts: new Map(pods.map(({ uid, restarts }) => [uid, restarts])),
        assumed: new Set(assumed.map(({ target }) => keyOf(target.ref))),
        asked: new Map(all.map((tracked) => [keyOf(tracked.target.ref), askedOf(tracked)])),
      },
    }
  }
  const restarted = all.flatMap((tracked) => {
    const pods = newPodsIn(state, tracked)
    const pod = pods.find(({ uid, restarts }) => restarts > (soak.restarts.get(uid) ?? 0))
    return pod
      ? [
          {
            ref: tracked.target.ref,
            message: `pod ${pod.name} restarted${pod.trouble ? `: ${pod.trouble.message}` : ''}`,
          },
        ]
      : []
  })[0]
  return { ...state, ...(restarted && { unstable: restarted }) }
}

function askedOf({ object, status }: Tracked): string {
  return `${object?.metadata.generation} ${status.pods?.wanted}`
}
