import type { SourcePosition } from '../errors.ts'
import { cut } from '../redact.ts'
import { HEADLINES, safetyOf, succeeded } from './outcome.ts'
import { nameOf } from './format.ts'
import type { Report } from './report.ts'

/** A note on the run's page and, with a position, on the pull request's files. GitHub shows ten a step and level. */
export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice'
  readonly title: string
  readonly message: string
  readonly at?: SourcePosition
}

/** https://github.com/actions/toolkit/blob/main/docs/problem-matchers.md#limitations: more are dropped without a word. */
const MOST_A_LEVEL = 10

/** GitHub's limit is 64 KB for a message; nobody reads more than this in a note. */
const LONGEST_MESSAGE = 2000

/**
 * At most ten notes a level. A red step gets one error with the verdict and one for each place in a file that has to do
 * with it; each problem of a rejected run is an error. Where some are left out, the last note says how many.
 */
export function annotationsOf(report: Report): Annotation[] {
  const errors = [...verdictOf(report), ...problemsOf(report), ...failuresOf(report)]
  const warnings = report.warnings.map((message): Annotation => ({
    level: 'warning',
    title: `Release ${report.release}`,
    message,
  }))
  return [...atMost(errors), ...atMost(warnings)].map((annotation) => ({
    ...annotation,
    message: cut(annotation.message, LONGEST_MESSAGE),
  }))
}

function verdictOf(report: Report): Annotation[] {
  if (succeeded(report) || report.problems.length > 0) return []
  const { words } = HEADLINES[report.outcome]
  const { question, safe, because } = safetyOf(report)
  const why = report.reason === undefined ? report.message : `${report.reason}: ${report.message}`
  const next = report.hint === undefined ? '' : `\nWhat to do: ${report.hint}`
  const message = `${why}\n${question} ${safe}: ${because}${next}`
  return [{ level: 'error', title: `${words}: release ${report.release}`, message }]
}

function problemsOf(report: Report): Annotation[] {
  return report.problems.map((problem) => ({
    level: 'error',
    title: problem.code,
    message: `${problem.message}\n${problem.hint}`,
    ...(problem.at && { at: problem.at }),
  }))
}

function failuresOf(report: Report): Annotation[] {
  return report.failures.flatMap((failure): Annotation[] =>
    failure.at
      ? [
          {
            level: 'error',
            title: `${failure.reason}: ${nameOf(failure.workload, report.namespace)}`,
            message: failure.message,
            at: failure.at,
          },
        ]
      : [],
  )
}

function atMost(annotations: Annotation[]): Annotation[] {
  const [first] = annotations
  if (!first || annotations.length <= MOST_A_LEVEL) return annotations
  const shown = annotations.slice(0, MOST_A_LEVEL - 1)
  const leftOut = annotations.length - shown.length
  const message = `${leftOut} more are in the job summary, because GitHub shows ${MOST_A_LEVEL} a step`
  return [...shown, { level: first.level, title: `${leftOut} more`, message }]
}
