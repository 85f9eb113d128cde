import { OUTCOMES, type Report } from './report.ts'
import { succeeded } from './outcome.ts'

/**
 * What the last run of a release came to, in Prometheus' text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). All are gauges, as each run is a process of its
 * own. What is not told by a run that failed, such as the time of the last success, stays as the last good one has left it.
 */
export function renderMetrics(report: Report): string {
  const ended = secondsOf(report.times.ended)
  const isGood = succeeded(report)
  const { commit, detected, recovered } = report.times
  const metrics = [
    metric('rollsafe_deploy_last_timestamp_seconds', 'When the last run ended.', ended),
    metric('rollsafe_deploy_duration_seconds', 'How long the last run took.', report.durationSeconds),
    family(
      'rollsafe_deploy_outcome',
      'What the last run came to: 1 for its outcome, 0 for all others.',
      OUTCOMES.map((outcome) => ({ label: `{outcome="${outcome}"}`, value: outcome === report.outcome ? 1 : 0 })),
    ),
    metric('rollsafe_rollback', 'Whether the last run has taken something back: 1 or 0.', report.rollback ? 1 : 0),
    ...(isGood
      ? [metric('rollsafe_deploy_last_success_timestamp_seconds', 'When the last run that went well ended.', ended)]
      : []),
    ...(isGood && commit !== undefined && report.changed
      ? [
          metric(
            'rollsafe_deploy_lead_time_seconds',
            'From the commit to the end of the last deploy that went well.',
            ended - secondsOf(commit),
          ),
        ]
      : []),
    ...(report.rollback
      ? [metric('rollsafe_rollback_last_timestamp_seconds', 'When the last run that took something back ended.', ended)]
      : []),
    ...(detected !== undefined && recovered !== undefined
      ? [
          metric(
            'rollsafe_recovery_seconds',
            'From a release found to be bad to the version before healthy again, the last time.',
            secondsOf(recovered) - secondsOf(detected),
          ),
        ]
      : []),
  ]
  return metrics.join('')
}

/**
 * The group of metrics on a Pushgateway that belongs to a release: the path under `/metrics`. Nothing of a run or a commit is in it,
 * as a Pushgateway never forgets a group. https://github.com/prometheus/pushgateway#url
 */
export function groupingPath({
  job,
  cluster,
  release,
  namespace,
}: Pick<Report, 'release' | 'namespace'> & { readonly job: string; readonly cluster?: string }): string {
  const labels = { job, release, namespace, ...(cluster !== undefined && { cluster }) }
  return Object.entries(labels)
    .map(([name, value]) => (isPlain(value) ? `/${name}/${value}` : `/${name}@base64/${base64Url(value)}`))
    .join('')
}

/** What stands for itself in a path; anything else, and nothing at all, is encoded. */
function isPlain(value: string): boolean {
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(value)
}

/** In the alphabet for URLs (RFC 4648, 5); a single `=` stands for the empty text. */
function base64Url(text: string): string {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text))
  return text === '' ? '=' : btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function secondsOf(iso: string): number {
  return new Date(iso).getTime() / 1000
}

function metric(name: string, help: string, value: number): string {
  return family(name, help, [{ label: '', value }])
}

function family(
  name: string,
  help: string,
  samples: readonly { readonly label: string; readonly value: number }[],
): string {
  const lines = samples.map(({ label, value }) => `${name}${label} ${Math.round(value * 1000) / 1000}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`
}
