/**
 * An API server that has only Leases, and processes that use it: in virtual time, over a network that may delay, lose or
 * refuse, on clocks that disagree. A process can be suspended or killed at any moment.
 */
import { ClusterError } from '../../src/errors.ts'
import { keyOf, type KubeObject, type ObjectRef, refOf } from '../../src/manifest/object.ts'
import type { Clock } from '../../src/ports.ts'
import type { LockPorts } from '../../src/commands/session/lock.ts'

export type Verb = 'create' | 'get' | 'replace' | 'delete'
/** `lost`: the request never arrives. `unanswered`: it arrives and has its effect, and only the answer is lost. */
export type Fault = 'lost' | 'unanswered' | ClusterError | undefined

export interface Process extends LockPorts {
  readonly log: string[]
  /** What it has asked for, in order. */
  readonly requests: Verb[]
  /** May be set: what happens to the next request of this kind. */
  fault: (verb: Verb) => Fault
  /** Sleeps and requests that have not ended. */
  pending(): number
  /** Nothing of it runs before that time has passed. */
  suspend(ms: number): void
  /** Nothing of it ever runs again. */
  kill(): void
}

export interface ProcessOptions {
  /** What its wall clock is ahead of the others, and what its monotonic clock shows at the beginning. */
  readonly skewMs?: number
  /** How long a request, or an answer, is on its way. */
  readonly latency?: () => number
  /** Its monotonic clock stands still while it is suspended, as on a machine that sleeps. */
  readonly sleepsWithMachine?: boolean
}

export function unreachable(): ClusterError {
  return new ClusterError('api:6443 broke the connection off', { status: 0, reason: 'ECONNRESET', request: 'a lease' })
}

export function refusal(status: number, reason: string, message = reason): ClusterError {
  return new ClusterError(message, { status, reason, request: 'update leases rollsafe.shop in namespace shop' })
}

/** Monday morning. */
const EPOCH = Date.parse('2026-01-05T09:00:00Z')

interface Timer {
  readonly at: number
  readonly run: () => void
}

export class World {
  now = 0
  readonly objects = new Map<string, KubeObject>()
  #writes = 0
  #uids = 0
  #timers: Timer[] = []

