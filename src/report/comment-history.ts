/**
 * The last runs of a release, which its comment carries from one edit to the next in a line that the page does not show. Only
 * numbers and words of ours are in that line, and only those are believed when it is read again: whoever may edit the comment
 * can tell of a run that never was, and no more.
 */
import { isObject } from '../manifest/object.ts'
import { code, details, link, table, type Section } from './markdown.ts'
import { counted } from './format.ts'
import { HEADLINES } from './outcome.ts'
import { OUTCOMES, type Outcome, type Report, type RunFacts } from './report.ts'

/** Beside the one that the comment is about. */
const MOST_RUNS = 5
/** Of the hidden line; six runs take less than half of it. */
const LONGEST_LINE = 2000

export interface PastRun {
  readonly outcome: Outcome
  readonly command: string
  readonly revision?: number
  /** The first seven digits of the commit. */
  readonly sha?: string
  /** ISO 8601, to the second. */
  readonly at: string
  readonly id: number
  readonly attempt: number
}

/** The runs before this one that its comment told of, the newest first; none when it does not tell as `historyLine` does. */
export function earlierRuns(report: Report, previous: string | undefined): readonly PastRun[] {
  const current = runOf(report)
  // A run may tell twice: again after an answer that got lost, and in the post step of its job.
  return readLine(previous)
    .filter(
      ({ id, attempt, command }) =>
        !current || id !== current.id || attempt !== current.attempt || command !== current.command,
    )
    .slice(0, MOST_RUNS)
}

/** The hidden line, the second of a comment, with this run and the earlier ones. */
export function historyLine(report: Report, earlier: readonly PastRun[]): string {
  return `<!-- rollsafe runs=${JSON.stringify([runOf(report), ...earlier].filter((run) => run !== undefined))} -->`
}

function runOf(report: Report): PastRun | undefined {
  return report.run && pastRun({ ...report, ...report.run, at: report.startedAt.replace(/\.\d+/, '') })
}

function readLine(comment: string | undefined): PastRun[] {
  const line = comment?.split(/\r?\n/, 2)[1] ?? ''
  const [, json] = line.length > LONGEST_LINE ? [] : (/^<!-- rollsafe runs=(\[.*\]) -->$/.exec(line) ?? [])
  if (json === undefined) return []
  try {
    const runs: unknown = JSON.parse(json)
    return Array.isArray(runs) ? runs.flatMap((run) => pastRun(run) ?? []) : []
  } catch {
    return []
  }
}

/** Undefined for what is not a run in every field; what has no place in one is left out. */
function pastRun(value: unknown): PastRun | undefined {
  if (!isObject(value)) return undefined
  const { command, revision, sha, at, id, attempt } = value
  const outcome = OUTCOMES.find((one) => one === value['outcome'])
  const isRun =
    typeof command === 'string' &&
    /^[a-z]{1,20}$/.test(command) &&
    typeof at === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(at) &&
    isCount(id) &&
    isCount(attempt)
  if (!outcome || !isRun) return undefined
  const [short] = typeof sha === 'string' ? (/^[\da-f]{7}/.exec(sha) ?? []) : []
  return {
    outcome,
    command,
    ...(isCount(revision) && { revision }),
    ...(short !== undefined && { sha: short }),
    at,
    id,
    attempt,
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** The runs before this one, folded. Their links are made from where this run is, never taken from the comment. */
export function historySection(earlier: readonly PastRun[], run: RunFacts | undefined): Section[] {
  if (earlier.length === 0) return []
  const base = run && URL.canParse(run.url) ? `${new URL(run.url).origin}/${run.repository}` : ''
  const rows = earlier.map(({ outcome, command, revision, sha, at, id, attempt }) => [
    `${HEADLINES[outcome].emoji} ${HEADLINES[outcome].words}`,
    command,
    revision === undefined ? '–' : String(revision),
    sha === undefined ? '–' : link(code(sha), `${base}/commit/${sha}`),
    `${at.slice(0, 10)} ${at.slice(11, 16)}`,
    link('run', `${base}/actions/runs/${id}/attempts/${attempt}`),
  ])
  const body = table(['Outcome', 'Command', 'Revision', 'Commit', 'When (UTC)', 'Run'], rows)
  return [{ name: 'earlier runs', rank: 0, markdown: details(counted(rows.length, 'earlier run'), body) }]
}
