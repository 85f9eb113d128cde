import { isObject, type KubeObject, refOf } from '../../manifest/object.ts'
import type { Run } from '../run.ts'

const PATIENCE_MS = 120_000
const PAUSE_MS = 500

/** Waits two minutes at most. Undefined when just this namespace is gone, else a sentence that tells what holds it. */
export async function waitUntilNamespaceIsGone(
  namespace: KubeObject,
  { cluster, clock, signals }: Pick<Run, 'cluster' | 'clock' | 'signals'>,
): Promise<string | undefined> {
  const deadline = clock.now() + PATIENCE_MS
  for (;;) {
    signals.cancelled.throwIfAborted()
    const live = await cluster.get(refOf(namespace))
    if (!live || live.metadata.uid !== namespace.metadata.uid) return undefined
    if (clock.now() > deadline)
      return `Namespace ${live.metadata.name} is still being deleted after ${PATIENCE_MS / 1000} s${holdersOf(live)}`
    await clock.sleep(PAUSE_MS, signals.cancelled)
  }
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
