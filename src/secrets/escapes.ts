/** A text as it is under its escapes, and where in the text each character of that comes from. */
import { stripControls } from '../redact.ts'

export interface View {
  readonly text: string
  /** Where in the original that begins which is at `index` here. */
  begins(index: number): number
  /** Where in the original that ends which ends before `index` here. */
  ends(index: number): number
}

interface Escape {
  readonly pattern: RegExp
  /** Undefined for what only looks like one. */
  readonly undo: (escape: string) => string | undefined
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const LETTERS: Readonly<Record<string, string>> = { n: '\n', r: '\n', t: '\t', b: '', f: '\n', v: '\n', a: '' }

/** Of JSON, and of the quotes of Go, JavaScript and Python: `\"`, `\n`, `\u00e9`, `\x0a`. */
const BACKSLASH: Escape = {
  pattern: /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|[^ux])/g,
  undo(escape) {
    const units = [...escape.matchAll(/\\[ux]([\da-fA-F]+)/g)].map(([, digits = '']) => Number.parseInt(digits, 16))
    if (units.length > 0) return String.fromCharCode(...units)
    const letter = escape.slice(1)
    return LETTERS[letter] ?? letter
  },
}

/** Of URLs: `%2F`. */
const PERCENT: Escape = {
  pattern: /(?:%[\da-fA-F]{2})+/g,
  undo(escape) {
    try {
      return decodeURIComponent(escape)
    } catch {
      return undefined
    }
  },
}

/** Of HTML forms, where a space is a plus. */
const FORM: Escape = {
  pattern: /\+|(?:%[\da-fA-F]{2})+/g,
  undo: (escape) => (escape === '+' ? ' ' : PERCENT.undo(escape)),
}

/** Of HTML: `&amp;`, `&#39;`. */
const ENTITY: Escape = {
  pattern: /&(?:amp|lt|gt|quot|apos|#\d{1,6}|#x[\da-fA-F]{1,6});/g,
  undo(escape) {
    const [, hex, name = ''] = /^&(?:#(x)?)?(.*);$/.exec(escape) ?? []
    if (!escape.startsWith('&#')) return NAMED[name]
    const code = Number.parseInt(name, hex ? 16 : 10)
    return code <= 0x10ffff ? String.fromCodePoint(code) : undefined
  },
}

/** Each is undone alone, as what looks like one escape may be plain text under another; JSON may be inside of JSON. */
const CHAINS: readonly (readonly Escape[])[] = [
  [BACKSLASH],
  [BACKSLASH, BACKSLASH],
  [BACKSLASH, BACKSLASH, BACKSLASH],
  [PERCENT],
  [FORM],
  [ENTITY],
  [BACKSLASH, PERCENT],
]

/** The text itself, and as it is when its escapes are undone, by each kind of escapes that it has. */
export function viewsOf(text: string): View[] {
  const plain: View = { text, begins: (index) => index, ends: (index) => index }
  return [plain, ...CHAINS.flatMap((chain) => chained(plain, chain) ?? [])]
}

/** Undefined when a link of the chain has nothing to undo. */
function chained(plain: View, chain: readonly Escape[]): View | undefined {
  let view: View | undefined = plain
  for (const escape of chain) view = view && undone(view, escape)
  return view
}

function undone(of: View, { pattern, undo }: Escape): View | undefined {
  let text = ''
  let taken = 0
  /** Where pieces of the result begin, and where what they stand for begins and ends; a plain piece is as long as that. */
  const pieces: { at: number; from: number; to: number }[] = []
  const copy = (to: number): void => {
    if (to > taken) pieces.push({ at: text.length, from: taken, to })
    text += of.text.slice(taken, to)
    taken = to
  }
  for (const { 0: escape, index } of of.text.matchAll(pattern)) {
    const plain = undo(escape)
    if (plain === undefined) continue
    copy(index)
    const safe = stripControls(plain)
    if (safe !== '') pieces.push({ at: text.length, from: index, to: index + escape.length })
    text += safe
    taken = index + escape.length
  }
  if (taken === 0) return undefined
  copy(of.text.length)

  const pieceAt = (index: number) => {
    let low = 0
    for (let high = pieces.length - 1; low < high;) {
      const middle = Math.ceil((low + high) / 2)
      if ((pieces[middle]?.at ?? 0) <= index) low = middle
      else high = middle - 1
    }
    const { at, from, to } = pieces[low] ?? { at: 0, from: 0, to: 0 }
    const isPlain = (pieces[low + 1]?.at ?? text.length) - at === to - from
    return { from, to, ...(isPlain && { offset: index - at }) }
  }
  return {
    text,
    begins(index) {
      const { from, offset = 0 } = pieceAt(index)
      return of.begins(from + offset)
    },
    ends(index) {
      const { from, to, offset } = pieceAt(index - 1)
      return of.ends(offset === undefined ? to : from + offset + 1)
    },
  }
}
