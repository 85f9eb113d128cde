/**
 * Hides the secrets of a run in every text that leaves it, in whatever form they come: as they are, line by line, in base64,
 * inside longer base64, and under the escapes of JSON, URLs and HTML.
 */
import { viewsOf } from './escapes.ts'
import { HIDDEN, stripControls } from '../redact.ts'
import { scrub } from './patterns.ts'

/** Shorter values would hide half of every text, and guessing them takes no time anyway. */
const SHORTEST_SECRET = 6
/** Digits alone are counts, sizes and ports; as many of them as this are not. */
const SHORTEST_NUMBER = 8

/** Knows the secrets of this run, and hides them. */
export interface Redactor {
  /**
   * From now on hides the value and each of its lines, in all forms. False, and nothing is hidden, when the value has fewer
   * than 6 characters.
   */
  readonly add: (secret: string) => boolean
  /**
   * The same for a value that may be an ordinary word as well as a secret, as those of Secrets: it is not hidden when it is
   * no secret, as part of what is spared, or as a number of fewer than 8 digits.
   */
  readonly hide: (value: string) => void
  /** Names and words that are printed everywhere; what they hold as a word of its own is not hidden by `hide`. */
  readonly spare: (words: Iterable<string>) => void
  /** The text with `***` for every secret, and for what has the shape of one. Text that holds none comes back as it is. */
  readonly redact: (text: string) => string
  readonly replaceKnown: ReplaceKnown
}

/** The text with each secret that the run knows of replaced, in whatever form it stands there. */
export type ReplaceKnown = (text: string, by: (secret: string) => string) => string

/** By their first six characters. */
type Forms = Map<string, Set<string>>

export function createRedactor(): Redactor {
  const certain = new Set<string>()
  const doubtful = new Set<string>()
  const spared = new Set<string>()
  // All of them, one a line: to look through once.
  let words = ''
  // What is looked for, found by its first characters: hundreds of Secrets have more forms than one pattern can hold.
  let forms: Forms = new Map()

  function index(piece: string): void {
    for (const form of formsOf(piece)) {
      const start = form.slice(0, SHORTEST_SECRET)
      const same = forms.get(start) ?? new Set()
      forms.set(start, same.add(form))
    }
  }

  return {
    add(secret) {
      if (secret.trim().length < SHORTEST_SECRET) return false
      for (const piece of piecesOf(secret)) {
        if (certain.has(piece)) continue
        certain.add(piece)
        index(piece)
      }
      return true
    },
    hide(value) {
      for (const piece of piecesOf(value)) {
        if (doubtful.has(piece)) continue
        doubtful.add(piece)
        if (!isOrdinary(piece, words)) index(piece)
      }
    },
    spare(more) {
      const fresh = [...new Set(more)].filter((word) => !spared.has(word))
      for (const word of fresh) spared.add(word)
      const added = fresh.join('\n')
      words += `\n${added}`
      if (![...doubtful].some((piece) => isOrdinary(piece, added))) return
      forms = new Map()
      for (const piece of certain) index(piece)
      for (const piece of doubtful) if (!isOrdinary(piece, words)) index(piece)
    },
    redact(text) {
      // Control characters inside a secret would hide it here and vanish later, on the way to the log.
      const plain = stripControls(text)
      const safe = scrub(withoutSecrets(plain, forms, () => HIDDEN))
      return safe === plain ? text : safe
    },
    replaceKnown: (text, by) => withoutSecrets(text, forms, by),
  }
}

/** The value as a whole, and its lines: each is hidden wherever it turns up. */
function piecesOf(value: string): string[] {
  const lines = value.split(/\r\n|[\r\n]/)
  const inner = lines.length > 1 ? lines.map((line) => line.trim()).filter((line) => !SYNTAX.test(line)) : []
  const pieces = [value, value.trim(), ...inner].filter((piece) => piece.trim().length >= SHORTEST_SECRET)
  return [...new Set(pieces)]
}

