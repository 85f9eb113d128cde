/** A proxy on the loopback that makes tunnels, as proxies of companies do, and knows which were asked for. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface ConnectProxyOptions {
  /** Speaks TLS to its clients, with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Where a host name that only the proxy knows leads to. */
  readonly hosts?: Readonly<Record<string, string>>
  /** The Proxy-Authorization it wants; without it, it answers 407. */
  readonly authorization?: string
  /** Answers requests for a tunnel so, one after the other; the last answer serves all further requests. */
  readonly statuses?: readonly number[]
  /** Takes requests for a tunnel and never answers. */
  readonly silent?: boolean
}

export interface ConnectProxy extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** `host:port` of every tunnel that was asked for. */
  readonly tunnels: readonly string[]
  /** `GET http://host:port/path` of every request that was to be forwarded. */
  readonly forwarded: readonly string[]
  readonly headers: readonly IncomingMessage['headers'][]
}

export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const tunnels: string[] = []
  const forwarded: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const sockets = new Set<Socket>()
  const remember = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  }
  const server = options.tls ? createTlsServer(options.tls) : createServer()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    forwarded.push(`${request.method} ${request.url}`)
    headers.push(request.headers)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"forwarded":true}')
  })
  server.on('connection', remember)
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    tunnels.push(request.url ?? '')
    headers.push(request.headers)
    if (options.silent) return
    const isKnown =
      options.authorization === undefined || request.headers['proxy-authorization'] === options.authorization
    const status = options.statuses?.[tunnels.length - 1] ?? options.statuses?.at(-1) ?? (isKnown ? 200 : 407)
    if (status !== 200) return void client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
    const { hostname, port } = new URL(`https://${request.url}`)
    const upstream = connect(Number(port || 443), options.hosts?.[hostname] ?? hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(client).pipe(upstream)
    })
    remember(upstream)
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy())
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    tunnels,
    forwarded,
    headers,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
