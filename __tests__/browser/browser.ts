/** GitHub-flavoured Markdown in a real browser, and what comes of it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { marked } from 'marked'
import { runChromium } from '../../testbed/chromium.ts'
import { startConnectProxy } from '../fakes/connect-proxy.ts'

/** What the browser made of one text. */
export interface Shown {
  /** Nothing that it opened is still open at its end, and it closed nothing that it had not opened. */
  readonly isWhole: boolean
  /** Names, in the order of the page. */
  readonly elements: readonly string[]
  /** `a href=https://github.com/acme/shop`, in the order of the page. */
  readonly attributes: readonly string[]
  /** Elements in one another, code spans left aside: `section(h2 p(strong) hr)`. */
  readonly outline: string
  /** Text outside of code, a line for each piece: where GitHub looks for mentions and references. */
  readonly prose: string
  /** What a reader sees, with everything unfolded. */
  readonly text: string
  /** Cells of the rows of each table, its header first. */
  readonly tables: readonly (readonly (readonly string[])[])[]
  /** Blocks of code, each with the title of what it is folded into. */
  readonly blocks: readonly { readonly title: string; readonly text: string }[]
}

/** What came of all texts together. */
export interface Facts {
  /** Calls that somebody's script has made. */
  readonly executed: readonly string[]
  /** Addresses of what the page asked for. */
  readonly requested: readonly string[]
  /** What stands outside of the cases. */
  readonly strays: number
  readonly cases: readonly Shown[]
}

export interface Visit extends Facts {
  /** `host:port` that the browser wanted to reach, for the page or for itself. */
  readonly hosts: readonly string[]
}

const tell = (line: string) => process.stderr.write(`testbed: ${line}\n`)

/** Shows texts one below the other on a page that forbids nothing, in a browser whose only way out is a proxy that leads nowhere. */
export async function visit(texts: readonly string[]): Promise<Visit> {
  const inspection = await readFile(new URL('inspection.js', import.meta.url), 'utf8')
  const cases = texts.map((markdown) => {
    const html = marked.parse(markdown, { async: false, gfm: true })
    return `<section>\n${html}<hr class="end"></section>`
  })
  const folder = await mkdtemp(join(tmpdir(), 'rollsafe-browser-'))
  await using proxy = await startConnectProxy({ statuses: [502] })
  try {
    const page = join(folder, 'page.html')
    await writeFile(
      page,
      `<!doctype html><meta charset="utf-8"><script>${inspection}</script><body>${cases.join('\n')}`,
    )
    const args = [`--proxy-server=${proxy.url}`, '--virtual-time-budget=10000', '--dump-dom', `file://${page}`]
    const dom = await runChromium(args, tell)
    const [, answer] = /<pre>([^<]*)<\/pre><\/body>/.exec(dom) ?? []
    if (answer === undefined) throw new Error(`The page gave no facts: ${dom.slice(0, 2000)}`)
    const facts = JSON.parse(decodeURIComponent(answer)) as Facts
    return { ...facts, hosts: [...proxy.tunnels, ...proxy.forwarded] }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
