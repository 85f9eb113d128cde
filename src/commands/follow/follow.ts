import { keyOf, refOf } from '../../manifest/object.ts'
import { isOfPods } from '../../rollout/pods.ts'
import { sourceOf } from '../../rollout/sources.ts'
import { observe, type RolloutState, type Seen, startTracking, type Target } from '../../rollout/tracker.ts'
import { judge, type Policy, type Verdict } from '../../rollout/verdict.ts'
import { openLogStreams } from './log-streams.ts'
import type { Observer, Sighting } from './observer.ts'
import { openProgress } from './progress.ts'
import type { Run } from '../run.ts'

export interface Followed {
  readonly verdict: Exclude<Verdict, { type: 'wait' }> | Interrupted
  readonly state: RolloutState
  /** Seconds from the start to the change to its last state, by key. */
  readonly settledAfter: ReadonlyMap<string, number>
}

/** The signal aborted before there was a verdict. */
export interface Interrupted {
  readonly type: 'interrupted'
  readonly error: Error
}

export interface FollowOptions {
  readonly policy: Policy
  /** What an earlier follow of the same run has seen. */
  readonly before?: Seen
  readonly signal: AbortSignal
  /** Does what a workload needs to get on, after each thing that was seen. Only once it returns true can all be good. */
  readonly tend?: (state: RolloutState) => Promise<boolean>
}

/**
 * Follows the targets until there is a verdict, or the signal aborts. One line in the log for each change; nothing is asked
 * again and again.
 */
export async function follow(
  targets: readonly Target[],
  observer: Observer,
  run: Run,
  { policy, before, signal, tend = () => Promise.resolve(true) }: FollowOptions,
): Promise<Followed> {
  const { clock, runner } = run
  const started = clock.now()
  const settledAfter = new Map<string, number>()
  const logs = openLogStreams(run)
  const progress = openProgress(run, logs, (key) => settledAfter.set(key, (clock.now() - started) / 1000))
  let told = startTracking(targets, started, before)
  try {
    for (let state = await beginFrom(told, observer, started); ;) {
      progress.tell(told, state)
      told = state
      if (signal.aborted) return { verdict: { type: 'interrupted', error: errorOf(signal) }, state, settledAfter }
      const isTended = await tend(state)
      const verdict = judge(state, policy, clock.now())
      const isEarly = verdict.type === 'good' && !isTended && clock.now() < policy.deadline
      if (verdict.type !== 'wait' && !isEarly) return { verdict, state, settledAfter }
      const until = verdict.type === 'wait' ? verdict.until : policy.deadline
      for (const { source, observation } of await observer.next(until - clock.now(), signal)) {
        if (observation.type === 'lost') runner.info(`the cluster cannot be observed: ${observation.why}; trying again`)
        if (observation.type === 'found') runner.info('the cluster can be observed again')
        state = observe(state, source, observation, clock.now())
      }
    }
  } finally {
    await logs.close()
  }
}

/** Why a signal was aborted. */
export function errorOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

/** What came before is told by the objects as they are now; only the pods are not kept anywhere else. */
async function beginFrom(state: RolloutState, observer: Observer, now: number): Promise<RolloutState> {
  const isNews = ({ source, observation }: Sighting) =>
    isOfPods(source) || observation.type === 'lost' || observation.type === 'found'
  const sightings = (await observer.next(0)).filter(isNews)
  const objects = [...state.tracked.values()].flatMap(({ target }) => observer.latest(keyOf(target.ref)) ?? [])
  const current = objects.map((object): Sighting => ({
    source: sourceOf({ ...object, ...refOf(object) }),
    observation: { type: 'changed', object },
  }))
  return [...sightings, ...current].reduce(
    (next, { source, observation }) => observe(next, source, observation, now),
    state,
  )
}
