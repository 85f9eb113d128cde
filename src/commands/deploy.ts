import type { Report } from '../report/report.ts'
import { applyChanges } from './apply.ts'
import { deployReport } from './deploy-report.ts'
import { findCauses } from './diagnose.ts'
import { failuresOf, followRelease, observeWorkloads } from './follow.ts'
import { prepare } from './prepare.ts'
import { rollBack } from './roll-back.ts'
import type { Run } from './run.ts'

/**
 * Renders, applies, follows; and when the release is bad, finds out why and brings back what was there before.
 * Throws RejectedError when nothing was written; every other end is a report.
 */
export async function deploy(run: Run): Promise<Report> {
  const { runner, inputs } = run
  const prepared = await runner.group('Prepare', () => prepare(run))
  const observer = await observeWorkloads(prepared, run)
  try {
    const applied = await runner.group('Apply', () => applyChanges(prepared, run))
    const followed = applied.problem
      ? undefined
      : await runner.group('Follow the rollout', () => followRelease(prepared, applied, observer, run))
    const facts = { prepared, applied, followed }
    if (followed && followed.verdict.type !== 'bad') return deployReport(facts, run)

    const failures = await runner.group('Find the cause', () =>
      findCauses(failuresOf(applied, followed), observer, run),
    )
    if (inputs.rollback === 'off' || applied.written.length === 0) return deployReport({ ...facts, failures }, run)

    const rollback = await runner.group('Roll back', () => rollBack(applied.written, observer, run))
    return deployReport({ ...facts, failures, rollback }, run)
  } finally {
    await observer.close()
  }
}
