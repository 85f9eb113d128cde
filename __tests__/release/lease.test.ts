import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { judgeLease, leaseManifest, readLease, watchLease } from '../../src/release/lease.ts'
import type { RunFacts } from '../../src/report/report.ts'

const run: RunFacts = {
  repository: 'acme/shop',
  sha: 'abc1234def5678abc1234def5678abc1234def56',
  ref: 'refs/heads/main',
  actor: 'octocat',
  event: 'push',
  url: 'https://github.com/acme/shop/actions/runs/7/attempts/1',
  id: 7,
  attempt: 1,
}
const at = new Date('2026-01-01T00:00:00Z')
const content = { namespace: 'shop', release: 'shop', holder: 'run-7', run, acquired: at, renewed: at, transitions: 0 }

/** A Lease as the API server has it, with something else in it. */
function lease(change: { spec?: unknown; holder?: unknown; resourceVersion?: string } = {}): KubeObject {
  const manifest = leaseManifest(content)
  const { spec = manifest['spec'], resourceVersion = '5' } = change
  const annotations = 'holder' in change ? { 'rollsafe.dev/holder': change.holder } : manifest.metadata.annotations
  return {
    ...manifest,
    metadata: { ...manifest.metadata, annotations: annotations as Record<string, string>, uid: 'u1', resourceVersion },
    spec,
  }
}

describe('the Lease that is written', () => {
  it('is what Kubernetes and people read', () => {
    expect(leaseManifest(content)).toEqual({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name: 'rollsafe.shop',
        namespace: 'shop',
        labels: { 'rollsafe.dev/record-of': 'shop', 'app.kubernetes.io/managed-by': 'rollsafe' },
        annotations: {
          'rollsafe.dev/holder':
            '{"url":"https://github.com/acme/shop/actions/runs/7/attempts/1","sha":"abc1234def5678abc1234def5678abc1234def56","actor":"octocat","attempt":1}',
        },
      },
      spec: {
        holderIdentity: 'run-7',
        leaseDurationSeconds: 30,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:00.000000Z',
        leaseTransitions: 0,
      },
    })
  })

  it('over another one keeps what makes the server refuse a late write, and what others have noted on it', () => {
    const over = lease()
    over.metadata.labels = { team: 'web' }
    over.metadata.finalizers = ['example.com/audit']
    const { metadata } = leaseManifest({ ...content, run: undefined }, over)
    expect(metadata).toMatchObject({ uid: 'u1', resourceVersion: '5', finalizers: ['example.com/audit'] })
    expect(metadata.labels).toMatchObject({ team: 'web', 'rollsafe.dev/record-of': 'shop' })
    // Not the run of the last holder.
    expect(metadata.annotations).toEqual({ 'rollsafe.dev/holder': '{}' })
  })

  it('begins to count anew before the count is too large for the server', () => {
    const transitions = (count: number) => leaseManifest({ ...content, transitions: count })['spec']
    expect(transitions(2 ** 31 - 1)).toMatchObject({ leaseTransitions: 2 ** 31 - 1 })
    expect(transitions(2 ** 31)).toMatchObject({ leaseTransitions: 0 })
  })
})

