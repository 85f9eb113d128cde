import { type Dispatcher, request as send } from 'undici'
import { ClusterError } from '../../errors.ts'
import { VERSION } from '../../version.ts'
import { sleep } from '../system.ts'
import type { ClusterAccess } from './access.ts'
import { createConnections } from './connections.ts'
import type { Credentials } from './login.ts'
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

export function createHttpClient(access: ClusterAccess): HttpClient {
  const connections = createConnections(access)
  let reached = false
  // A request that is waiting for its next attempt must not keep a process alive that has nothing left to do.
  const closing = new AbortController()

  async function attempt(
    request: HttpRequest,
    { authorization }: Credentials,
    dispatcher: Dispatcher,
  ): Promise<Dispatcher.ResponseData> {
    const response = await send(access.server + request.path, {
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
      const credentials = await access.credentials(request.signal)
      const pool = connections.poolsFor(credentials.certificate).requests
      try {
        return await read((await attempt(request, credentials, pool)).body)
      } catch (error) {
        request.signal?.throwIfAborted()
        const failure = failureOf(error, request)
        if (failure.status === 401 && !refreshed && (await access.refresh(credentials, request.signal))) {
          refreshed = true
          continue
        }
        if (isTimeout(error)) connections.replaceRequests(pool)
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

  /** Once more when the credentials have come to their end. */
  async function openStream(request: HttpRequest): Promise<Body> {
    for (let refreshed = false; ; refreshed = true) {
      const credentials = await access.credentials(request.signal)
      const pool = connections.poolsFor(credentials.certificate).streams
      try {
        return (await attempt(request, credentials, pool)).body
      } catch (error) {
        request.signal?.throwIfAborted()
        const failure = failureOf(error, request)
        if (failure.status !== 401 || refreshed || !(await access.refresh(credentials, request.signal))) throw failure
      }
    }
  }

  function failureOf(error: unknown, { what }: HttpRequest): ClusterError {
    return error instanceof ClusterError ? error : failedConnection(error, access, what)
  }

  return {
    json: (request) => exchange<unknown>(request, (body) => body.json()),
    text: (request) => exchange(request, (body) => body.text()),
    stream: openStream,
    async close() {
      closing.abort()
      access.end()
      await connections.destroy()
    },
  }
}
