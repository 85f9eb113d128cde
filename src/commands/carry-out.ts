import { ClusterError, RejectedError } from '../errors.ts'
import { describe, keyOf, type ObjectRef, refOf } from '../manifest/object.ts'
import { problemFrom } from '../plan/rejections.ts'
import { stagesOf } from '../plan/stages.ts'
import { RecordError } from '../release/read-record.ts'
import type { FailureReport } from '../report/report.ts'
import { type Ending, shouldUndo } from '../rollback/decide.ts'
import { otherDeployers } from '../rollback/other-deployers.ts'
import { writeOf } from './apply/apply.ts'
import { findCauses } from './follow/diagnose.ts'
import { LockLostError } from './session/lock.ts'
import type { Observer } from './follow/observer.ts'
import type { Prepared } from './prepare/prepare.ts'
import { prune } from './apply/prune.ts'
import { beginRecord, recordAsGood, type RecordedEnd, type Recording } from './session/recording.ts'
import { type RolledBack, rollBack } from './undo/roll-back.ts'
import { endingOf, lostBy, type RolledOut, rollOut } from './follow/roll-out.ts'
import type { Session } from './session/session.ts'
import { observeWorkloads } from './follow/targets.ts'
import { recordByHand, type UndoBasis, undoBasis } from './undo/undo-basis.ts'

/** What became of a release. */
export interface CarriedOut {
  readonly ending: Ending
  readonly rolledOut: RolledOut
  readonly failures: readonly FailureReport[]
  /** Absent when nothing was taken back. */
  readonly rolledBack?: RolledBack
  readonly pruned: readonly ObjectRef[]
  readonly warnings: readonly string[]
  /** The revision that somebody went back to. */
  readonly copyOf?: number
}

export interface CarryOutOptions {
  /** The revision whose objects these are, when somebody goes back to it: then nothing is taken back automatically. */
  readonly copyOf?: number
}

/** Applies and follows a prepared release; prunes when it is good, and takes it back when it is bad. Its record tells all of it. */
export async function carryOut(
  prepared: Prepared,
  session: Session,
  { copyOf }: CarryOutOptions = {},
): Promise<CarriedOut> {
  const { run, stop, lock } = session
  // A hook does not run when nothing else changes (stagesOf).
  const reached = stagesOf(prepared.changes).flatMap(({ changes }) => changes)
  const hasWrites = reached.some(({ type }) => type !== 'unchanged') || prepared.prune.deletions.length > 0
  const observer = await observeWorkloads(prepared.changes, run)
  try {
    stop.throwIfAborted()
    const recording = hasWrites ? await begin(prepared, session, copyOf) : undefined
    if (hasWrites) run.announce()
    const rolledOut = await rollOut(prepared, observer, session)
    const ending = overtaken(await unlessLost(endingOf(rolledOut), session), rolledOut, observer)
    if (ending.type === 'bad' || (ending.type === 'refused' && rolledOut.written.length > 0))
      run.journal.mark('detected')
    if (ending.type === 'good') {
      if (copyOf !== undefined && rolledOut.written.length > 0) run.journal.mark('recovered')
      const { pruned, warnings: unpruned } = await prune(prepared.prune, run)
      const stays = prepared.prune.kept.map(({ ref, why }) => `${describe(ref)} ${why}`)
      const end = { status: 'good', message: 'is healthy' } as const
      const warnings = recording ? await recording.close(end, rolledOut.written) : await recordAsGood(prepared, session)
      return { ending, rolledOut, failures: [], pruned, warnings: [...stays, ...unpruned, ...warnings] }
    }
    // Another run has the release now, and its record: whatever is written here would be in its way.
    if (ending.type === 'lost') return { ending, rolledOut, failures: [], pruned: [], warnings: [] }

    // A rollback is never rolled back because it went badly; one that was cancelled half-way is no rollback.
    const mayUndo = copyOf === undefined || ending.type === 'cancelled'
    const isUndone = rolledOut.written.length > 0 && mayUndo && shouldUndo(ending, run.inputs)
    const basis = isUndone ? await undoBasis(rolledOut.written.map(writeOf), session.heads, session.records) : undefined
    const { failures, rolledBack } = await explainAndUndo({ ending, rolledOut, basis }, prepared, observer, session)
    if (lock.lost.aborted) return { ending: lostBy(lock.lost.reason), rolledOut, failures, pruned: [], warnings: [] }
    if (rolledBack?.interruption) return { ending, rolledOut, failures, rolledBack, pruned: [], warnings: [] }
    const end = endOf({ ending, failures, rolledOut, rolledBack })
    const warnings =
      rolledOut.written.length === 0
        ? await recording?.drop()
        : await recording?.close(end, rolledOut.written, basis?.earlier, rolledBack?.remade)
    return {
      ending,
      rolledOut,
      failures,
      ...(rolledBack && { rolledBack }),
      pruned: [],
      warnings: [...(basis?.warnings ?? []), ...(warnings ?? [])],
    }
  } finally {
    await observer.close()
  }
}

