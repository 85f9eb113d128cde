/** How programs print a secret, and how it would be found in what Rollsafe prints. */
import type { Plant } from './plants.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const base64url = (text: string): string => Buffer.from(text).toString('base64url')
const json = (text: string): string => JSON.stringify(text)
/** The encoder of Go escapes these in addition. */
const goJson = (text: string): string =>
  json(text).replaceAll(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)

/** Lines in which a program that has lost its mind tells its secrets. */
export function confess(plants: readonly Plant[]): string[] {
  return plants.flatMap(({ secret, shaped }) => {
    if (shaped !== undefined) return shaped.split('\n')
    return [
      ...secret.split(/\r?\n/).map((line) => `raw ${line}`),
      `in base64 ${base64(secret)} ${base64(`user:${secret}`)} ${base64(`of:${secret}:a`)} ${base64url(`${secret}?`)}`,
      `in a URL /?q=${encodeURIComponent(secret)}&p=${new URLSearchParams({ '': secret }).toString().slice(1)}`,
      `in JSON {"value":${json(secret)}} ${goJson(secret)}`,
      `in JSON in JSON ${json(JSON.stringify({ value: secret }))}`,
    ]
  })
}

/** The same where there is no room for much, and none for a line break. */
export function mutter(plants: readonly Plant[]): string {
  return plants
    .filter(({ shaped }) => shaped === undefined)
    .flatMap(({ secret }) => [json(secret), ...secret.split(/\r?\n/), base64(secret)])
    .join(' | ')
}

/** Every form in which the secret, a line of it, or a long run of letters in it may be found. */
function formsOf(secret: string): Map<string, string> {
  const pieces = new Set(
    [secret, ...secret.split(/\r?\n/), ...secret.split(/[^A-Za-z0-9]+/)].map((piece) => piece.trim()),
  )
  const forms = new Map<string, string>()
  for (const piece of pieces) {
    if (piece.length < 8) continue
    const add = (how: string, form: string) => void (forms.has(form) || forms.set(form, how))
    add('raw', piece)
    add('in base64', base64(piece))
    for (const offset of [0, 1, 2]) {
      const inside = base64(`${'x'.repeat(offset)}${piece}`)
      // Without the ends, which depend on what is beside it.
      const whole = inside.slice(offset === 0 ? 0 : 4, Math.floor((offset + Buffer.byteLength(piece)) / 3) * 4)
      add(`inside base64, ${offset} bytes in`, whole)
      add(`inside base64url, ${offset} bytes in`, whole.replaceAll('+', '-').replaceAll('/', '_'))
    }
    add('URL-encoded', encodeURIComponent(piece))
    add('JSON-escaped', json(piece).slice(1, -1))
    add('JSON-escaped by Go', goJson(piece).slice(1, -1))
    add('backwards', Array.from(piece).toReversed().join(''))
  }
  return forms
}

export interface Leak {
  /** The name of the text. */
  readonly in: string
  readonly of: string
  readonly how: string
}

/** Which secrets are in which of these texts, and how. */
export function leaksIn(texts: Readonly<Record<string, string>>, plants: readonly Plant[]): Leak[] {
  return plants.flatMap(({ where, secret }) =>
    [...formsOf(secret)].flatMap(([form, how]) =>
      Object.entries(texts).flatMap(([name, text]) => (text.includes(form) ? [{ in: name, of: where, how }] : [])),
    ),
  )
}
