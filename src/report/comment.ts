import { assemble, link } from './markdown.ts'
import { evidenceSections, type EvidenceDetail } from './evidence.ts'
import { earlierRuns, historyLine, historySection } from './comment-history.ts'
import { openingSection } from './opening.ts'
import { succeeded } from './outcome.ts'
import { coursesSection, type CourseDetail } from './courses.ts'
import { planSections, type PlanDetail } from './plan.ts'
import {
  commandsSection,
  changesSection,
  problemsSection,
  rollbackSection,
  warningsSection,
  workloadsSection,
  type Detail,
} from './sections.ts'
import type { Report } from './report.ts'

/**
 * GitHub refuses a comment of more than 65,536 characters. Counted here in UTF-16 units, which are never fewer than
 * characters, with some room to spare.
 */
export const COMMENT_CHARACTERS = 65_000

const DETAIL: Detail & EvidenceDetail & PlanDetail & CourseDetail = {
  workloads: 25,
  problems: 25,
  objects: 50,
  timeline: 0,
  warnings: 10,
  rollbackSteps: 50,
  failures: 5,
  pods: 2,
  events: 8,
  logCharacters: 2500,
  plannedObjects: 50,
  diffs: 25,
  diffCharacters: 6000,
  courses: 1,
  openLines: 60,
}

/** When a pull request gets a comment: always, only when the step is red, or never. */
export type CommentMode = 'auto' | 'failure' | 'never'

export function shouldComment(report: Report, mode: CommentMode): boolean {
  if (report.run?.pullRequest === undefined) return false
  return mode === 'auto' || (mode === 'failure' && !succeeded(report))
}

/**
 * The first line of the comment, invisible on the page, by which a later run finds it. Names are encoded, so that no name
 * can end it or pass for another pair of names; text inside the body never comes first.
 */
export function markerOf({ release, namespace, environment }: Whose): string {
  const where = environment === undefined ? '' : ` environment=${encoded(environment)}`
  return `<!-- rollsafe release=${encoded(release)} namespace=${encoded(namespace)}${where} -->`
}

/** A pull request has one comment for each release and environment. */
type Whose = Pick<Report, 'release' | 'namespace' | 'environment'>

function encoded(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll('-', '%2D')
}

/**
 * The comment on a pull request, which begins with its marker (`markerOf`). `previous` is what an earlier run left in its place: the
 * runs that it tells of are carried over.
 */
export function renderComment(report: Report, previous?: string): string {
  const earlier = earlierRuns(report, previous)
  const head = `${markerOf(report)}\n${historyLine(report, earlier)}\n`
  const sections = [
    openingSection(report),
    ...commandsSection(report),
    ...problemsSection(report, DETAIL),
    ...planSections(report, DETAIL),
    ...workloadsSection(report, DETAIL),
    ...evidenceSections(report, DETAIL),
    ...warningsSection(report, DETAIL),
    ...coursesSection(report, DETAIL),
    ...rollbackSection(report, DETAIL),
    ...changesSection(report, DETAIL),
    ...historySection(earlier, report.run),
  ]
  const rest = report.run
    ? `The ${link('run’s summary', report.run.url)} has the timeline and more of the evidence.`
    : ''
  const end = `<sub>${rest === '' ? '' : `${rest} `}Later runs of this release edit this comment.</sub>`
  return head + assemble(sections, end, COMMENT_CHARACTERS - head.length, (markdown) => markdown.length)
}
