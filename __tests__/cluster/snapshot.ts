import type { KubeObject } from '../../src/manifest/object.ts'
import { RECORD_TYPE } from '../../src/release/record-secret.ts'
import type { TestNamespace } from './testbed.ts'

/**
 * Annotations by which others keep count of changes, and a rollback is one. The first is written by the Deployment controller,
 * the second by the API server at each change of a DaemonSet's template; neither takes back what somebody else writes there.
 */
const BOOKKEEPING = ['deployment.kubernetes.io/revision', 'deprecated.daemonset.template.generation']

/** Everything of these kinds in the namespace, without what a rollback is allowed to change. */
export async function snapshot(
  namespace: TestNamespace,
  kinds = 'configmaps,secrets,services,deployments',
): Promise<Record<string, unknown>> {
  const { items } = JSON.parse(await namespace.kubectl(['get', kinds, '-o', 'json'])) as { items: KubeObject[] }
  return comparables(items)
}

/** The same of objects that were read already. */
export function comparables(objects: readonly KubeObject[]): Record<string, unknown> {
  const own = objects.filter(({ type }) => type !== RECORD_TYPE)
  return Object.fromEntries(own.map((object) => [`${object.kind}/${object.metadata.name}`, comparable(object)]))
}

function comparable({ status: _status, ...object }: KubeObject): unknown {
  const {
    generation: _generation,
    managedFields: _managedFields,
    resourceVersion: _version,
    annotations = {},
    ...metadata
  } = object.metadata
  const kept = Object.entries(annotations).filter(([name]) => !BOOKKEEPING.includes(name))
  return { ...object, metadata: { ...metadata, annotations: Object.fromEntries(kept) } }
}

/** Template hashes of the ReplicaSets, those with pods marked: `+5d9c`. */
export async function replicaSets(namespace: TestNamespace): Promise<string[]> {
  const { items } = JSON.parse(await namespace.kubectl(['get', 'replicasets', '-o', 'json'])) as {
    items: (KubeObject & { spec: { replicas: number } })[]
  }
  return items
    .map(({ metadata, spec }) => `${spec.replicas > 0 ? '+' : ''}${metadata.labels?.['pod-template-hash']}`)
    .toSorted()
}
