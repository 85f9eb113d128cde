import type { Problem } from '../errors.ts'
import type { Inputs } from '../inputs/inputs.ts'
import type { Cluster } from '../ports.ts'
import { counted } from '../report/format.ts'
import type { Report } from '../report/report.ts'
import type { Journal } from './journal.ts'
import { reportFrame } from './report-frame.ts'

/** The report of a run that ended before anything was written, and knew only this much. */
export function rejectedReport(
  problems: readonly [Problem, ...Problem[]],
  { journal, inputs, cluster }: { readonly journal: Journal; readonly inputs?: Inputs; readonly cluster?: Cluster },
): Report {
  const [first, ...rest] = problems
  const more = rest.length === 0 ? '' : `; and ${counted(rest.length, 'more problem')}`
  const frame = reportFrame({ inputs, journal })
  return {
    ...frame,
    outcome: 'rejected',
    reason: first.code,
    message: `${first.message}${more}`,
    hint: first.hint,
    namespace: inputs?.namespace ?? (cluster ? (cluster.contextNamespace ?? 'default') : ''),
    ...(cluster && { server: cluster.server }),
    changed: false,
    problems,
  }
}
