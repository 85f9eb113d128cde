import { messageOf } from '../errors.ts'
import { keyOf, type KubeObject, refOf } from '../manifest/object.ts'
import type { Clock, Cluster, Observation, Query } from '../ports.ts'
import { sourceOf } from '../rollout/tracker.ts'

export interface Sighting {
  /** Which watch it comes from (sourceOf). */
  readonly source: string
  readonly observation: Observation
}

/** Several watches as one stream of sightings, open from before the first write to the end of the run. */
export interface Observer {
  /** What has been seen since the last call; waits for something, until the time is up. */
  next(ms: number): Promise<readonly Sighting[]>
  /** The object as last seen. */
  latest(key: string): KubeObject | undefined
  close(): Promise<void>
}

/** Resolves when every query has been listed once, so that a missing right is found before anything is written. */
export async function openObserver(cluster: Cluster, queries: readonly Query[], clock: Clock): Promise<Observer> {
  const closing = new AbortController()
  const latest = new Map<string, KubeObject>()
  let unread: Sighting[] = []
  let wake: () => void = () => undefined

  function take(source: string, observation: Observation) {
    if (observation.type === 'changed') latest.set(keyOf(refOf(observation.object)), observation.object)
    if (observation.type === 'deleted') latest.delete(keyOf(refOf(observation.object)))
    if (observation.type === 'listed') {
      for (const [key, object] of latest) if (sourceOf({ ...object, ...refOf(object) }) === source) latest.delete(key)
      for (const object of observation.objects) latest.set(keyOf(refOf(object)), object)
    }
    unread.push({ source, observation })
    wake()
  }

  const watches = queries.map((query) => {
    const source = sourceOf(query)
    const { promise: isListed, resolve, reject } = Promise.withResolvers<void>()
    const ended = pump(source, query, resolve).catch((error: unknown) => {
      reject(error)
      // Waiting cannot mend it, but it says nothing about the release either: what this watch would show is unknown.
      if (!closing.signal.aborted) take(source, { type: 'lost', why: messageOf(error) })
    })
    return { isListed, ended }
  })

  async function pump(source: string, query: Query, onFirst: () => void): Promise<void> {
    for await (const observation of cluster.watch(query, { signal: closing.signal })) {
      take(source, observation)
      onFirst()
    }
  }

  async function close() {
    closing.abort(new Error('the run is over'))
    await Promise.all(watches.map(({ ended }) => ended))
  }

  const opened = await Promise.allSettled(watches.map(({ isListed }) => isListed))
  for (const outcome of opened) {
    if (outcome.status === 'rejected') {
      await close()
      throw outcome.reason
    }
  }
  unread = []

  return {
    async next(ms) {
      if (unread.length === 0 && ms > 0) {
        const arrived = new AbortController()
        wake = () => arrived.abort()
        await clock.sleep(ms, arrived.signal)
        wake = () => undefined
      }
      return unread.splice(0)
    },
    latest: (key) => latest.get(key),
    close,
  }
}
