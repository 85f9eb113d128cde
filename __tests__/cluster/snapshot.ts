import type { KubeObject } from '../../src/manifest/object.ts'
import { RECORD_TYPE } from '../../src/release/record-secret.ts'
import type { TestNamespace } from './testbed.ts'

/** Annotations by which controllers, kubectl and Rollsafe keep count. */
const BOOKKEEPING = ['deployment.kubernetes.io/revision']

/** Everything of these kinds in the namespace, without what a rollback is allowed to change. */
export async function snapshot(
  namespace: TestNamespace,
  kinds = 'configmaps,secrets,services,deployments',
): Promise<Record<string, unknown>> {
  const { items } = JSON.parse(await namespace.kubectl(['get', kinds, '-o', 'json'])) as { items: KubeObject[] }
  const own = items.filter(({ type }) => type !== RECORD_TYPE)
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
