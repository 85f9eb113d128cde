import { describe, expect, it } from '@jest/globals'
import { acquireLock, type Lock, LockLostError, type LockRequest } from '../../../src/commands/session/lock.ts'
import { ClusterError, RejectedError } from '../../../src/errors.ts'
import type { KubeObject } from '../../../src/manifest/object.ts'
import { leaseManifest, readLease } from '../../../src/release/lease.ts'
import { type Fault, type Process, refusal, unreachable, World } from '../../fakes/lease-server.ts'
import { type Random, randomFrom } from '../../fixtures/random.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND

const run = (id: number) => ({
  repository: 'acme/shop',
  sha: 'abc1234def5678abc1234def5678abc1234def56',
  ref: 'refs/heads/main',
  actor: 'octocat',
  event: 'push',
  url: `https://github.com/acme/shop/actions/runs/${id}/attempts/1`,
  id,
  attempt: 1,
})
const whoIs = (id: number) => `${run(id).url} (commit abc1234 by octocat, attempt 1)`

/** The run with this number asks for the lock. */
function acquire(process: Process, id: number, more: Partial<LockRequest> = {}): Promise<Lock> {
  return acquireLock(
    { namespace: 'shop', release: 'shop', holder: `run-${id}`, run: run(id), waitSeconds: 300, ...more },
    process,
  )
}

const leaseIn = (world: World): KubeObject | undefined =>
  world.objects.get('Lease.coordination.k8s.io/shop/rollsafe.shop')

function holderIn(world: World): string | undefined {
  const lease = leaseIn(world)
  return lease && readLease(lease).holder
}

function problemsIn(error: unknown): unknown {
  return error instanceof RejectedError ? error.problems : error
}

