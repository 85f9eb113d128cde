import { ClusterError, messageOf } from '../../errors.ts'
import type { KubeObject } from '../../manifest/object.ts'
import type { Clock, Cluster, Runner } from '../../ports.ts'
import {
  LEASE_SECONDS,
  type LeaseContent,
  leaseManifest,
  leaseRef,
  LockLostError,
  readLease,
} from '../../release/lease.ts'

/**
 * That this run alone works on a release. Like every lock with an end it cannot stop a write that is on its way already
 * (client-go says the same of its leader election): hence `ensureHeld` before each write, with time to spare.
 */
export interface Lock {
  readonly holder: string
  /**
   * Aborts, with a LockLostError, as soon as the API server says that another run has taken the lock, or what leaves that
   * open: that the lock was deleted, or may no longer be renewed. An outage is no such answer and does not abort it.
   */
  readonly lost: AbortSignal
  /**
   * Resolves when this run certainly holds the lock, for at least ten seconds more; renews it first when that is not certain,
   * and costs nothing otherwise. Throws LockLostError; after a minute in which the server cannot be reached, its ClusterError.
   */
  ensureHeld(): Promise<void>
  /**
   * Does a write while the lock is certainly held. A write that is still under way when that is no longer certain is aborted, with
   * a LockDoubtError: sent again and again by the request layer, it could arrive after another run has taken the lock.
   */
  whileHeld<Result>(write: (signal: AbortSignal) => Promise<Result>): Promise<Result>
  /** Stops renewing and gives the lock back. Never throws; a lock that cannot be given back ends by itself. */
  release(): Promise<void>
}

/** The API server cannot be reached, and until it can be, nobody knows who holds the lock. */
export class LockDoubtError extends ClusterError {
  constructor(release: string) {
    super(`the API server has not answered for so long that the lock of the release ${release} may be lost`, {
      status: 0,
      request: 'the lock of the release',
    })
  }
}

export interface LockPorts {
  readonly cluster: Pick<Cluster, 'create' | 'get' | 'replace' | 'delete'>
  readonly clock: Clock
  readonly runner: Pick<Runner, 'info' | 'debug'>
}

const TTL_MS = LEASE_SECONDS * 1000
const RENEW_EVERY_MS = 10_000
const RETRY_MS = 2_000
/** What must be left of the lock's time for a write to begin: it should have arrived before anybody else may take the lock. */
const CERTAIN_MS = 10_000
/** A renewal without an answer is sent anew, down another connection, while the lock still has time left. */
const ANSWER_MS = 8_000
/** As long as other requests are tried anew (adapters/kube/retry.ts). */
const PATIENCE_MS = 60_000
/** A cancelled run is killed after 7.5 s. */
const GIVE_BACK_MS = 5_000
const MOST_TRIES = 3

/**
 * A moment on both of our clocks. The monotonic one may stand still while the machine sleeps, the other may be set: the longer
 * time is believed, as doubt costs one request.
 */
export interface Moment {
  readonly monotonic: number
  readonly wall: number
}

export const momentOf = (clock: Clock): Moment => ({ monotonic: clock.now(), wall: clock.date().getTime() })

export interface Taken {
  /** The Lease as it was written last. */
  readonly live: KubeObject
  /** From before the write was sent: others cannot have begun to count earlier. */
  readonly since: Moment
  readonly content: LeaseContent
}

