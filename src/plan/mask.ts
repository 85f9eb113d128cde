/**
 * Hides secrets in what is shown of two versions of an object. Each secret becomes a mark, the same one wherever the value is
 * the same, so that the versions can be compared without it; where they are written down, a mark becomes `***`.
 */
import { isObject } from '../manifest/object.ts'
import { HIDDEN } from '../redact.ts'
import { isSecretName } from '../secrets/names.ts'
import { replaceSecrets } from '../secrets/patterns.ts'
import type { ReplaceKnown } from '../secrets/redactor.ts'

// Of the private use area: no text of a manifest has a use for it, and YAML shows it as it is.
const MARK = /\uE000\d+\uE001/g

/** `name=value`, `name: value`, `"name":"value"`, up to the value. */
const ASSIGNMENT = /(?<![\w.-])([\w.-]+)(?:["'][ \t]*[:=]|[ \t]*=|[ \t]*:(?=[ \t"']))[ \t]*/g
/** In YAML: the value is the block of deeper lines that follows. */
const BLOCK = /^[|>][-+\d]*\s*$/
const FLAG = /^--?[\w.-]+$/

/** Names that end so name a key of a map, if nothing says what it opens: `topologyKey`, and not `apiKey` or `API_KEY`. */
const PLAIN_KEY = /(?:^|[a-z])[kK]eys?$/
const KEY_OF_A_LOCK = /(?:api|access|secret|private|signing|encryption)Keys?$/i

/** The other version of a text: the marks in it, and what this version is called beside it. */
export interface OtherVersion {
  readonly marks: ReadonlySet<string>
  readonly here: 'before' | 'after'
}

export function marksIn(text: string): ReadonlySet<string> {
  return new Set(text.match(MARK))
}

/** The text with `***` for each mark, and `*** (after)` for one that the other version does not have: a secret that changed. */
export function withoutMarks(text: string, other?: OtherVersion): string {
  return text.replaceAll(MARK, (mark) => (!other || other.marks.has(mark) ? HIDDEN : `${HIDDEN} (${other.here})`))
}

/**
 * Covers one object after the other, with the same marks: a copy in which each value that is a secret by its place (a Secret),
 * by its name (`env`, `PASSWORD=…` in a text, `--token …`) or by its form (a private key, a password in a URL, a token) is a mark.
 * What the run knows for a secret is covered first: a name or a form that is found inside of one would cut it, and its pieces
 * are known to nobody.
 */
export function createMask(replaceKnown: ReplaceKnown): (object: Record<string, unknown>) => Record<string, unknown> {
  const marks = new Map<string, string>()

  function markOf(value: unknown): string {
    const secret = typeof value === 'string' ? value : JSON.stringify(value)
    const mark = marks.get(secret) ?? `\uE000${marks.size}\uE001`
    marks.set(secret, mark)
    return mark
  }

  function coverFields(
    fields: Record<string, unknown>,
    isSecret: (name: string) => boolean = isSecretField,
  ): Record<string, unknown> {
    const isSecretSetting = typeof fields['name'] === 'string' && isSecretName(fields['name'])
    return mapFields(fields, (value, name) =>
      isFilled(value) && (isSecret(name) || (isSecretSetting && name === 'value'))
        ? markOf(value)
        : coverValue(value, name),
    )
  }

  function coverValue(value: unknown, name: string): unknown {
    if (typeof value === 'string') return coverText(value)
    if (Array.isArray(value)) return coverItems(value)
    if (!isObject(value)) return value
    return name === 'annotations' ? coverFields(value, isSecretName) : coverObject(value)
  }

  /** In a command line the secret may be an argument of its own, behind the flag that names it. */
  function coverItems(items: readonly unknown[]): unknown[] {
    return items.map((item, index) => {
      const flag: unknown = items[index - 1]
      const isNamed = typeof flag === 'string' && FLAG.test(flag) && isSecretField(flag)
      return isNamed && typeof item === 'string' && !item.startsWith('-') ? markOf(item) : coverValue(item, '')
    })
  }

  function coverText(text: string): string {
    return replaceSecrets(replaceKnown(text, markOf), markOf).split('\n').map(lineCover()).join('\n')
  }

  /** Covers the lines of one text in their order. Where a secret ends is not known: the rest of its line is taken for it. */
  function lineCover(): (line: string) => string {
    let blockOf: number | undefined
    return (line) => {
      const indentation = line.search(/\S/)
      if (indentation < 0) return line
      if (blockOf !== undefined && indentation > blockOf) {
        return line.slice(0, indentation) + markOf(line.slice(indentation))
      }
      blockOf = undefined
      for (const found of line.matchAll(ASSIGNMENT)) {
        const value = line.slice(found.index + found[0].length)
        if (value.trim() === '' || !isSecretField(found[1] ?? '')) continue
        if (!BLOCK.test(value)) return line.slice(0, -value.length) + markOf(value)
        blockOf = indentation
      }
      return line
    }
  }

  /** The whole of an object, or a map inside of it: a template may hold other objects. */
  function coverObject(object: Record<string, unknown>): Record<string, unknown> {
    if (object['apiVersion'] === 'v1' && object['kind'] === 'Secret') return coverSecret(object)
    const { data } = object
    const isConfigMap = object['apiVersion'] === 'v1' && object['kind'] === 'ConfigMap' && isObject(data)
    return isConfigMap ? { ...coverFields(object), data: coverFields(data, isSecretName) } : coverFields(object)
  }

  function coverSecret(secret: Record<string, unknown>): Record<string, unknown> {
    const { data, stringData, ...rest } = withOneMap(secret)
    const coverMap = (map: unknown): unknown => (isObject(map) ? mapFields(map, markOf) : markOf(map))
    return {
      ...coverFields(rest),
      ...(data !== undefined && { data: coverMap(data) }),
      ...(stringData !== undefined && { stringData: coverMap(stringData) }),
    }
  }

  return coverObject
}

/** Whether the value of a field is a secret by the field's name, wherever the field is. */
function isSecretField(name: string): boolean {
  const isPlainKey = PLAIN_KEY.test(name) && !KEY_OF_A_LOCK.test(name)
  return !isPlainKey && name !== 'auth' && isSecretName(name)
}

function isFilled(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && value !== '')
}

/** The server adds `stringData` to `data`, where it is compared. */
function withOneMap(secret: Record<string, unknown>): Record<string, unknown> {
  const { stringData, ...rest } = secret
  const data = secret['data'] ?? {}
  if (!isObject(stringData) || !isObject(data)) return secret
  const added = mapFields(stringData, (value) => (typeof value === 'string' ? base64Of(value) : value))
  return { ...rest, data: { ...data, ...added } }
}

function mapFields(
  fields: Record<string, unknown>,
  map: (value: unknown, name: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, map(value, name)]))
}

function base64Of(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}
