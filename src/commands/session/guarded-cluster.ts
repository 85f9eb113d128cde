import type { Cluster } from '../../ports.ts'
import { type Lock, LockDoubtError } from './lock.ts'

/**
 * The cluster, with every write only while this run certainly holds the lock of the release. The lock cannot be checked by the
 * API server in the same step as the write, so it is checked as late as possible, and held with seconds to spare.
 */
export function guardedCluster(cluster: Cluster, lock: Lock): Cluster {
  /** For writes that may be sent twice: after an outage, once the lock is known to be ours still, they go on. */
  async function repeatedly<Result>(write: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await lock.whileHeld(write)
      } catch (error) {
        // Waits as long as there is no answer, and throws what ends that.
        if (!(error instanceof LockDoubtError)) throw error
      }
    }
  }
  const both = (doubt: AbortSignal, signal: AbortSignal | undefined) =>
    signal ? AbortSignal.any([doubt, signal]) : doubt
  return {
    ...cluster,
    apply: (object, options = {}) =>
      options.dryRun
        ? cluster.apply(object, options)
        : repeatedly((doubt) => cluster.apply(object, { ...options, signal: both(doubt, options.signal) })),
    delete: (ref, only, signal) => repeatedly((doubt) => cluster.delete(ref, only, both(doubt, signal))),
    create: (object, signal) => lock.whileHeld((doubt) => cluster.create(object, both(doubt, signal))),
    replace: (object, signal) => lock.whileHeld((doubt) => cluster.replace(object, both(doubt, signal))),
    replaceManagedFields: (live, managedFields, signal) =>
      lock.whileHeld((doubt) => cluster.replaceManagedFields(live, managedFields, both(doubt, signal))),
  }
}
