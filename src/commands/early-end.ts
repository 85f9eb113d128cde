import { CancelledError, RejectedError } from '../errors.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Cluster } from '../ports.ts'
import { counted } from '../report/format.ts'
import type { Report } from '../report/report.ts'
import { HealError } from './session/heal.ts'
import type { Journal } from './journal.ts'
import { LockLostError } from './session/lock.ts'
import { namespaceOf } from './prepare/render.ts'
import { reportFrame } from './report-frame.ts'

/** What was known when the run ended. */
export interface Known {
  readonly journal: Journal
  readonly inputs?: Inputs
  readonly cluster?: Cluster
}

/** The report of a run that ended before its release began; undefined for what is a defect of Rollsafe. */
export function earlyEndReport(error: unknown, known: Known): Report | undefined {
  const { inputs, cluster, journal } = known
  const frame = {
    ...reportFrame({ inputs, journal }),
    namespace: homeIn(known),
    ...(cluster && { server: cluster.server }),
    changed: false,
  }
  if (error instanceof RejectedError) return { ...frame, ...rejectedBy(error.problems) }
  if (error instanceof CancelledError) {
    const message = 'the run was cancelled before it wrote anything'
    return { ...frame, outcome: 'cancelled', reason: 'Cancelled', message, hint: 'run it again' }
  }
  if (error instanceof LockLostError) {
    const hint = 'look at that run; then run this one again if it is still wanted'
    return { ...frame, outcome: 'superseded', message: `nothing was deployed: ${error.message}`, hint }
  }
  if (error instanceof HealError) {
    return {
      ...frame,
      outcome: 'rollback-failed',
      reason: 'Cancelled',
      message: error.message,
      hint: 'finish the rollback by hand with the commands below, then run this again',
      changed: true,
      revision: error.record.revision,
      rollback: error.rollback,
    }
  }
  return undefined
}

/** The namespace of the release, as far as it is known; a sweep is about those of many. */
function homeIn({ inputs, cluster }: Known): string {
  if (!inputs || inputs.sweep) return ''
  return cluster ? namespaceOf({ inputs, cluster }) : (inputs.namespace ?? '')
}

/** What a report says of a release that was not begun, because of these problems. */
export function rejectedBy(
  problems: RejectedError['problems'],
): Pick<Report, 'outcome' | 'reason' | 'message' | 'hint' | 'problems'> {
  const [first, ...rest] = problems
  const more = rest.length === 0 ? '' : `; and ${counted(rest.length, 'more problem')}`
  return { outcome: 'rejected', reason: first.code, message: `${first.message}${more}`, hint: first.hint, problems }
}

/** The report of a run that came too late: nothing was written. */
export function supersededReport(known: Known, message: string): Report {
  const { inputs, cluster } = known
  return {
    ...reportFrame({ inputs, journal: known.journal }),
    outcome: 'superseded',
    message,
    hint: 'nothing to do, if the newer commit is the one that is wanted; to deploy this one all the same, run it again',
    namespace: homeIn(known),
    ...(cluster && { server: cluster.server }),
    changed: false,
  }
}
