import { ClusterError } from '../errors.ts'
import { describe, refOf } from '../manifest/object.ts'
import { providedTypes } from '../plan/provided.ts'
import type { Cluster, Clock } from '../ports.ts'
import type { Written } from './apply.ts'

/** The server needs a moment between accepting a CustomResourceDefinition and serving it. */
const PATIENCE_MS = 30_000
const PAUSE_MS = 200

/** Waits until the kinds that were just defined can be used. Discovery has no watch, so this one asks again. */
export async function waitUntilServed(written: readonly Written[], cluster: Cluster, clock: Clock): Promise<void> {
  const started = clock.now()
  for (const { change } of written) {
    for (const type of providedTypes([change.manifest])) {
      if (await cluster.resourceType(type.apiVersion, type.kind)) continue
      while (!(await cluster.resourceType(type.apiVersion, type.kind, { fresh: true }))) {
        if (clock.now() - started > PATIENCE_MS) {
          throw new ClusterError(
            `${describe(refOf(change.manifest.object))} is not served after ${PATIENCE_MS / 1000} s`,
            {
              status: 404,
              reason: 'UnknownKind',
              request: `discover ${type.apiVersion}`,
            },
          )
        }
        await clock.sleep(PAUSE_MS)
      }
    }
  }
}
