import { ClusterError } from '../../errors.ts'
import { describe, type KubeObject, refOf } from '../../manifest/object.ts'
import type { Clock, Cluster } from '../../ports.ts'
import { stillThere, untilGone } from '../until-gone.ts'

const PATIENCE_MS = 60_000

/** Deletes an object that stands in the way of another one of its name, and waits until it is gone. Throws ClusterError. */
export async function makeRoom(old: KubeObject, cluster: Cluster, clock: Clock): Promise<void> {
  const ref = refOf(old)
  await cluster.delete(ref, old.metadata.uid ?? '')
  const held = await untilGone(old, { cluster, clock, milliseconds: PATIENCE_MS })
  if (!held) return
  throw new ClusterError(`the old ${stillThere(held, PATIENCE_MS)}`, {
    status: 409,
    request: `delete ${describe(ref)}`,
  })
}
