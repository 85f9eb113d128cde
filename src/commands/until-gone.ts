import { describe, type KubeObject, refOf } from '../manifest/object.ts'
import type { Clock, Cluster } from '../ports.ts'

const PAUSE_MS = 200

export interface Patience {
  readonly cluster: Pick<Cluster, 'get'>
  readonly clock: Clock
  /** How long to wait. */
  readonly milliseconds: number
  /** Ends the waiting with its reason. */
  readonly signal?: AbortSignal
}

/**
 * Waits until an object that is being deleted is gone, or another one has its name. Undefined then; else, when the time is up, the
 * object as it still is. Throws ClusterError.
 */
export async function untilGone(
  object: KubeObject,
  { cluster, clock, milliseconds, signal }: Patience,
): Promise<KubeObject | undefined> {
  const deadline = clock.now() + milliseconds
  for (;;) {
    signal?.throwIfAborted()
    const live = await cluster.get(refOf(object))
    if (!live || live.metadata.uid !== object.metadata.uid) return undefined
    if (clock.now() > deadline) return live
    await clock.sleep(PAUSE_MS, signal)
  }
}

/** That the object is still there after so long, with what must let go of it first; a sentence without a full stop. */
export function stillThere(live: KubeObject, milliseconds: number): string {
  const held = live.metadata.finalizers?.join(', ') ?? 'none'
  return `${describe(refOf(live))} is still being deleted after ${milliseconds / 1000} s (finalizers: ${held})`
}
