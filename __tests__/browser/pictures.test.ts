/** The pictures of summary and comment, drawn by a real browser as GitHub draws them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, jest } from '@jest/globals'
import { drawPage, githubPage, type Theme } from '../../scripts/github-page.ts'
import { renderComment } from '../../src/report/comment.ts'
import { renderSummary } from '../../src/report/summary.ts'
import { everyOutcome, preview } from '../fixtures/reports/reports.ts'

// A browser may have to be unpacked first.
jest.setTimeout(600_000)

async function draw(markdown: string, theme: Theme): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rollsafe-pictures-'))
  try {
    const file = join(folder, 'page.html')
    await writeFile(file, await githubPage(markdown, theme))
    return (await drawPage(file, 860, (line) => process.stderr.write(`testbed: ${line}\n`))).html
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Kinds of the pictures in the order of the page. */
const drawnIn = (html: string): string[] =>
  [...html.matchAll(/<svg\b[^>]*\baria-roledescription="(\w+)"/g)].map(([, kind = '']) => kind)

const askedIn = (markdown: string): string[] =>
  [...markdown.matchAll(/^```mermaid\n(?:---\n.*?\n---\n)?(?:%%.*\n)?(gantt|xychart)/gms)].map(([, kind = '']) => kind)

describe('the pictures of all outcomes', () => {
  it.each(['light', 'dark'] as const)('are drawn on a %s page', async (theme) => {
    const reports = [...everyOutcome, preview]
    const markdown = reports.flatMap((report) => [renderSummary(report), renderComment(report)]).join('\n\n---\n\n')
    const html = await draw(markdown, theme)
    const asked = askedIn(markdown)
    expect(asked).toContain('gantt')
    expect(asked).toContain('xychart')
    expect(drawnIn(html)).toEqual(asked)
    expect(html).not.toMatch(/Syntax error in text|class="language-mermaid"/)
    for (const phase of ['Prepare', 'Apply', 'Follow', 'Find the cause', 'Roll back'])
      expect(html).toMatch(new RegExp(`<text[^>]*>\\s*${phase}\\s*</text>`))
  })

  it('are not taken for drawn when they are not', async () => {
    await expect(draw('```mermaid\ngantt\n  tickInterval never\n  what: is this\n```', 'light')).rejects.toThrow(
      /^the page cannot be drawn: <title>trouble /,
    )
  })
})
