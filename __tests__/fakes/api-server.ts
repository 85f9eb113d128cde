/**
 * A loopback HTTP server that answers as told, for the faults that a healthy API server cannot be asked for: resets, hangs,
 * half lines, 410, 429, expired tokens. What a real API server does is tested against the real one.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createHttpClient } from '../../src/adapters/kube/http.ts'
import type { ClusterAccess } from '../../src/adapters/kube/access.ts'
import { loginWithoutRefresh } from '../../src/adapters/kube/login.ts'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface FakeApiServer extends AsyncDisposable {
  readonly url: string
  /** Method and URL of every request, in the order of their arrival. */
  readonly requests: readonly string[]
  /** How many TCP connections were made. */
  readonly connections: number
  readonly headers: readonly IncomingMessage['headers'][]
}

/** Starts a server that answers the requests one by one with the answers; the last answer serves all further requests. */
export async function startFakeApiServer(answers: readonly Answer[]): Promise<FakeApiServer> {
  const requests: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)]
    requests.push(`${request.method} ${request.url}`)
    headers.push(request.headers)
    request.resume()
    request.on('end', () => answer?.(request, response))
  })
  server.on('connection', (socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    headers,
    get connections() {
      return connections
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const json =
  (status: number, body: object, more: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...more })
    response.end(JSON.stringify(body))
  }

export const status = (
  code: number,
  message: string,
  more: Record<string, string> = {},
  details: object = {},
): Answer => json(code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, message, ...details }, more)

export const reset: Answer = (request) => request.socket.resetAndDestroy()

/** An open stream of watch events; `end` says what becomes of the connection after them. */
export const stream =
  (lines: readonly (object | string)[], end: 'close' | 'reset' | 'open' = 'close'): Answer =>
  (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const text = lines.map((line) => (typeof line === 'string' ? line : `${JSON.stringify(line)}\n`)).join('')
    response.write(text === '' ? '\n' : text, () => {
      if (end === 'close') response.end()
      if (end === 'reset') request.socket.resetAndDestroy()
    })
  }

/** An access without credentials, or with what the test is about. */
export function accessTo(server: Pick<FakeApiServer, 'url'>, more: Partial<ClusterAccess> = {}): ClusterAccess {
  return {
    server: server.url,
    namespace: undefined,
    tls: { rejectUnauthorized: true },
    headers: {},
    ...loginWithoutRefresh(),
    ...more,
  }
}

export const clientOf = (server: FakeApiServer, more?: Partial<ClusterAccess>) =>
  createHttpClient(accessTo(server, more))
