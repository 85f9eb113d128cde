import { isObject } from '../manifest/object.ts'
import { lastGood, pendingOf } from '../release/history.ts'
import type { Report } from '../report/report.ts'
import { leaveInPlace, readPending, takeBack } from './heal.ts'
import { guardedCluster } from './guarded-cluster.ts'
import { acquireLock } from './lock.ts'
import { openRecords } from './records.ts'
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
export async function recover({ namespace }: SessionState, run: Run): Promise<Report | undefined> {
  const { inputs, runner, clock, signals, cluster } = run
  const { release } = inputs
  const lock = await acquireLock(
    {
      namespace,
      release,
      holder: run.holder,
      waitSeconds: inputs.lockTimeoutSeconds,
      signal: signals.cancelled,
      ...(inputs.run && { run: inputs.run }),
    },
    { cluster, clock, runner },
  )
  try {
    const locked: Run = { ...run, cluster: guardedCluster(cluster, lock) }
    const records = openRecords(locked.cluster, { namespace, release })
    const heads = await records.list()
    const pending = pendingOf(heads)
    if (!pending) return undefined
    const record = await readPending({ pending, records })
    // Another run's, that was killed too, is left to the next deploy: this job has its own mess to clear up.
    if (record.by?.id !== inputs.run?.id || record.by?.attempt !== inputs.run?.attempt) return undefined
    const ended = `the main step was ended in the middle of revision ${record.revision}`
    const previous = lastGood(heads)?.revision
    const report = {
      ...reportFrame(run),
      reason: 'Cancelled' as const,
      namespace,
      server: cluster.server,
      revision: record.revision,
      ...(previous !== undefined && { previousRevision: previous }),
    }
    if (inputs.rollback === 'off' || inputs.onCancel === 'leave') {
      const message = 'the run was ended before its time, and what it had written was left in place'
      runner.info(`${ended}: what it wrote is left as it is`)
      await leaveInPlace(record, records, run)
      const hint = 'run it again, or go back with command: rollback'
      return { ...report, outcome: 'cancelled', message, hint, changed: true }
    }
    runner.info(`${ended}: what it wrote is taken back`)
    const { report: rollback, leftAlone } = await takeBack(record, { pending, heads, records, lock }, locked)
    const isBack = rollback.outcome === 'rolled-back'
    return {
      ...report,
      outcome: isBack ? (leftAlone.length > 0 ? 'superseded' : 'cancelled') : 'rollback-failed',
      message: isBack
        ? 'the run was ended before its time, and what it had written was taken back'
        : `the run was ended before its time; then: ${rollback.message}`,
      hint: isBack ? 'run it again' : 'finish the rollback by hand with the commands below',
      changed: !isBack,
      rollback,
    }
  } finally {
    await lock.release()
  }
}
