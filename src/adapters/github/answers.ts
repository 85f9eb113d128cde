/** What GitHub's answers mean, and whether it is worth asking again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../errors.ts'
import { isObject } from '../../manifest/object.ts'

const PAUSE_BEFORE_RETRY = 1000
/** All reporting has nine seconds: who is told to wait longer has lost. */
const LONGEST_PAUSE = 8000

/**
 * Makes the call, and once more when that may help: after no answer, an error of GitHub's own, or a limit that says for how
 * long. The call must be safe to repeat, as an answer that got lost may have come after the deed was done.
 */
export async function persistently<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await call()
  } catch (error) {
    signal.throwIfAborted()
    const pause = pauseAfter(error)
    if (pause === undefined) throw error
    await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
  try {
    return await call()
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

/**
 * Milliseconds after which a second try makes sense; undefined when none does. A limit without `retry-after` lasts a minute or more.
 * https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
 */
function pauseAfter(error: unknown): number | undefined {
  const status = statusOf(error)
  if (status === undefined || status >= 500) return PAUSE_BEFORE_RETRY
  if (status !== 403 && status !== 429) return undefined
  const seconds = retryAfter(error)
  const pause = seconds === undefined ? undefined : Math.max(PAUSE_BEFORE_RETRY, seconds * 1000)
  return pause !== undefined && pause <= LONGEST_PAUSE ? pause : undefined
}

/** The HTTP status of the answer; undefined when there was none, which Octokit reports as a 500. */
export function statusOf(error: unknown): number | undefined {
  if (!isObject(error) || !isObject(error['response'])) return undefined
  const { status } = error['response']
  return typeof status === 'number' ? status : undefined
}

/** GitHub answers 403 for some limits: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
export function isLimit(error: unknown): boolean {
  return statusOf(error) === 429 || /rate limit/i.test(messageOf(error))
}

function retryAfter(error: unknown): number | undefined {
  if (!isObject(error) || !isObject(error['response']) || !isObject(error['response']['headers'])) return undefined
  const text = error['response']['headers']['retry-after']
  return typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) : undefined
}

export interface Advice {
  /** For 403 and 404, which GitHub answers for what a token may not see. A sentence without a full stop. */
  readonly forbidden: string
  /** For a rate limit. A sentence without a full stop. */
  readonly limited: string
}

/** The answer in a sentence, with what to do about it. */
export function reasonFor(error: unknown, { forbidden, limited }: Advice): string {
  const status = statusOf(error)
  if (status === undefined) return `no answer (${messageOf(rootOf(error))})`
  const text = messageOf(error)
  const answer = `${status} ${text}`
  if (isLimit(error)) return `${answer}. ${limited}`
  switch (status) {
    case 401:
      return `${answer}. The \`github-token\` is wrong or has expired`
    case 403:
    case 404:
      return `${answer}. ${forbidden}`
    default:
      return answer
  }
}

/** `fetch failed` says nothing; what it was caused by does. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error
}
