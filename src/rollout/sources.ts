import { groupKindOf } from '../manifest/object.ts'
import type { Query } from '../ports.ts'

/** Names what a watch shows: a kind in a namespace, and which objects of it. One watch is one source. */
export function sourceOf(of: Pick<Query, 'apiVersion' | 'kind' | 'namespace'>): string {
  return `${groupKindOf(of)}/${of.namespace ?? ''}`
}

/** The source of a query that is one of several for its kind and namespace. */
export function partialSourceOf(query: Query): string {
  return `${sourceOf(query)}?${query.labelSelector ?? ''}&${query.fieldSelector ?? ''}`
}
