import { isObject, type KubeObject, refOf } from '../../manifest/object.ts'
import type { Cluster, Clock } from '../../ports.ts'

const PATIENCE_MS = 10_000
const PAUSE_MS = 100

/**
 * Waits until quotas that were just made have been counted: until then the server refuses what they limit ("status unknown for
 * quota"), such as a claim. After ten seconds it goes on all the same, as what is refused then says so.
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export async function waitUntilCounted(made: readonly KubeObject[], cluster: Cluster, clock: Clock): Promise<void> {
  const deadline = clock.now() + PATIENCE_MS
  for (const quota of made.filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ResourceQuota')) {
    let live: KubeObject | undefined = quota
    while (live && !isCounted(live) && clock.now() < deadline) {
      await clock.sleep(PAUSE_MS)
      live = await cluster.get(refOf(quota))
    }
  }
}

function isCounted(quota: KubeObject): boolean {
  const { spec, status } = quota
  const wanted = isObject(spec) && isObject(spec['hard']) ? Object.keys(spec['hard']) : []
  const used = isObject(status) && isObject(status['used']) ? status['used'] : {}
  return wanted.every((resource) => resource in used)
}
