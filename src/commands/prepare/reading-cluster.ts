import type { Cluster } from '../../ports.ts'

/** The cluster, for who only reads and asks by dry-run. A write is a defect, and is stopped here. */
export function readingCluster(cluster: Cluster): Cluster {
  const refuse = (): never => {
    throw new Error('a plan writes nothing')
  }
  return {
    ...cluster,
    apply: (object, options = {}) => (options.dryRun ? cluster.apply(object, options) : refuse()),
    create: refuse,
    replace: refuse,
    replaceManagedFields: refuse,
    delete: refuse,
  }
}