describe('the lock', () => {
  it('costs one request to take and one to give back', async () => {
    const world = new World()
    const one = world.process()
    const lock = await world.until(acquire(one, 1))
    expect(lock.holder).toBe('run-1')
    await world.until(lock.ensureHeld())
    expect(holderIn(world)).toBe('run-1')
    await world.until(lock.release())
    await world.until(lock.release())
    expect(one.requests).toEqual(['create', 'delete'])
    expect(leaseIn(world)).toBeUndefined()
    expect(one.pending()).toBe(0)
    expect(one.log).toEqual([])
    expect(lock.lost.aborted).toBe(false)
  })

  it('is renewed in the background, so that writing costs nothing more', async () => {
    const world = new World()
    const one = world.process()
    const lock = await world.until(acquire(one, 1))
    for (let second = 0; second < 600; second++) {
      await world.advance(SECOND)
      await world.until(lock.ensureHeld())
    }
    expect(one.requests).toEqual(['create', ...Array.from({ length: 60 }, () => 'replace')])
    expect(leaseIn(world)?.['spec']).toMatchObject({ leaseTransitions: 0, acquireTime: '2026-01-05T09:00:00.000000Z' })
    await world.until(lock.release())
    expect(leaseIn(world)).toBeUndefined()
    await world.advance(HOUR)
    expect(one.requests.slice(-2)).toEqual(['replace', 'delete'])
    await expect(lock.ensureHeld()).rejects.toThrow(/has been given back/)
  })

  it('is waited for, and taken when the other run gives it back', async () => {
    const world = new World()
    const [one, two] = [world.process(), world.process()]
    const first = await world.until(acquire(one, 1))
    const waiting = acquire(two, 2)
    await world.advance(100 * SECOND)
    expect(holderIn(world)).toBe('run-1')
    await world.until(first.release())
    const second = await world.until(waiting)
    expect(holderIn(world)).toBe('run-2')
    expect(two.log).toEqual([`another run of the release shop is at work: ${whoIs(1)}; waiting up to 5m for it to end`])
    await world.until(second.release())
  })

  it('is never taken from a run that renews it, however long it takes', async () => {
    const world = new World()
    const [one, two] = [world.process(), world.process({ skewMs: 5 * HOUR })]
    const lock = await world.until(acquire(one, 1))
    const waiting = acquire(two, 2, { waitSeconds: 3600 }).catch(problemsIn)
    await world.advance(3599 * SECOND)
    expect(holderIn(world)).toBe('run-1')
    expect(await world.until(waiting)).toEqual([
      {
        code: 'Locked',
        message: `another run of the release shop is at work: ${whoIs(1)}; it has not ended in 1h`,
        hint: 'wait for that run to end, or raise lock-timeout; if it was killed its lock ends by itself 30 s after its last sign of life',
      },
    ])
    expect(lock.lost.aborted).toBe(false)
    await world.until(lock.release())
  })

  it('is not waited for when there is no time to wait', async () => {
    const world = new World()
    const [one, two] = [world.process(), world.process()]
    await world.until(acquire(one, 1))
    const refused = await world.until(acquire(two, 2, { waitSeconds: 0 }).catch(problemsIn))
    expect(refused).toMatchObject([{ message: `another run of the release shop is at work: ${whoIs(1)}` }])
    expect(two.requests).toEqual(['create', 'get'])
    expect(two.log).toEqual([])
  })

  it.each([-7 * HOUR, 0, 7 * HOUR])('is taken from a dead run, on a clock that is %d ms off', async (skewMs) => {
    const world = new World()
    const [one, two] = [world.process({ skewMs }), world.process()]
    await world.until(acquire(one, 1))
    await world.advance(15 * SECOND)
    one.kill()
    const asked = world.now
    const lock = await world.until(acquire(two, 2))
    expect(world.now - asked).toBe(30 * SECOND)
    expect(two.log).toEqual([
      `another run of the release shop is at work: ${whoIs(1)}; waiting up to 5m for it to end`,
      `the run ${whoIs(1)} has not renewed its lock for 30 s and is taken for dead: taking the lock over`,
    ])
    expect(leaseIn(world)?.['spec']).toMatchObject({ holderIdentity: 'run-2', leaseTransitions: 1 })
    await world.until(lock.release())
    expect(leaseIn(world)).toBeUndefined()
  })

  it('goes from the main step to the post step of a job at once', async () => {
    const world = new World()
    const [main, post] = [world.process(), world.process()]
    await world.until(acquire(main, 1))
    main.kill()
    const asked = world.now
    const lock = await world.until(acquire(post, 1))
    expect(world.now).toBe(asked)
    expect(post.requests).toEqual(['create', 'get', 'replace'])
    await world.until(lock.release())
    expect(leaseIn(world)).toBeUndefined()
  })

  it.each<[string, unknown]>([
    ['nobody', { holderIdentity: '' }],
    ['nothing', undefined],
    ['nonsense', { holderIdentity: 7, leaseDurationSeconds: 'long', leaseTransitions: {} }],
  ])('is free when the Lease says %s', async (_what, spec) => {
    const world = new World()
    const content = { namespace: 'shop', release: 'shop', holder: '', acquired: new Date(0), renewed: new Date(0) }
    world.write('create', { ...leaseManifest({ ...content, transitions: 4 }), spec })
    const lock = await world.until(acquire(world.process(), 2, { waitSeconds: 0 }))
    expect(holderIn(world)).toBe('run-2')
    await world.until(lock.release())
  })

  it.each<[string, ClusterError, unknown]>([
    [
      'leases are forbidden',
      new ClusterError('leases is forbidden: User "ci" cannot create resource "leases"', {
        status: 403,
        reason: 'Forbidden',
        request: 'create leases.coordination.k8s.io in namespace shop',
      }),
      {
        code: 'Forbidden',
        message: expect.stringMatching(/^the lock of the release: create leases/),
        hint: expect.stringMatching(/can-i create leases.coordination.k8s.io --namespace shop$/),
      },
    ],
    [
      'there is no such namespace',
      new ClusterError('namespaces "shop" not found', { status: 404, kind: 'namespaces', request: 'create leases' }),
      { code: 'InvalidInput', hint: expect.stringMatching(/create the namespace/) },
    ],
    ['the server is not there', unreachable(), { code: 'ClusterUnreachable' }],
  ])('says so when %s', async (_what, error, problem) => {
    const world = new World()
    const one = world.process()
    one.fault = () => error
    expect(await world.until(acquire(one, 1).catch(problemsIn))).toMatchObject([problem])
    // Waiting would not mend it.
    expect(world.now).toBe(0)
  })

  it('is ours when only the answer to its creation was lost', async () => {
    const world = new World()
    const one = world.process()
    one.fault = onceAt('create', 'unanswered')
    const lock = await world.until(acquire(one, 1, { waitSeconds: 0 }))
    expect(one.requests).toEqual(['create', 'get', 'replace'])
    await world.until(lock.release())
  })

  it('is waited for through an outage, which says nothing about the run that has it', async () => {
    const world = new World()
    const [one, two] = [world.process(), world.process()]
    await world.until(acquire(one, 1))
    const waiting = acquire(two, 2, { waitSeconds: 600 })
    await world.advance(25 * SECOND)
    one.fault = two.fault = () => 'lost'
    await world.advance(60 * SECOND)
    two.fault = () => undefined
    // The other run is a little later to find out that the server is back.
    await world.advance(20 * SECOND)
    expect(holderIn(world)).toBe('run-1')
    one.fault = () => undefined
    await world.advance(300 * SECOND)
    expect(holderIn(world)).toBe('run-1')
    one.kill()
    await world.until(waiting)
    expect(holderIn(world)).toBe('run-2')
  })

  it('is told as an outage when the server has not come back in the time', async () => {
    const world = new World()
    const [one, two] = [world.process(), world.process()]
    await world.until(acquire(one, 1))
    const waiting = acquire(two, 2, { waitSeconds: 60 }).catch(problemsIn)
    await world.advance(5 * SECOND)
    two.fault = () => 'lost'
    expect(await world.until(waiting)).toMatchObject([{ code: 'ClusterUnreachable' }])
    expect(world.now).toBe(60 * SECOND)
  })

  it('is told as an outage when the server can be read, and takes no writes', async () => {
    const world = new World()
    const one = world.process()
    one.fault = (verb) => (verb === 'get' ? undefined : 'lost')
    const waiting = acquire(one, 1, { waitSeconds: 60 }).catch(problemsIn)
    expect(await world.until(waiting)).toMatchObject([{ code: 'ClusterUnreachable' }])
    expect(world.now).toBe(60 * SECOND)
  })

  it('is no longer waited for when the run is cancelled', async () => {
    const world = new World()
    const [one, two] = [world.process(), world.process()]
    await world.until(acquire(one, 1))
    const cancel = new AbortController()
    const waiting = acquire(two, 2, { signal: cancel.signal }).catch((error: unknown) => error)
    await world.advance(5500)
    const reason = new Error('cancelled')
    cancel.abort(reason)
    expect(await world.until(waiting)).toBe(reason)
    expect(world.now).toBe(5500)
    expect(two.pending()).toBe(0)
    expect(await acquire(two, 2, { signal: cancel.signal }).catch((error: unknown) => error)).toBe(reason)
    expect(holderIn(world)).toBe('run-1')
  })

  it.each([
    ['is given back', 100, undefined],
    ['whose answer is slow ends by itself', 3_000, 'run-1'],
  ])('that a cancelled run was just getting %s', async (_what, latency, holder) => {
    const world = new World()
    const one = world.process({ latency: () => latency })
    const cancel = new AbortController()
    const waiting = acquire(one, 1, { signal: cancel.signal }).catch((error: unknown) => error)
    const reason = new Error('cancelled')
    cancel.abort(reason)
    expect(await world.until(waiting)).toBe(reason)
    expect(world.now).toBeLessThan(1_100)
    await world.advance(5_000)
    expect(holderIn(world)).toBe(holder)
    expect(one.pending()).toBe(0)
  })
})

