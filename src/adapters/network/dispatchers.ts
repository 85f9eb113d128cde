import type { LookupFunction } from 'node:net'
import { Agent, type Dispatcher, ProxyAgent } from 'undici'
import type { Environment } from '../../inputs/run.ts'
import { chooseProxy, type ProxySources } from './proxy.ts'

export interface DispatcherOptions {
  readonly env: Environment
  readonly connectTimeoutMs: number
  /** How names are looked up; as Node.js does, if not given. Behind a proxy, that is the proxy's business. */
  readonly lookup?: LookupFunction
  readonly mask?: ProxySources['mask']
  /** Called when the environment's proxy cannot be used, and has to throw. An Error of both sentences, if not given. */
  readonly refuse?: (message: string, hint: string) => never
}

/** Ways to servers that are no cluster's: registries, channels, pages of releases. */
export interface Dispatchers {
  /** Directly, or through the proxy that the environment has for it: by the same rules as to an API server. */
  to(server: URL): Dispatcher
  /** Ends all connections, also those that nobody answers on: they would keep the process alive. */
  destroy(): Promise<void>
}

export function openDispatchers(options: DispatcherOptions): Dispatchers {
  const { env, connectTimeoutMs, lookup, mask = () => undefined, refuse = fail } = options
  const open = new Map<string | undefined, Dispatcher>()
  // Said out loud so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the job's environment cannot switch it off.
  const tls = { rejectUnauthorized: true, timeout: connectTimeoutMs }

  return {
    to(server) {
      const proxy = chooseProxy(server, { proxyUrl: undefined, env, mask, refuse })
      const known = open.get(proxy?.url)
      if (known) return known
      const dispatcher = proxy
        ? new ProxyAgent({
            uri: proxy.url,
            ...(proxy.authorization !== undefined && { token: proxy.authorization }),
            allowH2: false,
            requestTls: tls,
            proxyTls: tls,
          })
        : new Agent({ allowH2: false, connect: { ...tls, ...(lookup && { lookup }) } })
      open.set(proxy?.url, dispatcher)
      return dispatcher
    },
    async destroy() {
      await Promise.all([...open.values()].map((dispatcher) => dispatcher.destroy()))
    },
  }
}

function fail(message: string, hint: string): never {
  throw new Error(`${message}: ${hint}`)
}
