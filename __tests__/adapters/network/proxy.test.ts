import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { isReachedDirectly } from '../../../src/adapters/network/no-proxy.ts'
import { chooseProxy } from '../../../src/adapters/network/proxy.ts'

describe('NO_PROXY', () => {
  it.each<[server: string, noProxy: string, direct: boolean]>([
    ['https://api.example.com', '', false],
    ['https://api.example.com', 'api.example.com', true],
    ['https://api.example.com', 'API.Example.COM', true],
    ['https://API.example.com', ' a.b , api.example.com ', true],
    ['https://api.example.com', 'example.com', true],
    ['https://api.example.com', '.example.com', true],
    ['https://api.example.com', '*.example.com', true],
    ['https://example.com', 'example.com', true],
    ['https://example.com', '.example.com', false],
    ['https://example.com', '*.example.com', false],
    ['https://badexample.com', 'example.com', false],
    ['https://api.example.com.evil.org', 'example.com', false],
    ['https://api.example.com', '*', true],
    ['https://10.1.2.3', 'x,*', true],
    ['https://api.example.com', 'a*', false],
    ['https://api.example.com:6443', 'example.com:6443', true],
    ['https://api.example.com:6443', 'example.com:443', false],
    ['https://api.example.com', 'example.com:443', true],
    ['http://api.example.com', 'example.com:80', true],
    ['https://api.example.com', ':443', false],
    ['https://api.example.com', ',, ,', false],
    ['https://api.example.com', 'a.b api.example.com', false],
    ['https://10.1.2.3:6443', '10.1.2.3', true],
    ['https://10.1.2.3:6443', '10.1.2.3:6443', true],
    ['https://10.1.2.3:6443', '10.1.2.3:443', false],
    ['https://10.1.2.3', '10.0.0.0/8', true],
    ['https://10.1.2.3', '10.9.9.9/8', true],
    ['https://11.1.2.3', '10.0.0.0/8', false],
    ['https://10.1.2.3', '10.1.2.0/24, 11.0.0.0/8', true],
    ['https://10.1.2.3', '10.0.0.0/33', false],
    ['https://10.1.2.3', '0.0.0.0/0', true],
    ['https://10.1.2.3', '.3', false],
    ['https://10.1.2.3', '2.3', false],
    ['https://10.1.2.3', 'fd00::/8', false],
    ['https://api.example.com', '10.0.0.0/8', false],
    ['https://[fd00::1]:6443', 'fd00::/8', true],
    ['https://[fd00::1]:6443', 'fd00::1', true],
    ['https://[fd00::1]:6443', '[fd00::1]', false],
    ['https://[fd00::1]:6443', '[fd00::1]:6443', true],
    ['https://[fd00::1]:6443', '[fd00::1]:443', false],
    ['https://[fd00::1]:6443', 'fd00:0:0:0::1', true],
    ['https://[fd01::1]:6443', 'fd00::/16', false],
    ['https://localhost:6443', '', true],
    ['https://127.0.0.1:6443', '', true],
    ['https://127.8.0.1:6443', '', true],
    ['https://[::1]:6443', '', true],
    ['https://bücher.example', 'xn--bcher-kva.example', true],
  ])('%s with %j', (server, noProxy, direct) => {
    expect(isReachedDirectly(new URL(server), noProxy)).toBe(direct)
  })
})

const SERVER = 'https://api.example.com:6443'

function choose(
  env: Record<string, string>,
  { server = SERVER, proxyUrl }: { server?: string; proxyUrl?: string } = {},
) {
  const refused: string[] = []
  const hidden: string[] = []
  const proxy = chooseProxy(new URL(server), {
    proxyUrl,
    env,
    mask: (secret) => hidden.push(secret),
    refuse: (message, hint) => refused.push(`${message}; ${hint}`),
  })
  return { proxy, refused, hidden }
}

