/**
 * A cluster in memory, for what needs objects that stay: reads, writes, deletions and watches as the API server answers them,
 * with UIDs, resourceVersions, 404 and 409. No controllers, no defaults, no validation; an apply merges maps and does not
 * know who owns which field. What depends on those is tested against the real one.
 */
import { ClusterError } from '../../src/errors.ts'
import { isObject, keyOf, type KubeObject, type ObjectMeta, type ObjectRef, refOf } from '../../src/manifest/object.ts'
import { isEqual } from '../../src/plan/json.ts'
import { covers } from '../../src/plan/access.ts'
import type { AccessRule, Cluster, Observation, Query, ResourceType } from '../../src/ports.ts'

export interface MemoryCluster extends Cluster {
  /** Every request so far: `create Secret shop/web`, `list Secret shop`. */
  readonly requests: string[]
  /** Called around every request. What it throws is the answer: `before`, the request had no effect; `after`, it had. */
  onRequest: (request: string, moment: 'before' | 'after') => void
  /** What a login may do in every namespace. All, unless a test says otherwise: then `isAllowed` answers by the same rules. */
  access: readonly AccessRule[]
  /** Texts that `logs` answers with, by `<namespace>/<pod>/<container>`. */
  readonly containerLogs: Map<string, string>
  /** The objects as they are, by key, without a request. */
  objects(): Map<string, KubeObject>
  /** Puts an object there, new or changed, as somebody else would, without a request. Returns it as stored. */
  put(object: KubeObject): KubeObject
  /** Takes an object away, as somebody else would, without a request. */
  drop(ref: ObjectRef): void
}

const CLUSTER_SCOPED = ['Namespace', 'Node', 'PersistentVolume', 'ClusterRole', 'ClusterRoleBinding', 'StorageClass']
const CLUSTER_SCOPED_GROUPS = ['apiextensions.k8s.io', 'admissionregistration.k8s.io', 'apiregistration.k8s.io']

const RULES_REVIEW = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview' }
const ACCESS_REVIEW = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview' }
const SELF_REVIEW = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }

interface Change {
  readonly resourceVersion: number
  readonly before: KubeObject | undefined
  readonly after: KubeObject | undefined
}

