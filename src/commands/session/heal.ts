import { ClusterError, RejectedError } from '../../errors.ts'
import { groupKindOf, type KubeObject } from '../../manifest/object.ts'
import { belongsTo } from '../../plan/desired.ts'
import { lastGood } from '../../release/history.ts'
import { RecordError } from '../../release/read-record.ts'
import type { ReleaseRecord } from '../../release/record.ts'
import { recordName, type RecordHead } from '../../release/record-secret.ts'
import type { RollbackReport } from '../../report/report.ts'
import type { Write } from '../../rollback/write.ts'
import type { Lock } from './lock.ts'
import type { Records } from './records.ts'
import { rollBack, type RolledBack } from '../undo/roll-back.ts'
import type { Run } from '../run.ts'
import { closeEarlier, recordedWrites, rememberRemade, undoBasis } from '../undo/undo-basis.ts'

/** What a run that was killed had written could not be taken back: nothing new is begun on top of it. */
export class HealError extends Error {
  override readonly name = 'HealError'
  readonly record: ReleaseRecord
  readonly rollback: RollbackReport

  constructor(record: ReleaseRecord, rollback: RollbackReport) {
    super(`${whoseRun(record)} was ended in the middle of revision ${record.revision}: ${rollback.message}`)
    this.record = record
    this.rollback = rollback
  }
}

export interface Healed {
  /** Whole sentences for the report. */
  readonly warnings: readonly string[]
  /** The namespace of the release, which the run that was killed had made. */
  readonly madeNamespace?: KubeObject
}

export interface Unfinished {
  /** The record that is still pending. */
  readonly pending: RecordHead
  readonly heads: readonly RecordHead[]
  readonly records: Records
  readonly lock: Lock
}

/**
 * Takes back what a run that no longer lives has written, so that the release is all old again; but for the namespace of the
 * release, in which the lock and the records are. That the old version is not healthy is told and does not stand in the way: the
 * next release may be what mends it. Throws HealError when an object could not be restored, and RejectedError when the record
 * cannot be read.
 */
export async function heal(unfinished: Unfinished, run: Run): Promise<Healed> {
  const record = await readPending(unfinished)
  const ended = `${whoseRun(record)} was ended in the middle of revision ${record.revision}`
  if (run.inputs.rollback === 'off') {
    await leaveInPlace(record, unfinished.records, run)
    return { warnings: [`${ended}, and what it had written was left in place (rollback: off)`] }
  }
  run.runner.info(`${ended}: what it wrote is taken back first`)
  const { report, interruption, warnings } = await takeBack(record, unfinished, run, { keepsHome: true })
  if (interruption) throw interruption
  if (report.steps.some(({ step }) => step === 'failed')) throw new HealError(record, report)
  const end = report.outcome === 'rolled-back' ? 'it was taken back first' : report.message
  const home = record.writes.find((write) => isHome(write, record))
  const live = home && (await run.cluster.get(home.ref))
  const isTheSame = live !== undefined && live.metadata.uid === home?.after?.metadata.uid
  return {
    warnings: [`${whoseRun(record)} had been ended in the middle of revision ${record.revision}: ${end}`, ...warnings],
    ...(isTheSame && belongsTo(live, record) && { madeNamespace: live }),
  }
}

/** Whether a write made the namespace that the release itself is in. */
function isHome({ type, ref }: Write, { namespace }: ReleaseRecord): boolean {
  return type === 'create' && groupKindOf(ref) === 'Namespace' && ref.name === namespace
}

/** Closes a pending record without taking anything back. */
export async function leaveInPlace(record: ReleaseRecord, records: Records, { clock }: Run): Promise<void> {
  const message = 'the run was ended before its time, and what it had written was left in place'
  await records.update({ ...record, status: 'bad', reason: 'Cancelled', message, endedAt: clock.date().toISOString() })
}

/** Undoes the writes of a pending record and closes it; `keepsHome` leaves the namespace of the release where it is. */
export async function takeBack(
  record: ReleaseRecord,
  { heads, records, lock }: Unfinished,
  run: Run,
  { keepsHome = false } = {},
): Promise<RolledBack & { readonly warnings: readonly string[] }> {
  const { signals, clock } = run
  const [{ writes: all, earlier, warnings }] = await Promise.all([
    undoBasis(recordedWrites(record), heads, records),
    readLastGood(heads, records),
  ])
  const writes = all.filter((write) => !keepsHome || !isHome(write, record))
  const rolledBack = await rollBack({ writes, signal: AbortSignal.any([lock.lost, signals.ending]) }, run)
  // Whoever comes next goes on where this one was interrupted.
  if (rolledBack.interruption) return { ...rolledBack, warnings }
  const { report, leftAlone, remade } = rolledBack
  // The records go with it.
  const isHomeGone = report.steps.some((one) => one.step === 'deleted' && isHome({ type: 'create', ref: one }, record))
  if (isHomeGone) return { ...rolledBack, warnings }
  await rememberRemade(remade, heads, records)
  const isRestored = !report.steps.some(({ step }) => step === 'failed')
  const status = isRestored ? (leftAlone.length > 0 ? 'superseded' : 'rolled-back') : 'bad'
  await records.update({
    ...record,
    status,
    reason: 'Cancelled',
    message: `the run was ended before its time: ${report.message}`,
    endedAt: clock.date().toISOString(),
    writes: status === 'bad' ? record.writes : [],
  })
  if (status !== 'bad') await closeEarlier(earlier, records)
  return { ...rolledBack, warnings }
}

/** What the last good revision holds may be quoted on the way back to it, and is hidden once it is read. */
async function readLastGood(heads: readonly RecordHead[], records: Records): Promise<void> {
  const good = lastGood(heads)
  if (!good) return
  try {
    await records.read(good)
  } catch (error) {
    // The way back leads by what was written, and needs none of it.
    if (!(error instanceof RecordError || error instanceof ClusterError)) throw error
  }
}

/** Throws RejectedError when it cannot be read: what it had written is then known to nobody. */
export async function readPending({
  pending,
  records,
}: Pick<Unfinished, 'pending' | 'records'>): Promise<ReleaseRecord> {
  try {
    return await records.read(pending)
  } catch (error) {
    if (!(error instanceof RecordError)) throw error
    const name = recordName(pending)
    throw new RejectedError([
      {
        code: 'InvalidInput',
        message: `an earlier run was ended in the middle of revision ${pending.revision}, and its record cannot be read: ${error.message}`,
        hint: `look at the workloads with kubectl; when they are in order, delete the Secret ${name} and run again`,
      },
    ])
  }
}

function whoseRun({ by }: ReleaseRecord): string {
  return by ? `the run ${by.url} (commit ${by.sha.slice(0, 7)} by ${by.actor})` : 'an earlier run'
}
