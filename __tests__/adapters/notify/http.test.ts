import { describe, expect, it } from '@jest/globals'
import { carefulLookup } from '../../../src/adapters/network/metadata-addresses.ts'
import { createMessenger } from '../../../src/adapters/notify/http.ts'
import { startConnectProxy } from '../../fakes/connect-proxy.ts'

const NEVER = new AbortController().signal
const messageTo = (url: string) =>
  ({ method: 'POST', url: new URL(url), contentType: 'application/json', body: '{}' }) as const

describe('addresses where clouds keep credentials', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://2852039166/',
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[fd00:ec2::254]/',
    'http://100.100.100.200/',
  ])('%s is not spoken to', async (url) => {
    const { tell } = createMessenger({ env: {}, allowLinkLocal: false })
    await expect(tell(messageTo(url), NEVER)).rejects.toThrow(/is an address of this machine's own network/)
  })

  /** Looks a name up that stands for these addresses. */
  function lookUp(addresses: readonly string[], all: boolean): Promise<unknown> {
    const answers = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    return new Promise((done, fail) => {
      const careful = carefulLookup((_name, _options, callback) => callback(null, answers))
      careful('name.example', { all }, (error, found) => (error ? fail(error) : done(found)))
    })
  }

  it('are not spoken to by a name either, not even by one of several', async () => {
    for (const all of [true, false]) {
      await expect(lookUp(['192.0.2.1', '169.254.169.254'], all)).rejects.toThrow(/169\.254\.169\.254 is an address/)
    }
    expect(await lookUp(['192.0.2.1', '2001:db8::1'], false)).toBe('192.0.2.1')
    expect(await lookUp(['192.0.2.1'], true)).toEqual([{ address: '192.0.2.1', family: 4 }])
  })
})

describe('a message', () => {
  it('goes through the proxy of the machine', async () => {
    await using proxy = await startConnectProxy({ statuses: [502] })
    const { tell } = createMessenger({ env: { HTTPS_PROXY: proxy.url }, allowLinkLocal: false })
    await expect(tell(messageTo('https://hooks.example/here'), NEVER)).rejects.toThrow(/502/)
    expect(proxy.tunnels).toEqual(['hooks.example:443'])
  })
})