/** Every kind is served, but for those that `isServed` denies. */
export function createMemoryCluster(
  objects: readonly KubeObject[] = [],
  isServed: (apiVersion: string, kind: string) => boolean = () => true,
): MemoryCluster {
  const stored = new Map<string, KubeObject>()
  const changes: Change[] = []
  const waiting = new Set<() => void>()
  let revision = 0

  function store(key: string, after: KubeObject | undefined): void {
    const before = stored.get(key)
    revision += 1
    if (after) stored.set(key, { ...after, metadata: { ...after.metadata, resourceVersion: String(revision) } })
    else stored.delete(key)
    changes.push({ resourceVersion: revision, before, after: stored.get(key) })
    for (const wake of waiting) wake()
  }

  /** As the server stores it: what it keeps for itself cannot be set. */
  function put(given: KubeObject): KubeObject {
    const object = structuredClone(given)
    const key = keyOf(refOf(object))
    const before = stored.get(key)
    const isChanged = !before || !isEqual(withoutServerFields(before), withoutServerFields(object))
    if (isChanged) store(key, { ...object, metadata: { ...object.metadata, ...serverFields(object, before) } })
    const now = stored.get(key)
    // The last finalizer that goes takes the object with it.
    const isFreed = (before?.metadata.finalizers ?? []).length > 0 && !now?.metadata.finalizers?.length
    if (isFreed && now?.metadata.deletionTimestamp !== undefined) store(key, undefined)
    return structuredClone(now ?? object)
  }

  function serverFields(object: KubeObject, before: KubeObject | undefined): Partial<ObjectMeta> {
    const old = before?.metadata
    const isSameSpec = before !== undefined && isEqual(before['spec'], object['spec'])
    return {
      uid: old?.uid ?? `uid-${revision + 1}`,
      creationTimestamp: old?.creationTimestamp ?? new Date(revision * 1000).toISOString().replace('.000', ''),
      generation: (old?.generation ?? 0) + (isSameSpec ? 0 : 1),
      ...(old?.deletionTimestamp !== undefined && { deletionTimestamp: old.deletionTimestamp }),
    }
  }

  async function request<T>(verb: string, ref: Omit<ObjectRef, 'name'> & { name?: string }, body: () => T): Promise<T> {
    const place = [ref.namespace, ref.name].filter((part) => part !== undefined).join('/')
    const what = [verb, ref.kind, place].filter(Boolean).join(' ')
    cluster.requests.push(what)
    await Promise.resolve()
    cluster.onRequest(what, 'before')
    if (!isServed(ref.apiVersion, ref.kind)) throw failure(404, 'UnknownKind', what, `${ref.kind} is not served`)
    const answer = body()
    cluster.onRequest(what, 'after')
    return structuredClone(answer)
  }

  const fail = (status: number, reason: string, verb: string, ref: ObjectRef, message: string): never => {
    throw failure(status, reason, `${verb} ${ref.kind} ${ref.name}`, `${ref.kind} "${ref.name}" ${message}`)
  }

  /** The object to be replaced, if it is still the one that was read. */
  function current(object: KubeObject, verb: string): KubeObject {
    const ref = refOf(object)
    const found = stored.get(keyOf(ref)) ?? fail(404, 'NotFound', verb, ref, 'not found')
    const { uid, resourceVersion } = object.metadata
    const isOutdated = resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion
    if (isOutdated || (uid !== undefined && uid !== found.metadata.uid)) {
      fail(409, 'Conflict', verb, ref, 'the object has been modified; please apply your changes to the latest version')
    }
    return found
  }

  const cluster: MemoryCluster = {
    server: 'memory',
    contextNamespace: undefined,
    requests: [],
    onRequest: () => undefined,
    access: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [] }],
    containerLogs: new Map(),
    objects: () => structuredClone(stored),
    put,
    drop: (ref) => store(keyOf(ref), undefined),

    resourceType: (apiVersion, kind) =>
      Promise.resolve(isServed(apiVersion, kind) ? typeOf(apiVersion, kind) : undefined),

    capabilities: () => Promise.resolve({ version: 'v1.37.2', apiVersions: ['v1', 'apps/v1', 'apps/v1/Deployment'] }),

    get: (ref) => request('get', ref, () => stored.get(keyOf(ref))),

    list: (query) =>
      request('list', query, () => {
        const all = [...stored.values()].filter((object) => isAskedFor(object, query))
        const found = query.most === undefined ? all : all.slice(0, query.most + 1)
        const shown = query.metadataOnly
          ? found.map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }))
          : structuredClone(found)
        const kept = query.keep ? shown.map(query.keep) : shown
        return { objects: kept, resourceVersion: String(revision), isCut: found.length > (query.most ?? Infinity) }
      }),

    apply: (object, { dryRun = false } = {}) =>
      request(dryRun ? 'dry-run' : 'apply', refOf(object), () => {
        const before = stored.get(keyOf(refOf(object)))
        const merged = before ? (mergedWith(before, object) as KubeObject) : object
        return dryRun ? { ...merged, metadata: { ...merged.metadata, ...serverFields(merged, before) } } : put(merged)
      }),

    create: (object) =>
      request('create', refOf(object), () => {
        const ref = refOf(object)
        if (stored.has(keyOf(ref))) fail(409, 'AlreadyExists', 'create', ref, 'already exists')
        return put(object)
      }),

    replace: (object) =>
      request('update', refOf(object), () => {
        current(object, 'update')
        return put(object)
      }),

    replaceManagedFields: (live, managedFields) =>
      request('patch', refOf(live), () => {
        const found = current(live, 'patch')
        return put({ ...found, metadata: { ...found.metadata, managedFields } })
      }),

    delete: (ref, only) =>
      request('delete', ref, () => {
        const found = stored.get(keyOf(ref))
        const { uid, resourceVersion } =
          typeof only === 'string' ? { uid: only } : { resourceVersion: undefined, ...only }
        if (found?.metadata.uid !== uid) return false
        if (resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion) return false
        const deletionTimestamp = '2030-01-01T00:00:00Z'
        const isHeld = (found.metadata.finalizers ?? []).length > 0
        store(keyOf(ref), isHeld ? { ...found, metadata: { ...found.metadata, deletionTimestamp } } : undefined)
        return true
      }),

    async *watch(query, { from, signal }) {
      let seen = Number(from)
      if (from === undefined) {
        const { objects: listed, resourceVersion } = await cluster.list(query)
        seen = Number(resourceVersion)
        yield { type: 'listed', objects: listed }
      } else await request('watch', query, () => undefined)
      while (!signal.aborted) {
        const next = changes.find(({ resourceVersion }) => resourceVersion > seen)
        if (!next) await changed(signal)
        else {
          seen = next.resourceVersion
          yield* observed(next, query)
        }
      }
    },

    logs: ({ namespace, name, ...ref }, container) =>
      request('logs', { ...ref, ...(namespace !== undefined && { namespace }), name }, () => {
        return cluster.containerLogs.get(`${namespace}/${name}/${container}`) ?? ''
      }),

    async *followLogs(pod, container) {
      yield* (await cluster.logs(pod, container, { lines: Infinity })).split('\n').filter((line) => line !== '')
    },

    rules: () => request('ask', RULES_REVIEW, () => cluster.access),

    isAllowed: ({ name, ...question }) =>
      request('ask', ACCESS_REVIEW, () =>
        covers(cluster.access, { ...question, names: name === undefined ? [] : [name], isOptional: false }),
      ),

    userName: () => request('ask', SELF_REVIEW, () => 'system:serviceaccount:shop:deployer'),

    close: () => Promise.resolve(),
  }

  function changed(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
    waiting.add(resolve)
    return promise.finally(() => {
      waiting.delete(resolve)
      signal.removeEventListener('abort', abort)
    })
  }

  for (const object of objects) put(object)
  return cluster
}

