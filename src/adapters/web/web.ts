import { lookup as resolve, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici'
import type { Environment } from '../../inputs/run.ts'
import type { Web } from '../../ports.ts'
import { VERSION } from '../../version.ts'
import { deepestMessage } from '../kube/status.ts'
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
      if (isIP(host) !== 0 && isForbidden(host)) throw new Error(`${host} is an address that is not asked`)
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
  const connect = { timeout: TIMEOUT_MS, rejectUnauthorized: true, lookup: harmlessLookup }
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

const FORBIDDEN = new BlockList()
// Link-local, where most clouds have their metadata server, also as NAT64 writes it; and where the others have it.
FORBIDDEN.addSubnet('169.254.0.0', 16, 'ipv4')
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6')
FORBIDDEN.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6')
FORBIDDEN.addAddress('fd20:ce::254', 'ipv6')
FORBIDDEN.addAddress('100.100.100.200', 'ipv4')
FORBIDDEN.addAddress('168.63.129.16', 'ipv4')

function isForbidden(address: string): boolean {
  return FORBIDDEN.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** What is connected to is what was checked: the name is not looked up a second time. */
const harmlessLookup: LookupFunction = (hostname, options: LookupOptions, done) => {
  resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error) return done(error, '')
    const allowed = addresses.filter(({ address }) => !isForbidden(address))
    const [first] = allowed
    if (!first) return done(new Error(`${hostname} has only addresses that are not asked`), '')
    return options.all ? done(null, allowed) : done(null, first.address, first.family)
  })
}
