/** What a comment carries over from the one before: the last five runs, and nothing that somebody has written into it. */
import { describe, expect, it } from '@jest/globals'
import { COMMENT_CHARACTERS, renderComment } from '../../src/report/comment.ts'
import type { Report } from '../../src/report/report.ts'
import { pageOf } from '../fakes/page.ts'
import { HOSTILE } from '../fixtures/hostile.ts'
import { reportSaying } from '../fixtures/reports/hostile.ts'
import { deployed, everyOutcome, planned, rejected, rolledBack } from '../fixtures/reports/reports.ts'

/** The report as another run, at another time, would give it. */
function inRun(report: Report, id: number, more: Partial<Report> = {}): Report {
  if (!report.run) throw new Error('the fixture has a run')
  const startedAt = `2026-11-22T03:${String(id % 60).padStart(2, '0')}:41.120Z`
  return { ...report, startedAt, run: { ...report.run, id, attempt: 1 }, ...more }
}

/** The comment after all these runs, each editing what the one before left. */
const after = (reports: readonly Report[]): string =>
  reports.reduce<string | undefined>((previous, report) => renderComment(report, previous), undefined) ?? ''

/** What the folded table says of earlier runs. */
function earlierIn(comment: string): string[] {
  const [, rows = ''] =
    /<summary>\d earlier runs?<\/summary>\n\n\|[^\n]*\n\|[^\n]*\n(.*?)\n\n<\/details>/s.exec(comment) ?? []
  return rows === '' ? [] : rows.split('\n')
}

const withLine = (line: string): string => renderComment(rolledBack).replace(/^<!-- rollsafe runs=.*$/m, () => line)
const lineWith = (...runs: unknown[]): string => withLine(`<!-- rollsafe runs=${JSON.stringify(runs)} -->`)
const good = {
  outcome: 'deployed',
  command: 'deploy',
  revision: 7,
  sha: '4bc1d0e',
  at: '2026-11-22T02:58:41Z',
  id: 7,
  attempt: 2,
}

describe('the history in a comment', () => {
  it('is not there in the first one', () => {
    expect(earlierIn(renderComment(deployed))).toEqual([])
    expect(renderComment(deployed)).not.toContain('earlier run')
  })

  it('has the runs before, the newest first, with links to each and its commit', () => {
    expect(earlierIn(after([inRun(rejected, 11), inRun(rolledBack, 12), inRun(deployed, 13)]))).toEqual([
      '| ↩️ Rolled back | deploy | 8 | [`4bc1d0e`](https://github.com/acme/shop/commit/4bc1d0e) | 2026-11-22 03:12 | [run](https://github.com/acme/shop/actions/runs/12/attempts/1) |',
      '| ⛔ Rejected | deploy | – | [`4bc1d0e`](https://github.com/acme/shop/commit/4bc1d0e) | 2026-11-22 03:11 | [run](https://github.com/acme/shop/actions/runs/11/attempts/1) |',
    ])
  })

  it('has five of them, and tells of each outcome', () => {
    const reports = everyOutcome.map((report, index) => inRun(report, index + 1))
    const rows = earlierIn(after(reports))
    expect(rows).toHaveLength(5)
    expect(rows.map((row) => /runs\/(\d+)/.exec(row)?.[1])).toEqual(['10', '9', '8', '7', '6'])
    for (const [index, report] of reports.entries()) {
      expect(earlierIn(after([report, inRun(deployed, 99)]))[0]).toContain(`/runs/${index + 1}/`)
    }
  })

  it('has a run once, although it told twice', () => {
    const twice = after([inRun(deployed, 1), inRun(rolledBack, 2), inRun(rolledBack, 2)])
    expect(earlierIn(twice)).toEqual([expect.stringContaining('/runs/1/')])
  })

  it('has a plan and a deploy of the same run as two', () => {
    expect(earlierIn(after([inRun(planned, 1), inRun(deployed, 1)]))).toEqual([
      expect.stringContaining('| 📋 Planned | plan |'),
    ])
  })

  it('is read with the line ends that GitHub may have stored', () => {
    expect(earlierIn(renderComment(deployed, lineWith(good).replaceAll('\n', '\r\n')))).toHaveLength(1)
  })

  it.each([
    ['an outcome of no run', { ...good, outcome: 'constructor' }],
    ['a command that is a text', { ...good, command: 'a | b' }],
    ['a time that is a text', { ...good, at: '2026-11-22T02:58:41Z and more' }],
    ['an id that is a text', { ...good, id: '7/../../x' }],
    ['an id below zero', { ...good, id: -1 }],
    ['an attempt that is no whole number', { ...good, attempt: 1.5 }],
    ['no id', { ...good, id: undefined }],
    ['no object', 'deployed'],
    ['nothing', null],
  ])('leaves out a run with %s', (_what, run) => {
    expect(earlierIn(renderComment(rejected, lineWith(run, good)))).toEqual([expect.stringContaining('/runs/7/')])
  })

  it.each(Object.entries(HOSTILE))('shows nothing that is written in its place: %s', (_name, text) => {
    const filled = { outcome: text, command: text, revision: text, sha: text, at: text, id: text, attempt: text }
    const withText = { ...good, sha: text, revision: text, more: text }
    const row =
      '| ✅ Deployed | deploy | – | – | 2026-11-22 02:58 | [run](https://github.com/acme/shop/actions/runs/7/attempts/2) |'
    const [short] = /^[\da-f]{7}/.exec(text) ?? []
    expect(short).toBeUndefined()
    const shown = earlierIn(renderComment(rejected, lineWith(filled, withText)))
    expect(shown.filter((one) => one !== row)).toEqual([])
    const previous = [
      withLine(text),
      withLine(`<!-- rollsafe runs=${text} -->`),
      withLine(`<!-- rollsafe runs=[${text}] -->`),
      text,
    ]
    for (const old of previous) expect(earlierIn(renderComment(rejected, old))).toEqual([])
  })

  it('is never taken from what a report says', () => {
    const forged = `\n<!-- rollsafe runs=${JSON.stringify([good])} -->\n`
    const comment = after([inRun(reportSaying(forged), 1), inRun(deployed, 2)])
    expect(earlierIn(comment).filter((row) => !row.includes('/runs/1/'))).toEqual([])
  })

  it('stays within GitHub’s limit, and is kept when much else is left out', () => {
    const loud = inRun(reportSaying('😀 | `x` @a '.repeat(9000)), 5, { release: 'shop', namespace: 'shop' })
    const comment = after([...everyOutcome.map((report, index) => inRun(report, index + 20)), loud, loud])
    expect(comment.length).toBeLessThanOrEqual(COMMENT_CHARACTERS)
    expect(earlierIn(comment)).toHaveLength(5)
    expect(pageOf(comment).html.match(/<details/g)?.length).toBe(pageOf(comment).html.match(/<\/details>/g)?.length)
  })

  it('of a hidden line that is too long is forgotten', () => {
    expect(earlierIn(renderComment(deployed, lineWith(good, 'x'.repeat(2000))))).toEqual([])
  })
})
