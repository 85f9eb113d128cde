import { ClusterError, RejectedError } from '../errors.ts'
import { describe, keyOf, type ObjectRef, refOf } from '../manifest/object.ts'
import { RELEASE_LABEL } from '../plan/desired.ts'
import { problemFrom } from '../plan/rejections.ts'
import type { Query } from '../ports.ts'
import { deadlineConditionTime, isFollowed } from '../rollout/status.ts'
import { observe, type RolloutState, sourceOf, startTracking, type Target, type Tracked } from '../rollout/tracker.ts'
import { type Failure, judge, type Policy, type Verdict } from '../rollout/verdict.ts'
import type { Applied } from './apply.ts'
import { type Observer, openObserver } from './observer.ts'
import type { Prepared } from './prepare.ts'
import type { Run } from './run.ts'

/**
 * One query for each kind and namespace: by name for a single object, by the release's label when all carry it, and
 * everything of the kind in the namespace otherwise.
 */
export function followQueries(
  refs: readonly ObjectRef[],
  release: string,
  isLabelled: (ref: ObjectRef) => boolean,
): Query[] {
  return [...Map.groupBy(refs, sourceOf).values()].flatMap((group): Query[] => {
    const [first] = group
    if (!first) return []
    const { apiVersion, kind, namespace } = first
    const query = { apiVersion, kind, ...(namespace !== undefined && { namespace }) }
    if (group.length === 1) return [{ ...query, fieldSelector: `metadata.name=${first.name}` }]
    return [group.every(isLabelled) ? { ...query, labelSelector: `${RELEASE_LABEL}=${release}` } : query]
  })
}

/** Opens the watches before anything is written: without the right to observe, nothing could be judged or taken back. */
export async function observeWorkloads({ changes }: Prepared, { cluster, clock, inputs }: Run): Promise<Observer> {
  const refs = changes.map(({ manifest }) => refOf(manifest.object)).filter(isFollowed)
  const unlabelled = new Set(
    changes.flatMap((change) =>
      change.type !== 'create' && change.live.metadata.labels?.[RELEASE_LABEL] !== inputs.release
        ? [keyOf(refOf(change.live))]
        : [],
    ),
  )
  const queries = followQueries(refs, inputs.release, (ref) => !unlabelled.has(keyOf(ref)))
  try {
    return await openObserver(cluster, queries, clock)
  } catch (error) {
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the rollout cannot be followed')])
    throw error
  }
}

export interface Followed {
  readonly verdict: Exclude<Verdict, { type: 'wait' }>
  readonly state: RolloutState
  /** Seconds from the start to the change to its last state, by key. */
  readonly settledAfter: ReadonlyMap<string, number>
}

/** Follows everything of the release that takes time, also what this run left unchanged: it may have been broken before. */
export async function followRelease(
  { changes }: Prepared,
  { written }: Applied,
  observer: Observer,
  run: Run,
): Promise<Followed> {
  const { inputs, clock, journal } = run
  const after = new Map(written.flatMap((one) => (one.after ? [[keyOf(refOf(one.after)), one.after] as const] : [])))
  const targets = changes.flatMap((change): Target[] => {
    const ref = refOf(change.manifest.object)
    const object = after.get(keyOf(ref)) ?? (change.type === 'create' ? undefined : change.live)
    if (!object || !isFollowed(ref)) return []
    const stale = change.type === 'update' ? deadlineConditionTime(change.live) : undefined
    const expectation = {
      generation: object.metadata.generation ?? 0,
      ...(stale !== undefined && { staleDeadline: stale }),
    }
    return [{ ref, uid: object.metadata.uid ?? '', expectation }]
  })
  journal.enter('follow')
  return follow(targets, observer, run, {
    deadline: clock.now() + inputs.timeoutSeconds * 1000,
    timeoutSeconds: inputs.timeoutSeconds,
    // What has not changed has already stood the test of time.
    stableForMs: written.length === 0 ? 0 : inputs.stableForSeconds * 1000,
  })
}

/** What is to be explained: the write that was refused, or the workloads that did not become healthy. */
export function failuresOf({ problem }: Applied, followed: Followed | undefined): Failure[] {
  return followed?.verdict.type === 'bad' && !problem ? [...followed.verdict.failures] : []
}

/** Follows the targets until there is a verdict. One line in the log for each change; nothing is asked again and again. */
export async function follow(
  targets: readonly Target[],
  observer: Observer,
  { clock, runner, journal }: Run,
  policy: Policy,
): Promise<Followed> {
  const started = clock.now()
  const settledAfter = new Map<string, number>()
  let state = startTracking(targets, started)
  const advance = (next: RolloutState) => {
    for (const [key, tracked] of next.tracked) tell(state.tracked.get(key), tracked)
    state = next
  }

  for (const { ref } of targets) {
    const object = observer.latest(keyOf(ref))
    if (object) advance(observe(state, sourceOf(ref), { type: 'changed', object }, started))
  }
  for (;;) {
    const verdict = judge(state, policy, clock.now())
    if (verdict.type !== 'wait') return { verdict, state, settledAfter }
    for (const { source, observation } of await observer.next(verdict.until - clock.now())) {
      if (observation.type === 'lost') runner.info(`the cluster cannot be observed: ${observation.why}; trying again`)
      if (observation.type === 'found') runner.info('the cluster can be observed again')
      advance(observe(state, source, observation, clock.now()))
    }
  }

  function tell(before: Tracked | undefined, now: Tracked) {
    if (now.status.message === before?.status.message && now.status.state === before.status.state) return
    const line = `${describe(now.target.ref)}: ${now.status.message}`
    runner.info(line)
    if (now.status.state === before?.status.state) return
    settledAfter.set(keyOf(now.target.ref), (clock.now() - started) / 1000)
    if (now.status.state !== 'progressing') journal.note(line)
  }
}
