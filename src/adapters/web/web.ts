import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import type { Environment } from '../../inputs/run.ts'
import type { Web } from '../../ports.ts'
import { VERSION } from '../../version.ts'
import { deepestMessage } from '../kube/status.ts'
import { carefulLookup, refuseMetadataAddress } from '../metadata-addresses.ts'
import { isLoopback } from '../../inputs/loopback.ts'

const TIMEOUT_MS = 5_000

/**
 * Asks pages whether they are there: without credentials, without reading what they say, and without going where they point.
 * A page of a release must not make this runner ask the metadata server of the cloud that it runs in.
 */
export function createWeb(env: Environment): Web {
  return {
    async ask(address, signal) {
      const url = new URL(address)
      const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
      refuseMetadataAddress(host)
      const dispatcher = dispatcherFor(url, env)
      try {
        const { statusCode, body } = await request(url, {
          dispatcher,
          headers: { 'user-agent': `rollsafe/${VERSION}`, accept: '*/*' },
          headersTimeout: TIMEOUT_MS,
          bodyTimeout: TIMEOUT_MS,
          signal,
        })
        body.on('error', () => undefined).destroy()
        return statusCode
      } catch (error) {
        signal.throwIfAborted()
        throw new Error(deepestMessage(error), { cause: error })
      } finally {
        await dispatcher.destroy()
      }
    },
  }
}

/** A connection of its own for each question: an address that has just been given may still change. */
function dispatcherFor(url: URL, env: Environment): Dispatcher {
  const connect = { timeout: TIMEOUT_MS, rejectUnauthorized: true, lookup: carefulLookup() }
  if (isLoopback(url)) return new Agent({ allowH2: false, connect })
  return new EnvHttpProxyAgent({
    allowH2: false,
    connect,
    requestTls: { rejectUnauthorized: true },
    httpProxy: env['http_proxy'] || env['HTTP_PROXY'] || '',
    httpsProxy: env['https_proxy'] || env['HTTPS_PROXY'] || '',
    noProxy: env['no_proxy'] || env['NO_PROXY'] || '',
  })
}
