import { ClusterError, messageOf } from '../../errors.ts'
import { keyOf, type KubeObject, type ObjectRef, refOf } from '../../manifest/object.ts'
import type { Clock, Cluster, Observation, Query, Runner } from '../../ports.ts'
import { isOfPods } from '../../rollout/pods.ts'
import { sourceOf } from '../../rollout/sources.ts'
import { mapLimited } from '../concurrency.ts'

export interface Sighting {
  /** Which watch it comes from. */
  readonly source: string
  readonly observation: Observation
}

/** Something to watch from before the first write to the end of the run. */
export interface Watched {
  readonly source: string
  readonly query: Query
  /** The objects to read one by one, every few seconds, when they may be read but not listed or watched. */
  readonly refs?: readonly ObjectRef[]
  /** The run goes on without it; what it would show is then only seen later, or not at all. */
  readonly isOptional: boolean
}

/** Several watches as one stream of sightings. */
export interface Observer {
  /** Begins to watch. Resolves when everything has been listed once, so that a missing right is found at once. */
  watch(all: readonly Watched[]): Promise<void>
  /** What has been seen since the last call; waits for something, until the time is up or the signal aborts. */
  next(ms: number, signal?: AbortSignal): Promise<readonly Sighting[]>
  /** The object as last seen; pods and what belongs to them are not kept. */
  latest(key: string): KubeObject | undefined
  close(): Promise<void>
}

export interface ObserverPorts {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly runner: Runner
}

export function openObserver({ cluster, clock, runner }: ObserverPorts): Observer {
  const closing = new AbortController()
  const latest = new Map<string, KubeObject>()
  const endings: Promise<void>[] = []
  const known = new Set<string>()
  let unread: Sighting[] = []
  let wake: () => void = () => undefined

  function take(source: string, observation: Observation) {
    if (!isOfPods(source)) remember(latest, source, observation)
    unread.push({ source, observation })
    wake()
  }

  /** Resolves at the first list, and rejects when there can be none. */
  async function begin(watched: Watched): Promise<void> {
    const { promise: isListed, resolve, reject } = Promise.withResolvers<void>()
    const ended = pump(watched, resolve).catch((error: unknown) => {
      if (closing.signal.aborted) return resolve()
      if (watched.isOptional && isForbidden(error)) {
        runner.info(`${watched.query.kind}s are not watched, so some failures are seen later: ${messageOf(error)}`)
        return resolve()
      }
      reject(error)
      // Waiting cannot mend it, but it says nothing about the release either: what this watch would show is unknown.
      take(watched.source, { type: 'lost', why: messageOf(error) })
    })
    endings.push(ended)
    return isListed
  }

  async function pump({ source, query, refs }: Watched, onFirst: () => void): Promise<void> {
    const follow = async (observations: AsyncIterable<Observation>) => {
      for await (const observation of observations) {
        take(source, observation)
        onFirst()
      }
    }
    try {
      await follow(cluster.watch(query, { signal: closing.signal }))
    } catch (error) {
      if (!refs || !isForbidden(error)) throw error
      runner.info(`${query.kind}s may not be watched, so each is read every few seconds: ${messageOf(error)}`)
      await follow(readRegularly(refs, { cluster, clock }, closing.signal))
    }
  }

  return {
    async watch(all) {
      const fresh = all.filter(({ source }) => !known.has(source))
      for (const { source } of fresh) known.add(source)
      const begun = await Promise.allSettled(fresh.map(begin))
      for (const outcome of begun) if (outcome.status === 'rejected') throw outcome.reason
    },
    async close() {
      closing.abort(new Error('the run is over'))
      await Promise.all(endings)
    },
    async next(ms, signal) {
      if (unread.length === 0 && ms > 0 && !signal?.aborted) {
        const arrived = new AbortController()
        wake = () => arrived.abort()
        signal?.addEventListener('abort', wake)
        await clock.sleep(ms, arrived.signal)
        signal?.removeEventListener('abort', wake)
        wake = () => undefined
      }
      const read = unread
      unread = []
      return read
    },
    latest: (key) => latest.get(key),
  }
}

function remember(latest: Map<string, KubeObject>, source: string, observation: Observation): void {
  if (observation.type === 'changed') latest.set(keyOf(refOf(observation.object)), observation.object)
  if (observation.type === 'deleted') latest.delete(keyOf(refOf(observation.object)))
  if (observation.type !== 'listed') return
  for (const [key, object] of latest) if (sourceOf({ ...object, ...refOf(object) }) === source) latest.delete(key)
  for (const object of observation.objects) latest.set(keyOf(refOf(object)), object)
}

function isForbidden(error: unknown): boolean {
  return error instanceof ClusterError && error.status === 403
}

const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 10_000

/** What a watch would show, by reading again and again: for logins that may get objects, but not list or watch them. */
async function* readRegularly(
  refs: readonly ObjectRef[],
  { cluster, clock }: Pick<ObserverPorts, 'cluster' | 'clock'>,
  signal: AbortSignal,
): AsyncGenerator<Observation> {
  let isLost = false
  for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(LONGEST_PAUSE_MS, pause * 1.25)) {
    try {
      const objects = await mapLimited(refs, (ref) => cluster.get(ref, signal))
      if (isLost) yield { type: 'found' }
      isLost = false
      yield { type: 'listed', objects: objects.filter((object) => object !== undefined) }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ClusterError) || !error.isUnreachable) throw error
      if (!isLost) yield { type: 'lost', why: messageOf(error) }
      isLost = true
    }
    await clock.sleep(pause, signal)
  }
}
