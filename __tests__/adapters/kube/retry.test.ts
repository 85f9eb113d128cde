import { describe, expect, it } from '@jest/globals'
import { type Attempts, retryDelay } from '../../../src/adapters/kube/retry.ts'
import { ClusterError } from '../../../src/errors.ts'

const failure = (status: number, message = 'failed', more: { reason?: string; retryAfterMs?: number } = {}) =>
  new ClusterError(message, { status, request: 'get pods', ...more })
const first: Attempts = { failures: 1, elapsedMs: 0, repeatable: true, reached: true }
const most = () => 1

describe('whether a request is tried again', () => {
  it.each<[string, ClusterError, Partial<Attempts>, number | undefined]>([
    ['a broken connection', failure(0, '', { reason: 'ECONNRESET' }), {}, 500],
    [
      'a broken connection of a write that may have had effect',
      failure(0, '', { reason: 'ECONNRESET' }),
      { repeatable: false },
      undefined,
    ],
    [
      'a refused connection, even of such a write',
      failure(0, '', { reason: 'ECONNREFUSED' }),
      { repeatable: false },
      500,
    ],
    [
      'a server that was never reached, for a short while only',
      failure(0, '', { reason: 'ECONNREFUSED' }),
      { reached: false, elapsedMs: 4_001 },
      undefined,
    ],
    [
      'a server that was reached before, for longer',
      failure(0, '', { reason: 'ECONNREFUSED' }),
      { elapsedMs: 59_000, failures: 9 },
      8_000,
    ],
    ['but not for ever', failure(0, '', { reason: 'ECONNREFUSED' }), { elapsedMs: 60_001 }, undefined],
    ['a certificate that cannot be trusted', failure(0, '', { reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), {}, undefined],
    ['too many requests', failure(429), { repeatable: false }, 500],
    ['as long as the server asks for', failure(429, '', { retryAfterMs: 3_000 }), {}, 3_000],
    ['unless that is too long', failure(429, '', { retryAfterMs: 61_000 }), {}, undefined],
    ['500', failure(500), {}, 500],
    ['502', failure(502), { failures: 2 }, 1_000],
    ['503', failure(503), { failures: 4 }, 4_000],
    ['504, the fifth time', failure(504), { failures: 5 }, undefined],
    ['504 of a write that may have had effect', failure(504), { repeatable: false }, undefined],
    [
      '503 of such a write, when the server asks for it',
      failure(503, '', { retryAfterMs: 1_000 }),
      { repeatable: false },
      1_000,
    ],
    ['501', failure(501), {}, undefined],
    [
      'an unknown field, which the server calls 500',
      failure(500, 'failed to create typed patch object (shop/web; apps/v1, Kind=Deployment)'),
      {},
      undefined,
    ],
    ['a change of the etcd leader', failure(500, 'etcdserver: leader changed'), { failures: 7 }, 8_000],
    ['a webhook that does not answer', failure(500, 'failed calling webhook "x"'), { failures: 7 }, 8_000],
    [
      'a quota that was being counted',
      failure(409, 'Operation cannot be fulfilled on resourcequotas "q": the object has been modified'),
      {},
      500,
    ],
    ['400', failure(400), {}, undefined],
    ['401', failure(401), {}, undefined],
    ['403', failure(403), {}, undefined],
    ['404', failure(404), {}, undefined],
    ['409', failure(409), {}, undefined],
    ['422', failure(422), {}, undefined],
  ])('%s', (_name, error, attempts, expected) => {
    expect(retryDelay(error, { ...first, ...attempts }, most)).toBe(expected)
  })

  it('spreads the attempts', () => {
    expect(retryDelay(failure(503), first, () => 0.25)).toBe(125)
  })
})
