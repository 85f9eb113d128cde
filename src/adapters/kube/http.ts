import { Agent, type Dispatcher, request as send } from 'undici'
import { ClusterError } from '../../errors.ts'
import { VERSION } from '../../version.ts'
import { sleep } from '../system.ts'
import type { ClusterAccess } from './access.ts'
import { retryDelay } from './retry.ts'
import { failedAnswer, failedConnection, isTimeout } from './status.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'PATCH' | 'PUT' | 'POST' | 'DELETE'
  /** With a leading slash, already encoded. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: string
  readonly contentType?: string
  readonly accept?: string
  readonly signal?: AbortSignal | undefined
  /** For people: `patch deployments.apps web in namespace shop`. Ends up in ClusterError.request. */
  readonly what: string
  /** May be sent again when it is not known whether the first one took effect. */
  readonly repeatable: boolean
}

type Body = Dispatcher.ResponseData['body']

/** Two pools of connections to one API server, with login, time limits and retries. */
export interface HttpClient {
  /** The decoded JSON body of a 2xx answer. */
  json(request: HttpRequest): Promise<unknown>
  text(request: HttpRequest): Promise<string>
  /** The body of a 2xx answer as it arrives. Not retried and without a time limit: the caller knows how to go on. */
  stream(request: HttpRequest): Promise<Body>
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 10_000
/** Above the 30 s that the API server gives an admission webhook inside one request. */
const ANSWER_TIMEOUT_MS = 35_000

export function createHttpClient(access: ClusterAccess): HttpClient {
  // HTTP/2 stays off: on a dead connection every request that shares it would die with it.
  const base = {
    allowH2: false,
    headersTimeout: ANSWER_TIMEOUT_MS,
    connect: { ...access.tls, timeout: CONNECT_TIMEOUT_MS },
  }
  const openRequestPool = () =>
    new Agent({ ...base, connections: 8, keepAliveTimeout: 60_000, bodyTimeout: ANSWER_TIMEOUT_MS })
  // Watches have a pool of their own, or else open watches could take the last connection from a rollback.
  const streams = new Agent({ ...base, bodyTimeout: 0 })
  let requests = openRequestPool()
  let reached = false
  // A request that is waiting for its next attempt must not keep a process alive that has nothing left to do.
  const closing = new AbortController()

  async function attempt(request: HttpRequest, dispatcher: Agent): Promise<Dispatcher.ResponseData> {
    const authorization = await access.authorization(request.signal)
    const response = await send(access.server.replace(/\/$/, '') + request.path, {
      method: request.method,
      dispatcher,
      query: { ...request.query },
      headers: {
        'user-agent': `rollsafe/${VERSION}`,
        accept: request.accept ?? 'application/json',
        ...access.headers,
        ...(authorization !== undefined && { authorization }),
        ...(request.contentType !== undefined && { 'content-type': request.contentType }),
      },
      ...(request.body !== undefined && { body: request.body }),
      ...(request.signal && { signal: request.signal }),
    })
    reached = true
    if (response.statusCode < 300) return response
    throw failedAnswer(response.statusCode, response.headers['retry-after'], await response.body.text(), request.what)
  }

  /** Sends until it is answered with 2xx, or until a failure that sending again cannot mend. */
  async function exchange<T>(request: HttpRequest, read: (body: Body) => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    let refreshed = false
    for (let failures = 1; ; failures++) {
      request.signal?.throwIfAborted()
      try {
        return await read((await attempt(request, requests)).body)
      } catch (error) {
        request.signal?.throwIfAborted()
        const failure = error instanceof ClusterError ? error : failedConnection(error, access.server, request.what)
        if (failure.status === 401 && !refreshed && (await access.refresh(request.signal))) {
          refreshed = true
          continue
        }
        if (isTimeout(error)) requests = replacePool(requests)
        const delay = retryDelay(failure, {
          failures,
          elapsedMs: performance.now() - startedAt,
          repeatable: request.repeatable,
          reached,
        })
        if (delay === undefined || closing.signal.aborted) throw failure
        await sleep(delay, request.signal ? AbortSignal.any([request.signal, closing.signal]) : closing.signal)
        if (closing.signal.aborted) throw failure
      }
    }
  }

  /** After a time-out the connection may be a black hole, and the next request must not be sent down the same one. */
  function replacePool(stale: Agent): Agent {
    stale.destroy().catch(() => undefined)
    return openRequestPool()
  }

  return {
    json: (request) => exchange<unknown>(request, (body) => body.json()),
    text: (request) => exchange(request, (body) => body.text()),
    async stream(request) {
      try {
        return (await attempt(request, streams)).body
      } catch (error) {
        request.signal?.throwIfAborted()
        throw error instanceof ClusterError ? error : failedConnection(error, access.server, request.what)
      }
    },
    async close() {
      closing.abort()
      await Promise.all([requests.destroy(), streams.destroy()])
    },
  }
}
