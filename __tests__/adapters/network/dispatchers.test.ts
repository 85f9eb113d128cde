import { Agent, ProxyAgent } from 'undici'
import { afterEach, describe, expect, it } from '@jest/globals'
import { type DispatcherOptions, type Dispatchers, openDispatchers } from '../../../src/adapters/network/dispatchers.ts'

const open: Dispatchers[] = []

function opened(env: DispatcherOptions['env'], more: Partial<DispatcherOptions> = {}): Dispatchers {
  const dispatchers = openDispatchers({ env, connectTimeoutMs: 1000, ...more })
  open.push(dispatchers)
  return dispatchers
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.destroy()))
})

const HTTPS_PROXY = 'http://proxy.example:3128'

describe('the way to a server that is no cluster’s', () => {
  it.each([
    ['https://hooks.example', { HTTPS_PROXY }, ProxyAgent],
    ['https://hooks.example', { https_proxy: 'proxy.example:3128' }, ProxyAgent],
    ['http://page.example', { HTTPS_PROXY }, Agent],
    ['http://page.example', { HTTP_PROXY: HTTPS_PROXY }, ProxyAgent],
    ['https://hooks.example', {}, Agent],
    ['https://hooks.example', { HTTPS_PROXY, NO_PROXY: 'example' }, Agent],
    ['https://hooks.example', { HTTPS_PROXY, NO_PROXY: '.hooks.example' }, ProxyAgent],
    ['https://10.1.2.3', { HTTPS_PROXY, NO_PROXY: '10.0.0.0/8' }, Agent],
    ['https://127.0.0.1:8443', { HTTPS_PROXY }, Agent],
    ['https://[::1]:8443', { HTTPS_PROXY }, Agent],
  ])('to %s with %j is %p', (server, env, kind) => {
    expect(opened(env).to(new URL(server))).toBeInstanceOf(kind)
  })

  it('is the same for the next request', () => {
    const dispatchers = opened({ HTTPS_PROXY, NO_PROXY: 'direct.example' })
    const [one, other, direct] = ['a', 'b', 'direct'].map((name) => dispatchers.to(new URL(`https://${name}.example`)))
    expect(one).toBe(other)
    expect(one).not.toBe(direct)
  })

  it('hides the password of the proxy', () => {
    const masked: string[] = []
    const mask = (secret: string): void => void masked.push(secret)
    opened({ HTTPS_PROXY: 'http://me:pass%20word@proxy.example' }, { mask }).to(new URL('https://hooks.example'))
    expect(masked).toContain('pass word')
  })

  it('through what is no proxy is refused, without its address', () => {
    const dispatchers = opened({ HTTPS_PROXY: 'socks5://me:pass@proxy.example' })
    expect(() => dispatchers.to(new URL('https://hooks.example'))).toThrow(
      /^the variable HTTPS_PROXY is a SOCKS proxy, which Rollsafe does not speak: name an http/,
    )
  })
})
