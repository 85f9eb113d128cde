/** Requests and watches through a real proxy on the loopback. TLS through it is tested in front of a real API server. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { createHttpClient, type HttpRequest } from '../../../src/adapters/kube/http.ts'
import { ClusterError } from '../../../src/errors.ts'
import { accessTo, json, startFakeApiServer, stream } from '../../fakes/api-server.ts'
import { startConnectProxy } from '../../fakes/connect-proxy.ts'

const GET: HttpRequest = { method: 'GET', path: '/api/v1/pods', what: 'list pods', repeatable: true }

/** What a request through this proxy to an https server failed with. */
async function failureThrough(url: string, how: 'json' | 'stream' = 'stream'): Promise<ClusterError> {
  const access = { ...accessTo({ url: 'https://api.example.invalid:6443' }), proxy: { url } }
  const http = createHttpClient(access)
  try {
    await http[how](GET)
  } catch (error) {
    if (error instanceof ClusterError) return error
    throw error
  } finally {
    await http.close()
  }
  throw new Error('the request succeeded')
}

describe('a proxy', () => {
  it('is asked for plain http by the whole address, for requests and streams', async () => {
    await using server = await startFakeApiServer([json(200, {}), stream(['{}\n'])])
    await using proxy = await startConnectProxy()
    const authorization = `Basic ${randomBytes(8).toString('base64')}`
    const http = createHttpClient(accessTo(server, { proxy: { url: proxy.url, authorization } }))
    await expect(http.json(GET)).resolves.toEqual({ forwarded: true })
    await (await http.stream(GET)).text()
    await http.close()
    expect(proxy.forwarded).toEqual([`GET ${server.url}/api/v1/pods`, `GET ${server.url}/api/v1/pods`])
    expect(proxy.headers.map((headers) => headers['proxy-authorization'])).toEqual([authorization, authorization])
    expect(server.requests).toEqual([])
  })

  it.each([407, 403])('that answers %d is not asked again', async (status) => {
    await using proxy = await startConnectProxy({ statuses: [status] })
    const error = await failureThrough(proxy.url, 'json')
    expect(error).toMatchObject({ status: 0, reason: 'ProxyRefused' })
    expect(error.message).toBe(
      `the proxy ${proxy.url} answered ${status} when asked to connect to https://api.example.invalid:6443`,
    )
    expect(proxy.tunnels).toEqual(['api.example.invalid:6443'])
  })

  it('that cannot reach the server is asked again', async () => {
    await using proxy = await startConnectProxy({ statuses: [503, 407] })
    const error = await failureThrough(proxy.url, 'json')
    expect(error.message).toMatch(/answered 407/)
    expect(proxy.tunnels).toHaveLength(2)
  })

  it('is named when it is the proxy that cannot be reached', async () => {
    const free = createServer()
    await new Promise<void>((done) => free.listen(0, '127.0.0.1', done))
    const { port } = free.address() as AddressInfo
    await new Promise((done) => free.close(done))
    expect((await failureThrough(`http://127.0.0.1:${port}`)).message).toBe(
      `the proxy http://127.0.0.1:${port} refuses the connection`,
    )
  })

  it('is given up when it takes the connection and says nothing', async () => {
    await using proxy = await startConnectProxy({ silent: true })
    const error = await failureThrough(proxy.url)
    expect(error.message).toMatch(/did not answer in time/)
  }, 60_000)
})
