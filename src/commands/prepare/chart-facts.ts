import { ClusterError, RejectedError } from '../../errors.ts'
import { problemFrom } from '../../plan/rejections.ts'
import type { ReleaseIdentity } from '../../plan/desired.ts'
import type { ChartFacts } from '../../ports.ts'
import { lastGood } from '../../release/history.ts'
import type { Run } from '../run.ts'
import { openRecords } from '../session/records.ts'

/**
 * What a chart is rendered for. It is read before the run holds the lock, as there is nothing to compare or lock without objects: of
 * two first runs at once, both install. Throws RejectedError.
 */
export async function readChartFacts({ cluster, signals }: Run, identity: ReleaseIdentity): Promise<ChartFacts> {
  try {
    const [kubernetes, heads] = await Promise.all([
      cluster.capabilities(signals.cancelled),
      openRecords(cluster, identity).list(),
    ])
    return { ...identity, isUpgrade: lastGood(heads) !== undefined, kubernetes }
  } catch (error) {
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the cluster')])
    throw error
  }
}
