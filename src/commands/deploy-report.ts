import type { ReasonCode } from '../errors.ts'
import { describe, keyOf, refOf } from '../manifest/object.ts'
import type {
  FailureReport,
  Outcome,
  Report,
  RollbackReport,
  RollbackStepReport,
  WorkloadReport,
} from '../report/report.ts'
import { counted } from '../report/format.ts'
import { objectReports, workloadReports } from '../report/workloads.ts'
import { finishByHand } from '../rollback/by-hand.ts'
import type { CarriedOut } from './carry-out.ts'
import { LockLostError } from './session/lock.ts'
import type { Prepared } from './prepare/prepare.ts'
import { reportFrame } from './report-frame.ts'
import type { Session } from './session/session.ts'

/** The report of a release that got as far as writing. */
export function deployReport(prepared: Prepared, carriedOut: CarriedOut, session: Session): Report {
  const { run, lastGood } = session
  const { rolledOut, rolledBack, pruned } = carriedOut
  const { changes, revision, previousRevision, namespace } = prepared
  const { followed } = rolledOut
  const isByHand = run.inputs.command === 'rollback'
  const outcome = outcomeOf(carriedOut, isByHand)
  const isWritten = rolledOut.written.length > 0 || pruned.length > 0
  const isBack = rolledBack?.report.outcome === 'rolled-back'
  const isFurther = rolledBack?.report.beyond !== undefined
  const before = isBack ? (lastGood?.revision ?? previousRevision) : previousRevision
  const written = new Set(rolledOut.written.map(({ change }) => keyOf(refOf(change.manifest.object))))
  const at = new Map(changes.map(({ manifest }) => [keyOf(refOf(manifest.object)), manifest.at]))
  const failures = carriedOut.failures.map((failure): FailureReport => {
    const position = isByHand ? undefined : at.get(keyOf(failure.workload))
    return position ? { ...failure, at: position } : failure
  })
  const rollback = rolledBack?.report ?? (isByHand && isWritten ? byHand(carriedOut, run.journal.seconds()) : undefined)
  return {
    ...reportFrame(run),
    outcome,
    ...explain({ prepared, carriedOut, failures, outcome, ...(rollback && { rollback }) }),
    namespace,
    server: run.cluster.server,
    ...(isWritten
      ? { revision, ...(before !== undefined && { previousRevision: before }) }
      : previousRevision !== undefined && { revision: previousRevision }),
    changed: isWritten && (!isBack || isFurther),
    objects: objectReports(changes, written, pruned),
    warnings: [...session.warnings, ...prepared.forecast.warnings, ...carriedOut.warnings],
    workloads: workloadReports({
      changes,
      planned: prepared.forecast.bounds,
      ...(followed && { state: followed.state, settledAfter: followed.settledAfter }),
      finalState: (key) => finalState(key, rolledBack?.report),
      ...(rolledBack && { back: rolledBack.state }),
      isBackAsWritten: run.inputs.rollbackStrategy.type === 'as-written',
      secondsAt: run.journal.seconds,
    }),
    failures,
    ...(rollback && { rollback }),
  }
}

function outcomeOf({ ending, rolledOut, rolledBack, pruned }: CarriedOut, isByHand: boolean): Outcome {
  const isWritten = rolledOut.written.length > 0 || pruned.length > 0
  if (rolledBack?.interruption) return rolledBack.interruption instanceof LockLostError ? 'superseded' : 'cancelled'
  if (rolledBack) {
    if (rolledBack.report.outcome === 'rollback-failed') return 'rollback-failed'
    if (rolledBack.leftAlone.length > 0) return 'superseded'
    return ending.type === 'cancelled' ? 'cancelled' : 'rolled-back'
  }
  switch (ending.type) {
    case 'good':
      return isWritten ? (isByHand ? 'rolled-back' : 'deployed') : 'unchanged'
    case 'lost':
    case 'overtaken':
      return 'superseded'
    case 'cancelled':
      return 'cancelled'
    case 'unknown':
      return 'unknown'
    case 'refused':
    case 'bad':
      if (isByHand && isWritten) return 'rollback-failed'
      return ending.type === 'refused' && !isWritten ? 'rejected' : 'failed'
  }
}

