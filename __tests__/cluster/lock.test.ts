/** The lock on a real API server: what it refuses, and that of several runs one at a time is at work. */
import { describe, expect, it } from '@jest/globals'
import { createClock } from '../../src/adapters/system.ts'
import { acquireLock, type Lock, LockLostError, type LockRequest } from '../../src/commands/session/lock.ts'
import { ClusterError, RejectedError } from '../../src/errors.ts'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Clock, Cluster } from '../../src/ports.ts'
import { leaseManifest, leaseRef } from '../../src/release/lease.ts'
import { createLogin } from './login.ts'
import { connect } from './settled.ts'
import { eventually, type TestNamespace, withNamespace } from './testbed.ts'

interface Options extends Partial<LockRequest> {
  readonly clock?: Clock
  readonly log?: string[]
}

function acquire(cluster: Cluster, namespace: TestNamespace, holder: string, options: Options = {}): Promise<Lock> {
  const { clock = createClock(), log = [], ...more } = options
  const runner = { info: (text: string) => void log.push(text), debug: () => undefined }
  return acquireLock(
    { namespace: namespace.name, release: 'shop', holder, waitSeconds: 60, ...more },
    { cluster, clock, runner },
  )
}

const leases = async ({ kubectl }: TestNamespace) =>
  (JSON.parse(await kubectl(['get', 'leases', '-o', 'json'])) as { items: KubeObject[] }).items

/** A Lease whose holder was killed long ago, or just now: nobody can tell from looking at it once. */
function deadLease(namespace: TestNamespace): KubeObject {
  const now = new Date()
  const content = { namespace: namespace.name, release: 'shop', holder: 'killed', acquired: now, renewed: now }
  const lease = leaseManifest({ ...content, transitions: 0 })
  return { ...lease, spec: { ...(lease['spec'] as object), leaseDurationSeconds: 1 } }
}

