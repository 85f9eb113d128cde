import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http'
import { afterEach, describe, expect, it } from '@jest/globals'
import { createWeb } from '../../../src/adapters/web/web.ts'

const noHurry = (): AbortSignal => AbortSignal.timeout(20_000)
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('no port')
  return `http://127.0.0.1:${bound.port}/`
}

describe('asking a page', () => {
  it.each([200, 204, 401, 404, 503])('tells its status %d', async (status) => {
    const url = await serve((_request, response) => void response.writeHead(status).end())
    expect(await createWeb({}).ask(url, noHurry())).toBe(status)
  })

  it('finds a page by its name', async () => {
    const url = await serve((_request, response) => void response.end())
    expect(await createWeb({}).ask(url.replace('127.0.0.1', 'localhost'), noHurry())).toBe(200)
  })

  it('brings no credentials, and says who asks', async () => {
    let headers: IncomingHttpHeaders = {}
    const url = await serve((request, response) => {
      headers = request.headers
      response.end()
    })
    await createWeb({}).ask(url, noHurry())
    expect(Object.keys(headers).toSorted()).toEqual(['accept', 'connection', 'host', 'user-agent'])
    expect(headers['user-agent']).toMatch(/^rollsafe\//)
  })

  it('does not go where it points', async () => {
    const asked: string[] = []
    const url = await serve((request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    expect(await createWeb({}).ask(url, noHurry())).toBe(302)
    expect(asked).toEqual(['/'])
  })

  it('does not read what it says, however long that is', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200)
      const more = (): void => {
        if (!response.destroyed && response.write('x'.repeat(65_536))) setImmediate(more)
        else response.once('drain', more)
      }
      more()
    })
    expect(await createWeb({}).ask(url, noHurry())).toBe(200)
  })

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[fd00:ec2::254]/',
    'http://100.100.100.200/',
  ])('is not done at %s', async (url) => {
    await expect(createWeb({}).ask(url, noHurry())).rejects.toThrow('it is not asked')
  })

  it('tells why nobody answers', async () => {
    const url = await serve(() => undefined)
    servers[0]?.close()
    servers[0]?.closeAllConnections()
    await expect(createWeb({}).ask(url, noHurry())).rejects.toThrow(/ECONNREFUSED/)
    servers.splice(0)
  })

  it('ends with the signal', async () => {
    const stop = new AbortController()
    const reason = new Error('time is up')
    const url = await serve(() => stop.abort(reason))
    await expect(createWeb({}).ask(url, stop.signal)).rejects.toBe(reason)
  })
})
