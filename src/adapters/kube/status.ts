import { ClusterError, messageOf, type StatusCause } from '../../errors.ts'
import { isObject } from '../../manifest/object.ts'

/** Reads an answer that is not 2xx: usually a Status object, but a proxy in between may answer with HTML or nothing. */
export function failedAnswer(
  status: number,
  retryAfter: string | string[] | undefined,
  body: string,
  request: string,
): ClusterError {
  const parsed = parseJson(body)
  const facts = { status, request, ...retryAfterOf(retryAfter) }
  if (!isObject(parsed) || parsed['kind'] !== 'Status') {
    const said = body.replace(/\s+/g, ' ').trim()
    const excerpt = said.length > 200 ? `${said.slice(0, 200)}…` : said
    return new ClusterError(`the API server answered ${status}${excerpt === '' ? '' : `: ${excerpt}`}`, facts)
  }
  const details = isObject(parsed['details']) ? parsed['details'] : {}
  return new ClusterError(
    typeof parsed['message'] === 'string' ? parsed['message'] : `the API server answered ${status}`,
    {
      ...facts,
      reason: typeof parsed['reason'] === 'string' ? parsed['reason'] : '',
      kind: typeof details['kind'] === 'string' ? details['kind'] : '',
      causes: Array.isArray(details['causes']) ? details['causes'].filter(isObject).map(readCause) : [],
    },
  )
}

/** Where a request was on its way to. */
export interface Route {
  readonly server: string
  readonly proxy?: { readonly url: string }
}

/** The way to the proxy has failed, and not the one behind it. */
export class ProxyUnreachable extends Error {
  override readonly name = 'ProxyUnreachable'

  constructor(cause: Error) {
    super(messageOf(cause), { cause })
  }
}

/** Names what went wrong on the way to the server, in words an operator can act on. `reason` is the system's error code. */
export function failedConnection(error: unknown, { server, proxy }: Route, request: string): ClusterError {
  const code = codeOf(error)
  const refusal = proxy && refusalOf(error)
  const reason = refusal === undefined ? code : refusal < 500 ? 'ProxyRefused' : 'ProxyUnavailable'
  const told =
    refusal === undefined
      ? `${subjectOf(error, server, proxy?.url)} ${describeConnectionFailure(code, error)}`
      : `the proxy ${proxy?.url} answered ${refusal} when asked to connect to ${server}`
  return new ClusterError(told, { status: 0, reason, request, cause: error })
}

function subjectOf(error: unknown, server: string, proxy: string | undefined): string {
  if (proxy === undefined) return server
  return chainOf(error).some((one) => one instanceof ProxyUnreachable)
    ? `the proxy ${proxy}`
    : `${server}, reached through the proxy ${proxy},`
}

/** The status with which a proxy refused to connect; undici has it in words only. */
function refusalOf(error: unknown): number | undefined {
  const status = /^Proxy response \((\d{3})\) !== 200/.exec(messageOf(error))?.[1]
  return status === undefined ? undefined : Number(status)
}

export function isTimeout(error: unknown): boolean {
  return codeOf(error) === 'UND_ERR_HEADERS_TIMEOUT' || codeOf(error) === 'UND_ERR_BODY_TIMEOUT'
}

function describeConnectionFailure(code: string, error: unknown): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'refuses the connection'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'has a host name that cannot be resolved'
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_PRX_CONN':
      return 'broke the connection off'
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return 'cannot be reached: connecting timed out'
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return 'took the request but did not answer in time'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'shows a certificate that the kubeconfig has no authority for (certificate-authority-data)'
    case 'CERT_HAS_EXPIRED':
      return 'shows a certificate that has expired'
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'shows a certificate for another host name'
    default:
      return `cannot be reached: ${deepestMessage(error)}`
  }
}

/** The code of the innermost error that has one. */
function codeOf(error: unknown): string {
  const code = chainOf(error).findLast((one) => typeof one['code'] === 'string')?.['code']
  return typeof code === 'string' ? code : ''
}

/** An error and what it wraps: undici wraps Node's errors, and Node those of each address it tried. */
function chainOf(error: unknown): Record<string, unknown>[] {
  const chain: Record<string, unknown>[] = []
  for (let at = error; isObject(at); at = Array.isArray(at['errors']) ? at['errors'][0] : at['cause']) chain.push(at)
  return chain
}

/** What the innermost cause says: libraries wrap the error of the system in theirs. */
export function deepestMessage(error: unknown): string {
  let at = error
  while (isObject(at) && isObject(at['cause'])) at = at['cause']
  return messageOf(at)
}

/** Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3). */
function retryAfterOf(header: string | string[] | undefined): { retryAfterMs?: number } {
  const text = Array.isArray(header) ? header[0] : header
  if (text === undefined) return {}
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isNaN(ms) ? {} : { retryAfterMs: Math.max(0, ms) }
}

function readCause(cause: Record<string, unknown>): StatusCause {
  const text = (name: string) => (typeof cause[name] === 'string' ? cause[name] : '')
  return { reason: text('reason'), message: text('message'), field: text('field') }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
