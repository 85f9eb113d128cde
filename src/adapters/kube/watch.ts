import { ClusterError, messageOf } from '../../errors.ts'
import { isObject, type KubeObject } from '../../manifest/object.ts'
import type { ObjectList, Observation, Query, ResourceType } from '../../ports.ts'
import { sleep } from '../system.ts'
import type { HttpClient } from './http.ts'
import { collectionPath, describeRequest, selectorsOf } from './paths.ts'

export interface WatchOptions {
  readonly http: HttpClient
  readonly type: ResourceType
  readonly query: Query
  readonly list: () => Promise<ObjectList>
  readonly from: string | undefined
  readonly signal: AbortSignal
}

/** After this much silence, a list on another connection tells an idle watch from a dead one. */
const SILENCE_MS = 45_000
/** https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end'
/** How often what was allowed may be denied before it counts as gone: an API server that has just started knows no Roles yet. */
const MOST_DENIALS = 5
const BACKOFF_MS = { first: 800, most: 30_000 }

/** Why a stream ended: the server closed it, its resourceVersion is too old, or nothing was heard for too long. */
type StreamEnd = 'closed' | 'expired' | 'silent'

/**
 * List and watch that goes on for ever, by the rules of client-go's reflector (tools/cache/reflector.go): the list as the first
 * part of the watch itself where the server can do that, resume from the last resourceVersion, list again when it is too old,
 * back off while the server is away. Throws what waiting cannot mend.
 */
export async function* watchQuery(options: WatchOptions): AsyncGenerator<Observation> {
  const { signal } = options
  const seen = new Map<string, string>()
  let resourceVersion = options.from
  let lost = false
  let failures = 0
  let denials = 0
  let wasAllowed = false
  let streamsLists = true

  const remember = (objects: readonly KubeObject[]) => {
    seen.clear()
    for (const object of objects) seen.set(object.metadata.uid ?? '', object.metadata.resourceVersion ?? '')
  }

  while (!signal.aborted) {
    try {
      const isFirst = resourceVersion === undefined && streamsLists
      if (resourceVersion === undefined && !streamsLists) {
        const listed = await options.list()
        remember(listed.objects)
        resourceVersion = listed.resourceVersion
        yield { type: 'listed', objects: listed.objects }
      }
      const events = await openStream(options, resourceVersion)
      if (lost) yield { type: 'found' }
      lost = false
      let end: StreamEnd = 'closed'
      // What exists is told first; it is complete, and so a list, only with the bookmark that ends it.
      const initial = isFirst ? new Map<string, KubeObject>() : undefined
      let isComplete = !isFirst
      for await (const event of events) {
        if (event.type === 'end') {
          end = event.why
          break
        }
        failures = 0
        denials = 0
        wasAllowed = true
        if (initial && !isComplete) {
          const { uid = '', annotations = {} } = event.object.metadata
          if (event.type === 'changed') initial.set(uid, options.query.keep?.(event.object) ?? event.object)
          if (event.type === 'deleted') initial.delete(uid)
          if (event.type !== 'bookmark' || annotations[INITIAL_EVENTS_END] !== 'true') continue
          isComplete = true
          const objects = [...initial.values()]
          initial.clear()
          remember(objects)
          resourceVersion = event.object.metadata.resourceVersion
          yield { type: 'listed', objects }
          continue
        }
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion
        const uid = event.object.metadata.uid ?? ''
        if (event.type === 'deleted') seen.delete(uid)
        if (event.type === 'changed') seen.set(uid, event.object.metadata.resourceVersion ?? '')
        if (event.type !== 'bookmark')
          yield { type: event.type, object: options.query.keep?.(event.object) ?? event.object }
      }
      if (end === 'expired') resourceVersion = undefined
      // A server that never ends its list does not know how to.
      if (end === 'silent' && !isComplete) streamsLists = false
      else if (end === 'silent') {
        const listed = await options.list()
        if (differs(listed.objects, seen)) {
          remember(listed.objects)
          yield { type: 'listed', objects: listed.objects }
        }
        resourceVersion = listed.resourceVersion
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof ClusterError)) throw error
      if (error.status === 410) {
        resourceVersion = undefined
        continue
      }
      // An older server refuses the parameters; a list does.
      if (resourceVersion === undefined && streamsLists && [400, 422].includes(error.status)) {
        streamsLists = false
        continue
      }
      const isDeniedForNow = error.status === 403 && wasAllowed && ++denials <= MOST_DENIALS
      if (!error.isUnreachable && !isDeniedForNow) throw error
      if (!lost) yield { type: 'lost', why: messageOf(error) }
      lost = true
      failures += 1
      const backoff = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** (failures - 1))
      await sleep(error.retryAfterMs ?? backoff * (0.5 + Math.random() / 2), signal)
    }
  }
}

