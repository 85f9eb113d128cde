/** A page as GitHub would show it, for tests: GitHub-flavoured Markdown as HTML, and what is on it. */
import { marked } from 'marked'

export interface Page {
  readonly html: string
  /** Names of the elements, each once. */
  readonly elements: string[]
  /** Addresses of links and of pictures. */
  readonly addresses: string[]
  /** What a reader sees, code left out: where GitHub looks for mentions and references. */
  readonly prose: string
  /** What a reader sees. */
  readonly text: string
  /** Numbers of cells in each row, a list a table. */
  readonly tables: number[][]
}

export function pageOf(markdown: string): Page {
  const html = marked.parse(markdown, { async: false, gfm: true })
  return {
    html,
    elements: [...new Set([...html.matchAll(/<([a-z][a-z0-9]*)/gi)].map(([, name = '']) => name.toLowerCase()))],
    addresses: [...html.matchAll(/<[a-z][^>]*?\s(?:href|src)="?([^"\s>]*)/gi)].map(([, address = '']) => address),
    prose: textOf(html.replaceAll(/<code\b[^>]*>.*?<\/code>/gs, ' ')),
    text: textOf(html),
    tables: [...html.matchAll(/<table>.*?<\/table>/gs)].map(([table]) =>
      [...table.matchAll(/<tr>.*?<\/tr>/gs)].map(([row]) => [...row.matchAll(/<t[hd]\b/g)].length),
    ),
  }
}

/** The visible text of inline Markdown. */
export function visible(markdown: string): string {
  return textOf(marked.parseInline(markdown, { async: false, gfm: true }))
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: '\u00a0' }

function textOf(html: string): string {
  return html
    .replaceAll(/<!--.*?-->|<[^>]*>/gs, '')
    .replaceAll(/&(?:#(\d+)|([a-z]+));/g, (entity, code: string | undefined, name: string | undefined) =>
      code === undefined ? (ENTITIES[name ?? ''] ?? entity) : String.fromCodePoint(Number(code)),
    )
}
