/** A proxy whose every tunnel ends at one registry, which shows a certificate: how a runner inside a company reaches the world. */
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Certificate } from '../fakes/certificate.ts'

export interface TlsProxy extends AsyncDisposable {
  readonly url: string
  /** Where tunnels were asked to: `registry.example:443`. */
  readonly tunnels: readonly string[]
  /** How many of them had TLS that the client trusted. */
  readonly trusted: number
}

/** `target` is the registry's host and port, which itself speaks plain http. */
export async function startTlsProxy(target: string, certificate: Certificate): Promise<TlsProxy> {
  const tunnels: string[] = []
  const sockets = new Set<Socket>()
  let trusted = 0
  const { hostname, port: targetPort } = new URL(`http://${target}`)
  const keep = <One extends Socket>(socket: One): One => {
    sockets.add(socket)
    return socket.on('error', () => socket.destroy())
  }
  const server = createServer((_request, response) => void response.writeHead(405).end())
  server.on('connect', (request, socket: Socket) => {
    tunnels.push(request.url ?? '')
    keep(socket).write('HTTP/1.1 200 Connection established\r\n\r\n')
    const encrypted = keep(new TLSSocket(socket, { isServer: true, ...certificate }))
    encrypted.once('data', (first: Buffer) => {
      trusted += 1
      const onward = keep(connect(Number(targetPort), hostname))
      onward.write(first)
      encrypted.pipe(onward).pipe(encrypted)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    tunnels,
    get trusted() {
      return trusted
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
