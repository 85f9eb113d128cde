import type { Report } from '../report/report.ts'
import { deployReport } from './deploy-report.ts'
import { findCauses } from './diagnose.ts'
import { prepare } from './prepare.ts'
import { rollBack } from './roll-back.ts'
import { isBad, rollOut } from './roll-out.ts'
import type { Run } from './run.ts'
import { observeWorkloads } from './targets.ts'

/**
 * Renders, applies, follows; and when the release is bad, finds out why and brings back what was there before.
 * Throws RejectedError when nothing was written; every other end is a report.
 */
export async function deploy(run: Run): Promise<Report> {
  const { runner, inputs } = run
  const prepared = await runner.group('Prepare', () => prepare(run))
  const observer = await observeWorkloads(prepared, run)
  try {
    const rolledOut = await rollOut(prepared, observer, run)
    if (!isBad(rolledOut)) return deployReport({ prepared, rolledOut }, run)

    const failures = await runner.group('Find the cause', () => findCauses(rolledOut, observer, run))
    if (inputs.rollback === 'off' || rolledOut.written.length === 0)
      return deployReport({ prepared, rolledOut, failures }, run)

    const rollback = await runner.group('Roll back', () => rollBack(rolledOut, observer, run))
    return deployReport({ prepared, rolledOut, failures, rollback }, run)
  } finally {
    await observer.close()
  }
}
