/**
 * Takes the pictures of docs/img: pages of Rollsafe as GitHub shows them, light and dark, with their Mermaid drawn. Fails when
 * something on a page cannot be drawn. It needs a font with coloured emoji, such as Debian's fonts-noto-color-emoji, and Chromium,
 * which testbed/chromium.ts finds.
 *
 * `npm run screenshots`, or with names of pages: `npm run screenshots -- rolled-back`.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { deployed, firstPreview, planned, preview, rolledBack } from '../__tests__/fixtures/reports/reports.ts'
import { renderComment } from '../src/report/comment.ts'
import { renderSummary } from '../src/report/summary.ts'
import { runChromium } from '../testbed/chromium.ts'
import { drawPage, githubPage, TIME_TO_DRAW } from './github-page.ts'

const IMAGES = resolve(import.meta.dirname, '../docs/img')
const WIDTH = 860
/** In pixels. What is below is left out, as a reader of the README would not read it either. */
const MOST_HEIGHT = 1400

/** The job summary in two pictures: what is read first, and how it went. */
const [first = '', later = ''] = renderSummary(rolledBack).split(
  /^<details><summary>\d events[^]*?(?=^### How it went$)/m,
)

const PAGES: Readonly<Record<string, string>> = {
  deployed: renderSummary(deployed),
  'rolled-back': first,
  'rolled-back-course': later,
  planned: renderComment(planned),
  preview: renderComment(preview, renderComment(firstPreview)),
}

async function shoot(file: string, name: string): Promise<void> {
  const { height } = await drawPage(file, WIDTH, console.error)
  const size = `--window-size=${WIDTH},${Math.min(height, MOST_HEIGHT)}`
  await runChromium([size, `--screenshot=${join(IMAGES, `${name}.png`)}`, ...TIME_TO_DRAW, file], console.error)
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in PAGES))
if (unknown.length > 0)
  throw new Error(`there is no page ${unknown.join(', ')}; there are ${Object.keys(PAGES).join(', ')}`)
const folder = await mkdtemp(join(tmpdir(), 'rollsafe-screenshots-'))
try {
  await mkdir(IMAGES, { recursive: true })
  for (const [page, markdown] of Object.entries(PAGES)) {
    if (wanted.length > 0 && !wanted.includes(page)) continue
    for (const theme of ['light', 'dark'] as const) {
      const name = `${page}-${theme}`
      const file = join(folder, `${name}.html`)
      await writeFile(file, await githubPage(markdown, theme))
      await shoot(file, name)
      console.log(`docs/img/${name}.png`)
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