  /** Runs everything that happens in the next `ms`, one thing after the other. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms
    await settle()
    while (await this.#step(end));
    this.now = end
  }

  /** Lets time pass until the promise is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    const ended = new AbortController()
    const end = () => ended.abort()
    promise.then(end, end)
    await settle()
    while (!ended.signal.aborted && (await this.#step(Infinity)));
    if (!ended.signal.aborted) throw new Error('it waits for something that never happens')
    return promise
  }

  async #step(end: number): Promise<boolean> {
    const next = this.#timers.reduce<Timer | undefined>(
      (first, timer) => (first && first.at <= timer.at ? first : timer),
      undefined,
    )
    if (!next || next.at > end) return false
    this.#timers = this.#timers.filter((timer) => timer !== next)
    this.now = next.at
    next.run()
    await settle()
    return true
  }

  /** Returns how to call it off. */
  after(ms: number, run: () => void): () => void {
    const timer = { at: this.now + Math.max(0, ms), run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Writes as the API server does: a write that changes nothing leaves the resourceVersion as it is. */
  write(verb: 'create' | 'replace', object: KubeObject): KubeObject {
    const key = keyOf(refOf(object))
    const live = this.objects.get(key)
    if (verb === 'create' && live) throw refusal(409, 'AlreadyExists')
    if (verb === 'replace' && !live) throw refusal(409, 'Conflict', 'Precondition failed: UID in precondition')
    const { uid, resourceVersion } = object.metadata
    if (live && (uid !== live.metadata.uid || resourceVersion !== live.metadata.resourceVersion))
      throw refusal(409, 'Conflict', 'the object has been modified')
    if (live && JSON.stringify(live) === JSON.stringify(object)) return live
    const metadata = {
      ...object.metadata,
      uid: uid ?? `uid-${++this.#uids}`,
      resourceVersion: String(100 + ++this.#writes),
    }
    const written = structuredClone({ ...object, metadata })
    this.objects.set(key, written)
    return written
  }

  remove(ref: ObjectRef, only: { uid: string; resourceVersion?: string }): boolean {
    const live = this.objects.get(keyOf(ref))
    const { uid, resourceVersion = live?.metadata.resourceVersion } = only
    if (live?.metadata.uid !== uid || live.metadata.resourceVersion !== resourceVersion) return false
    return this.objects.delete(keyOf(ref))
  }

  process({ skewMs = 0, latency = () => 0, sleepsWithMachine = false }: ProcessOptions = {}): Process {
    const waits = new Set<symbol>()
    let isKilled = false
    let resumesAt = 0
    let slept = 0

    /** Goes on with the process, when it is running. */
    const proceed = (run: () => void): void => {
      if (isKilled) return
      if (resumesAt > this.now) this.after(resumesAt - this.now, () => proceed(run))
      else run()
    }
    const wait = <T>(
      begin: (end: (run: () => T) => void) => () => void,
      signal: AbortSignal | undefined,
      onAbort: () => T,
    ) =>
      new Promise<T>((resolve, reject) => {
        const id = Symbol('wait')
        waits.add(id)
        const finish = (run: () => T) => {
          if (!waits.delete(id)) return
          signal?.removeEventListener('abort', abort)
          try {
            resolve(run())
          } catch (error) {
            reject(error)
          }
        }
        const callOff = begin((run) => proceed(() => finish(run)))
        const abort = () => {
          callOff()
          finish(onAbort)
        }
        if (signal?.aborted) abort()
        else signal?.addEventListener('abort', abort)
      })

    const clock: Clock = {
      now: () => this.now + skewMs - slept,
      date: () => new Date(EPOCH + this.now + skewMs),
      sleep: (ms, signal) =>
        wait<void>(
          (end) => this.after(ms, () => end(() => undefined)),
          signal,
          () => undefined,
        ),
    }
    /** A request that was sent arrives, even when its sender has stopped waiting for the answer. */
    const send = <T>(verb: Verb, effect: () => T, signal?: AbortSignal): Promise<T> => {
      self.requests.push(verb)
      const fault = self.fault(verb)
      const begin = (end: (run: () => T) => void) => {
        this.after(latency(), () => {
          let outcome: () => T
          try {
            const result = fault === undefined || fault === 'unanswered' ? structuredClone(effect()) : undefined
            outcome = () => result as T
          } catch (error) {
            outcome = () => {
              throw error
            }
          }
          if (fault !== undefined)
            outcome = () => {
              throw fault instanceof ClusterError ? fault : unreachable()
            }
          this.after(latency(), () => end(outcome))
        })
        return () => undefined
      }
      return wait(begin, signal, () => {
        throw signal?.reason
      })
    }
    const self: Process = {
      log: [],
      requests: [],
      fault: () => undefined,
      clock,
      cluster: {
        get: (ref, signal) => send('get', () => this.objects.get(keyOf(ref)), signal),
        create: (object, signal) => send('create', () => this.write('create', object), signal),
        replace: (object, signal) => send('replace', () => this.write('replace', object), signal),
        delete: (ref, only, signal) =>
          send('delete', () => this.remove(ref, typeof only === 'string' ? { uid: only } : only), signal),
      },
      runner: { info: (text) => self.log.push(text), debug: () => undefined },
      pending: () => waits.size,
      suspend: (ms) => {
        resumesAt = Math.max(resumesAt, this.now + ms)
        if (sleepsWithMachine) this.after(resumesAt - this.now, () => (slept += ms))
      },
      kill: () => (isKilled = true),
    }
    return self
  }
}

/** Everything that can go on without time passing has gone on. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
