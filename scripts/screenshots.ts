/**
 * Takes the pictures of docs/img: pages of Rollsafe as GitHub shows them, light and dark, with their Mermaid drawn. Fails when
 * something on a page cannot be drawn. It needs a font with coloured emoji, such as Debian's fonts-noto-color-emoji, and Chromium,
 * which testbed/chromium.ts finds.
 *
 * `npm run screenshots`, or with names of pages: `npm run screenshots -- rolled-back`.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { marked } from 'marked'
import { deployed, firstPreview, planned, preview, rolledBack } from '../__tests__/fixtures/reports/reports.ts'
import { renderComment } from '../src/report/comment.ts'
import { renderSummary } from '../src/report/summary.ts'
import { runChromium } from '../testbed/chromium.ts'

const IMAGES = resolve(import.meta.dirname, '../docs/img')
const WIDTH = 860
/** In pixels. What is below is left out, as a reader of the README would not read it either. */
const MOST_HEIGHT = 1400
const MILLISECONDS_TO_DRAW = 20_000

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

const THEMES = {
  light: {
    mermaid: 'default',
    page: '#ffffff',
    text: '#1f2328',
    quiet: '#59636e',
    line: '#d1d9e0',
    code: '#eff1f3',
    link: '#0969da',
  },
  dark: {
    mermaid: 'dark',
    page: '#0d1117',
    text: '#f0f6fc',
    quiet: '#9198a1',
    line: '#3d444d',
    code: '#21262d',
    link: '#4493f8',
  },
} as const

type Theme = keyof typeof THEMES

/** The page as it is on GitHub, as far as it matters here: type, tables, code, and Mermaid in place of its source. */
function htmlOf(markdown: string, theme: Theme, mermaid: string): string {
  const { page, text, quiet, line, code, link } = THEMES[theme]
  const body = marked
    .parse(markdown, { async: false, gfm: true })
    .replaceAll(/<pre><code class="language-mermaid">(.*?)<\/code><\/pre>/gs, '<pre class="mermaid">$1</pre>')
    .replaceAll(
      /<code class="language-diff">(.*?)<\/code>/gs,
      (_block, lines: string) => `<code>${colouredDiff(lines)}</code>`,
    )
  return `<!doctype html>
<meta charset="utf-8">
<style>
  body { margin: 0; padding: 16px 24px; background: ${page}; color: ${text}; font: 13px/1.5 "Noto Sans", "Liberation Sans", "DejaVu Sans", "Noto Color Emoji", sans-serif; }
  a { color: ${link}; text-decoration: none; }
  h2, h3 { margin: 20px 0 12px; line-height: 1.25; }
  h2 { font-size: 21px; padding-bottom: 6px; border-bottom: 1px solid ${line}; margin-top: 0; }
  h3 { font-size: 17px; }
  p, ul, table, pre, details { margin: 0 0 14px; }
  sub { font-size: 11px; color: ${quiet}; vertical-align: baseline; }
  table { border-collapse: collapse; display: block; }
  th, td { border: 1px solid ${line}; padding: 5px 11px; text-align: left; vertical-align: top; }
  code { font: 12px "Noto Sans Mono", "Liberation Mono", "DejaVu Sans Mono", monospace; background: ${code}; padding: 2px 5px; border-radius: 5px; }
  pre { background: ${code}; padding: 12px; border-radius: 6px; overflow: hidden; }
  pre code { padding: 0; background: none; white-space: pre; }
  pre.mermaid { background: none; padding: 0; text-align: center; }
  ins { text-decoration: none; background: #2da44e40; }
  del { text-decoration: none; background: #f8514940; }
  summary { cursor: pointer; }
</style>
<body>${body}
<script>${mermaid.replaceAll('</script', String.raw`<\/script`)}</script>
<script>
  mermaid.initialize({ startOnLoad: false, theme: '${THEMES[theme].mermaid}' })
  // Drawn while they are open, as GitHub draws them in frames of their own.
  mermaid.run().then(
    () => { document.title = 'height ' + Math.ceil(document.body.getBoundingClientRect().height) },
    (error) => { document.title = 'trouble ' + error.message },
  )
</script>
`
}

function colouredDiff(lines: string): string {
  const tagOf = (line: string) => (line.startsWith('+') ? 'ins' : line.startsWith('-') ? 'del' : 'span')
  return lines
    .split('\n')
    .map((line) => `<${tagOf(line)}>${line}</${tagOf(line)}>`)
    .join('\n')
}

async function shoot(file: string, name: string): Promise<void> {
  const drawn = [`--virtual-time-budget=${MILLISECONDS_TO_DRAW}`, file]
  const page = await runChromium([`--window-size=${WIDTH},800`, '--dump-dom', ...drawn], console.error)
  const [, height] = /<title>height (\d+)<\/title>/.exec(page) ?? []
  if (height === undefined)
    throw new Error(`${name} cannot be drawn: ${/<title>.*?<\/title>/s.exec(page)?.[0] ?? 'no answer'}`)
  const size = `--window-size=${WIDTH},${Math.min(Number(height), MOST_HEIGHT)}`
  await runChromium([size, `--screenshot=${join(IMAGES, `${name}.png`)}`, ...drawn], console.error)
}

async function mermaidSource(): Promise<string> {
  try {
    return await readFile(fileURLToPath(import.meta.resolve('mermaid/dist/mermaid.min.js')), 'utf8')
  } catch (error) {
    throw new Error('mermaid is not installed: npm ci brings it', { cause: error })
  }
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in PAGES))
if (unknown.length > 0)
  throw new Error(`there is no page ${unknown.join(', ')}; there are ${Object.keys(PAGES).join(', ')}`)
const mermaid = await mermaidSource()
const folder = await mkdtemp(join(tmpdir(), 'rollsafe-screenshots-'))
try {
  await mkdir(IMAGES, { recursive: true })
  for (const [page, markdown] of Object.entries(PAGES)) {
    if (wanted.length > 0 && !wanted.includes(page)) continue
    for (const theme of ['light', 'dark'] as const) {
      const name = `${page}-${theme}`
      const file = join(folder, `${name}.html`)
      await writeFile(file, htmlOf(markdown, theme, mermaid))
      await shoot(file, name)
      console.log(`docs/img/${name}.png`)
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
