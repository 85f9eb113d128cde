import { ClusterError } from '../../errors.ts'
import { isObject, type KubeObject, type ObjectRef, refOf } from '../../manifest/object.ts'
import type { Cluster, ObjectList, Query, ResourceType } from '../../ports.ts'
import type { ClusterAccess } from './access.ts'
import { createAccessReviews } from './access-reviews.ts'
import { createDiscovery } from './discovery.ts'
import { createHttpClient, type HttpRequest } from './http.ts'
import { collectionPath, describeRequest, objectPath, selectorsOf } from './paths.ts'
import { readLines } from './lines.ts'
import { watchQuery } from './watch.ts'

/** The name under which the API server keeps which fields are Rollsafe's. It must never change: see docs/adr. */
const FIELD_MANAGER = 'rollsafe'
const PAGE_SIZE = 500
/** https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'

export function createCluster(access: ClusterAccess): Cluster {
  const http = createHttpClient(access)
  const discovery = createDiscovery(http)

  async function typeOf(ref: { apiVersion: string; kind: string }, signal?: AbortSignal): Promise<ResourceType> {
    const type = await discovery.find(ref.apiVersion, ref.kind, signal)
    if (type) return type
    throw new ClusterError(`the cluster does not serve ${ref.kind} in ${ref.apiVersion}`, {
      status: 404,
      reason: 'UnknownKind',
      request: `discover ${ref.apiVersion}`,
    })
  }

  async function list(query: Query, signal?: AbortSignal): Promise<ObjectList> {
    const type = await typeOf(query, signal)
    const found: KubeObject[] = []
    for (let page: string | undefined; ;) {
      const answer = await http.json({
        method: 'GET',
        path: collectionPath(type, query.namespace),
        query: {
          ...selectorsOf(query),
          limit: String(Math.min(PAGE_SIZE, query.most ?? PAGE_SIZE)),
          ...(page !== undefined && { continue: page }),
        },
        ...(query.metadataOnly && { accept: METADATA_ONLY }),
        signal,
        what: describeRequest('list', type, query.namespace),
        repeatable: true,
      })
      const metadata = isObject(answer) && isObject(answer['metadata']) ? answer['metadata'] : {}
      const items = isObject(answer) && Array.isArray(answer['items']) ? answer['items'].filter(isObject) : []
      // Items of a list carry neither apiVersion nor kind.
      const typed = items.map(
        (item) => ({ ...item, apiVersion: query.apiVersion, kind: query.kind }) as unknown as KubeObject,
      )
      found.push(...(query.keep ? typed.map(query.keep) : typed))
      page = typeof metadata['continue'] === 'string' && metadata['continue'] !== '' ? metadata['continue'] : undefined
      const isCut = query.most !== undefined && (found.length > query.most || page !== undefined)
      if (page === undefined || isCut) {
        const { resourceVersion } = metadata
        return { objects: found, resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '', isCut }
      }
    }
  }

  /** One request about one object. The answer is an object: the one asked for or, for a deletion, the server's Status. */
  async function send(verb: string, ref: ObjectRef, request: Omit<HttpRequest, 'path' | 'what'>): Promise<KubeObject> {
    const type = await typeOf(ref, request.signal)
    const what = describeRequest(verb, type, ref.namespace, ref.name)
    // What does not exist yet has no path of its own.
    const path = verb === 'create' ? collectionPath(type, ref.namespace) : objectPath(type, ref.namespace, ref.name)
    const answer = await http.json({ ...request, path, what })
    if (isObject(answer) && isObject(answer['metadata'])) return answer as unknown as KubeObject
    throw new ClusterError('the answer is not a Kubernetes object', { status: 200, reason: 'BadAnswer', request: what })
  }

  return {
    server: new URL(access.server).host,
    contextNamespace: access.namespace,

    async capabilities(signal) {
      const what = 'read the version of the API server'
      const [version, apiVersions] = await Promise.all([
        http.json({ method: 'GET', path: '/version', signal, what, repeatable: true }),
        discovery.apiVersions(signal),
      ])
      const { gitVersion } = isObject(version) ? version : {}
      if (typeof gitVersion === 'string') return { version: gitVersion, apiVersions }
      throw new ClusterError('the API server does not tell its version', {
        status: 200,
        reason: 'BadAnswer',
        request: what,
      })
    },

    async resourceType(apiVersion, kind, { fresh = false, signal } = {}) {
      if (fresh) discovery.forget()
      return discovery.find(apiVersion, kind, signal)
    },

    async get(ref, signal) {
      try {
        return await send('get', ref, { method: 'GET', signal, repeatable: true })
      } catch (error) {
        if (error instanceof ClusterError && error.status === 404) return undefined
        throw error
      }
    },

    list,

    apply: (object, { dryRun = false, force = false, signal } = {}) =>
      send('patch', refOf(object), {
        method: 'PATCH',
        query: {
          fieldManager: FIELD_MANAGER,
          fieldValidation: 'Strict',
          ...(force && { force: 'true' }),
          ...(dryRun && { dryRun: 'All' }),
        },
        contentType: 'application/apply-patch+yaml',
        body: yamlSafeJson(object),
        signal,
        // The same fields by the same manager give the same result, however often they arrive.
        repeatable: true,
      }),

    create: (object, signal) =>
      send('create', refOf(object), {
        method: 'POST',
        query: { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' },
        contentType: 'application/json',
        body: JSON.stringify(object),
        signal,
        // Sent twice, the second answer would be that the object is already there, and nobody could tell by whom.
        repeatable: false,
      }),

    replaceManagedFields: (live, managedFields, signal) =>
      send('patch', refOf(live), {
        method: 'PATCH',
        query: { fieldManager: FIELD_MANAGER },
        contentType: 'application/json-patch+json',
        body: JSON.stringify([
          { op: 'replace', path: '/metadata/managedFields', value: managedFields },
          // As kubectl does it: the old resourceVersion makes the server refuse when somebody has written in between.
          { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
        ]),
        signal,
        repeatable: false,
      }),

    replace: (object, signal) =>
      send('update', refOf(object), {
        method: 'PUT',
        query: { fieldManager: FIELD_MANAGER },
        contentType: 'application/json',
        body: JSON.stringify(object),
        signal,
        repeatable: false,
      }),

    async delete(ref, only, signal) {
      const options = {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions: typeof only === 'string' ? { uid: only } : only,
      }
      try {
        await send('delete', ref, {
          method: 'DELETE',
          contentType: 'application/json',
          body: JSON.stringify(options),
          signal,
          // The UID makes it safe: an object that was made anew under the same name is not this one.
          repeatable: true,
        })
        return true
      } catch (error) {
        // 409: the name now belongs to another object, or somebody has written it.
        if (error instanceof ClusterError && (error.status === 404 || error.status === 409)) return false
        throw error
      }
    },

    async *watch(query, { from, signal }) {
      const type = await typeOf(query, signal)
      yield* watchQuery({
        http,
        type,
        query,
        list: () => list(query, signal),
        from,
        signal,
      })
    },

    async logs(pod, container, { lines, previous = false, signal }) {
      const type = await typeOf(pod, signal)
      return http.text({
        method: 'GET',
        path: `${objectPath(type, pod.namespace, pod.name)}/log`,
        query: { container, tailLines: String(lines), ...(previous && { previous: 'true' }) },
        accept: '*/*',
        signal,
        what: describeRequest('get', { ...type, plural: 'pods/log' }, pod.namespace, pod.name),
        repeatable: true,
      })
    },

    async *followLogs(pod, container, signal) {
      const type = await typeOf(pod, signal)
      const body = await http.stream({
        method: 'GET',
        path: `${objectPath(type, pod.namespace, pod.name)}/log`,
        query: { container, follow: 'true' },
        accept: '*/*',
        signal,
        what: describeRequest('get', { ...type, plural: 'pods/log' }, pod.namespace, pod.name),
        repeatable: true,
      })
      yield* readLines(body)
    },

    ...createAccessReviews(http),

    close: () => http.close(),
  }
}

/** The server reads an apply body as YAML, which forbids some characters that JSON allows unescaped (YAML 1.1, 5.1). */
function yamlSafeJson(object: KubeObject): string {
  return JSON.stringify(object).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
