import { ClusterError } from '../../errors.ts'
import type { KubeObject } from '../../manifest/object.ts'
import { isAutoscalers, withoutReplicas } from '../../plan/autoscaling.ts'
import { mayTake, readConflicts } from '../../plan/ownership.ts'
import type { ApplyOptions, Cluster } from '../../ports.ts'

export interface TakeOptions extends Omit<ApplyOptions, 'force'> {
  /** Take every field that another manager owns, not only what was set by hand with kubectl. */
  readonly forceConflicts: boolean
}

/** Applies an object, and takes over the fields that may be taken; any other conflict is thrown as the server told it. */
export async function applyTaking(
  cluster: Cluster,
  object: KubeObject,
  live: KubeObject | undefined,
  { forceConflicts, ...options }: TakeOptions,
): Promise<KubeObject> {
  try {
    return await cluster.apply(object, options)
  } catch (error) {
    if (!(error instanceof ClusterError) || error.status !== 409) throw error
    const conflicts = readConflicts(error.causes)
    // Since the object was read, an autoscaler has changed the replicas: they are its own now, even with force-conflicts.
    if (conflicts.some(isAutoscalers))
      return applyTaking(cluster, withoutReplicas(object), live, { forceConflicts, ...options })
    if (conflicts.length === 0 || !(forceConflicts || conflicts.every((conflict) => mayTake(conflict, live))))
      throw error
    return cluster.apply(object, { ...options, force: true })
  }
}