/** A rollback by hand, in the words of one that went by itself. It is never taken back. */
function byHand({ ending, rolledOut, pruned }: CarriedOut, seconds: number): RollbackReport {
  const isGood = ending.type === 'good'
  const steps: RollbackStepReport[] = [
    ...rolledOut.written.map(({ change }): RollbackStepReport => ({
      ...refOf(change.manifest.object),
      step: 'restored',
      message: change.type === 'create' ? 'made again' : 'restored',
    })),
    ...pruned.map((ref): RollbackStepReport => ({ ...ref, step: 'deleted', message: 'deleted: it came later' })),
  ]
  return {
    outcome: isGood ? 'rolled-back' : 'rollback-failed',
    message: isGood
      ? 'Everything is as that revision had it'
      : 'The revision is not healthy, and nothing was taken back',
    seconds,
    steps,
    commands: isGood ? [] : finishByHand({ steps, created: new Set() }),
  }
}

interface Explanation {
  readonly reason?: ReasonCode
  readonly message: string
  readonly hint?: string
}

interface Facts {
  readonly prepared: Prepared
  readonly carriedOut: CarriedOut
  readonly failures: readonly FailureReport[]
  readonly outcome: Outcome
  readonly rollback?: RollbackReport
}

function explain(facts: Facts): Explanation {
  const { carriedOut, outcome, rollback } = facts
  const cause = causeOf(facts)
  // Both causes: whoever is called wants to know why the release is bad, and why it is still there.
  const isLeft = outcome === 'rollback-failed' && rollback && rollback.message !== ''
  if (carriedOut.rolledBack?.interruption && carriedOut.ending.type === 'bad') {
    const message = `${cause.message}; then the run was ended while it was taking the release back`
    return { ...cause, message, hint: GOES_ON }
  }
  const isTaken = outcome === 'superseded' && carriedOut.rolledBack && rollback
  return isLeft || isTaken ? { ...cause, message: `${cause.message}; then: ${rollback.message}` } : cause
}

const GOES_ON = 'look at the post step of this job, which finishes it; otherwise the next run of the release does'

function causeOf({ prepared, carriedOut, failures, outcome, rollback }: Facts): Explanation {
  const { ending, rolledOut } = carriedOut
  const { problem } = rolledOut
  const { length } = prepared.changes
  if (ending.type === 'lost') {
    return {
      message: `the run was stopped: ${ending.why}`,
      hint: 'look at the run that has the release now: it takes back what this one has written, and then deploys; if there is none, run this again',
    }
  }
  if (ending.type === 'overtaken') {
    return {
      message: `in the middle of the rollout ${ending.why}, so what runs is not this release`,
      hint: 'find out who deploys the same objects; then run this again, or go back with command: rollback',
    }
  }
  if (ending.type === 'cancelled') return cancelled(carriedOut)
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
  if (ending.type === 'unknown') {
    return {
      reason: 'ClusterUnreachable',
      message: `the rollout could not be observed to its end: ${ending.why}`,
      hint: 'look at the workloads with kubectl rollout status, then run the workflow again: what is already applied is not written twice',
    }
  }
  const isByHand = outcome === 'rolled-back' && carriedOut.rolledBack === undefined
  if (isByHand) {
    const which = `revision ${carriedOut.copyOf} runs again, as revision ${prepared.revision}`
    return { message: `${which}: ${rolledOut.written.length} of ${length} objects went back, and all are healthy` }
  }
  return {
    message:
      outcome === 'unchanged'
        ? `all ${length} objects are as the manifests say`
        : `${rolledOut.written.length} of ${length} objects were written and all are healthy`,
  }
}

function cancelled({ rolledOut, rolledBack }: CarriedOut): Explanation {
  const reason = 'Cancelled'
  if (rolledOut.written.length === 0)
    return { reason, message: 'the run was cancelled before it wrote anything', hint: 'run it again' }
  if (rolledBack?.report.outcome === 'rolled-back')
    return { reason, message: 'the run was cancelled, and what it had written was taken back', hint: 'run it again' }
  return rolledBack?.interruption
    ? {
        reason,
        message: 'the run was cancelled, and what it had written is being taken back',
        hint: GOES_ON,
      }
    : {
        reason,
        message: 'the run was cancelled in the middle, and what it had written was left in place',
        hint: 'run it again, or go back with command: rollback',
      }
}

function hintFor(outcome: Outcome, failure: FailureReport, rollback: RollbackReport | undefined): string {
  if (rollback?.outcome === 'rollback-failed')
    return 'finish the rollback by hand with the commands below, then mend the release'
  const mend = `mend the cause (${failure.reason}) and deploy again`
  if (outcome === 'rolled-back') return mend
  if (outcome === 'superseded') return `look at what the other deployer has changed; ${mend}`
  return `the new revision is still in place: ${mend}, or go back with command: rollback`
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
    case 'kept':
      return 'failed'
    case undefined:
      return undefined
  }
}
