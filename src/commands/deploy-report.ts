import type { ReasonCode } from '../errors.ts'
import { describe, keyOf, refOf } from '../manifest/object.ts'
import type { FailureReport, Outcome, Report, RollbackReport, WorkloadReport } from '../report/report.ts'
import { counted } from '../report/format.ts'
import { objectReports, workloadReports } from '../report/workloads.ts'
import type { Prepared } from './prepare.ts'
import { reportFrame } from './report-frame.ts'
import type { RolledOut } from './roll-out.ts'
import type { Run } from './run.ts'

export interface DeployFacts {
  readonly prepared: Prepared
  readonly rolledOut: RolledOut
  readonly failures?: readonly FailureReport[]
  readonly rollback?: RollbackReport
}

/** The report of a deploy that got as far as writing. */
export function deployReport(facts: DeployFacts, run: Run): Report {
  const { prepared, rolledOut, rollback } = facts
  const { followed } = rolledOut
  const { changes, revision, previousRevision, namespace } = prepared
  const outcome = outcomeOf(facts)
  const changed = rolledOut.written.length > 0
  const written = new Set(rolledOut.written.map(({ change }) => keyOf(refOf(change.manifest.object))))
  const at = new Map(changes.map(({ manifest }) => [keyOf(refOf(manifest.object)), manifest.at]))
  const failures = (facts.failures ?? []).map((failure): FailureReport => {
    const position = at.get(keyOf(failure.workload))
    return position ? { ...failure, at: position } : failure
  })
  return {
    ...reportFrame(run),
    outcome,
    ...explain(facts, failures, outcome),
    namespace,
    server: run.cluster.server,
    ...(changed
      ? { revision, ...(previousRevision !== undefined && { previousRevision }) }
      : previousRevision !== undefined && { revision: previousRevision }),
    changed: changed && outcome !== 'rolled-back',
    objects: objectReports(changes, written),
    warnings: prepared.forecast.warnings,
    workloads: workloadReports({
      changes,
      planned: prepared.forecast.bounds,
      ...(followed && { state: followed.state, settledAfter: followed.settledAfter }),
      finalState: (key) => finalState(key, rollback),
    }),
    failures,
    ...(rollback && { rollback }),
  }
}

function outcomeOf({ rolledOut, rollback }: DeployFacts): Outcome {
  if (rollback) return rollback.outcome
  switch (rolledOut.problem ? 'bad' : rolledOut.followed?.verdict.type) {
    case 'good':
      return rolledOut.written.length > 0 ? 'deployed' : 'unchanged'
    case 'unknown':
      return 'unknown'
    default:
      return rolledOut.problem && rolledOut.written.length === 0 ? 'rejected' : 'failed'
  }
}

interface Explanation {
  readonly reason?: ReasonCode
  readonly message: string
  readonly hint?: string
}

function explain(
  { rolledOut, prepared, rollback }: DeployFacts,
  failures: readonly FailureReport[],
  outcome: Outcome,
): Explanation {
  const { problem, followed } = rolledOut
  if (problem) return { reason: problem.code, message: problem.message, hint: problem.hint }
  const [first] = failures
  if (first) {
    const others = failures.length === 1 ? '' : `; ${counted(failures.length - 1, 'more workload')} failed`
    return {
      reason: first.reason,
      message: `${describe(first.workload)}: ${first.message}${others}`,
      hint: hintFor(outcome, first, rollback),
    }
  }
  if (followed?.verdict.type === 'unknown') {
    return {
      reason: 'ClusterUnreachable',
      message: `the rollout could not be observed to its end: ${followed.verdict.why}`,
      hint: 'look at the workloads with kubectl rollout status, then run the workflow again: what is already applied is not written twice',
    }
  }
  const { length } = prepared.changes
  return {
    message:
      outcome === 'unchanged'
        ? `all ${length} objects are as the manifests say`
        : `${rolledOut.written.length} of ${length} objects were written and all are healthy`,
  }
}

function hintFor(outcome: Outcome, failure: FailureReport, rollback: RollbackReport | undefined): string {
  if (rollback?.outcome === 'rollback-failed')
    return 'finish the rollback by hand with the commands below, then mend the release'
  const mend = `mend the cause (${failure.reason}) and deploy again`
  if (outcome === 'rolled-back') return mend
  return `the new revision is still in place: ${mend}, or take it back with kubectl rollout undo`
}

/** Where the rollback left a workload; undefined when there was none, or it did not come to it. */
function finalState(key: string, rollback: RollbackReport | undefined): WorkloadReport['state'] | undefined {
  const step = rollback?.steps.find((one) => keyOf(one) === key)?.step
  switch (step) {
    case 'restored':
    case 'already-as-before':
      return rollback?.outcome === 'rolled-back' ? 'restored' : 'unknown'
    case 'deleted':
      return 'removed'
    case 'failed':
    case 'left-alone':
      return 'failed'
    case undefined:
      return undefined
  }
}
