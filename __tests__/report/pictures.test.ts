/** The pictures that GitHub draws: the texts of a report are never in one, and what it shows stands beside it in words. */
import { describe, expect, it } from '@jest/globals'
import { renderComment } from '../../src/report/comment.ts'
import { coursesSection } from '../../src/report/courses.ts'
import { phasesSection } from '../../src/report/phases.ts'
import type { PodSample, Report } from '../../src/report/report.ts'
import { renderSummary } from '../../src/report/summary.ts'
import { pageOf } from '../fakes/page.ts'
import { HOSTILE } from '../fixtures/hostile.ts'
import { reportSaying } from '../fixtures/reports/hostile.ts'
import { deployed, planned, rejected, rolledBack } from '../fixtures/reports/reports.ts'

const picturesIn = (markdown: string): string[] =>
  [...markdown.matchAll(/^```mermaid\n(.*?)\n```$/gms)].map(([, picture = '']) => picture)

const coursePage = (report: Report): string =>
  coursesSection(report, { courses: 8 })
    .map(({ markdown }) => markdown)
    .join('\n\n')

const withCourse = (course: readonly PodSample[], more: Partial<Report> = {}): Report => ({
  ...deployed,
  workloads: deployed.workloads.slice(0, 1).map((workload) => ({ ...workload, course })),
  ...more,
})

const lineOf = (picture: string, kind: 'bar' | 'line', index = -1): number[] =>
  [...picture.matchAll(new RegExp(`^  ${kind} \\[(.*)\\]$`, 'gm'))]
    .map(([, values = '']) => values.split(', ').map(Number))
    .at(index) ?? []

describe('the picture of the phases', () => {
  it('has a bar for each, and words beside it', () => {
    const markdown = phasesSection(rolledBack)[0]?.markdown ?? ''
    expect(pageOf(markdown).text).toContain(
      'Prepare 1.2 s → Apply 0.4 s → Follow 48 s → Find the cause 1.4 s → Roll back 45 s.',
    )
    const [picture = ''] = picturesIn(markdown)
    expect(picture).toContain('  axisFormat %M:%S\n  tickInterval 10second\n')
    expect(picture.split('\n').filter((line) => line.includes('2001'))).toEqual([
      '  Prepare :done, 2001-01-01T00:00:00.000, 2001-01-01T00:00:01.200',
      '  Apply :2001-01-01T00:00:01.200, 2001-01-01T00:00:01.600',
      '  Follow :active, 2001-01-01T00:00:01.600, 2001-01-01T00:00:49.600',
      '  Find the cause :2001-01-01T00:00:49.600, 2001-01-01T00:00:51.000',
      '  Roll back :crit, 2001-01-01T00:00:51.000, 2001-01-01T00:01:36.200',
    ])
  })

  it.each([
    [20, 'axisFormat %M:%S', 'tickInterval 2second'],
    [3700, 'axisFormat %H:%M:%S', 'tickInterval 600second'],
    [80_000, 'axisFormat %H:%M:%S', 'tickInterval 7200second'],
  ])('of %i seconds has a fitting axis', (durationSeconds, ...axis) => {
    const [picture = ''] = picturesIn(phasesSection({ ...deployed, durationSeconds })[0]?.markdown ?? '')
    for (const line of axis) expect(picture).toContain(line)
  })

  it.each([rejected, planned])('is not there for a run that wrote nothing', (report) => {
    expect(phasesSection(report)).toEqual([])
  })
})

describe('the picture of the pods', () => {
  it('shows them with their bounds, the rollback shaded', () => {
    const [picture = ''] = picturesIn(coursePage(rolledBack))
    expect(picture).toContain('x-axis "seconds since the start" 1.5 --> 96.2')
    expect(picture).toContain('y-axis "pods" 0 --> 5')
    expect(lineOf(picture, 'line')).toHaveLength(60)
    expect(lineOf(picture, 'line').filter((pods, index, all) => pods !== all[index - 1])).toEqual([3, 2, 3])
    expect([...new Set(lineOf(picture, 'line', -3))]).toEqual([2])
    expect([...new Set(lineOf(picture, 'line', 0))]).toEqual([4])
    expect(lineOf(picture, 'bar').indexOf(5)).toBe(Math.ceil((51 - 1.5) / ((96.2 - 1.5) / 59)))
  })

  it('has its facts in words beside it', () => {
    const { text } = pageOf(coursePage(rolledBack))
    expect(text).toContain('Rollout: at least 2 of 3 (planned: 2) available, at most 4 (planned: 4) in all.')
    expect(text).toContain(
      'Rollback, shaded, after 51 s: at least 2 of 3 (planned: 2) available, at most 4 (planned: 4) in all.',
    )
    expect(text).toContain('🟩 available · 🟦 in all · 🟧 planned at least · 🟪 planned at most')
  })

  it('misses no short dip', () => {
    const dip = [
      { seconds: 0, available: 3, total: 3 },
      { seconds: 100, available: 0, total: 3 },
      { seconds: 100, available: 3, total: 3 },
    ]
    const [picture = ''] = picturesIn(coursePage(withCourse(dip, { durationSeconds: 3000 })))
    expect(lineOf(picture, 'line').filter((available) => available === 0).length).toBeGreaterThanOrEqual(1)
    expect(picture).toContain('x-axis "minutes since the start" 0 --> 50')
  })

  it('of a DaemonSet has no line for what is not known', () => {
    const nodes = [
      { seconds: 0, available: 3 },
      { seconds: 5, available: 2 },
    ]
    const { text } = pageOf(coursePage(withCourse(nodes)))
    expect(text).toContain('🟩 available · 🟧 planned at least · 🟪 planned at most')
    expect(text).not.toContain('in all.')
  })

  it.each([[[]], [[{ seconds: 1, available: 3, total: 3 }]]])(
    'is not there when the pods stayed as they were',
    (course) => {
      expect(coursePage(withCourse(course))).toBe('')
    },
  )

  it('is not drawn for every workload, and the page says so', () => {
    const [web] = rolledBack.workloads
    const report = {
      ...rolledBack,
      workloads: Array.from({ length: 10 }, () => web).filter((one) => one !== undefined),
    }
    expect(picturesIn(coursePage(report))).toHaveLength(8)
    expect(coursePage(report)).toContain('_The pods of 2 more workloads are not drawn._')
  })
})

describe('pictures of a hostile report', () => {
  /** As GitHub finds them: code blocks in the rendered page. */
  const blocksIn = (markdown: string): string[] =>
    [...pageOf(markdown).html.matchAll(/<code class="language-mermaid">(.*?)\n<\/code>/gs)].map(([, picture = '']) =>
      picture.replaceAll('&quot;', '"').replaceAll('&gt;', '>'),
    )
  const harmless = picturesIn(renderSummary(reportSaying('x')))

  it('are there', () => {
    expect(harmless).toHaveLength(2)
  })

  it.each(Object.entries(HOSTILE))('are the same as of any other: %s', (_name, text) => {
    const report = reportSaying(text)
    expect(blocksIn(renderSummary(report))).toEqual(harmless)
    // A comment that is full leaves them out.
    expect(harmless).toEqual(expect.arrayContaining(blocksIn(renderComment(report))))
  })
})
