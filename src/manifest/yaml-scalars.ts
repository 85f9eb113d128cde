/**
 * What a YAML scalar means to kubectl. kubectl reads YAML with goyaml.v2, which is neither YAML 1.1 nor 1.2: `0644` is
 * octal, `yes` is true, `12:30` and dates are text. The rules are those of resolve() in
 * https://github.com/yaml/go-yaml/blob/v2.4.4/resolve.go, and a golden test holds them against the real kubectl.
 */

/** A bigint stands for an integer that JSON numbers in JavaScript would round. */
export type ScalarValue = null | boolean | number | bigint | string

const WORDS: ReadonlyMap<string, ScalarValue> = new Map<string, ScalarValue>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
])

const INTEGER =
  /^(?<sign>[-+]?)(?:0[bB](?<binary>[01]+)|0[oO]?(?<octal>[0-7]+)|0[xX](?<hex>[0-9a-fA-F]+)|(?<decimal>0|[1-9][0-9]*))$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const DIGITS = '[0-9]+(?:_[0-9]+)*'
const FLOAT_FROM_POINT = new RegExp(`^\\.${DIGITS}(?:[eE][-+]?${DIGITS})?$`)
const MAX_UINT64 = 2n ** 64n - 1n
const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n

/** The value of a plain (unquoted) scalar without a tag. */
export function resolvePlain(source: string): ScalarValue {
  const word = WORDS.get(source)
  if (word !== undefined) return word
  const first = source.charAt(0)
  if (first === '.') return FLOAT_FROM_POINT.test(source) ? finiteOr(source.replaceAll('_', ''), source) : source
  if (!/[-+0-9]/.test(first)) return source
  const digits = source.replaceAll('_', '')
  const integer = integerOf(digits)
  if (integer !== undefined) return integer
  return FLOAT.test(digits) ? finiteOr(digits, source) : source
}

/**
 * The value of a scalar with a YAML tag, given by its full name (`tag:yaml.org,2002:int`), or undefined when the text is
 * none of that kind. A tag that YAML does not define makes text, as it does in kubectl.
 */
export function resolveTagged(tag: string, source: string): ScalarValue | undefined {
  const value = resolvePlain(source)
  switch (tag) {
    case 'tag:yaml.org,2002:bool':
      return typeof value === 'boolean' ? value : undefined
    case 'tag:yaml.org,2002:null':
      return value === null ? value : undefined
    case 'tag:yaml.org,2002:int':
      return typeof value === 'bigint' || integerOf(source.replaceAll('_', '')) !== undefined ? value : undefined
    case 'tag:yaml.org,2002:float':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
    case 'tag:yaml.org,2002:binary':
      return textOfBase64(source)
    default:
      return source
  }
}

/**
 * The text of a mapping key, or undefined when kubectl takes no such key (null, and integers beyond 64 bits).
 * https://github.com/kubernetes-sigs/yaml/blob/v1.6.0/yaml.go, convertToJSONableObject
 */
export function keyText(key: ScalarValue, source: string): string | undefined {
  if (key === null) return undefined
  if (typeof key === 'bigint') return key >= MIN_INT64 && key <= MAX_INT64 ? String(key) : undefined
  if (typeof key !== 'number') return String(key)
  return integerOf(source.replaceAll('_', '')) === undefined ? floatKeyText(key) : String(key)
}

function integerOf(digits: string): number | bigint | undefined {
  const groups = INTEGER.exec(digits)?.groups
  if (!groups) return undefined
  const { sign, binary, octal, hex, decimal } = groups
  const magnitude = BigInt(binary ? `0b${binary}` : octal ? `0o${octal}` : hex ? `0x${hex}` : (decimal ?? '0'))
  const integer = sign === '-' ? -magnitude : magnitude
  if (integer > MAX_UINT64 || integer < MIN_INT64) return decimal === undefined ? undefined : integer
  const number = Number(integer)
  return Number.isSafeInteger(number) ? number : integer
}

/** Go's ParseFloat refuses what overflows; the scalar is then text. */
function finiteOr(digits: string, source: string): number | string {
  const value = Number(digits)
  return Number.isFinite(value) ? value : source
}

/** Go's FormatFloat(value, 'g', -1, 32): the fewest digits that name the same 32-bit float. */
function floatKeyText(value: number): string {
  const single = Math.fround(value)
  if (Number.isNaN(single)) return '.nan'
  if (!Number.isFinite(single)) return single < 0 ? '-.inf' : '.inf'
  if (single === 0) return Object.is(single, -0) ? '-0' : '0'
  let shortest = single.toExponential(8)
  for (let fraction = 0; fraction < 8; fraction++) {
    const candidate = single.toExponential(fraction)
    if (Math.fround(Number(candidate)) !== single) continue
    shortest = candidate
    break
  }
  const exponent = Number(shortest.slice(shortest.indexOf('e') + 1))
  if (exponent >= -4 && exponent < 6) return String(Number(shortest))
  const mantissa = shortest.slice(0, shortest.indexOf('e'))
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function textOfBase64(source: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(source.replaceAll(/[\r\n]/g, '')), (character) => character.charCodeAt(0))
    return new TextDecoder().decode(bytes)
  } catch {
    return undefined
  }
}
