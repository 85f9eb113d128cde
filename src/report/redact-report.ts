import { REASON_CODES } from '../errors.ts'
import { OUTCOMES, type Report } from './report.ts'

/** Words of our own that a field holds whole. A secret that happens to be one of them must not break the report. */
export const OWN_WORDS: ReadonlySet<string> = new Set<string>([
  ...OUTCOMES,
  ...REASON_CODES,
  // commands
  'deploy',
  'plan',
  'rollback',
  'teardown',
  'sweep',
  // changes of objects and states of workloads
  'created',
  'updated',
  'ran',
  'not-reached',
  'pruned',
  'healthy',
  'progressing',
  'restored',
  // actions of a plan
  'create',
  'update',
  'recreate',
  'run',
  'prune',
  'keep',
  'refused',
  // phases, and steps of a rollback
  'prepare',
  'apply',
  'follow',
  'diagnose',
  'roll-back',
  'report',
  'deleted',
  'already-as-before',
  'left-alone',
  'kept',
])

/**
 * The report with every text run through `redact`: the one place where secrets leave it, before a view escapes them so
 * that they cannot be recognised any more. The names of release and namespace stay, since they are printed everywhere
 * and find the comment of the last run.
 */
export function redactReport(report: Report, redact: (text: string) => string): Report {
  const safe: Report = JSON.parse(JSON.stringify(report), (_field, value: unknown) =>
    typeof value === 'string' && !OWN_WORDS.has(value) ? redact(value) : value,
  )
  return {
    ...safe,
    release: report.release,
    namespace: report.namespace,
    startedAt: report.startedAt,
    times: report.times,
  }
}
