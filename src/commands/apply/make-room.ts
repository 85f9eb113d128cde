import { ClusterError } from '../../errors.ts'
import { describe, type KubeObject, refOf } from '../../manifest/object.ts'
import type { Clock, Cluster } from '../../ports.ts'

const PATIENCE_MS = 60_000
const PAUSE_MS = 200

/** Deletes an object that stands in the way of another one of its name, and waits until it is gone. Throws ClusterError. */
export async function makeRoom(old: KubeObject, cluster: Cluster, clock: Clock): Promise<void> {
  const started = clock.now()
  const ref = refOf(old)
  await cluster.delete(ref, old.metadata.uid ?? '')
  for (;;) {
    const current = await cluster.get(ref)
    if (current?.metadata.uid !== old.metadata.uid) return
    if (clock.now() - started > PATIENCE_MS) {
      const held = current?.metadata.finalizers?.join(', ') ?? 'none'
      throw new ClusterError(
        `the old ${describe(ref)} is still being deleted after ${PATIENCE_MS / 1000} s (finalizers: ${held})`,
        { status: 409, request: `delete ${describe(ref)}` },
      )
    }
    await clock.sleep(PAUSE_MS)
  }
}
