import { ClusterError } from '../../errors.ts'
import { groupOf, isObject } from '../../manifest/object.ts'
import type { ResourceType } from '../../ports.ts'
import type { HttpClient } from './http.ts'

/** Finds kinds in the server's discovery documents, each read once however many callers wait for it. */
export interface Discovery {
  find(apiVersion: string, kind: string, signal?: AbortSignal): Promise<ResourceType | undefined>
  /** Versions of groups, and the kinds in them where the server tells all at once: `apps/v1`, `apps/v1/Deployment`. */
  apiVersions(signal?: AbortSignal): Promise<string[]>
  /** Forgets what was read, for instance because a CustomResourceDefinition was applied. */
  forget(): void
}

/**
 * One answer for all groups; servers before 1.27 ignore the media type and send the old document, which holds no resources
 * (https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery).
 */
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

const ROOTS = ['/api', '/apis']

export function createDiscovery(http: HttpClient): Discovery {
  const documents = new Map<string, Promise<ResourceType[] | undefined>>()

  function readOnce(
    path: string,
    read: () => Promise<ResourceType[] | undefined>,
  ): Promise<ResourceType[] | undefined> {
    const known = documents.get(path)
    if (known) return known
    const reading = read()
    documents.set(path, reading)
    // A failed read is not kept: the next caller tries again.
    reading.catch(() => documents.delete(path))
    return reading
  }

  async function get(path: string, accept: string, signal?: AbortSignal): Promise<unknown> {
    return http.json({ method: 'GET', path, accept, signal, what: `discover ${path}`, repeatable: true })
  }

  /** Undefined when the server does not aggregate. */
  async function readAggregated(path: string, signal?: AbortSignal): Promise<ResourceType[] | undefined> {
    const document = await get(path, AGGREGATED, signal)
    return isObject(document) && document['kind'] === 'APIGroupDiscoveryList' ? aggregatedTypes(document) : undefined
  }

  async function readGroupVersion(path: string, apiVersion: string, signal?: AbortSignal): Promise<ResourceType[]> {
    try {
      return listedTypes(await get(path, 'application/json', signal), apiVersion)
    } catch (error) {
      if (error instanceof ClusterError && error.status === 404) return []
      throw error
    }
  }

  return {
    async find(apiVersion, kind, signal) {
      const root = groupOf(apiVersion) === '' ? '/api' : '/apis'
      const path = `${root}/${apiVersion}`
      const types =
        (await readOnce(root, () => readAggregated(root, signal))) ??
        (await readOnce(path, () => readGroupVersion(path, apiVersion, signal)))
      return types?.find((type) => type.apiVersion === apiVersion && type.kind === kind)
    },
    async apiVersions(signal) {
      const known = await Promise.all(
        ROOTS.map(async (root) => {
          const types = await readOnce(root, () => readAggregated(root, signal))
          if (!types) return listedVersions(await get(root, 'application/json', signal))
          return types.flatMap(({ apiVersion, kind }) =>
            kind === '' ? [apiVersion] : [apiVersion, `${apiVersion}/${kind}`],
          )
        }),
      )
      return [...new Set(known.flat())]
    },
    forget: () => documents.clear(),
  }
}

function aggregatedTypes(document: Record<string, unknown>): ResourceType[] {
  return objects(document['items']).flatMap((group) => {
    const name = isObject(group['metadata']) ? text(group['metadata']['name']) : ''
    return objects(group['versions']).flatMap((version) => {
      const apiVersion = name === '' ? text(version['version']) : `${name}/${text(version['version'])}`
      return objects(version['resources']).map((resource) => ({
        apiVersion,
        kind: isObject(resource['responseKind']) ? text(resource['responseKind']['kind']) : '',
        plural: text(resource['resource']),
        namespaced: resource['scope'] === 'Namespaced',
        verbs: strings(resource['verbs']),
      }))
    })
  })
}

function listedTypes(document: unknown, apiVersion: string): ResourceType[] {
  if (!isObject(document)) return []
  return objects(document['resources'])
    .filter((resource) => !text(resource['name']).includes('/'))
    .map((resource) => ({
      apiVersion,
      kind: text(resource['kind']),
      plural: text(resource['name']),
      namespaced: resource['namespaced'] === true,
      verbs: strings(resource['verbs']),
    }))
}

/** Of an APIVersions (the core group) or an APIGroupList. */
function listedVersions(document: unknown): string[] {
  if (!isObject(document)) return []
  const groups = objects(document['groups']).flatMap((group) => objects(group['versions']))
  return [...strings(document['versions']), ...groups.map((version) => text(version['groupVersion']))]
}

const objects = (value: unknown) => (Array.isArray(value) ? value.filter(isObject) : [])
const text = (value: unknown) => (typeof value === 'string' ? value : '')
const strings = (value: unknown) => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [])
