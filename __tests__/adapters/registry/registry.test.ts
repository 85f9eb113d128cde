/** What a healthy registry cannot be asked for. What one does is tested against a real one: __tests__/cluster/registry.test.ts. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createRegistry } from '../../../src/adapters/registry/registry.ts'
import { type Answer, type FakeApiServer, json, reset, startFakeApiServer } from '../../fakes/api-server.ts'
import { problemsOfAsync } from '../../manifest/problems.ts'

const NEVER = new AbortController().signal
const MANIFEST = '{"schemaVersion":2}'
const DIGEST = `sha256:${createHash('sha256').update(MANIFEST).digest('hex')}`
const OTHER = `sha256:${'0f'.repeat(32)}`

const answer =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (_request, response) => {
    response.writeHead(code, headers)
    response.end(body)
  }
const found = answer(200, { 'docker-content-digest': DIGEST })
const challenge = (header: string) => answer(401, { 'www-authenticate': header })
const never: Answer = () => undefined

const hostOf = (server: FakeApiServer) => server.url.replace('http://', '')
const referenceTo = (server: FakeApiServer) => `${hostOf(server)}/shop/web:v1`
const MANIFESTS = '/v2/shop/web/manifests/v1'

const env: Record<string, string> = {}
const masked: string[] = []
const registry = createRegistry({ env, mask: (secret) => masked.push(secret) })
const resolve = (server: FakeApiServer) => registry.resolve(referenceTo(server), NEVER)
const rejected = async (answers: readonly Answer[]) => {
  await using server = await startFakeApiServer(answers)
  const problems = await problemsOfAsync(() => resolve(server))
  return { problems, requests: server.requests, host: hostOf(server) }
}

beforeAll(async () => {
  env['DOCKER_CONFIG'] = await mkdtemp(join(tmpdir(), 'rollsafe-docker-'))
})
afterAll(() => rm(env['DOCKER_CONFIG'] ?? '', { recursive: true, force: true }))

/** Logs in to a server; returns what must not be seen anywhere else. */
async function logIn(server: FakeApiServer): Promise<string> {
  const auth = Buffer.from(`mona:${randomBytes(12).toString('hex')}`).toString('base64')
  await writeFile(
    join(env['DOCKER_CONFIG'] ?? '', 'config.json'),
    JSON.stringify({ auths: { [hostOf(server)]: { auth } } }),
  )
  return `Basic ${auth}`
}

