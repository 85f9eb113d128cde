import { type Dispatcher, request as send } from 'undici'
import { RejectedError } from '../../errors.ts'
import type { Environment } from '../../inputs/run.ts'
import { VERSION } from '../../version.ts'
import { deepestMessage } from '../kube/status.ts'
import { openDispatchers } from '../network/dispatchers.ts'
import { sleep } from '../system.ts'
import { isLoopback } from '../../inputs/loopback.ts'
import { refusal } from './refusal.ts'

export interface Ask {
  readonly method: 'HEAD' | 'GET' | 'POST'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Whether to go where the server points. Credentials are left behind when that is another server. */
  readonly follow?: boolean
}

export interface Answer {
  readonly status: number
  /** Where the answer came from, after redirects. */
  readonly url: URL
  readonly body: Buffer
  /** The values of a header, by its name in lower case. */
  header(name: string): readonly string[]
}

/** Requests to registries and their token servers, with limits and a few retries. */
export interface RegistryHttp {
  /** Whatever the status is. Throws RejectedError when there is no answer, or one that must not be used. */
  ask(ask: Ask): Promise<Answer>
  close(): Promise<void>
}

export interface RegistryHttpOptions {
  readonly signal: AbortSignal
  readonly env: Environment
  readonly mask: (secret: string) => void
}

const CONNECT_TIMEOUT_MS = 5_000
/** What a registry must at least take for a manifest (OCI distribution specification 1.1, "Pushing manifests"). */
const MOST_BYTES = 4 * 1024 * 1024
const ATTEMPTS = 3
const FIRST_PAUSE_MS = 300
const LONGEST_PAUSE_MS = 5_000
const MOST_REDIRECTS = 3
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export function openRegistryHttp({ signal, env, mask }: RegistryHttpOptions): RegistryHttp {
  const dispatchers = openDispatchers({ env, connectTimeoutMs: CONNECT_TIMEOUT_MS, mask, refuse })

  async function once({ method, url, headers, body }: Ask): Promise<Answer> {
    const response = await send(url, {
      method,
      dispatcher: dispatchers.to(url),
      headers: { 'user-agent': `rollsafe/${VERSION}`, ...headers },
      ...(body !== undefined && { body }),
      signal,
    })
    return {
      status: response.statusCode,
      url,
      body: await readBody(response.body, url),
      header: (name) => [response.headers[name] ?? []].flat(),
    }
  }

  async function patiently(ask: Ask): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await once(ask)
        const isBusy = answer.status === 429 || (answer.status >= 500 && answer.status !== 501)
        const pause = pauseBefore(attempt, answer.header('retry-after')[0])
        if (!isBusy || pause === undefined) return answer
        await sleep(pause, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof RejectedError) throw error
        const pause = pauseBefore(attempt)
        if (pause === undefined) throw unreachable(ask.url, error)
        await sleep(pause, signal)
      }
      signal.throwIfAborted()
    }
  }

  return {
    async ask(first) {
      let ask = first
      for (let redirects = 0; ; redirects++) {
        const answer = await patiently(ask)
        const [location] = answer.header('location')
        if (!first.follow || !REDIRECTS.has(answer.status) || location === undefined) return answer
        if (redirects === MOST_REDIRECTS)
          throw refusal(`${first.url.host} redirects too often`, 'Use its final address.')
        ask = redirected(ask, location)
      }
    },
    close: () => dispatchers.destroy(),
  }
}

function refuse(message: string, hint: string): never {
  throw refusal(message, hint)
}

/** Undefined when another attempt is not worth it. */
function pauseBefore(attempt: number, retryAfter?: string): number | undefined {
  if (attempt >= ATTEMPTS) return undefined
  const asked = retryAfter !== undefined && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined
  if (asked !== undefined) return asked > LONGEST_PAUSE_MS ? undefined : asked
  return Math.random() * FIRST_PAUSE_MS * 2 ** attempt
}

async function readBody(body: Dispatcher.ResponseData['body'], url: URL): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    // Leaving the loop ends the connection.
    if (size > MOST_BYTES) throw refusal(`${url.host} answers with more than 4 MiB`, 'Check that it is a registry.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function redirected(ask: Ask, location: string): Ask {
  const url = URL.canParse(location, ask.url.href) ? new URL(location, ask.url) : undefined
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url))
  if (!url || !isSafe || (isLoopback(url) && !isLoopback(ask.url))) {
    throw refusal(
      `${ask.url.host} redirects to an address that is not safe`,
      'Use the address of a registry with https.',
    )
  }
  if (url.origin === ask.url.origin) return { ...ask, url }
  const { authorization: _left, ...headers } = ask.headers ?? {}
  return { ...ask, url, headers }
}

function unreachable(url: URL, error: unknown): RejectedError {
  return refusal(
    `${url.host} cannot be reached: ${deepestMessage(error)}`,
    'Check the name of the registry, and whether this runner may reach it. A proxy is taken from HTTPS_PROXY.',
  )
}
