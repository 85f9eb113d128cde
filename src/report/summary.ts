import { assemble, bytesOf } from './markdown.ts'
import { evidenceSections, type EvidenceDetail } from './evidence.ts'
import { openingSection } from './opening.ts'
import { coursesSection, type CourseDetail } from './courses.ts'
import { phasesSection } from './phases.ts'
import { planSections, type PlanDetail } from './plan.ts'
import {
  changesSection,
  commandsSection,
  problemsSection,
  rollbackSection,
  timelineSection,
  warningsSection,
  workloadsSection,
  type Detail,
} from './sections.ts'
import type { Report } from './report.ts'

/**
 * UTF-8 bytes. Over 1,024 KiB a step GitHub drops the whole summary; the margin is for what else the step may write.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
 */
export const SUMMARY_BYTES = 1_000_000

const DETAIL: Detail & EvidenceDetail & PlanDetail & CourseDetail = {
  workloads: 200,
  problems: 200,
  objects: 500,
  timeline: 200,
  warnings: 50,
  rollbackSteps: 500,
  failures: 20,
  pods: 5,
  events: 40,
  logCharacters: 20_000,
  plannedObjects: 500,
  diffs: 200,
  diffCharacters: 50_000,
  courses: 8,
  openLines: 200,
}

/** The job summary: GitHub-flavoured Markdown, at most `SUMMARY_BYTES` bytes. */
export function renderSummary(report: Report): string {
  const sections = [
    openingSection(report),
    ...commandsSection(report),
    ...problemsSection(report, DETAIL),
    ...planSections(report, DETAIL),
    ...workloadsSection(report, DETAIL),
    ...evidenceSections(report, DETAIL),
    ...warningsSection(report, DETAIL),
    ...phasesSection(report),
    ...coursesSection(report, DETAIL),
    ...timelineSection(report, DETAIL),
    ...rollbackSection(report, DETAIL),
    ...changesSection(report, DETAIL),
  ]
  return assemble(sections, '', SUMMARY_BYTES, bytesOf)
}
