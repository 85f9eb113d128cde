/** What a deploy would do, on a page. */
import { code, details, fence, prose, table, type Section } from './markdown.ts'
import { counted, nameOf } from './format.ts'
import { linesOfFields } from './plan-lines.ts'
import type { PlannedObject, PodRange, Report } from './report.ts'

/** How much of a plan a page shows. */
export interface PlanDetail {
  readonly plannedObjects: number
  /** Objects whose fields are shown. */
  readonly diffs: number
  /** Of one object. */
  readonly diffCharacters: number
  /** Lines that are shown without a click, in all. */
  readonly openLines: number
}

const ACTIONS: Readonly<Record<PlannedObject['action'], string>> = {
  refused: '⛔ be refused',
  create: '🆕 create',
  update: '✏️ update',
  recreate: '♻️ delete and create',
  run: '▶️ run',
  prune: '🗑️ delete',
  keep: '📌 keep',
  unchanged: 'change nothing',
}

/** A table of what would change, then the fields of each object, which a full page leaves out first. */
export function planSections(report: Report, detail: PlanDetail): Section[] {
  if (!report.plan) return []
  const { objects } = report.plan
  const changing = objects.filter(({ action }) => action !== 'unchanged')
  const refusedFirst = [
    ...changing.filter(({ action }) => action === 'refused'),
    ...changing.filter(({ action }) => action !== 'refused'),
  ]
  return [
    { name: 'plan', rank: 2, markdown: tableOf(refusedFirst, objects.length - changing.length, report, detail) },
    ...diffSections(refusedFirst, report, detail),
  ]
}

function tableOf(changing: readonly PlannedObject[], unchanged: number, report: Report, detail: PlanDetail): string {
  if (changing.length === 0)
    return `### Plan\n\nA deploy would change nothing: ${counted(unchanged, 'object')} unchanged.`
  const hasBounds = changing.some(({ bounds }) => bounds !== undefined)
  const rows = changing.map((object) => [
    code(nameOf(object, report.namespace)),
    ACTIONS[object.action],
    ...(hasBounds ? [boundsOf(object.bounds)] : []),
    object.note === undefined ? '' : prose(object.note),
  ])
  const header = ['Object', 'A deploy would', ...(hasBounds ? ['Pods on the way'] : []), 'Note']
  const rest =
    unchanged === 0
      ? ''
      : `\n\n_${counted(unchanged, 'more object')} would stay as ${unchanged === 1 ? 'it is' : 'they are'}._`
  return `### Plan\n\n${table(header, rows, { rows: detail.plannedObjects })}${rest}`
}

function boundsOf(bounds: PodRange | undefined): string {
  if (!bounds) return '–'
  const most = bounds.mostTotal === undefined ? '' : `<br>at most ${bounds.mostTotal} in all`
  return `at least ${bounds.leastAvailable} available${most}`
}

function diffSections(changing: readonly PlannedObject[], report: Report, detail: PlanDetail): Section[] {
  const different = changing.filter(({ fields }) => fields.length > 0)
  const shown = different.slice(0, detail.diffs)
  let open = 0
  const sections = shown.map((object): Section => {
    // An empty line between fields, as their values may have many.
    const lines = object.fields.flatMap((field, index) => [...(index === 0 ? [] : ['']), ...linesOfFields([field])])
    open += lines.length
    const name = nameOf(object, report.namespace)
    const body = diffOf(lines, detail)
    return {
      name: `diff of ${name}`,
      rank: 4,
      markdown: details(titleOf(object, name), body, { open: open <= detail.openLines }),
    }
  })
  const leftOut = different.length - shown.length
  if (leftOut === 0) return sections
  return [...sections, { name: 'count of diffs', rank: 4, markdown: `_${counted(leftOut, 'more diff')} left out._` }]
}

function titleOf({ action, fields }: PlannedObject, name: string): string {
  return action === 'update' ? `${name}: ${counted(fields.length, 'field')}` : `${name}: ${action}`
}

/** The first lines, as many as fit. */
function diffOf(lines: readonly string[], { diffCharacters }: PlanDetail): string {
  let used = 0
  const shown = lines.filter((line) => {
    used += line.length + 1
    return used <= diffCharacters
  })
  const leftOut = lines.length - shown.length
  const note = leftOut === 0 ? '' : `\n\n_${counted(leftOut, 'more line')} left out._`
  return `${fence(shown.join('\n'), { language: 'diff' })}${note}`
}
