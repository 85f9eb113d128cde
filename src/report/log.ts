import { counted, durationOf, nameOf, sentence } from './format.ts'
import { HEADLINES, safetyOf, succeeded } from './outcome.ts'
import { linesOfFields } from './plan-lines.ts'
import type { Report } from './report.ts'

const MOST_WORKLOADS = 20
const MOST_PROBLEMS = 50
const MOST_PLANNED = 100
/** Of all objects together; the summary has more. */
const MOST_DIFF_LINES = 300

/** The last lines of the log. They hold untrusted text: print them through the runner, which makes it safe. */
export function renderLog(report: Report): string[] {
  const { emoji, words } = HEADLINES[report.outcome]
  const { question, safe, because } = safetyOf(report)
  const lines = [`${emoji} ${words}${whatOf(report)}, after ${durationOf(report.durationSeconds)}`]
  if (report.message !== '') lines.push(`${report.reason === undefined ? '' : `${report.reason}: `}${report.message}`)
  lines.push(...workloadLines(report), ...problemLines(report), ...planLines(report))
  if (report.rollback) lines.push(`Rollback: ${report.rollback.message} (${durationOf(report.rollback.seconds)})`)
  if (!succeeded(report)) lines.push(`${question} ${safe}: ${because}`)
  if (report.url !== undefined) lines.push(`Where is it? ${report.url}`)
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

/** What would change, with its fields; what would not is counted. */
function planLines({ plan, namespace }: Report): string[] {
  if (!plan) return []
  const changing = plan.objects.filter(({ action }) => action !== 'unchanged')
  const lines: string[] = []
  let room = MOST_DIFF_LINES
  let linesLeftOut = 0
  for (const object of changing.slice(0, MOST_PLANNED)) {
    const { bounds, note } = object
    const most = bounds?.mostTotal === undefined ? '' : `, at most ${bounds.mostTotal} pods in all`
    const pods = bounds && `at least ${counted(bounds.leastAvailable, 'pod')} available${most}`
    const facts = [note, pods].filter((fact) => fact !== undefined)
    const fields = linesOfFields(object.fields)
    const shown = fields.slice(0, room)
    room -= shown.length
    linesLeftOut += fields.length - shown.length
    lines.push(
      `  ${nameOf(object, namespace)}  ${object.action}${facts.length === 0 ? '' : `: ${facts.join('; ')}`}`,
      ...shown.map((line) => `    ${line}`),
    )
  }
  if (linesLeftOut > 0) lines.push(`  ${counted(linesLeftOut, 'more line')} of the diff in the job summary`)
  if (changing.length > MOST_PLANNED) lines.push(`  and ${changing.length - MOST_PLANNED} more`)
  const unchanged = plan.objects.length - changing.length
  return unchanged === 0 ? lines : [...lines, `  ${counted(unchanged, 'object')} unchanged`]
}

/** Empty when the run ended before it was known. */
function whatOf({ release, namespace }: Report): string {
  const parts = [release !== '' && `release ${release}`, namespace !== '' && `in namespace ${namespace}`].filter(
    Boolean,
  )
  return parts.length === 0 ? '' : `: ${parts.join(' ')}`
}
