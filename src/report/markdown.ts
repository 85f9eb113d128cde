/**
 * Untrusted text in GitHub's Markdown. It may hold HTML, images, links, mentions (`@team`), issue references (`#12`) and
 * fences; none of them may have an effect. Nothing here trusts its argument: a plain string goes in, Markdown that shows
 * exactly that string (without shapeless characters) comes out.
 * Rules: https://github.github.com/gfm/ and, for mentions and references,
 * https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
 */
import { cut, stripControls } from '../redact.ts'

const LONGEST_PROSE = 1000
const LONGEST_CODE = 300
const LONGEST_LOG_LINE = 2000

/**
 * What GitHub would make a link, a notification, an emoji or a formula of, though nothing but a code span can escape it:
 * mentions and e-mail addresses, URLs, `#12`, `GH-12`, commit hashes, `:emoji:`, `$formula$`.
 */
const ALIVE = /[@$]|:\/\/|www\.|mailto:|xmpp:|#\d|\bgh-\d|[\da-f]{40}|:(?!\d\d:)[\w+-]+:/i

/** Brackets, quotes and full stops around a word, so that they stay out of its code span. */
const WORD = /^([("'[]*)(.*?)([)"'\],.;:!?]*)$/

/** A sentence: one line, at most 1,000 characters. */
export function prose(text: string): string {
  return wordsOf(text)
    .map((word) => (ALIVE.test(word) ? aroundCore(word, escapeProse, code) : escapeProse(word)))
    .join(' ')
    .replace(/^[#+=-]/, String.raw`\$&`)
    .replace(/^(\d+)([.)])/, String.raw`$1\$2`)
}

/** The same for a place where HTML is read and Markdown is not, such as `<summary>`. */
export function html(text: string): string {
  return wordsOf(text)
    .map((word) =>
      ALIVE.test(word) ? aroundCore(word, escapeHtml, (core) => `<code>${escapeHtml(core)}</code>`) : escapeHtml(word),
    )
    .join(' ')
}

/** A name, image or other literal, as a code span: one line, at most 300 characters. */
export function code(text: string): string {
  const line = wordsOf(text, LONGEST_CODE).join(' ')
  if (line === '') return '–'
  // In a table, not every reader of Markdown takes a pipe behind a backslash for text: the span ends between the two.
  return line
    .split(/(?<=\\)(?=\|)/)
    .map(codeSpan)
    .join('<!-- -->')
}

function codeSpan(line: string): string {
  const ticks = '`'.repeat(longestRun(line) + 1)
  const space = line.startsWith('`') || line.endsWith('`') ? ' ' : ''
  return `${ticks}${space}${line}${space}${ticks}`
}

/** A block of text as it is, such as the tail of a log. Of more than `characters`, the last whole lines are shown. */
export function fence(text: string, options: { language?: string; characters?: number } = {}): string {
  const lines = stripControls(text)
    .replace(/\n+$/, '')
    .split('\n')
    .map((line) => cut(line, LONGEST_LOG_LINE))
  const shown = lastLines(lines, options.characters ?? Number.POSITIVE_INFINITY)
  const leftOut = lines.length - shown.length
  const block = shown.join('\n')
  const ticks = '`'.repeat(Math.max(3, longestRun(block) + 1))
  const note = leftOut > 0 ? `_${leftOut} earlier lines left out._\n\n` : ''
  return `${note}${ticks}${options.language ?? 'text'}\n${block}\n${ticks}`
}

/** A link, if the address is one of the web; else only its text. The text is Markdown already. */
export function link(markdown: string, address: string): string {
  if (!URL.canParse(address)) return markdown
  const url = new URL(address)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return markdown
  return `[${markdown}](${url.href.replaceAll('(', '%28').replaceAll(')', '%29').replaceAll('|', '%7C')})`
}

/** A table whose cells are Markdown already. Of more than `rows` rows, the first are shown and the others counted. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  options: { rows?: number } = {},
): string {
  const shown = rows.slice(0, options.rows ?? rows.length)
  const lines = [rowOf(header), rowOf(header.map(() => '---')), ...shown.map(rowOf)]
  const leftOut = rows.length - shown.length
  return leftOut === 0 ? lines.join('\n') : `${lines.join('\n')}\n\n_${leftOut} more left out._`
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
}

/** A part that opens on a click. The title is plain text, the body Markdown. */
export function details(title: string, body: string, options: { open?: boolean } = {}): string {
  return `<details${options.open === true ? ' open' : ''}><summary>${html(title)}</summary>\n\n${body}\n\n</details>`
}

/** A part of a page, whole in itself: no fence or `<details>` is open at its end. */
export interface Section {
  /** What the reader misses when it is left out, in the plural: `workloads`, `events of web-1`. */
  readonly name: string
  /** Sections with a lower number are kept first when not all fit. */
  readonly rank: number
  readonly markdown: string
}

/**
 * Sections in their order, separated by empty lines, and `end`, within `limit` as `size` measures it. What does not fit
 * is left out whole, the least important first, and named at the end.
 */
export function assemble(
  sections: readonly Section[],
  end: string,
  limit: number,
  size: (markdown: string) => number,
): string {
  const room = limit - size(end) - size(leftOutNote(sections))
  const kept = new Set<Section>()
  let used = 0
  for (const section of sections.toSorted((a, b) => a.rank - b.rank)) {
    const more = size(`${section.markdown}\n\n`)
    if (used + more > room) continue
    used += more
    kept.add(section)
  }
  const missing = sections.filter((section) => !kept.has(section))
  const shown = sections.filter((section) => kept.has(section)).map((section) => section.markdown)
  return [...shown, ...(missing.length > 0 ? [leftOutNote(missing)] : []), end].join('\n\n')
}

/** Bytes in UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}

function leftOutNote(sections: readonly Section[]): string {
  const names = [...new Set(sections.map((section) => section.name))]
  return `_Left out, because GitHub limits the size of this page: ${prose(names.join(', '))}. The JSON report has everything._\n`
}

/** Words of the text made harmless to look at, in one line, at most so many characters. */
function wordsOf(text: string, characters = LONGEST_PROSE): string[] {
  return cut(stripControls(text).trim(), characters)
    .split(/\s+/u)
    .filter((word) => word !== '')
}

function aroundCore(word: string, around: (text: string) => string, core: (text: string) => string): string {
  const [, before = '', inside = word, after = ''] = WORD.exec(word) ?? []
  // Punctuation around it stays outside: a code span ends what its last letters and a colon could have made an emoji.
  return inside === '' ? core(word) : `${around(before)}${core(inside)}${around(after)}`
}

function escapeProse(text: string): string {
  return escapeHtml(text)
    .replaceAll(/[\\`*_~[\]!]/g, String.raw`\$&`)
    .replaceAll('|', '&#124;')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** As many of the last lines as fit into so many characters; at least one. */
function lastLines(lines: readonly string[], characters: number): readonly string[] {
  let first = lines.length - 1
  let used = (lines[first] ?? '').length
  while (first > 0) {
    used += (lines[first - 1] ?? '').length + 1
    if (used > characters) break
    first -= 1
  }
  return lines.slice(first)
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map((run) => run[0].length))
}