describe('the lock', () => {
  it('lets one run at a time work, and leaves nothing behind', () =>
    withNamespace('lock', async (namespace) => {
      let working = 0
      let most = 0
      const done: string[] = []
      const work = async (holder: string) => {
        await using cluster = await connect()
        const lock = await acquire(cluster, namespace, holder)
        most = Math.max(most, ++working)
        await lock.ensureHeld()
        expect((await leases(namespace)).map(({ spec }) => spec)).toMatchObject([{ holderIdentity: holder }])
        done.push(holder)
        working--
        await lock.release()
      }
      await Promise.all(['a', 'b', 'c', 'd'].map(work))
      expect(most).toBe(1)
      expect(done.toSorted()).toEqual(['a', 'b', 'c', 'd'])
      expect(await leases(namespace)).toEqual([])
    }))

  it('of a run that was killed goes to exactly one of those who wait', () =>
    withNamespace('lock', async (namespace) => {
      await using cluster = await connect()
      await cluster.create(deadLease(namespace))
      const log: string[] = []
      const cancel = new AbortController()
      const holders = ['a', 'b', 'c', 'd']
      const waiting = holders.map((holder) => acquire(cluster, namespace, holder, { log, signal: cancel.signal }))
      const lock = await Promise.any(waiting)
      const reason = new Error('the others have seen enough')
      await eventually(async () => {
        const said = log.filter((line) =>
          line.startsWith(`another run of the release shop is at work: "${lock.holder}"`),
        )
        expect(said).toHaveLength(3)
      })
      cancel.abort(reason)
      const ends = await Promise.allSettled(waiting)
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(ends.filter((end) => end.status === 'rejected').map((end) => end.reason as unknown)).toEqual([
        reason,
        reason,
        reason,
      ])
      const [lease] = await leases(namespace)
      expect(lease?.['spec']).toMatchObject({
        holderIdentity: lock.holder,
        leaseDurationSeconds: 30,
        leaseTransitions: 1,
        acquireTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      })
      await lock.release()
      expect(await leases(namespace)).toEqual([])
    }))

  it('is renewed by a write that the server refuses once another run has written, or the Lease is gone', () =>
    withNamespace('lock', async (namespace) => {
      await using cluster = await connect()
      const clock = quickClock()
      const lock = await acquire(cluster, namespace, 'first', { clock })
      const ref = leaseRef('shop', namespace.name)
      const before = await cluster.get(ref)
      clock.jump(25_000)
      await lock.ensureHeld()
      const renewed = await cluster.get(ref)
      expect(renewed?.metadata.resourceVersion).not.toBe(before?.metadata.resourceVersion)
      if (!renewed) throw new Error('there is no Lease')

      // A request of the past that arrives late: a PUT may create a Lease, this one must not.
      await cluster.delete(ref, renewed.metadata.uid ?? '')
      const late: unknown = await cluster.replace(renewed).catch((error: unknown) => error)
      expect(late).toBeInstanceOf(ClusterError)
      expect(late).toMatchObject({ status: 409 })
      expect(await leases(namespace)).toEqual([])

      clock.jump(25_000)
      await expect(lock.ensureHeld()).rejects.toThrow(/it was deleted/)
      await lock.release()
    }))

  it('that was taken over is not given back by the run that lost it', () =>
    withNamespace('lock', async (namespace) => {
      await using cluster = await connect()
      const clock = quickClock()
      const first = await acquire(cluster, namespace, 'first', { clock })
      const lease = await cluster.get(leaseRef('shop', namespace.name))
      if (!lease) throw new Error('there is no Lease')
      await cluster.replace({ ...lease, spec: { ...(lease['spec'] as object), holderIdentity: '' } })
      const second = await acquire(cluster, namespace, 'second')
      const [taken] = await leases(namespace)
      expect(taken?.metadata.uid).toBe(lease.metadata.uid)
      await first.release()
      expect(await leases(namespace)).toEqual([taken])

      const third = await acquire(cluster, namespace, 'second', { clock })
      await cluster.replace({ ...lease, metadata: await latest(cluster, lease), spec: { holderIdentity: 'other' } })
      clock.jump(25_000)
      const error: unknown = await third.ensureHeld().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(LockLostError)
      expect(error).toMatchObject({ takenBy: '"other"' })
      await Promise.all([second.release(), third.release()])
      expect(await leases(namespace)).toHaveLength(1)
    }))

  it('says which right is missing, and which namespace', () =>
    withNamespace('lock', async (namespace) => {
      const { input } = await createLogin(namespace, ['get'], 'configmaps', { mayDeploy: false })
      await using stranger = await connect(input.kubeconfig)
      const forbidden: unknown = await acquire(stranger, namespace, 'a').catch((error: unknown) => error)
      expect(forbidden).toBeInstanceOf(RejectedError)
      expect(forbidden).toMatchObject({
        problems: [
          {
            code: 'Forbidden',
            message: expect.stringContaining('the lock of the release: create leases.coordination.k8s.io'),
          },
        ],
      })

      await using cluster = await connect()
      const missing: unknown = await acquire(cluster, { ...namespace, name: 'no-such-namespace' }, 'a').catch(
        (error: unknown) => error,
      )
      expect(missing).toMatchObject({ problems: [{ code: 'InvalidInput' }] })
    }))

  it('needs no more than the rights to create, get, update and delete leases', () =>
    withNamespace('lock', async (namespace) => {
      const { input } = await createLogin(
        namespace,
        ['create', 'get', 'update', 'delete'],
        'leases.coordination.k8s.io',
        { mayDeploy: false },
      )
      await using cluster = await connect(input.kubeconfig)
      await using admin = await connect()
      await admin.create(deadLease(namespace))
      const lock = await acquire(cluster, namespace, 'a')
      await lock.release()
      expect(await leases(namespace)).toEqual([])
    }))
})

async function latest(cluster: Cluster, lease: KubeObject): Promise<KubeObject['metadata']> {
  const found = await cluster.get({ ...leaseRef('shop', lease.metadata.namespace ?? '') })
  if (!found) throw new Error('there is no Lease')
  return found.metadata
}

/** The real clock, which a test can put forward. */
function quickClock(): Clock & { jump(ms: number): void } {
  const real = createClock()
  let ahead = 0
  return { ...real, now: () => real.now() + ahead, jump: (ms) => (ahead += ms) }
}