describe('the proxy', () => {
  it.each<[string, Record<string, string>, { server?: string; proxyUrl?: string }, string | undefined]>([
    ['none is named', {}, {}, undefined],
    ['HTTPS_PROXY', { HTTPS_PROXY: 'http://p:1' }, {}, 'http://p:1'],
    ['https_proxy', { https_proxy: 'http://p:1' }, {}, 'http://p:1'],
    ['the lower case wins', { https_proxy: 'http://p:1', HTTPS_PROXY: 'http://q:2' }, {}, 'http://p:1'],
    ['an empty one does not count', { https_proxy: '', HTTPS_PROXY: 'http://q:2' }, {}, 'http://q:2'],
    ['without a scheme', { HTTPS_PROXY: 'p.example:3128' }, {}, 'http://p.example:3128'],
    ['https to the proxy', { HTTPS_PROXY: 'https://p' }, {}, 'https://p'],
    ['HTTP_PROXY is not for https', { HTTP_PROXY: 'http://p:1' }, {}, undefined],
    ['HTTP_PROXY', { HTTP_PROXY: 'http://p:1' }, { server: 'http://api.example.com' }, 'http://p:1'],
    ['HTTPS_PROXY is not for http', { HTTPS_PROXY: 'http://p:1' }, { server: 'http://api.example.com' }, undefined],
    ['NO_PROXY', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'example.com' }, {}, undefined],
    ['no_proxy', { HTTPS_PROXY: 'http://p:1', no_proxy: 'example.com' }, {}, undefined],
    ['proxy-url wins', { HTTPS_PROXY: 'http://p:1' }, { proxyUrl: 'http://q:2' }, 'http://q:2'],
    ['proxy-url in spite of NO_PROXY', { NO_PROXY: '*' }, { proxyUrl: 'http://q:2' }, 'http://q:2'],
    ['proxy-url to the machine itself', {}, { server: 'https://127.0.0.1:1', proxyUrl: 'http://q:2' }, 'http://q:2'],
    ['a broken one that is not used', { HTTPS_PROXY: 'ht tp://', NO_PROXY: '*' }, {}, undefined],
  ])('%s', (_name, env, more, url) => {
    const { proxy, refused } = choose(env, more)
    expect(proxy?.url).toBe(url)
    expect(refused).toEqual([])
  })

  it('logs in with the name and the password of its address, and hides them', () => {
    const password = randomBytes(8).toString('hex')
    const basic = Buffer.from(`me:${password}/x`).toString('base64')
    expect(choose({ HTTPS_PROXY: `http://me:${password}%2Fx@p:1` })).toEqual({
      proxy: { url: 'http://p:1', authorization: `Basic ${basic}` },
      hidden: [`${password}/x`, `${password}%2Fx`, basic],
      refused: [],
    })
  })

  it('hides a name that is alone', () => {
    const token = randomBytes(8).toString('hex')
    expect(choose({}, { proxyUrl: `http://${token}@p:1` }).hidden).toContain(token)
  })

  it.each<[string, Record<string, string>, string | undefined, RegExp]>([
    ['socks5', {}, 'socks5://secret@p:1080', /^proxy-url is a SOCKS proxy.*http:\/\/ or https:\/\//],
    [
      'socks5h of the environment',
      { HTTPS_PROXY: 'socks5h://secret@p:1' },
      undefined,
      /^the variable HTTPS_PROXY is a SOCKS/,
    ],
    ['another scheme', {}, 'ftp://secret@p', /^proxy-url is not the address of a proxy/],
    ['a proxy-url without a scheme', {}, 'secret.example', /^proxy-url is not the address of a proxy/],
    ['nonsense', { HTTPS_PROXY: 'http://sec ret:x' }, undefined, /^the variable HTTPS_PROXY is not the address/],
  ])('is refused: %s', (_name, env, proxyUrl, message) => {
    const { proxy, refused } = choose(env, { ...(proxyUrl !== undefined && { proxyUrl }) })
    expect(proxy).toBeUndefined()
    expect(refused).toEqual([expect.stringMatching(message)])
    expect(refused[0]).not.toMatch(/sec ?ret/)
  })
})
