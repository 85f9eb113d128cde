/** Pages of Rollsafe as GitHub shows them, with their Mermaid drawn by a real browser. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { marked } from 'marked'
import { runChromium } from '../testbed/chromium.ts'

/** Comes with `npm ci`. */
const MERMAID = resolve(import.meta.dirname, '../node_modules/mermaid/dist/mermaid.min.js')

/** For Chromium: milliseconds, by the page's own clock. */
export const TIME_TO_DRAW: readonly string[] = ['--virtual-time-budget=20000']

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

export type Theme = keyof typeof THEMES

/** The page as it is on GitHub, as far as it matters here: type, tables, code, and Mermaid in place of its source. */
export async function githubPage(markdown: string, theme: Theme): Promise<string> {
  const mermaid = await readFile(MERMAID, 'utf8')
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

export interface DrawnPage {
  /** In pixels. */
  readonly height: number
  /** The HTML that the page has become, pictures as SVG and scripts left out. */
  readonly html: string
}

/** Opens the file of a page in Chromium. Throws when something on it cannot be drawn. */
export async function drawPage(file: string, width: number, tell: (line: string) => void): Promise<DrawnPage> {
  const page = await runChromium([`--window-size=${width},800`, '--dump-dom', ...TIME_TO_DRAW, file], tell)
  const html = page.replaceAll(/<script>.*?<\/script>/gs, '')
  const [, height] = /<title>height (\d+)<\/title>/.exec(html) ?? []
  if (height === undefined)
    throw new Error(`the page cannot be drawn: ${/<title>.*?<\/title>/s.exec(html)?.[0] ?? 'no answer'}`)
  return { height: Number(height), html }
}
