import type { Problem } from '../errors.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Report } from '../report/report.ts'
import type { Journal } from './journal.ts'
import { reportFrame } from './report-frame.ts'

/** The report of a run that ended before anything was written. `inputs` is absent when they could not even be read. */
export function rejectedReport(problems: readonly [Problem, ...Problem[]], journal: Journal, inputs?: Inputs): Report {
  const [first, ...rest] = problems
  const more = rest.length === 0 ? '' : `; and ${rest.length} more ${rest.length === 1 ? 'problem' : 'problems'}`
  const frame = reportFrame({ inputs, journal })
  return {
    ...frame,
    outcome: 'rejected',
    reason: first.code,
    message: `${first.message}${more}`,
    hint: first.hint,
    namespace: inputs?.namespace ?? '',
    changed: false,
    problems,
  }
}
