import { isObject, type KubeObject } from '../../manifest/object.ts'
import type { Run } from '../run.ts'
import { untilGone } from '../until-gone.ts'

const PATIENCE_MS = 120_000

/** Waits two minutes at most. Undefined when just this namespace is gone, else a sentence that tells what holds it. */
export async function waitUntilNamespaceIsGone(
  namespace: KubeObject,
  { cluster, clock, signals }: Pick<Run, 'cluster' | 'clock' | 'signals'>,
): Promise<string | undefined> {
  const live = await untilGone(namespace, { cluster, clock, milliseconds: PATIENCE_MS, signal: signals.cancelled })
  return (
    live && `Namespace ${live.metadata.name} is still being deleted after ${PATIENCE_MS / 1000} s${holdersOf(live)}`
  )
}

/**
 * What the namespace controller says it waits for, and finalizers of the namespace's own; empty, or to follow a sentence.
 * https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/namespace-v1/#NamespaceStatus
 */
function holdersOf({ metadata, ...namespace }: KubeObject): string {
  const status = isObject(namespace['status']) ? namespace['status'] : {}
  const conditions = Array.isArray(status['conditions']) ? status['conditions'].filter(isObject) : []
  const told = conditions.filter((one) => one['status'] === 'True').map((one) => String(one['message'] ?? one['type']))
  const own = metadata.finalizers ?? []
  const all = [...told, ...(own.length > 0 ? [`finalizers of its own: ${own.join(', ')}`] : [])]
  return all.length === 0 ? '' : `: ${all.join('; ')}`
}
