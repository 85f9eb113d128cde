import { messageOf } from '../../errors.ts'
import { describe, keyOf } from '../../manifest/object.ts'
import { RELEASE_LABEL } from '../../plan/desired.ts'
import { counted } from '../../report/format.ts'
import type { RollbackReport, RollbackStepReport } from '../../report/report.ts'
import { type ByHand, finishByHand } from '../../rollback/by-hand.ts'
import type { UndoableWrite } from '../../rollback/write.ts'
import type { RolloutState, Seen, Target } from '../../rollout/tracker.ts'
import { summarize } from '../../rollout/verdict.ts'
import { errorOf, follow, type Followed } from '../follow/follow.ts'
import { openObserver, type Observer } from '../follow/observer.ts'
import { finishRestoring } from './restore-object.ts'
import type { Run } from '../run.ts'
import { watchesOf } from '../follow/targets.ts'
import { podTender } from './tend-pods.ts'
import { undo } from './undo.ts'

export interface RollbackRequest {
  /** Merged: one for each object (mergeWrites). */
  readonly writes: readonly UndoableWrite[]
  /** How the bad release looked at its end; absent when nobody has watched it. */
  readonly bad?: RolloutState
  /** What watches the objects of these writes already; absent when nothing does. */
  readonly observer?: Observer
  /** The last good revision, for the commands that finish the rollback by hand. */
  readonly record?: ByHand['record'] | undefined
  /** Aborts when nothing may be written any more, or the process is about to end. */
  readonly signal: AbortSignal
}

/** A rollback and whether it went as far as it could. */
export interface RolledBack {
  readonly report: RollbackReport
  /** Objects that another deployer has changed since, and that were left to them. */
  readonly leftAlone: readonly RollbackStepReport[]
  /** Why it ended before the old version was seen healthy: the process is about to end, or the lock is lost. */
  readonly interruption?: Error
  /** How the workloads were at the end. */
  readonly state: RolloutState
  /** The UIDs of objects that had to be made anew, by key. */
  readonly remade: ReadonlyMap<string, string>
}

/** Undoes what was written and follows it until it is healthy, within the rollback's own time. Never rolls back itself. */
export async function rollBack(request: RollbackRequest, run: Run): Promise<RolledBack> {
  const { writes, bad, record, signal } = request
  const { clock, inputs, journal } = run
  journal.enter('roll-back')
  const started = clock.now()
  const deadline = started + inputs.rollbackTimeoutSeconds * 1000
  const { steps: undone, returning, toFinish, remade } = await undo(writes, run, { deadline, signal })
  const steps = [...undone]
  const count = (wanted: RollbackStepReport['step']) => steps.filter(({ step }) => step === wanted).length
  journal.note(`${counted(count('restored'), 'object')} restored, ${count('deleted')} deleted`)

  // No soak, which would only keep the team waiting; and a way back is not given up before its time is over.
  const policy = { deadline, timeoutSeconds: inputs.rollbackTimeoutSeconds, stableForMs: 0, failFast: 'off' as const }
  const before: Seen | undefined = bad && { pods: bad.pods, tracked: new Map() }
  const observer = request.observer ?? (await observeRestored(writes, run))
  let followed: Followed
  try {
    const tend = podTender(returning, run)
    const targets = returning.map(({ target }) => target)
    followed = await follow(targets, observer, run, { policy, signal, tend, ...(before && { before }) })
    // Also when the old version is not healthy: its strategy is what it was written with.
    if (toFinish.length > 0 && !signal.aborted) {
      const finished = await Promise.all(toFinish.map((write) => finish(write, run)))
      steps.push(...finished.filter((one) => 'step' in one))
      const { state } = followed
      const settled = finished.filter((one) => 'uid' in one)
      if (followed.verdict.type === 'good') {
        const last = await follow(settled, observer, run, { policy, signal, before: state })
        followed = { ...last, state: { ...last.state, tracked: new Map([...state.tracked, ...last.state.tracked]) } }
      }
    }
  } finally {
    if (!request.observer) await observer.close()
  }
  const keysOf = (wanted: UndoableWrite['type']) =>
    new Set(writes.filter(({ type }) => type === wanted).map(({ ref }) => keyOf(ref)))
  const hooks = keysOf('run')
  const leftAlone = steps.filter((one) => one.step === 'left-alone' && !hooks.has(keyOf(one)))
  const { outcome, message } = conclude(steps, leftAlone, followed.verdict)
  return {
    report: {
      outcome,
      ...(signal.aborted && { goesOn: true }),
      message,
      seconds: Math.round((clock.now() - started) / 100) / 10,
      steps,
      commands:
        outcome === 'rolled-back'
          ? []
          : finishByHand({
              steps,
              created: keysOf('create'),
              recreated: keysOf('recreate'),
              ...(record && { record }),
            }),
    },
    leftAlone,
    ...(signal.aborted && { interruption: errorOf(signal) }),
    state: followed.state,
    remade,
  }
}

/** One that cannot be given its own strategy again is told as not restored. */
async function finish(write: UndoableWrite, run: Run): Promise<Target | RollbackStepReport> {
  try {
    return await finishRestoring(write, run)
  } catch (error) {
    const message = `its old pods are back, but not its own strategy: ${messageOf(error)}`
    return { ...write.ref, step: 'failed', message }
  }
}

function conclude(
  steps: readonly RollbackStepReport[],
  [taken, ...more]: readonly RollbackStepReport[],
  verdict: Followed['verdict'],
): Pick<RollbackReport, 'outcome' | 'message'> {
  const failed = (message: string) => ({ outcome: 'rollback-failed', message }) as const
  const unrestored = steps.find(({ step }) => step === 'failed')
  if (unrestored) return failed(`${describe(unrestored)} could not be restored: ${unrestored.message}`)
  switch (verdict.type) {
    case 'good': {
      const kept = steps.filter(({ step }) => step === 'kept').map(describe)
      const but = kept.length > 0 ? `, but for what stays by its own annotation: ${kept.join(', ')}` : ''
      const others = more.length > 0 ? ` and ${counted(more.length, 'more object')}` : ''
      return {
        outcome: 'rolled-back',
        message: taken
          ? `${describe(taken)} ${taken.message}${others}; everything else is as it was before the release${but}`
          : `Everything is as it was before the release${but}`,
      }
    }
    case 'bad':
      return failed(`The previous revision is back, but ${summarize(verdict.failures)}`)
    case 'unknown':
      return failed(
        `The previous revision was restored, but whether it is healthy could not be observed: ${verdict.why}`,
      )
    case 'interrupted':
      return failed(`The previous revision was restored, but nobody has seen it healthy yet: ${verdict.error.message}`)
  }
}

/** A watch of one's own: the rollback may bring back more than this run has written. */
async function observeRestored(writes: readonly UndoableWrite[], run: Run): Promise<Observer> {
  const observer = openObserver(run)
  const watchables = writes.flatMap(({ before }) =>
    before ? [{ object: before, isLabelled: before.metadata.labels?.[RELEASE_LABEL] === run.inputs.release }] : [],
  )
  try {
    await observer.watch(watchesOf(watchables, run.inputs.release))
    return observer
  } catch (error) {
    await observer.close()
    throw error
  }
}
