/**
 * What is a secret by its shape, for text that may hold secrets which nobody has told of: the tail of a log, a message. Few
 * shapes, each of which hardly anything else has; every pattern is bounded, so that hostile text takes linear time.
 */
import { HIDDEN } from '../redact.ts'
import { isSecretName } from './names.ts'

/** Keys in PEM, also where line breaks are escaped; the last of several lines may have been cut off. */
const PRIVATE_KEY =
  /(-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)(?:(?!-----)[\s\S])*(-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----)?/g

/**
 * `scheme://user:password@host`. Whoever does not escape a password may have any character in it, so it ends at the last @ of
 * the address; a port is no password (`host:4873/@scope`).
 */
const URL_PASSWORD =
  /\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/'"<>]{0,128}:)(?!\d{1,5}(?:[/?#\s'"<>]|$))(?:(?!:\/\/)[^\s'"<>]){1,256}(?=@)/gi

/** RFC 9110, 11.6.2; RFC 7617 and RFC 6750. */
const AUTHORIZATION =
  /\b((?:Proxy-)?Authorization["']?\s{0,4}[:=]\s{0,4}["']?(?:Basic|Bearer|Token|Negotiate|ApiKey) )[\w.~+/-]{6,}=*/gi
const BEARER = /\b(Bearer )[\w.~+/-]{16,}=*/gi

/** A JSON Web Token begins with the base64 of `{"`, twice (RFC 7519, 3.1). */
const JSON_WEB_TOKEN = /\beyJ[\w-]{4,}\.eyJ[\w-]{4,}(?:\.[\w-]*){0,3}/g

/** Tokens that their makers gave a prefix, so that they can be found. */
const PREFIXED = new RegExp(
  [
    '(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{20,}',
    'glpat-[\\w-]{20,}',
    '(?:AKIA|ASIA)[A-Z0-9]{16}',
    'AIza[\\w-]{35}',
    'xox[abeoprs]-[\\w-]{10,}',
    '[rs]k_live_[A-Za-z0-9]{16,}',
    'npm_[A-Za-z0-9]{36}',
    'dop_v1_[a-f0-9]{64}',
    'hvs\\.[\\w-]{20,}',
  ]
    .map((shape) => `\\b${shape}(?![\\w-])`)
    .join('|'),
  'g',
)
/** Whoever knows the address may post. */
const WEBHOOK = /(hooks\.slack\.com\/(?:services|workflows|triggers)\/)[\w/-]{8,}/g

/** `DB_PASSWORD=…` as `env` prints it, and `password=…` of connection strings and queries. */
const SETTING = /\b([A-Z][A-Z0-9_]{2,60}=)("[^"\n]{1,500}"|'[^'\n]{1,500}'|[^\s"',;&]{4,})/g
const PARAMETER =
  /\b([\w-]{0,40}(?:password|passwd|pwd|secret|token|api[_-]?key|signature)=)("[^"\n]{1,500}"|'[^'\n]{1,500}'|[^\s"',;&<>]{4,})/gi

/** Longer than any key; a line may only look like the beginning of one. */
const LINES_OF_KEY = 200

/** For a log that is told line by line: undefined for the lines of a private key, between those where it begins and ends. */
export function createKeyFilter(): (line: string) => string | undefined {
  let left = 0
  return (line) => {
    const isInside = left > 0 && !line.includes('-----END ')
    const begins = /-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----(?!.*-----END )/.test(line)
    left = begins ? LINES_OF_KEY : isInside ? left - 1 : 0
    return isInside ? undefined : line
  }
}

/** The text with `***` in place of what has the shape of a secret. */
export function scrub(text: string): string {
  return replaceSecrets(text, () => HIDDEN)
}

/** The text with each part that has the shape of a secret replaced. */
export function replaceSecrets(text: string, replace: (secret: string) => string): string {
  const behindStart = (all: string, start: string): string => start + replace(all.slice(start.length))
  return text
    .replace(PRIVATE_KEY, (all: string, begin: string, end = '') => {
      return begin + replace(all.slice(begin.length, all.length - end.length)) + end
    })
    .replace(URL_PASSWORD, behindStart)
    .replace(AUTHORIZATION, behindStart)
    .replace(BEARER, behindStart)
    .replace(JSON_WEB_TOKEN, (token) => replace(token))
    .replace(PREFIXED, (token) => replace(token))
    .replace(WEBHOOK, behindStart)
    .replace(SETTING, (all, name: string) => (isSecretName(name.slice(0, -1)) ? behindStart(all, name) : all))
    .replace(PARAMETER, behindStart)
}