/** Throws RejectedError: without a record nothing is written. */
async function begin(prepared: Prepared, session: Session, copyOf: number | undefined): Promise<Recording> {
  try {
    return await beginRecord(prepared, session, copyOf)
  } catch (error) {
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the record of the release')])
    if (!(error instanceof RecordError)) throw error
    const hint = 'split the release in two, each with a name of its own in the input release'
    throw new RejectedError([{ code: 'InvalidManifest', message: error.message, hint }])
  }
}

/**
 * Somebody else may have deployed the same object in the middle of the rollout. That what they made of it is healthy says nothing
 * about this release, and a rollback must not take it for its goal.
 */
function overtaken(ending: Ending, { written }: RolledOut, observer: Observer): Ending {
  if (ending.type !== 'good') return ending
  const changes = written.flatMap(({ after }) => {
    const latest = after && observer.latest(keyOf(refOf(after)))
    const others = latest ? otherDeployers(after, latest) : []
    return after && others.length > 0 ? [`${describe(refOf(after))} was changed by ${others.join(', ')}`] : []
  })
  return changes.length > 0 ? { type: 'overtaken', why: changes.join('; ') } : ending
}

/**
 * A run that was asleep for so long that it has lost its lock wakes up to what another one has deployed since: that is neither good
 * nor bad of its own doing.
 */
async function unlessLost(ending: Ending, { lock }: Session): Promise<Ending> {
  if (ending.type !== 'good' && ending.type !== 'bad') return ending
  try {
    await lock.ensureHeld()
  } catch (error) {
    if (error instanceof LockLostError) return lostBy(error)
    if (!(error instanceof ClusterError)) throw error
  }
  return ending
}

/**
 * How long the evidence is waited for before the first object goes back. What is still being read then is read beside the
 * rollback: pods take longer than that to go, and people wait for the old version.
 */
const HEAD_START_MS = 350

interface Judged {
  readonly ending: Ending
  readonly rolledOut: RolledOut
  /** What to take back; undefined to leave it. */
  readonly basis: UndoBasis | undefined
}

async function explainAndUndo(
  { ending, rolledOut, basis }: Judged,
  { changes }: Prepared,
  observer: Observer,
  { run, lock, heads, lastGood, inPlace }: Session,
): Promise<Pick<CarriedOut, 'failures' | 'rolledBack'>> {
  const { runner, clock, signals } = run
  // Who cancels a run has seconds until it is killed: all of them are for the way back.
  const searching = ending.type === 'cancelled' ? Promise.resolve([]) : findCauses(rolledOut, observer, run)
  await runner.group('Find the cause', () =>
    basis ? Promise.race([searching, clock.sleep(HEAD_START_MS)]) : searching,
  )
  if (!basis) return { failures: await searching }

  const signal = AbortSignal.any([lock.lost, signals.ending])
  const { writes } = basis
  const own = new Set(changes.map(({ manifest }) => keyOf(refOf(manifest.object))))
  const isWatched = writes.every(({ ref }) => own.has(keyOf(ref)))
  const bad = rolledOut.followed?.state
  const record = recordByHand(lastGood, heads)
  const rolledBack = await runner.group('Roll back', () =>
    rollBack({ writes, signal, record, ...(bad && { bad }), ...(isWatched && { observer }) }, run),
  )
  if (rolledBack.report.outcome === 'rolled-back') run.journal.mark('recovered')
  const isDoubtful = inPlace !== undefined && lastGood === undefined
  const beyond = basis.earlier.map(({ revision }) => revision)
  const report = {
    ...rolledBack.report,
    ...(isDoubtful && { isDoubtful }),
    ...(beyond.length > 0 && { beyond }),
  }
  return { failures: await searching, rolledBack: { ...rolledBack, report } }
}

function endOf({
  ending,
  failures: [failure],
  rolledOut: { problem },
  rolledBack,
}: {
  readonly ending: Ending
  readonly failures: readonly FailureReport[]
  readonly rolledOut: RolledOut
  readonly rolledBack: RolledBack | undefined
}): RecordedEnd {
  const reason = problem?.code ?? failure?.reason ?? REASONS[ending.type]
  const why = ending.type === 'overtaken' || ending.type === 'unknown' ? ending.why : `ended as ${ending.type}`
  const message = problem?.message ?? failure?.message ?? why
  const status = statusOf(rolledBack)
  return { status, message, ...(reason && { reason }) }
}

function statusOf(rolledBack: RolledBack | undefined): RecordedEnd['status'] {
  if (rolledBack?.report.outcome !== 'rolled-back') return 'bad'
  return rolledBack.leftAlone.length > 0 ? 'superseded' : 'rolled-back'
}

const REASONS: Partial<Record<Ending['type'], RecordedEnd['reason']>> = {
  unknown: 'ClusterUnreachable',
  cancelled: 'Cancelled',
}
