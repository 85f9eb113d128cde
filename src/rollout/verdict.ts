import { describe, groupKindOf, type KubeObject, type ObjectRef } from '../manifest/object.ts'
import type { ReasonCode } from '../errors.ts'
import { counted } from '../report/format.ts'
import { doomDueInMs, type DoomMode, doomOf, type FailFast } from './fail-fast.ts'
import { sourceOf } from './sources.ts'
import { progressDeadlineSeconds } from './status.ts'
import { isObserved, type RolloutState, type Tracked } from './tracker.ts'

/** How long to be patient. Times are milliseconds on the clock of the observations. */
export interface Policy {
  /** When the whole rollout must be over. */
  readonly deadline: number
  /** For messages: what `deadline` was computed from, in seconds. */
  readonly timeoutSeconds: number
  readonly stableForMs: number
  readonly failFast: FailFast
}

export interface Failure {
  readonly ref: ObjectRef
  readonly reason: ReasonCode
  readonly message: string
}

export type Verdict =
  /** Ask again after the next observation, or at `until` if there is none. */
  | { readonly type: 'wait'; readonly until: number }
  | { readonly type: 'good' }
  | { readonly type: 'bad'; readonly failures: readonly [Failure, ...Failure[]] }
  /** The deadline came while the cluster could not be observed: trouble of ours, which says nothing about the release. */
  | { readonly type: 'unknown'; readonly why: string }

/**
 * The controller reports a missed deadline itself; only when it does not (it never repeats the condition after a rollout
 * that had failed already) does this timer speak, so it must come second.
 */
const DEADLINE_GRACE_MS = 5_000

/** The annotation that switches fail-fast off for one object. */
const FAIL_FAST_ANNOTATION = 'rollsafe.dev/fail-fast'

export function judge(state: RolloutState, policy: Policy, now: number): Verdict {
  const all = [...state.tracked.values()]
  const mode = doomMode(state, policy)
  const failures = all.flatMap((tracked) => failureOf(state, tracked, mode, now))
  const [first, ...rest] = failures
  if (first) return { type: 'bad', failures: [first, ...rest] }
  // Who does not ask for stability trusts the first healthy moment, and may shake things on purpose until then (a rollback).
  if (state.unstable && policy.stableForMs > 0) {
    const { ref, message } = state.unstable
    return { type: 'bad', failures: [{ ref, reason: 'Unstable', message: `was healthy, then no longer: ${message}` }] }
  }
  if (state.soak) {
    const stableAt = state.soak.since + policy.stableForMs
    if (now >= stableAt && state.lost.size === 0) return { type: 'good' }
    return waitOrGiveUp(state, all, { ...policy, deadline: Math.max(policy.deadline, stableAt) }, now, stableAt)
  }
  const turns = all.flatMap((tracked) =>
    [stalledAt(state, tracked) ?? [], doomedAt(state, tracked, mode, now) ?? []].flat(),
  )
  return waitOrGiveUp(state, all, policy, now, Math.min(policy.deadline, ...turns))
}

function waitOrGiveUp(
  state: RolloutState,
  all: readonly Tracked[],
  policy: Policy,
  now: number,
  until: number,
): Verdict {
  if (now < policy.deadline) return { type: 'wait', until: until > now ? until : policy.deadline }
  const [why] = state.lost.values()
  if (why !== undefined) return { type: 'unknown', why }
  const [first, ...rest] = all
    .filter(({ status }) => status.state !== 'healthy')
    .map(({ target, status }): Failure => ({
      ref: target.ref,
      reason: 'Timeout',
      message: `was not done within ${policy.timeoutSeconds} s: ${status.message}`,
    }))
  return first ? { type: 'bad', failures: [first, ...rest] } : { type: 'good' }
}

function failureOf(state: RolloutState, tracked: Tracked, mode: DoomMode, now: number): Failure[] {
  const { status, target, object } = tracked
  if (status.state === 'failed') return [{ ref: target.ref, reason: status.reason, message: status.message }]
  const doom = object && isInQuestion(state, tracked) ? doomOf(...doomQuestion(state, object, mode, now)) : undefined
  if (doom) return [{ ref: target.ref, ...doom }]
  const stalled = stalledAt(state, tracked)
  if (stalled === undefined || now < stalled) return []
  const seconds = object && progressDeadlineSeconds(object)
  return [
    {
      ref: target.ref,
      reason: 'ProgressDeadlineExceeded',
      message: `made no progress for ${seconds} s: ${status.message}`,
    },
  ]
}

/** Unfinished, and the controller works on our spec: only then do its newest pods tell of our release. */
function isInQuestion({ pods }: RolloutState, tracked: Tracked): boolean {
  return pods.hasTrouble && tracked.status.state === 'progressing' && isObserved(tracked)
}

/**
 * A program that keeps ending may only be waiting for another workload of the same release, a database for instance. So while
 * one is still coming up, only what can never heal counts.
 */
function doomMode({ isComingUp }: RolloutState, { failFast }: Policy): DoomMode {
  return failFast === 'safe' && isComingUp ? 'fatal' : failFast
}

function doomQuestion(state: RolloutState, object: KubeObject, mode: DoomMode, now: number): Parameters<typeof doomOf> {
  const { witnesses, creation } = state.pods.witnessesOf(object, now)
  const isOff = object.metadata.annotations?.[FAIL_FAST_ANNOTATION] === 'off'
  return [groupKindOf(object), witnesses, creation, isOff ? 'off' : mode]
}

/** When evidence that is not fatal yet will have lasted long enough. */
function doomedAt(state: RolloutState, tracked: Tracked, mode: DoomMode, now: number): number | undefined {
  const { object } = tracked
  const due =
    object && isInQuestion(state, tracked) ? doomDueInMs(...doomQuestion(state, object, mode, now)) : undefined
  return due === undefined ? undefined : now + due
}

/** When the lack of progress becomes a failure; undefined when the kind has no deadline, is done, or cannot be observed. */
function stalledAt(state: RolloutState, { status, target, object, progressedAt }: Tracked): number | undefined {
  if (status.state !== 'progressing' || !object || state.lost.has(sourceOf(target.ref))) return undefined
  const seconds = progressDeadlineSeconds(object)
  return seconds === undefined ? undefined : progressedAt + seconds * 1000 + DEADLINE_GRACE_MS
}

/** The failures in one sentence, the first in full. */
export function summarize(failures: readonly [Failure, ...Failure[]]): string {
  const [first, ...rest] = failures
  const others = rest.length === 0 ? '' : `; ${counted(rest.length, 'more object')} failed`
  return `${describe(first.ref)}: ${first.message}${others}`
}
