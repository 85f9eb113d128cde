import type { ClusterError } from '../../errors.ts'

export interface Attempts {
  /** How often the request has failed, this time included. */
  readonly failures: number
  /** Since the first attempt. */
  readonly elapsedMs: number
  /** May be sent again when it is not known whether the last one took effect. */
  readonly repeatable: boolean
  /** Whether this server has ever answered: one that has is restarting, one that has not is probably the wrong address. */
  readonly reached: boolean
}

const BASE_MS = 500
const STEEPEST_MS = 8_000
/** Attempts at a server error that names no time to wait. */
const SERVER_ERROR_ATTEMPTS = 5
const PATIENCE_NEW_SERVER_MS = 4_000
const PATIENCE_KNOWN_SERVER_MS = 60_000

/** The connection was never made, so the request had no effect. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_PRX_CONN',
  'ProxyUnavailable',
])

/** A certificate that cannot be trusted, or a proxy that says no: it will be the same the next time. */
const FINAL = /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|UND_ERR_PRX_TLS|ProxyRefused/

/** The server says that trying again will help (kubectl, kapp and Helm retry on the same words). */
const PASSING =
  /etcdserver: (leader changed|request timed out)|raft proposal dropped|failed calling webhook|resourcequotas?.*the object has been modified/

/**
 * How long to wait before the next attempt, in milliseconds; undefined when another attempt cannot help.
 *
 * Follows client-go (rest/with_retry.go): 429 and 5xx are retried as long as the server asks for it by Retry-After. In
 * addition, repeatable requests (reads, and server-side apply with a fixed field manager) are retried after a broken
 * connection, and 500, 502, 503 and 504 a few times.
 */
export function retryDelay(
  failure: ClusterError,
  attempts: Attempts,
  random: () => number = Math.random,
): number | undefined {
  const patience = attempts.reached ? PATIENCE_KNOWN_SERVER_MS : PATIENCE_NEW_SERVER_MS
  if (attempts.elapsedMs > patience || !isWorthRepeating(failure, attempts)) return undefined
  if (failure.retryAfterMs !== undefined) {
    return attempts.elapsedMs + failure.retryAfterMs > patience ? undefined : failure.retryAfterMs
  }
  // Full jitter: many jobs that lost the same server must not come back at the same moment.
  return random() * Math.min(STEEPEST_MS, BASE_MS * 2 ** (attempts.failures - 1))
}

function isWorthRepeating(failure: ClusterError, attempts: Attempts): boolean {
  if (failure.status === 0 && FINAL.test(failure.reason)) return false
  if (failure.status === 0) return attempts.repeatable || NEVER_SENT.has(failure.reason)
  if (failure.status === 429) return true
  if (PASSING.test(failure.message)) return attempts.repeatable
  if (failure.status < 500 || failure.status === 501) return false
  // An unknown field under server-side apply is answered with 500 and no reason: the manifest is wrong, not the server.
  if (failure.isSchemaError) return false
  return failure.retryAfterMs !== undefined || (attempts.repeatable && attempts.failures < SERVER_ERROR_ATTEMPTS)
}