function onceAt(verb: string, fault: Fault): Process['fault'] {
  let isDue = true
  return (asked) => {
    if (!isDue || asked !== verb) return undefined
    isDue = false
    return fault
  }
}

describe('the lock that is held', () => {
  it('survives the lost answer to a renewal', async () => {
    const world = new World()
    const one = world.process()
    const lock = await world.until(acquire(one, 1))
    one.fault = onceAt('replace', 'unanswered')
    await world.advance(11 * SECOND)
    expect(one.requests).toEqual(['create', 'replace'])
    await world.advance(SECOND)
    // The next renewal is refused, as the first had arrived.
    expect(one.requests).toEqual(['create', 'replace', 'replace', 'get', 'replace'])
    await world.until(lock.ensureHeld())
    expect(lock.lost.aborted).toBe(false)
    await world.until(lock.release())
    expect(leaseIn(world)).toBeUndefined()
  })

  it('is given back also when the answer to the last renewal was lost', async () => {
    const world = new World()
    const one = world.process()
    const lock = await world.until(acquire(one, 1))
    one.fault = onceAt('replace', 'unanswered')
    await world.advance(11 * SECOND)
    await world.until(lock.release())
    expect(one.requests).toEqual(['create', 'replace', 'delete', 'get', 'delete'])
    expect(leaseIn(world)).toBeUndefined()
  })

  it('is given back in the middle of a renewal', async () => {
    const world = new World()
    const one = world.process({ latency: () => 500 })
    const lock = await world.until(acquire(one, 1))
    await world.advance(10_600)
    expect(one.requests).toEqual(['create', 'replace'])
    await world.until(lock.release())
    expect(leaseIn(world)).toBeUndefined()
    await world.advance(HOUR)
    expect(one.pending()).toBe(0)
    expect(leaseIn(world)).toBeUndefined()
  })

  it('survives an outage that is shorter than its time, without anybody waiting', async () => {
    const world = new World()
    const one = world.process()
    const lock = await world.until(acquire(one, 1))
    await world.advance(10 * SECOND)
    one.fault = () => 'lost'
    await world.advance(18 * SECOND)
    const before = world.now
    await world.until(lock.ensureHeld())
    expect(world.now).toBe(before)
    one.fault = () => undefined
    await world.advance(3 * SECOND)
    await world.until(lock.ensureHeld())
    await world.until(lock.release())
    expect(leaseIn(world)).toBeUndefined()
  })

  it('survives an outage that is longer than its time, if nobody has taken it', async () => {
    const world = new World()
    const one = world.process()
    const lock = await world.until(acquire(one, 1))
    one.fault = () => 'lost'
    await world.advance(600 * SECOND)
    const before = world.now
    const error = await world.until(lock.ensureHeld().catch((reason: unknown) => reason))
    expect(error).toBeInstanceOf(ClusterError)
    expect(error).toMatchObject({ isUnreachable: true })
    expect(world.now - before).toBe(60 * SECOND)
    expect(lock.lost.aborted).toBe(false)
    const held = lock.ensureHeld()
    await world.advance(20 * SECOND)
    one.fault = () => undefined
    await world.until(held)
    expect(lock.lost.aborted).toBe(false)
    await world.until(lock.release())
  })

  it('is lost when another run has taken it during an outage', async () => {
    const world = new World()
    const [one, two] = [world.process(), world.process()]
    const lock = await world.until(acquire(one, 1))
    one.fault = () => 'lost'
    const other = await world.until(acquire(two, 2))
    expect(lock.lost.aborted).toBe(false)
    one.fault = () => undefined
    const error = await world.until(lock.ensureHeld().catch((reason: unknown) => reason))
    expect(error).toBeInstanceOf(LockLostError)
    expect(error).toMatchObject({
      message: `the lock of the release shop is lost: another run has taken it: ${whoIs(2)}`,
      takenBy: whoIs(2),
    })
    expect(lock.lost.reason).toBe(error)
    expect(one.pending()).toBe(0)
    await expect(lock.ensureHeld()).rejects.toBe(error)

    await world.until(lock.release())
    expect(holderIn(world)).toBe('run-2')
    expect(one.requests).not.toContain('delete')
    await world.until(other.ensureHeld())
    await world.until(other.release())
  })

  it('is known to be lost without anybody asking', async () => {
    const world = new World()
    const [one, two] = [world.process(), world.process()]
    const lock = await world.until(acquire(one, 1))
    one.suspend(300 * SECOND)
    await world.until(acquire(two, 2))
    await world.advance(300 * SECOND)
    expect(lock.lost.reason).toBeInstanceOf(LockLostError)
  })

  it('leaves the lock of another run alone when it has not noticed that it lost its own', async () => {
    const world = new World()
    const [one, two] = [world.process(), world.process()]
    const lock = await world.until(acquire(one, 1))
    one.fault = () => 'lost'
    const other = await world.until(acquire(two, 2))
    one.fault = () => undefined
    await world.until(lock.release())
    expect(holderIn(world)).toBe('run-2')
    expect(one.requests.slice(-2)).toEqual(['delete', 'get'])
    await world.until(other.ensureHeld())
    expect(other.lost.aborted).toBe(false)
  })

  it.each([false, true])(
    'of a process that was suspended is proved before it writes (monotonic clock suspended too: %s)',
    async (sleepsWithMachine) => {
      const world = new World()
      const one = world.process({ sleepsWithMachine })
      const lock = await world.until(acquire(one, 1))
      await world.until(lock.ensureHeld())
      one.suspend(300 * SECOND)
      await world.advance(300 * SECOND)
      await world.until(lock.ensureHeld())
      expect(one.requests.at(-1)).toBe('replace')
      expect(lock.lost.aborted).toBe(false)

      const two = world.process()
      const held = one.clock.sleep(1).then(() => lock.ensureHeld())
      one.suspend(300 * SECOND)
      await world.until(acquire(two, 2))
      await expect(world.until(held)).rejects.toThrow(/another run has taken it/)
    },
  )

  it.each([
    ['deleted', (world: World) => world.objects.clear(), /it was deleted/],
    [
      'emptied',
      (world: World) => {
        const lease = leaseIn(world)
        if (lease) world.write('replace', { ...lease, spec: {} })
      },
      /somebody took it away/,
    ],
  ])('is lost when the Lease is %s by hand', async (_what, change, message) => {
    const world = new World()
    const lock = await world.until(acquire(world.process(), 1))
    change(world)
    await world.advance(11 * SECOND)
    expect(lock.lost.aborted).toBe(true)
    await expect(lock.ensureHeld()).rejects.toThrow(message)
  })

  it('is kept when somebody notes something on the Lease', async () => {
    const world = new World()
    const lock = await world.until(acquire(world.process(), 1))
    await world.advance(5 * SECOND)
    const lease = leaseIn(world)
    if (lease) world.write('replace', { ...lease, metadata: { ...lease.metadata, labels: { team: 'web' } } })
    await world.advance(60 * SECOND)
    await world.until(lock.ensureHeld())
    expect(leaseIn(world)?.metadata.labels).toMatchObject({ team: 'web' })
    await world.until(lock.release())
    expect(leaseIn(world)).toBeUndefined()
  })

  it('is lost once it may not be renewed for its whole time', async () => {
    const world = new World()
    const one = world.process()
    const lock = await world.until(acquire(one, 1))
    one.fault = (verb) => (verb === 'replace' ? refusal(403, 'Forbidden') : undefined)
    await world.advance(18 * SECOND)
    await world.until(lock.ensureHeld())
    await world.advance(10 * SECOND)
    expect(lock.lost.reason).toMatchObject({ message: expect.stringMatching(/cannot be renewed: Forbidden/) })
  })

  it('is told in the log when it cannot be given back, and ends by itself', async () => {
    const world = new World()
    const one = world.process()
    const lock = await world.until(acquire(one, 1))
    one.fault = () => 'lost'
    await world.until(lock.release())
    expect(one.log).toEqual([
      'the lock of the release shop could not be given back, it ends by itself in 30 s: api:6443 broke the connection off',
    ])
    const two = world.process()
    await world.until(acquire(two, 2))
    expect(holderIn(world)).toBe('run-2')
  })

  it('does not hold up the end of a run whose server does not answer', async () => {
    const world = new World()
    let delay = 0
    const one = world.process({ latency: () => delay })
    const lock = await world.until(acquire(one, 1))
    delay = HOUR
    await world.advance(11 * SECOND)
    const before = world.now
    await world.until(lock.release())
    expect(world.now - before).toBe(5 * SECOND)
  })

  it('sends a renewal that is not answered anew, while there is time', async () => {
    const world = new World()
    let delay = 0
    const one = world.process({ latency: () => delay })
    const lock = await world.until(acquire(one, 1))
    delay = HOUR
    await world.advance(11 * SECOND)
    delay = 0
    await world.advance(10 * SECOND)
    const before = world.now
    await world.until(lock.ensureHeld())
    expect(world.now).toBe(before)
    await world.until(lock.release())
  })
})