function differs(objects: readonly KubeObject[], seen: ReadonlyMap<string, string>): boolean {
  return (
    objects.length !== seen.size ||
    objects.some((object) => seen.get(object.metadata.uid ?? '') !== object.metadata.resourceVersion)
  )
}

type StreamEvent =
  | { readonly type: 'changed' | 'deleted' | 'bookmark'; readonly object: KubeObject }
  | { readonly type: 'end'; readonly why: StreamEnd }

/** Without a resourceVersion, what exists comes first (KEP-3157; on by default since Kubernetes 1.34). */
async function openStream({ http, type, query, signal }: WatchOptions, resourceVersion: string | undefined) {
  const body = await http.stream({
    method: 'GET',
    path: collectionPath(type, query.namespace),
    query: {
      ...selectorsOf(query),
      watch: 'true',
      ...(resourceVersion === undefined
        ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion }),
      allowWatchBookmarks: 'true',
      // Spread out, so that many watches do not come back in the same second.
      timeoutSeconds: String(240 + Math.floor(Math.random() * 60)),
    },
    signal,
    what: describeRequest('watch', type, query.namespace),
    repeatable: true,
  })
  return readEvents(body, describeRequest('watch', type, query.namespace), query)
}

async function* readEvents(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
  what: string,
  query: Query,
): AsyncGenerator<StreamEvent> {
  try {
    for await (const line of readLines(body)) {
      if (line === undefined) {
        yield { type: 'end', why: 'silent' }
        return
      }
      const event = parseEvent(line)
      const object = event?.['object']
      if (!event || !isObject(object)) continue
      if (event['type'] === 'ERROR') {
        if (object['code'] === 410) {
          yield { type: 'end', why: 'expired' }
          return
        }
        const status = typeof object['code'] === 'number' ? object['code'] : 500
        throw new ClusterError(String(object['message']), { status, reason: String(object['reason']), request: what })
      }
      if (!isObject(object['metadata'])) continue
      const typed = { apiVersion: query.apiVersion, kind: query.kind, ...object } as unknown as KubeObject
      yield {
        type: event['type'] === 'DELETED' ? 'deleted' : event['type'] === 'BOOKMARK' ? 'bookmark' : 'changed',
        object: typed,
      }
    }
    yield { type: 'end', why: 'closed' }
  } catch (error) {
    if (error instanceof ClusterError) throw error
    throw new ClusterError(messageOf(error), { status: 0, reason: 'WatchBroken', request: what, cause: error })
  } finally {
    body.destroy()
  }
}

/** Whole lines only: what a broken connection leaves unfinished is dropped. Undefined after too long a silence. */
async function* readLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string | undefined> {
  const decoder = new TextDecoder()
  const chunks = body[Symbol.asyncIterator]()
  let rest = ''
  for (;;) {
    const chunk = await withinSilence(chunks.next())
    if (chunk === undefined) {
      yield undefined
      return
    }
    if (chunk.done === true) return
    const lines = (rest + decoder.decode(chunk.value, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

async function withinSilence<T>(next: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), SILENCE_MS)
  })
  // The loser of the race may fail later, when the connection is closed.
  next.catch(() => undefined)
  try {
    return await Promise.race([next, silence])
  } finally {
    clearTimeout(timer)
  }
}

function parseEvent(line: string): Record<string, unknown> | undefined {
  try {
    const event: unknown = JSON.parse(line)
    return isObject(event) ? event : undefined
  } catch {
    return undefined
  }
}