describe('the Lease that is read', () => {
  it('tells its holder and the run', () => {
    expect(readLease(lease())).toMatchObject({
      holder: 'run-7',
      durationSeconds: 30,
      transitions: 0,
      who: 'https://github.com/acme/shop/actions/runs/7/attempts/1 (commit abc1234 by octocat, attempt 1)',
    })
  })

  it.each([
    ['no spec', undefined],
    ['a spec that is a text', 'none'],
    ['a spec that is a list', [1]],
    [
      'numbers for texts and texts for numbers',
      { holderIdentity: 7, leaseDurationSeconds: '30', leaseTransitions: 'x' },
    ],
    ['negative numbers', { leaseDurationSeconds: -1, leaseTransitions: -1 }],
    ['fractions', { leaseDurationSeconds: 0.5, leaseTransitions: 0.5 }],
    ['null', { holderIdentity: null, leaseDurationSeconds: null, leaseTransitions: null, renewTime: null }],
  ])('with %s has safe values', (_what, spec) => {
    const object = { ...lease(), spec }
    expect(readLease(object)).toMatchObject({ holder: '', durationSeconds: 30, transitions: 0 })
  })

  it.each([
    ['none', undefined],
    ['no text', 7],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '["https://evil.example"]'],
    ['a script', '{"url":"javascript:alert(1)"}'],
    ['a file', '{"url":"file:///etc/passwd"}'],
    ['no address', '{"url":"not an address"}'],
    ['a number', '{"url":7,"sha":7,"actor":7,"attempt":"1"}'],
    ['an address without end', `{"url":"https://example.com/${'a'.repeat(600)}"}`],
    ['words where names belong', '{"sha":"main; rm -rf","actor":"me\\n::error::x","attempt":-1}'],
  ])('names the holder when the note about the run is %s', (_what, holder) => {
    expect(readLease(lease({ holder })).who).toBe('"run-7"')
  })

  it('survives having no annotations, and a holder with much to say', () => {
    const object = lease({ spec: { holderIdentity: `a\n${'b'.repeat(500)}` } })
    delete object.metadata.annotations
    expect(readLease(object).who).toBe(`"a\\n${'b'.repeat(98)}…"`)
  })

  it('has another version after every write', () => {
    const versions = [
      lease(),
      lease({ resourceVersion: '6' }),
      lease({ spec: { holderIdentity: 'run-8' } }),
      lease({ spec: { holderIdentity: 'run-7', renewTime: 'later' } }),
    ].map((object) => readLease(object).version)
    expect(new Set(versions).size).toBe(versions.length)
  })
})

describe('what follows from it', () => {
  /** Looks at these Leases at these seconds, and judges the last. */
  const judged = (holder: string, ...looks: readonly (readonly [seconds: number, object: KubeObject])[]) => {
    let watch: ReturnType<typeof watchLease> | undefined
    let standing: ReturnType<typeof judgeLease> | undefined
    for (const [seconds, object] of looks) {
      const read = readLease(object)
      watch = watchLease(read, watch, seconds * 1000)
      standing = judgeLease(read, watch, holder)
    }
    return standing
  }
  /** The same Lease every ten seconds. */
  const every10 = (from: number, to: number, object = lease()) =>
    Array.from({ length: (to - from) / 10 + 1 }, (_, index) => [from + index * 10, object] as const)

  it.each([
    ['nobody holds it', { type: 'free' }, judged('me', [0, lease({ spec: {} })])],
    ['this run holds it', { type: 'ours' }, judged('run-7', [0, lease()])],
    ['seen for the first time', { type: 'held', until: 35_000 }, judged('me', [5, lease()])],
    ['unchanged for less than its time', { type: 'held', until: 30_000 }, judged('me', ...every10(0, 20))],
    ['unchanged for its time', { type: 'expired' }, judged('me', ...every10(0, 30))],
    [
      'renewed at the last moment',
      { type: 'held', until: 59_000 },
      judged('me', ...every10(0, 20), [29, lease({ resourceVersion: '6' })]),
    ],
    [
      'with a time of its own',
      { type: 'expired' },
      judged(
        'me',
        [0, lease({ spec: { holderIdentity: 'x', leaseDurationSeconds: 1 } })],
        [1, lease({ spec: { holderIdentity: 'x', leaseDurationSeconds: 1 } })],
      ),
    ],
    [
      'unchanged, but not looked at in between',
      { type: 'held', until: 100_000 },
      judged('me', ...every10(0, 20), [70, lease()]),
    ],
    ['unchanged, and looked at again after that', { type: 'expired' }, judged('me', [0, lease()], ...every10(70, 100))],
    [
      'renewed in the far past or future by its own clock',
      { type: 'held', until: 30_000 },
      judged('me', [
        0,
        lease({ spec: { holderIdentity: 'x', leaseDurationSeconds: 30, renewTime: '1990-01-01T00:00:00.000000Z' } }),
      ]),
    ],
  ])('%s', (_what, expected, standing) => {
    expect(standing).toEqual(expected)
  })
})
