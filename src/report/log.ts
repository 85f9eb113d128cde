import { durationOf, nameOf, sentence } from './format.ts'
import { HEADLINES, safetyOf, succeeded } from './outcome.ts'
import type { Report } from './report.ts'

const MOST_WORKLOADS = 20
const MOST_PROBLEMS = 50

/** The last lines of the log. They hold untrusted text: print them through the runner, which makes it safe. */
export function renderLog(report: Report): string[] {
  const { emoji, words } = HEADLINES[report.outcome]
  const { safe, because } = safetyOf(report)
  const lines = [`${emoji} ${words}${whatOf(report)}, after ${durationOf(report.durationSeconds)}`]
  if (report.message !== '') lines.push(`${report.reason === undefined ? '' : `${report.reason}: `}${report.message}`)
  lines.push(...workloadLines(report), ...problemLines(report))
  if (report.rollback) lines.push(`Rollback: ${report.rollback.message} (${durationOf(report.rollback.seconds)})`)
  if (!succeeded(report)) lines.push(`Is production safe? ${safe}: ${because}`)
  if (report.hint !== undefined && report.hint !== '') lines.push(`What to do: ${report.hint}`)
  const commands = report.rollback?.commands ?? []
  if (commands.length > 0) lines.push('Finish the rollback by hand:', ...commands.map((command) => `  ${command}`))
  return lines
}

function workloadLines(report: Report): string[] {
  const lines = report.workloads
    .slice(0, MOST_WORKLOADS)
    .map((workload) => `  ${nameOf(workload, report.namespace)}: ${workload.state}, ${workload.message}`)
  const leftOut = report.workloads.length - lines.length
  return leftOut > 0 ? [...lines, `  and ${leftOut} more`] : lines
}

function problemLines(report: Report): string[] {
  const shown = report.problems.slice(0, MOST_PROBLEMS)
  const lines = shown.map((problem) => {
    const where = problem.at ? `${problem.at.file}:${problem.at.line}: ` : ''
    return `  ${where}${problem.code}: ${sentence(problem.message)} ${problem.hint}`
  })
  const leftOut = report.problems.length - lines.length
  if (leftOut > 0) lines.push(`  and ${leftOut} more`)
  // From the first column, as it is to be pasted.
  return [...lines, ...shown.flatMap(({ paste }) => paste?.split('\n') ?? [])]
}

/** Empty when the run ended before it was known. */
function whatOf({ release, namespace }: Report): string {
  const parts = [release !== '' && `release ${release}`, namespace !== '' && `in namespace ${namespace}`].filter(
    Boolean,
  )
  return parts.length === 0 ? '' : `: ${parts.join(' ')}`
}
