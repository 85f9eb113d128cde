import { messageOf } from '../errors.ts'
import { orAborted } from '../or-aborted.ts'
import type { Herald } from './herald.ts'
import type { Clock, GitHub, Runner } from '../ports.ts'
import { annotationsOf } from '../report/annotations.ts'
import { markerOf, renderComment, shouldComment, type CommentMode } from '../report/comment.ts'
import { renderLog } from '../report/log.ts'
import { outputsOf } from '../report/outputs.ts'
import { redactReport } from '../report/redact-report.ts'
import type { Report } from '../report/report.ts'
import { renderSummary } from '../report/summary.ts'

/**
 * All reporting together may delay the step by ten seconds: a GitHub that does not answer must not hold up a deploy. The
 * last of them is for writing down in the report what went wrong in the others.
 */
const MILLISECONDS_TO_TELL = 9000
const MILLISECONDS_TO_CORRECT = 1000

export interface PublishPorts {
  readonly runner: Runner
  readonly clock: Clock
  /** Absent without a token. */
  readonly github?: Pick<GitHub, 'upsertComment'>
  readonly herald: Herald
  /** Hides the secrets of this run. */
  readonly redact: (text: string) => string
}

/**
 * Tells everyone: the closing lines of the log, step outputs, annotations, `report.json`, job summary and the comment on
 * the pull request. Takes 10 s at most and never throws: what could not be told becomes a warning, in the log and in the
 * report, which is returned with all warnings.
 */
export async function publish(report: Report, ports: PublishPorts, mode: CommentMode): Promise<Report> {
  const { runner } = ports
  const safe = redactReport(report, ports.redact)
  const warnings: string[] = []
  /** Runs one way of telling; its failure is a warning. */
  const attempt = async (what: string, tell: () => unknown): Promise<void> => {
    try {
      await tell()
    } catch (error) {
      warnings.push(ports.redact(`${what}: ${messageOf(error)}`))
    }
  }
  const withWarnings = (): Report => ({ ...safe, warnings: [...safe.warnings, ...warnings] })
  const annotate = (from: Report, levels: readonly string[]): void => {
    for (const annotation of annotationsOf(from)) if (levels.includes(annotation.level)) runner.annotate(annotation)
  }

  // What needs no network first, so that it is there even if the runner kills the process in the middle.
  await attempt('The log could not be closed', () => renderLog(safe).forEach((line) => runner.info(line)))
  await attempt('The annotations could not be written', () => annotate(safe, ['error', 'notice']))
  await attempt('The outputs could not be written', () => {
    for (const [name, value] of Object.entries(outputsOf(safe))) runner.output(name, value)
  })
  const writeReport = async (): Promise<void> =>
    runner.output('report', await runner.writeReport(`${JSON.stringify(withWarnings(), null, 2)}\n`))

  await within(MILLISECONDS_TO_TELL, ports.clock, (signal) => [
    attempt('The JSON report could not be written', () => orAborted(writeReport(), signal)),
    attempt('The job summary could not be written', () => orAborted(runner.summary(renderSummary(safe)), signal)),
    attempt('The pull request could not be commented', () =>
      orAborted(comment(safe, ports.github, mode, signal), signal),
    ),
    ...ports.herald
      .end(safe, signal)
      .map(({ name, told }) => attempt(`${name} could not be told`, () => orAborted(told, signal))),
  ])

  if (warnings.length > 0) {
    await within(MILLISECONDS_TO_CORRECT, ports.clock, (signal) => [
      attempt('The JSON report does not have the last warnings', () => orAborted(writeReport(), signal)),
    ])
  }
  const told = withWarnings()
  await attempt('The warnings could not be written', () => annotate(told, ['warning']))
  return told
}

async function comment(
  report: Report,
  github: PublishPorts['github'],
  mode: CommentMode,
  signal: AbortSignal,
): Promise<void> {
  const pullRequest = report.run?.pullRequest
  if (!github || pullRequest === undefined || !shouldComment(report, mode)) return
  const marker = markerOf(report)
  const render = (previous: string | undefined): string => renderComment(report, previous)
  await github.upsertComment({ marker, pullRequest, render }, signal)
}

/** Runs all at once with a signal that aborts after `ms`. */
async function within(ms: number, clock: Clock, start: (signal: AbortSignal) => Promise<void>[]): Promise<void> {
  const deadline = new AbortController()
  const done = new AbortController()
  const abortLate = async (): Promise<void> => {
    await clock.sleep(ms, done.signal)
    if (!done.signal.aborted) deadline.abort(new Error(`no answer within ${ms / 1000} s`))
  }
  const timer = abortLate()
  await Promise.all(start(deadline.signal))
  done.abort()
  await timer
}