function failure(status: number, reason: string, request: string, message: string): ClusterError {
  return new ClusterError(message, { status, reason, request })
}

function typeOf(apiVersion: string, kind: string): ResourceType {
  const isClusterScoped =
    CLUSTER_SCOPED.includes(kind) || CLUSTER_SCOPED_GROUPS.includes(apiVersion.split('/')[0] ?? '')
  const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']
  const plural = `${kind.toLowerCase()}s`.replace(/ys$/, 'ies').replace(/ss$/, 'sses')
  return { apiVersion, kind, plural, namespaced: !isClusterScoped, verbs }
}

/** What a watcher of the query sees of a change: an object that no longer matches is deleted for them. */
function* observed({ before, after }: Change, query: Query): Generator<Observation> {
  const keep = (object: KubeObject) => structuredClone(query.keep?.(object) ?? object)
  if (after && isAskedFor(after, query)) yield { type: 'changed', object: keep(after) }
  else if (before && isAskedFor(before, query)) yield { type: 'deleted', object: keep(before) }
}

function isAskedFor(object: KubeObject, query: Query): boolean {
  const { metadata, apiVersion, kind } = object
  return (
    apiVersion === query.apiVersion &&
    kind === query.kind &&
    (query.namespace === undefined || metadata.namespace === query.namespace) &&
    requirements(query.labelSelector).every((one) => holds(one, (key) => metadata.labels?.[key])) &&
    requirements(query.fieldSelector).every((one) => holds(one, (path) => fieldAt(object, path)))
  )
}

/** The requirements of a selector: commas between them, but not those inside of `in (a,b)`. */
function requirements(selector = ''): string[] {
  return selector.split(/,(?![^(]*\))/).flatMap((one) => one.trim() || [])
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors */
function holds(requirement: string, valueOf: (key: string) => string | undefined): boolean {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(requirement)
  if (set) {
    const [, key = '', operator, list = ''] = set
    const values = list.split(',').map((value) => value.trim())
    return values.includes(valueOf(key) ?? '\0') === (operator === 'in')
  }
  const [, key = '', operator = '', value] = /^([^=!]+?)\s*(==?|!=)\s*(.*)$/.exec(requirement) ?? []
  if (operator !== '') return (valueOf(key) === value) === (operator !== '!=')
  return requirement.startsWith('!') ? valueOf(requirement.slice(1)) === undefined : valueOf(requirement) !== undefined
}

function fieldAt(object: KubeObject, path: string): string | undefined {
  const value = path.split('.').reduce<unknown>((at, field) => (isObject(at) ? at[field] : undefined), object)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Maps are merged, everything else is replaced, and null takes away. */
function mergedWith(before: unknown, patch: unknown): unknown {
  if (!isObject(before) || !isObject(patch)) return structuredClone(patch)
  const result = { ...before }
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field]
    else result[field] = mergedWith(before[field], value)
  }
  return result
}

const OF_THE_SERVER = ['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'deletionTimestamp']

function withoutServerFields({ metadata, ...object }: KubeObject): object {
  const written = Object.entries(metadata).filter(([field]) => !OF_THE_SERVER.includes(field))
  return { ...object, metadata: Object.fromEntries(written) }
}
