import { describe, expect, it } from '@jest/globals'
import type { HttpRequest } from '../../../src/adapters/kube/http.ts'
import { ClusterError } from '../../../src/errors.ts'
import { VERSION } from '../../../src/version.ts'
import { type Answer, clientOf, json, reset, startFakeApiServer, status } from '../../fakes/api-server.ts'

const GET: HttpRequest = { method: 'GET', path: '/api/v1/namespaces', what: 'list namespaces', repeatable: true }
const OK = json(200, { ok: true })

const failureOf = async (answers: readonly Answer[], request = GET): Promise<ClusterError> => {
  await using server = await startFakeApiServer(answers)
  const http = clientOf(server)
  try {
    await http.json(request)
  } catch (error) {
    if (error instanceof ClusterError) return error
    throw error
  } finally {
    await http.close()
  }
  throw new Error('the request succeeded')
}

describe('the HTTP client', () => {
  it('says who it is, and shares its connections', async () => {
    await using server = await startFakeApiServer([OK])
    const http = clientOf(server)
    await Promise.all(Array.from({ length: 50 }, () => http.json(GET)))
    await http.close()
    expect(server.requests).toHaveLength(50)
    expect(server.connections).toBeLessThanOrEqual(8)
    expect(server.headers[0]?.['user-agent']).toBe(`rollsafe/${VERSION}`)
  })

  it.each<[string, Answer]>([
    ['a reset', reset],
    ['503', status(503, 'overloaded')],
    ['429 with Retry-After', status(429, 'slow down', { 'retry-after': '0' })],
    [
      'half an answer',
      (request, response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{"half":', () => request.socket.resetAndDestroy())
      },
    ],
  ])('tries again after %s', async (_name, answer) => {
    await using server = await startFakeApiServer([answer, OK])
    const http = clientOf(server)
    await expect(http.json(GET)).resolves.toEqual({ ok: true })
    await http.close()
    expect(server.requests).toHaveLength(2)
  })

  it('does not send a write twice that may have had effect', async () => {
    const error = await failureOf([reset, OK], { ...GET, method: 'PUT', body: '{}', repeatable: false })
    expect(error).toMatchObject({ status: 0, request: 'list namespaces' })
    expect(error.message).toMatch(/^http:\/\/127\.0\.0\.1:\d+ broke the connection off$/)
  })

  it('fetches new credentials once after a 401', async () => {
    await using server = await startFakeApiServer([status(401, 'Unauthorized'), OK])
    let token = 'old'
    const http = clientOf(server, {
      credentials: async () => ({ authorization: `Bearer ${token}` }),
      refresh: async () => {
        token = 'new'
        return true
      },
    })
    await expect(http.json(GET)).resolves.toEqual({ ok: true })
    await http.close()
    expect(server.headers.map(({ authorization }) => authorization)).toEqual(['Bearer old', 'Bearer new'])
  })

  it('gives up after a second 401', async () => {
    await using server = await startFakeApiServer([status(401, 'Unauthorized')])
    const http = clientOf(server, { refresh: async () => true })
    await expect(http.json(GET)).rejects.toMatchObject({ status: 401 })
    await http.close()
    expect(server.requests).toHaveLength(2)
  })

  it('tells what the server told', async () => {
    const details = {
      reason: 'Conflict',
      details: {
        kind: 'deployments',
        causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "helm"', field: '.spec' }],
      },
    }
    expect(await failureOf([status(409, 'Apply failed', {}, details)])).toMatchObject({
      status: 409,
      reason: 'Conflict',
      kind: 'deployments',
      message: 'Apply failed',
      causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "helm"', field: '.spec' }],
    })
  })

  it('tells what stands in between told, when it is not the API server', async () => {
    const proxy: Answer = (_request, response) => response.writeHead(403).end('<html>\n  blocked by the proxy</html>')
    expect(await failureOf([proxy])).toMatchObject({
      status: 403,
      message: 'the API server answered 403: <html> blocked by the proxy</html>',
    })
  })

  it('stops waiting when it is told to', async () => {
    await using server = await startFakeApiServer([() => undefined])
    const http = clientOf(server)
    const abort = new AbortController()
    const answer = http.json({ ...GET, signal: abort.signal })
    abort.abort(new Error('cancelled'))
    await expect(answer).rejects.toThrow('cancelled')
    await http.close()
  })
})
