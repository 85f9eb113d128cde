import type { Cluster } from '../ports.ts'
import type { Lock } from './lock.ts'

/**
 * The cluster, with every write only while this run certainly holds the lock of the release. The lock cannot be checked by the
 * API server in the same step as the write, so it is checked as late as possible, and held with seconds to spare.
 */
export function guardedCluster(cluster: Cluster, lock: Lock): Cluster {
  const guarded =
    <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      await lock.ensureHeld()
      return write(...args)
    }
  const { apply } = cluster
  const guardedApply = guarded(apply)
  return {
    ...cluster,
    apply: (object, options = {}) => (options.dryRun ? apply(object, options) : guardedApply(object, options)),
    create: guarded(cluster.create),
    replace: guarded(cluster.replace),
    replaceManagedFields: guarded(cluster.replaceManagedFields),
    delete: guarded(cluster.delete),
  }
}
