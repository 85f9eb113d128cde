import { ClusterError } from '../../errors.ts'
import type { Manifest } from '../../manifest/object.ts'
import { providedTypes } from '../../plan/provided.ts'
import type { Cluster, Clock } from '../../ports.ts'

/** The server needs a moment between accepting a CustomResourceDefinition and serving it. */
const PATIENCE_MS = 30_000
const PAUSE_MS = 200

/** Waits until the kinds that were just defined can be used. Discovery has no watch, so this one asks again. */
export async function waitUntilServed(defined: readonly Manifest[], cluster: Cluster, clock: Clock): Promise<void> {
  const started = clock.now()
  for (const { apiVersion, kind } of providedTypes(defined)) {
    let fresh = false
    while (!(await cluster.resourceType(apiVersion, kind, { fresh }))) {
      if (clock.now() - started > PATIENCE_MS) {
        throw new ClusterError(`${kind} in ${apiVersion} is not served ${PATIENCE_MS / 1000} s after it was defined`, {
          status: 404,
          reason: 'UnknownKind',
          request: `discover ${apiVersion}`,
        })
      }
      if (fresh) await clock.sleep(PAUSE_MS)
      fresh = true
    }
  }
}