describe('the digest', () => {
  it('is asked for with one HEAD, for all sorts of manifests', async () => {
    await using server = await startFakeApiServer([found])
    expect(await resolve(server)).toBe(DIGEST)
    expect(server.requests).toEqual([`HEAD ${MANIFESTS}`])
    expect(server.headers[0]?.accept?.split(', ')).toEqual([
      'application/vnd.oci.image.index.v1+json',
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'application/vnd.oci.image.manifest.v1+json',
      'application/vnd.docker.distribution.manifest.v2+json',
    ])
    expect(server.headers[0]?.['user-agent']).toMatch(/^rollsafe\//)
    expect(server.headers[0]).not.toHaveProperty('authorization')
  })

  it.each([
    ['the answer to HEAD has none', answer(200)],
    ['it is no digest', answer(200, { 'docker-content-digest': 'sha256:abc' })],
    ['HEAD is not known', answer(405)],
    ['HEAD is not implemented', answer(501)],
    ['HEAD finds nothing', answer(404)],
  ])('is that of the manifest when %s', async (_, head) => {
    await using server = await startFakeApiServer([head, answer(200, {}, MANIFEST)])
    expect(await resolve(server)).toBe(DIGEST)
    expect(server.requests).toEqual([`HEAD ${MANIFESTS}`, `GET ${MANIFESTS}`])
  })

  it.each(['<html>', '[]', '{"schemaVersion":1}', ''])('is not that of just any page: %s', async (page) => {
    const { problems } = await rejected([answer(200), answer(200, {}, page)])
    expect(problems).toMatchObject([{ message: expect.stringContaining('something that is no manifest') }])
  })

  it('must be that of the manifest when both are there', async () => {
    const { problems } = await rejected([answer(405), answer(200, { 'docker-content-digest': OTHER }, MANIFEST)])
    expect(problems).toMatchObject([
      { code: 'ImagePull', message: expect.stringMatching(`its digest is ${OTHER}, and what it sends has ${DIGEST}`) },
    ])
  })
})

describe('trouble', () => {
  it.each([
    ['a reset', reset],
    ['503', answer(503)],
    ['429', answer(429, { 'retry-after': '0' })],
  ])('is waited out: %s', async (_, trouble) => {
    await using server = await startFakeApiServer([trouble, found])
    expect(await resolve(server)).toBe(DIGEST)
    expect(server.requests).toHaveLength(2)
  })

  it.each([
    ['a reset', reset, 'cannot be reached', 3],
    ['503', answer(503), 'answered 503', 3],
    ['a long time to wait', answer(429, { 'retry-after': '3600' }), 'answered 429', 1],
    ['a code that nobody expects', answer(418), 'answered 418', 1],
    ['a redirect without an address', answer(302), 'answered 302', 1],
    ['a challenge that cannot be met', challenge('Negotiate'), 'anybody without a login', 1],
  ])('is told after some tries: %s', async (_, trouble, message, requests) => {
    const result = await rejected([trouble])
    expect(result.problems).toMatchObject([{ code: 'ImagePull', message: expect.stringContaining(message) }])
    expect(result.requests).toHaveLength(requests)
  })

  it('is an answer without an end', async () => {
    const endless: Answer = (_request, response) => {
      response.writeHead(200)
      const more = () => void response.write(Buffer.alloc(1024 * 1024), (error) => error ?? more())
      more()
    }
    const { problems } = await rejected([answer(200), endless])
    expect(problems).toMatchObject([{ message: expect.stringContaining('answers with more than 4 MiB') }])
  })

  it('is no answer within the time', async () => {
    await using server = await startFakeApiServer([never])
    const hasty = createRegistry({ env, mask: () => undefined, timeLimitMs: 20 })
    expect(await problemsOfAsync(() => hasty.resolve(referenceTo(server), NEVER))).toMatchObject([
      { code: 'ImagePull', message: expect.stringContaining('within 0.02 s') },
    ])
  })

  it('ends when the run is cancelled, for that reason', async () => {
    const cancelled = new AbortController()
    await using server = await startFakeApiServer([() => cancelled.abort(new Error('enough'))])
    await expect(registry.resolve(referenceTo(server), cancelled.signal)).rejects.toThrow('enough')
  })

  it('is a registry that nothing listens for', async () => {
    const server = await startFakeApiServer([found])
    await server[Symbol.asyncDispose]()
    expect(await problemsOfAsync(() => resolve(server))).toMatchObject([
      { code: 'ImagePull', message: expect.stringContaining(`${hostOf(server)} cannot be reached`) },
    ])
  })
})

describe('credentials', () => {
  it('are not sent before they are asked for, and go to the registry and its token server alone', async () => {
    await using tokens = await startFakeApiServer([json(200, { token: 'a-token-of-some-length' })])
    await using other = await startFakeApiServer([found])
    await using server = await startFakeApiServer([
      challenge(`Bearer realm="${tokens.url}/token?a=b",service="reg & co"`),
      answer(307, { location: `${other.url}/elsewhere` }),
    ])
    const basic = await logIn(server)
    masked.length = 0
    expect(await resolve(server)).toBe(DIGEST)
    expect(server.headers.map(({ authorization }) => authorization)).toEqual([
      undefined,
      'Bearer a-token-of-some-length',
    ])
    expect(tokens.requests).toEqual(['GET /token?a=b&service=reg+%26+co&scope=repository%3Ashop%2Fweb%3Apull'])
    expect(tokens.headers[0]?.authorization).toBe(basic)
    expect(other.requests).toEqual(['HEAD /elsewhere'])
    expect(other.headers[0]).not.toHaveProperty('authorization')
    expect(masked).toContain('a-token-of-some-length')
    expect(masked).toContain(basic.replace('Basic ', ''))
  })

  it('are not sent to where the registry points, even if that asks for them', async () => {
    await using other = await startFakeApiServer([challenge('Basic realm="x"')])
    await using server = await startFakeApiServer([answer(301, { location: `${other.url}/v2/` })])
    await logIn(server)
    expect(await problemsOfAsync(() => resolve(server))).toMatchObject([{ message: expect.stringContaining('(401)') }])
    expect(other.headers.filter(({ authorization }) => authorization !== undefined)).toEqual([])
    expect(server.headers.filter(({ authorization }) => authorization !== undefined)).toEqual([])
  })

  it.each([
    ['plain http', 'http://auth.example/token'],
    ['no address', 'token'],
    ['a file', 'file:///token'],
    ['a user of its own', 'https://mona:secret@auth.example/token'],
  ])('are not sent to a token server that is %s', async (_, realm) => {
    const { problems, host } = await rejected([challenge(`Bearer realm="${realm}"`)])
    expect(problems).toMatchObject([
      { code: 'ImagePull', message: `${host} sends its clients to "${realm}" for tokens, which is not safe` },
    ])
  })

  it.each([
    ['to plain http', 'http://other.example/v2/', 'an address that is not safe'],
    ['to a file', 'file:///v2/', 'an address that is not safe'],
    ['to itself for ever', MANIFESTS, 'redirects too often'],
  ])('nobody is followed %s', async (_, location, message) => {
    const { problems } = await rejected([answer(302, { location })])
    expect(problems).toMatchObject([{ code: 'ImagePull', message: expect.stringContaining(message) }])
  })

  it.each([
    ['no JSON', answer(200, {}, '<html>')],
    ['no token', json(200, {})],
    ['a token with a line break', json(200, { token: 'a\r\nx-evil: 1' })],
    ['a redirect', answer(302, { location: 'https://other.example/' })],
  ])('a token server that answers with %s is told', async (_, given) => {
    await using tokens = await startFakeApiServer([given])
    const { problems } = await rejected([challenge(`Bearer realm="${tokens.url}"`)])
    expect(problems).toMatchObject([{ message: expect.stringMatching(/the token server of .* without a token$/) }])
    expect(tokens.requests).toHaveLength(1)
  })
})

describe('the way there', () => {
  it('leads through the proxy, and not past it without TLS', async () => {
    const asked: string[] = []
    const proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.end()
    })
    proxy.on('connect', (request, socket) => {
      asked.push(`${request.method} ${request.url}`)
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    })
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening))
    const { port } = proxy.address() as AddressInfo
    const behind = createRegistry({ env: { HTTPS_PROXY: `http://127.0.0.1:${port}` }, mask: () => undefined })
    const [problem] = await problemsOfAsync(() => behind.resolve('registry.example/shop/web:v1', NEVER))
    expect(problem).toMatchObject({
      code: 'ImagePull',
      message: expect.stringContaining('registry.example cannot be reached'),
    })
    expect(new Set(asked)).toEqual(new Set(['CONNECT registry.example:443']))

    asked.length = 0
    await using server = await startFakeApiServer([found])
    expect(await behind.resolve(referenceTo(server), NEVER)).toBe(DIGEST)
    expect(asked).toEqual([])
    proxy.closeAllConnections()
    await new Promise((closed) => proxy.close(closed))
  })

  it('is not there for a proxy without an address, and a registry without a port', async () => {
    const lost = createRegistry({ env: { HTTPS_PROXY: '::' }, mask: () => undefined })
    expect(await problemsOfAsync(() => lost.resolve('registry.example/shop/web:v1', NEVER))).toMatchObject([
      { message: expect.stringContaining('HTTPS_PROXY') },
    ])
    expect(await problemsOfAsync(() => lost.resolve('registry.example:99999/web:v1', NEVER))).toMatchObject([
      { code: 'InvalidInput', message: 'registry.example:99999 is no address of a registry' },
    ])
  })
})
