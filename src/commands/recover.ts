import { ClusterError, type Problem, RejectedError } from '../errors.ts'
import { isObject } from '../manifest/object.ts'
import { problemFrom } from '../plan/rejections.ts'
import { lastGood, pendingOf } from '../release/history.ts'
import type { Report } from '../report/report.ts'
import { leaveInPlace, readPending, takeBack } from './session/heal.ts'
import { type HeldRelease, holdRelease } from './session/hold-release.ts'
import { reportFrame } from './report-frame.ts'
import type { Run } from './run.ts'

/** What the main step has left for the post step. */
export interface SessionState {
  readonly namespace: string
  readonly holder: string
}

/** Reads back what `openSession` has saved; undefined when the main step had not come that far. */
export function readSessionState(text: string | undefined): SessionState | undefined {
  if (text === undefined || text === '') return undefined
  const state: unknown = JSON.parse(text)
  if (!isObject(state) || typeof state['namespace'] !== 'string' || typeof state['holder'] !== 'string')
    return undefined
  return { namespace: state['namespace'], holder: state['holder'] }
}

/**
 * The post step after a main step that did not come to its end: takes back what that has written, or goes on where it was
 * doing so, and follows it until it is healthy. Undefined when there is nothing left to do.
 */
export async function recover(state: SessionState, run: Run): Promise<Report | undefined> {
  let held: HeldRelease | undefined
  try {
    held = await holdRelease(state.namespace, 0, run)
    return await recoverHeld(state, held)
  } catch (error) {
    if (error instanceof RejectedError && error.problems[0].code === 'Locked') {
      run.runner.info('another run has the release now, and takes back first what this one may have left half done')
      return undefined
    }
    const problem = problemOf(error)
    if (!problem) throw error
    return {
      ...reportFrame(run),
      outcome: 'rollback-failed',
      reason: problem.code,
      message: `the run was ended before its time, and what it had written could not be taken back: ${problem.message}`,
      hint: `${problem.hint}; the next run of the release takes it back first`,
      namespace: state.namespace,
      server: run.cluster.server,
      changed: true,
    }
  } finally {
    await held?.lock.release()
  }
}

/** What stands in the way; not that nothing was written, which is what a rejection means in a main step. */
function problemOf(error: unknown): Problem | undefined {
  if (error instanceof ClusterError) return problemFrom(error, 'the way back')
  return error instanceof RejectedError ? error.problems[0] : undefined
}

async function recoverHeld({ namespace }: SessionState, held: HeldRelease): Promise<Report | undefined> {
  const { lock, records, run } = held
  const { inputs, runner, cluster } = run
  const heads = await records.list()
  const pending = pendingOf(heads)
  if (!pending) return undefined
  const record = await readPending({ pending, records })
  // Another run's, that was killed too, is left to the next deploy: this job has its own mess to clear up.
  if (record.by?.id !== inputs.run?.id || record.by?.attempt !== inputs.run?.attempt) return undefined
  const ended = `the main step was ended in the middle of revision ${record.revision}`
  const previous = lastGood(heads)?.revision
  const frame = () => ({
    ...reportFrame(run),
    reason: 'Cancelled' as const,
    namespace,
    server: cluster.server,
    revision: record.revision,
    ...(previous !== undefined && { previousRevision: previous }),
  })
  if (inputs.rollback === 'off' || inputs.onCancel === 'leave') {
    const message = 'the run was ended before its time, and what it had written was left in place'
    runner.info(`${ended}: what it wrote is left as it is`)
    await leaveInPlace(record, records, run)
    return {
      ...frame(),
      outcome: 'cancelled',
      message,
      hint: 'run it again, or go back with command: rollback',
      changed: true,
    }
  }
  runner.info(`${ended}: what it wrote is taken back`)
  const takenBack = await takeBack(record, { pending, heads, records, lock }, run)
  lock.lost.throwIfAborted()
  const { report: rollback, leftAlone, interruption, warnings } = takenBack
  const isBack = rollback.outcome === 'rolled-back'
  if (isBack) run.journal.mark('recovered')
  const isOver = isBack || interruption !== undefined
  return {
    ...frame(),
    outcome: isOver ? (leftAlone.length > 0 ? 'superseded' : 'cancelled') : 'rollback-failed',
    message: isBack
      ? 'the run was ended before its time, and what it had written was taken back'
      : `the run was ended before its time; then: ${rollback.message}`,
    hint: isOver ? 'run it again' : 'finish the rollback by hand with the commands below',
    changed: !isBack,
    warnings,
    rollback,
  }
}
