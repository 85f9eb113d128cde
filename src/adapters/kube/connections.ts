import { isIP } from 'node:net'
import { getCACertificates } from 'node:tls'
import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici'
import type { ClusterAccess } from './access.ts'
import type { ClientCertificate } from './login.ts'
import { ProxyUnreachable } from './status.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** Above the 30 s that the API server gives an admission webhook inside one request. */
const ANSWER_TIMEOUT_MS = 35_000

/** Two pools of connections to one API server: for requests, and for streams that last. */
export interface Pools {
  readonly requests: Dispatcher
  readonly streams: Dispatcher
}

export interface Connections {
  /** The pools whose connections show this client certificate. */
  poolsFor(certificate: ClientCertificate | undefined): Pools
  /**
   * After a time-out the connection may be a black hole, and the next request must not be sent down the same one. Does nothing when
   * the pool of requests has been replaced already.
   */
  replaceRequests(stale: Dispatcher): void
  destroy(): Promise<void>
}

export function createConnections({ tls, proxy }: Pick<ClusterAccess, 'tls' | 'proxy'>): Connections {
  const open = new Set<Dispatcher>()
  let current: (Pools & { certificate: ClientCertificate | undefined }) | undefined

  function openPool(certificate: ClientCertificate | undefined, limits: Agent.Options): Dispatcher {
    const server = { ...tls, ...certificate, timeout: CONNECT_TIMEOUT_MS, allowH2: false }
    // HTTP/2 stays off: on a dead connection every request that shares it would die with it.
    const options = { ...limits, allowH2: false, headersTimeout: ANSWER_TIMEOUT_MS }
    const pool = proxy
      ? new ProxyAgent({
          ...options,
          uri: proxy.url,
          ...(proxy.authorization !== undefined && { token: proxy.authorization }),
          requestTls: server,
          // A proxy that takes the connection and then says nothing must not hold a request for ever.
          clientFactory: (origin) => new Pool(origin, { connect: toProxy(tls.ca), headersTimeout: CONNECT_TIMEOUT_MS }),
          factory: (origin, more: Pool.Options) => new Pool(origin, { ...options, ...more }),
        })
      : new Agent({ ...options, connect: server })
    open.add(pool)
    return pool
  }

  function discard(pool: Dispatcher, how: 'close' | 'destroy'): void {
    // Closing lets the requests on it come to their end.
    pool[how]().then(
      () => open.delete(pool),
      () => open.delete(pool),
    )
  }

  const openRequests = (certificate: ClientCertificate | undefined) =>
    openPool(certificate, { connections: 8, keepAliveTimeout: 60_000, bodyTimeout: ANSWER_TIMEOUT_MS })

  return {
    poolsFor(certificate) {
      const isSame = current?.certificate?.cert === certificate?.cert && current?.certificate?.key === certificate?.key
      if (current && isSame) return current
      if (current) for (const pool of [current.requests, current.streams]) discard(pool, 'close')
      // Watches have a pool of their own, or else open watches could take the last connection from a rollback.
      current = { certificate, requests: openRequests(certificate), streams: openPool(certificate, { bodyTimeout: 0 }) }
      return current
    },
    replaceRequests(stale) {
      if (current?.requests !== stale) return
      discard(stale, 'destroy')
      current = { ...current, requests: openRequests(current.certificate) }
    },
    async destroy() {
      await Promise.all([...open].map((pool) => pool.destroy()))
    },
  }
}

/**
 * Connects to the proxy itself. It is told from an impostor too, whatever is allowed with the server, and gets no client certificate.
 * Failures are marked: they say nothing about the server.
 */
function toProxy(ca: string | undefined): buildConnector.connector {
  const connect = buildConnector({
    rejectUnauthorized: true,
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    ...(ca !== undefined && { ca: [...getCACertificates(), ca] }),
  })
  return ({ servername = '', ...options }, callback) => {
    // TLS names hosts and no addresses.
    const named = isIP(servername) === 0 ? { servername } : {}
    connect({ ...options, ...named }, (...[error, socket]) => {
      if (error) callback(new ProxyUnreachable(error), null)
      else callback(null, socket)
    })
  }
}
