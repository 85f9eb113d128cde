import { ClusterError, RejectedError } from '../../errors.ts'
import { formatDuration } from '../../inputs/parse.ts'
import type { KubeObject } from '../../manifest/object.ts'
import { problemFrom } from '../../plan/rejections.ts'
import {
  judgeLease,
  LEASE_SECONDS,
  type Lease,
  leaseManifest,
  leaseRef,
  readLease,
  type Watch,
  watchLease,
} from '../../release/lease.ts'
import type { RunFacts } from '../../report/report.ts'
import { holdLock, type Lock, type LockPorts, momentOf } from './held-lock.ts'

export { LockLostError } from '../../release/lease.ts'
export { type Lock, LockDoubtError, type LockPorts } from './held-lock.ts'

export interface LockRequest {
  readonly namespace: string
  readonly release: string
  /** One run's own name. The post step of a job has the one of its main step, and so takes the lock over at once. */
  readonly holder: string
  readonly run?: RunFacts
  readonly waitSeconds: number
  /** Ends the wait: its reason is thrown. A lock that was just being taken is given back. */
  readonly signal?: AbortSignal
}

const GRACE_MS = 1_000
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 3_000

/** Takes the lock of a release, and waits for the run that has it. Throws RejectedError, as nothing has been written yet. */
export async function acquireLock(request: LockRequest, ports: LockPorts): Promise<Lock> {
  try {
    return await waitForLock(request, ports)
  } catch (error) {
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the lock of the release')])
    throw error
  }
}

async function waitForLock(request: LockRequest, ports: LockPorts): Promise<Lock> {
  const { cluster, clock, runner } = ports
  const { namespace, release, signal, waitSeconds } = request
  const deadline = clock.now() + waitSeconds * 1000
  let failure: ClusterError | undefined
  let lease: Lease | undefined
  let watch: Watch | undefined
  /** The holder that the log has named, and the write after which one was silent for good. */
  let told: string | undefined
  let buried: string | undefined

  /** Creates the Lease, or writes it over one that is there. Undefined when somebody was faster, or no answer came. */
  async function take(over?: KubeObject): Promise<Lock | undefined> {
    const since = momentOf(clock)
    const transitions = over ? readLease(over).transitions + 1 : 0
    const acquired = clock.date()
    const content = { ...request, acquired, renewed: acquired, transitions }
    try {
      const manifest = leaseManifest(content, over)
      const live = await seenThrough((late) =>
        over ? cluster.replace(manifest, late) : cluster.create(manifest, late),
      )
      const lock = holdLock({ live, since, content }, ports)
      if (signal?.aborted) await lock.release()
      signal?.throwIfAborted()
      return lock
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof ClusterError)) throw error
      // 404 for a Lease that was deleted meanwhile; for a new one, its namespace is missing.
      const isBeaten = error.status === 409 || (over && error.status === 404)
      if (!isBeaten && !error.isUnreachable) throw error
      failure = isBeaten ? undefined : error
      return undefined
    }
  }

  /**
   * Waits for the answer for a moment longer than the signal allows: who is cancelled just as it gets the lock should give it back,
   * and not have others wait until it ends by itself.
   */
  async function seenThrough<T>(send: (late: AbortSignal) => Promise<T>): Promise<T> {
    const [late, done] = [new AbortController(), new AbortController()]
    const onAbort = () => void clock.sleep(GRACE_MS, done.signal).then(() => late.abort(signal?.reason))
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await send(late.signal)
    } finally {
      signal?.removeEventListener('abort', onAbort)
      done.abort()
    }
  }

  /** When there is something to wait for: until when. */
  async function look(): Promise<Lock | number | undefined> {
    const live = await cluster.get(leaseRef(release, namespace), signal)
    failure = undefined
    if (!live) return take()
    lease = readLease(live)
    watch = watchLease(lease, watch, clock.now())
    const standing = judgeLease(lease, watch, request.holder)
    if (standing.type === 'held') return standing.until
    if (standing.type === 'expired' && buried !== lease.version) {
      buried = lease.version
      const silence = `has not renewed its lock for ${lease.durationSeconds} s and is taken for dead`
      runner.info(`the run ${lease.who} ${silence}: taking the lock over`)
    }
    return take(live)
  }

  signal?.throwIfAborted()
  // Most often nobody has the lock: then this is the only request.
  const first = await take()
  if (first) return first
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 1.25)) {
    let until = Infinity
    try {
      const found = await look()
      if (typeof found === 'object') return found
      until = found ?? Infinity
    } catch (error) {
      signal?.throwIfAborted()
      // Before anything was seen of the lock, the address is more likely wrong than the server away.
      if (!(error instanceof ClusterError) || !error.isUnreachable || !watch) throw error
      failure = error
    }
    const now = clock.now()
    if (now >= deadline) throw failure ?? lockedError(request, lease)
    if (lease && until < Infinity && told !== lease.holder) {
      const patience = formatDuration(waitSeconds)
      runner.info(
        `another run of the release ${release} is at work: ${lease.who}; waiting up to ${patience} for it to end`,
      )
      told = lease.holder
    }
    await clock.sleep(Math.min(pause, deadline - now, Math.max(1, until - now)), signal)
    signal?.throwIfAborted()
  }
}

function lockedError({ release, waitSeconds }: LockRequest, lease: Lease | undefined): RejectedError {
  const who = lease ? `: ${lease.who}` : ''
  const waited = waitSeconds > 0 ? `; it has not ended in ${formatDuration(waitSeconds)}` : ''
  const silence = `${lease?.durationSeconds ?? LEASE_SECONDS} s after its last sign of life`
  return new RejectedError([
    {
      code: 'Locked',
      message: `another run of the release ${release} is at work${who}${waited}`,
      hint: `wait for that run to end, or raise lock-timeout; if it was killed its lock ends by itself ${silence}`,
    },
  ])
}
