import type { Query, ResourceType } from '../../ports.ts'

/** `/api/v1/namespaces/shop/configmaps` or, for the core group's cluster-scoped kinds, `/api/v1/nodes`. */
export function collectionPath(type: ResourceType, namespace: string | undefined): string {
  const root = type.apiVersion.includes('/') ? `/apis/${type.apiVersion}` : `/api/${type.apiVersion}`
  const scope = type.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${scope}/${type.plural}`
}

/** Names keep their case: `ClusterRole My:Role` is another object than `my:role`. */
export function objectPath(type: ResourceType, namespace: string | undefined, name: string): string {
  return `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`
}

export function selectorsOf(query: Query): Record<string, string> {
  return {
    ...(query.labelSelector !== undefined && { labelSelector: query.labelSelector }),
    ...(query.fieldSelector !== undefined && { fieldSelector: query.fieldSelector }),
  }
}

/** For people, in the words of an RBAC rule: `patch deployments.apps web in namespace shop`. */
export function describeRequest(verb: string, type: ResourceType, namespace?: string, name?: string): string {
  const slash = type.apiVersion.indexOf('/')
  const resource = slash < 0 ? type.plural : `${type.plural}.${type.apiVersion.slice(0, slash)}`
  return [verb, resource, name, type.namespaced && namespace !== undefined && `in namespace ${namespace}`]
    .filter(Boolean)
    .join(' ')
}
