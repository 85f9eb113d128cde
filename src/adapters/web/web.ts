import { request } from 'undici'
import type { Environment } from '../../inputs/run.ts'
import type { Web } from '../../ports.ts'
import { VERSION } from '../../version.ts'
import { deepestMessage } from '../kube/status.ts'
import { openDispatchers } from '../network/dispatchers.ts'
import { carefulLookup, refuseMetadataAddress } from '../network/metadata-addresses.ts'

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
      // Anew for each question: an address that has just been given may still change.
      const dispatchers = openDispatchers({ env, connectTimeoutMs: TIMEOUT_MS, lookup: carefulLookup() })
      try {
        const { statusCode, body } = await request(url, {
          dispatcher: dispatchers.to(url),
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
        await dispatchers.destroy()
      }
    },
  }
}