/** One request out of so many goes wrong. */
function faultBy(random: Random, outOf: number): Fault {
  return random.below(outOf) === 0 ? random.of(['lost', 'unanswered'] as const) : undefined
}

describe('contenders', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('for a dead lock: one wins (seed %d)', async (seed) => {
    const random = randomFrom(seed)
    const world = new World()
    const dead = world.process()
    await world.until(acquire(dead, 0))
    dead.kill()
    const won: number[] = []
    const latency = () => random.below(1500)
    const contenders = Array.from({ length: 2 + random.below(4) }, (_, index) => index + 1)
    const waiting = contenders.map(async (id) => {
      const process = world.process({ latency, skewMs: random.below(10) * HOUR })
      // A server that cannot be reached from the first ends the run: only later faults are waited through.
      process.fault = () => (process.requests.length <= 2 ? undefined : faultBy(random, 3))
      await process.clock.sleep(random.below(5000))
      await acquire(process, id, { waitSeconds: 120 }).then(
        () => won.push(id),
        () => undefined,
      )
    })
    await world.until(Promise.all(waiting))
    expect(won).toHaveLength(1)
    expect(holderIn(world)).toBe(`run-${won[0]}`)
  })

  /**
   * Runs that come, work and go, are suspended and killed, over a network that loses what it likes. Whoever was told that it
   * holds the lock does hold it then, and for some seconds after.
   */
  it.each(Array.from({ length: 80 }, (_, seed) => seed))('never hold it at the same time (seed %d)', async (seed) => {
    const random = randomFrom(1000 + seed)
    const world = new World()
    let outageUntil = 0
    let writes = 0
    const latency = () => random.below(random.below(20) === 0 ? 12_000 : 400)

    async function work(process: Process, id: number): Promise<void> {
      await process.clock.sleep(random.below(60_000))
      const lock = await acquire(process, id, { waitSeconds: 200 })
      for (let step = random.below(12); step >= 0; step--) {
        await process.clock.sleep(random.below(12_000))
        const chance = random.below(20)
        if (chance === 0) process.suspend(random.below(90_000))
        if (chance === 1) process.kill()
        if (chance === 2) outageUntil = Math.max(outageUntil, world.now + random.below(90_000))
        // Here it stands still, if it does.
        await process.clock.sleep(1)
        await lock.ensureHeld()
        expect(holderIn(world)).toBe(`run-${id}`)
        await process.clock.sleep(9_000)
        expect(holderIn(world)).toBe(`run-${id}`)
        writes++
      }
      await lock.release()
    }

    const ends = Array.from({ length: 6 }, async (_, index) => {
      const process = world.process({
        latency,
        skewMs: random.below(9) * HOUR,
        sleepsWithMachine: random.below(2) === 0,
      })
      process.fault = () => (world.now < outageUntil ? 'lost' : faultBy(random, 7))
      await work(process, index + 1).catch((error: unknown) => {
        const isExpected =
          error instanceof LockLostError || error instanceof ClusterError || error instanceof RejectedError
        if (!isExpected) throw error
      })
    })
    // A killed process never ends: let time pass instead of waiting for it.
    const failed = Promise.all(ends)
    failed.catch(() => undefined)
    await world.advance(1200 * SECOND)
    await Promise.race([failed, Promise.resolve()])
    expect(writes).toBeGreaterThan(0)
  })
})
