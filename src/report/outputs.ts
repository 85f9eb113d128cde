import { stripControls } from '../redact.ts'
import type { Report } from './report.ts'

/** The names of the step's outputs that come from the report; `report`, the path of the file, is the caller's to add. */
export const OUTPUT_NAMES = [
  'outcome',
  'release',
  'namespace',
  'revision',
  'previous-revision',
  'reason',
  'message',
  'changed',
  'url',
  'duration-seconds',
] as const
export type OutputName = (typeof OUTPUT_NAMES)[number]

/** The step's outputs. What does not apply is empty; `message` is one line; `duration-seconds` is a whole number. */
export function outputsOf(report: Report): Record<OutputName, string> {
  return {
    outcome: report.outcome,
    release: report.release,
    namespace: report.namespace,
    revision: report.revision?.toString() ?? '',
    'previous-revision': report.previousRevision?.toString() ?? '',
    reason: report.reason ?? '',
    message: stripControls(report.message).replaceAll(/\s+/g, ' ').trim(),
    changed: String(report.changed),
    url: report.url ?? '',
    'duration-seconds': String(Math.round(report.durationSeconds)),
  }
}
