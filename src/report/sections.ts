/** The parts that the job summary and the comment are put together from. All text of the report is untrusted here. */
import { code, details, fence, prose, table, type Section } from './markdown.ts'
import { counted, durationOf, nameOf, timeOfDay } from './format.ts'
import type { ObjectReport, Report, WorkloadReport } from './report.ts'

/** How much a page shows. Counts of rows and of characters. */
export interface Detail {
  readonly workloads: number
  readonly problems: number
  readonly objects: number
  readonly timeline: number
  readonly warnings: number
  readonly rollbackSteps: number
}

const STATES: Readonly<Record<WorkloadReport['state'], string>> = {
  healthy: '✅ healthy',
  progressing: '⏳ progressing',
  failed: '❌ failed',
  restored: '↩️ restored',
  removed: '🗑️ removed',
  unknown: '❓ unknown',
}

/** The commands that finish a failed rollback by hand. */
export function commandsSection(report: Report): Section[] {
  const commands = report.rollback?.commands ?? []
  if (commands.length === 0) return []
  const markdown = `### Finish the rollback by hand\n\n${fence(commands.join('\n'), { language: 'sh', characters: 20_000 })}`
  return [{ name: 'commands to finish by hand', rank: 0, markdown }]
}

/** What is wrong with the inputs or manifests, and where. */
export function problemsSection(report: Report, detail: Detail): Section[] {
  if (report.problems.length === 0) return []
  const rows = report.problems.map((problem) => [
    code(problem.code),
    problem.at ? code(`${problem.at.file}:${problem.at.line}`) : '–',
    prose(problem.message),
    prose(problem.hint),
  ])
  const markdown = `### ${counted(rows.length, 'problem')} to mend\n\n${table(['Reason', 'Where', 'What is wrong', 'What to do'], rows, { rows: detail.problems })}`
  const pastes = report.problems.flatMap(({ paste }) => (paste === undefined ? [] : [paste]))
  return [
    { name: 'problems', rank: 1, markdown },
    ...pastes.map((paste): Section => ({
      name: 'what to apply to mend them',
      rank: 1,
      markdown: `### To apply\n\n${fence(paste, { language: 'yaml' })}`,
    })),
  ]
}

/** Every workload: where it was left, its images before and after, its pods. */
export function workloadsSection(report: Report, detail: Detail): Section[] {
  if (report.workloads.length === 0) return []
  const rows = report.workloads.map((workload) => [
    code(nameOf(workload, report.namespace)),
    `${STATES[workload.state]}${workload.message === '' ? '' : `<br>${prose(workload.message)}`}`,
    imagesOf(workload),
    podsOf(workload),
    workload.seconds === undefined ? '–' : durationOf(workload.seconds),
  ])
  const markdown = `### Workloads\n\n${table(['Workload', 'State now', 'Image: before → this release', 'Pods available', 'Rollout took'], rows, { rows: detail.workloads })}`
  return [{ name: 'workloads', rank: 2, markdown }]
}

/** `3 of 3`, and the fewest and most that were seen on the way, with what was planned where that was missed. */
function podsOf({ pods, bounds }: WorkloadReport): string {
  if (!pods) return '–'
  const now = `${pods.available} of ${pods.wanted}`
  if (!bounds?.seen) return now
  const { planned, seen } = bounds
  const most = seen.mostTotal === undefined ? '' : `, at most ${seen.mostTotal} in all`
  const isMissed =
    seen.leastAvailable < planned.leastAvailable || (seen.mostTotal ?? 0) > (planned.mostTotal ?? Infinity)
  const plan = isMissed ? `; planned ${planned.leastAvailable} and ${planned.mostTotal ?? '–'}` : ''
  return `${now}<br>on the way: at least ${seen.leastAvailable}${most}${plan}`
}

/** What the rollback did to each object. */
export function rollbackSection(report: Report, detail: Detail): Section[] {
  const rollback = report.rollback
  if (!rollback || rollback.steps.length === 0) return []
  const rows = rollback.steps.map((step) => [
    code(nameOf(step, report.namespace)),
    step.step === 'failed' ? '❌ failed' : step.step.replaceAll('-', ' '),
    prose(step.message),
  ])
  const title = `Rollback: ${counted(rows.length, 'object')} in ${durationOf(rollback.seconds)}`
  const body = table(['Object', 'Done', 'Note'], rows, { rows: detail.rollbackSteps })
  return [
    {
      name: 'steps of the rollback',
      rank: 5,
      markdown: details(title, body, { open: rollback.outcome === 'rollback-failed' }),
    },
  ]
}

/** What the run wrote, the rollback left aside. */
export function changesSection(report: Report, detail: Detail): Section[] {
  if (report.objects.length === 0) return []
  const changed = report.objects.filter((object) => object.change !== 'unchanged')
  const rows = [...changed, ...report.objects.filter((object) => object.change === 'unchanged')].map((object) => [
    code(nameOf(object, report.namespace)),
    object.change.replaceAll('-', ' '),
  ])
  const title = `What this run changed: ${countsOf(report.objects)}`
  const body = table(['Object', 'Change'], rows, { rows: detail.objects })
  return [{ name: 'list of objects', rank: 7, markdown: details(title, body) }]
}

export function timelineSection(report: Report, detail: Detail): Section[] {
  if (report.timeline.length === 0) return []
  const rows = report.timeline.map((entry) => [
    durationOf(entry.seconds),
    entry.phase.replaceAll('-', ' '),
    prose(entry.text),
  ])
  // The end of a rollout explains it; its beginning is always the same.
  const shown = rows.slice(-detail.timeline)
  const leftOut = rows.length - shown.length
  const body = `${leftOut > 0 ? `_${leftOut} earlier entries left out._\n\n` : ''}${table(['After', 'Phase', 'What happened'], shown)}`
  return [
    {
      name: 'timeline',
      rank: 6,
      markdown: details(
        `Timeline: ${durationOf(report.durationSeconds)} since ${timeOfDay(report.startedAt)} UTC`,
        body,
      ),
    },
  ]
}

export function warningsSection(report: Report, detail: Detail): Section[] {
  if (report.warnings.length === 0) return []
  const shown = report.warnings.slice(0, detail.warnings).map((warning) => `- ${prose(warning)}`)
  const leftOut = report.warnings.length - shown.length
  const note = leftOut > 0 ? `\n\n_${leftOut} more left out._` : ''
  return [{ name: 'warnings', rank: 3, markdown: `### ⚠️ Warnings\n\n${shown.join('\n')}${note}` }]
}

/** `2 created, 1 updated, 17 unchanged`. */
function countsOf(objects: readonly ObjectReport[]): string {
  const kinds = ['created', 'updated', 'recreated', 'ran', 'pruned', 'unchanged', 'not-reached'] as const
  return kinds
    .map((change) => ({ change, count: objects.filter((object) => object.change === change).length }))
    .filter(({ count }) => count > 0)
    .map(({ change, count }) => `${count} ${change.replaceAll('-', ' ')}`)
    .join(', ')
}

function imagesOf(workload: WorkloadReport): string {
  if (workload.images.length === 0) return '–'
  return workload.images
    .map(({ container, from, to }) => {
      const which = workload.images.length > 1 ? `${code(container)}: ` : ''
      if (from === to) return `${which}${code(to)}, as before`
      // After a rollback the right-hand side is what does not run.
      const before = `${from === undefined ? '_none_' : code(from)}${workload.state === 'restored' ? ' **runs again**' : ''}`
      return `${which}${before}<br>→&nbsp;${code(to)}`
    })
    .join('<br>')
}