/** Lines of a file that hold nothing of their own: `spring:`, `[section]`, `------`, `-----BEGIN CERTIFICATE-----`. */
const SYNTAX = /^(?:[\w.-]+:|\[[\w.-]+\]|-----(?:BEGIN|END) [A-Z0-9 ]+-----|[^\p{L}\p{N}]*)$/u

/** A value that everybody prints says nothing by being a secret's, and hiding it would tell that it is one. */
function isOrdinary(piece: string, words: string): boolean {
  if (/^\d+$/.test(piece)) return piece.length < SHORTEST_NUMBER
  return holdsAsWord(words, piece)
}

function holdsAsWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isLetter(text[at - 1]) && !isLetter(text[at + word.length])) return true
  }
  return false
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character)
}

/** From, and up to but without. */
type Span = readonly [number, number]

function withoutSecrets(text: string, forms: Forms, by: (secret: string) => string): string {
  if (forms.size === 0) return text
  const spans: Span[] = []
  for (const view of viewsOf(text)) {
    for (const [from, to] of secretsIn(view.text, forms)) spans.push([view.begins(from), view.ends(to)])
  }
  if (spans.length === 0) return text
  let safe = ''
  let shown = 0
  for (const [from, to] of merged(spans)) {
    safe += text.slice(shown, from) + by(text.slice(from, to))
    shown = to
  }
  return safe + text.slice(shown)
}

/** How others show that they have cut a text off, perhaps in the middle of a secret. */
const CUT_OFF = /\.\.\.|…/g

function secretsIn(text: string, forms: Forms): Span[] {
  const spans: Span[] = []
  const cuts = [...text.matchAll(CUT_OFF)].map(({ index }) => index)
  for (let at = 0; at + SHORTEST_SECRET <= text.length; at++) {
    const found = forms.get(text.slice(at, at + SHORTEST_SECRET))
    if (!found) continue
    const candidates = [...found]
    const whole = candidates.filter((form) => text.startsWith(form, at)).map(({ length }) => length)
    const cut = cuts.find((index) => index > at) ?? at
    const isBegun = cut > at && candidates.some((form) => form.startsWith(text.slice(at, cut)))
    const length = Math.max(...whole, isBegun ? cut - at : 0)
    if (length > 0) spans.push([at, at + length])
  }
  return spans
}

/** Spans that overlap are one; they are in order of their beginnings then. */
function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = []
  for (const [from, to] of spans.toSorted(([one], [other]) => one - other)) {
    const last = result.at(-1)
    if (last && from < last[1]) result[result.length - 1] = [last[0], Math.max(last[1], to)]
    else result.push([from, to])
  }
  return result
}

function formsOf(piece: string): Set<string> {
  // JSON inside of base64 is how other secrets hold this one; there no escapes are undone.
  const plain = new Set([piece, JSON.stringify(piece).slice(1, -1)])
  const forms = [piece, ...[...plain].flatMap(base64FormsOf)].map(stripControls)
  return new Set(forms.filter((form) => form.trim().length >= SHORTEST_SECRET))
}

function base64FormsOf(text: string): string[] {
  const bytes = new TextEncoder().encode(text)
  const inside = [0, 1, 2].map((offset) => base64Inside(bytes, offset))
  const all = [toBase64(bytes), ...inside]
  return [...all, ...all.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))]
}

/**
 * How the bytes look inside the base64 of something longer, where they begin `offset` bytes into a group of three: without
 * the characters at either end that their neighbours have a part in (https://www.rfc-editor.org/rfc/rfc4648#section-4).
 */
function base64Inside(bytes: Uint8Array, offset: number): string {
  const padded = new Uint8Array(offset + bytes.length)
  padded.set(bytes, offset)
  const whole = Math.floor(padded.length / 3) * 4
  return toBase64(padded).slice(offset === 0 ? 0 : 4, whole)
}

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