/** Keeps a lock that was just taken, until it is released or lost. */
export function holdLock({ live, since, content }: Taken, { cluster, clock, runner }: LockPorts): Lock {
  const { release, holder } = content
  const ref = leaseRef(release, content.namespace)
  const lost = new AbortController()
  const stopped = new AbortController()
  let renewing: Promise<void> | undefined
  let givingBack: Promise<void> | undefined
  const writing = new Set<AbortController>()

  function isCertain(): boolean {
    const now = momentOf(clock)
    return Math.max(now.monotonic - since.monotonic, now.wall - since.wall) <= TTL_MS - CERTAIN_MS
  }

  function lose(why: string, takenBy?: string): LockLostError {
    const error = new LockLostError(`the lock of the release ${release} is lost: ${why}`, takenBy)
    lost.abort(error)
    stopped.abort(error)
    return error
  }

  /** A write that carries the last known resourceVersion: that the server takes it proves that nobody took the lock. */
  async function renewOnce(signal: AbortSignal): Promise<void> {
    for (let tries = 1; ; tries++) {
      const moment = momentOf(clock)
      try {
        live = await cluster.replace(leaseManifest({ ...content, renewed: clock.date() }, live), signal)
        since = moment
        return
      } catch (error) {
        if (!(error instanceof ClusterError) || ![403, 404, 409].includes(error.status)) throw error
        if (error.status === 403 && isCertain()) throw error
        live = await findOurs(error, signal)
        if (error.status === 403 || tries === MOST_TRIES) throw lose(`it cannot be renewed: ${error.message}`)
      }
    }
  }

  /** After a refusal: perhaps an earlier renewal had arrived and only its answer was lost. */
  async function findOurs(refusal: ClusterError, signal: AbortSignal): Promise<KubeObject> {
    const current = await cluster.get(ref, signal).catch((error: unknown) => {
      if (error instanceof ClusterError && error.status === 403 && !isCertain())
        throw lose(`it cannot be renewed: ${refusal.message}`)
      throw error
    })
    if (!current) throw lose('it was deleted')
    const { holder: now, who } = readLease(current)
    if (now === '') throw lose('somebody took it away')
    if (now !== holder) throw lose(`another run has taken it: ${who}`, who)
    return current
  }

  function renew(): Promise<void> {
    renewing ??= within(ANSWER_MS, clock, stopped.signal, renewOnce).finally(() => (renewing = undefined))
    return renewing
  }

  async function keep(): Promise<void> {
    for (let pause = RENEW_EVERY_MS; ;) {
      await clock.sleep(pause, stopped.signal)
      if (stopped.signal.aborted) return
      try {
        await renew()
        pause = RENEW_EVERY_MS
      } catch (error) {
        if (stopped.signal.aborted) return
        runner.debug(`the lock of the release ${release} could not be renewed: ${messageOf(error)}; trying again`)
        pause = RETRY_MS
        if (!isCertain()) for (const write of writing) write.abort(new LockDoubtError(release))
      }
    }
  }

  async function giveBack(): Promise<void> {
    stopped.abort(new LockLostError(`the lock of the release ${release} has been given back`))
    if (lost.signal.aborted) return
    try {
      await within(GIVE_BACK_MS, clock, undefined, async (signal) => {
        for (let tries = 1; tries <= MOST_TRIES; tries++) {
          // The UID alone would not do: it stays the same when another run takes the lock over.
          const { uid = '', resourceVersion = '' } = live.metadata
          if (await cluster.delete(ref, { uid, resourceVersion }, signal)) return
          const current = await cluster.get(ref, signal)
          if (!current || readLease(current).holder !== holder) return
          live = current
        }
      })
    } catch (error) {
      const end = `it ends by itself in ${LEASE_SECONDS} s`
      runner.info(`the lock of the release ${release} could not be given back, ${end}: ${messageOf(error)}`)
    }
  }

  async function ensureHeld(): Promise<void> {
    for (const givesUpAt = clock.now() + PATIENCE_MS; ;) {
      stopped.signal.throwIfAborted()
      if (isCertain()) return
      try {
        await renew()
      } catch (error) {
        if (!(error instanceof ClusterError) || !error.isUnreachable || clock.now() >= givesUpAt) throw error
        await clock.sleep(RETRY_MS, stopped.signal)
      }
    }
  }

  void keep().catch(() => undefined)
  return {
    holder,
    lost: lost.signal,
    ensureHeld,
    async whileHeld(write) {
      await ensureHeld()
      const doubt = new AbortController()
      writing.add(doubt)
      try {
        return await write(doubt.signal)
      } finally {
        writing.delete(doubt)
      }
    },
    release: () => (givingBack ??= giveBack()),
  }
}

/** Aborts what has no answer after `ms`, as a failure of the server. */
async function within(
  ms: number,
  clock: Clock,
  stop: AbortSignal | undefined,
  body: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const done = new AbortController()
  const late = new AbortController()
  const timer = clock.sleep(ms, done.signal).then(() =>
    late.abort(
      new ClusterError(`the API server did not answer in ${ms / 1000} s`, {
        status: 0,
        request: 'the lock of the release',
      }),
    ),
  )
  try {
    await body(stop ? AbortSignal.any([late.signal, stop]) : late.signal)
  } finally {
    done.abort()
    await timer
  }
}
