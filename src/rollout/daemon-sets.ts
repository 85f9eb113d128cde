/** DaemonSets: `kubectl rollout status`, OnDelete, and nodes on which no pod can start. */
import type { DaemonSet } from '../manifest/kinds.ts'
import { are, have } from './counting.ts'
import { type Expectation, isObserved, OBSERVING, type Status } from './state.ts'

/**
 * The status leaves out nodes whose taints the pods do not tolerate and nodes that nodeSelector or affinity exclude. It
 * counts cordoned nodes, on which these pods run all the same, and nodes that are not ready, on which none will start: those
 * are not waited for when the expectation names them.
 * https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
 */
export function daemonSetStatus(set: DaemonSet, expectation: Expectation): Status {
  const { spec, status } = set
  const wanted = status?.desiredNumberScheduled ?? 0
  const updated = status?.updatedNumberScheduled ?? 0
  const available = status?.numberAvailable ?? 0
  const absent = absentNodes(expectation, wanted, available)
  const waitedFor = Math.max(0, wanted - absent.length)
  const isOnDelete = spec?.updateStrategy?.type === 'OnDelete'
  const pods = { available, wanted }
  const without = absent.length === 0 ? '' : `; not waiting for ${absent.join(', ')}: not ready`
  const progressing = (message: string): Status => ({ state: 'progressing', message: message + without, pods })

  if (!isObserved(set, expectation)) return { state: 'progressing', message: OBSERVING, pods }
  if (!isOnDelete && updated < waitedFor) {
    return progressing(`${updated} out of ${waitedFor} ${have(waitedFor, 'new pod')} been updated`)
  }
  if (available < waitedFor) {
    return progressing(`${available} of ${waitedFor} updated ${are(waitedFor, 'pod')} available`)
  }
  const old = isOnDelete ? wanted - updated : 0
  const kept =
    old > 0 ? `; ${old} ${old === 1 ? 'keeps' : 'keep'} the old revision until deleted (updateStrategy OnDelete)` : ''
  const message = `${available} of ${wanted} ${are(wanted, 'pod')} available${kept}${without}`
  return { state: 'healthy', message, pods }
}

/** More available pods than ready nodes means that a node is back. Then all are waited for again: better slow than wrong. */
function absentNodes({ notReadyNodes = [] }: Expectation, wanted: number, available: number): readonly string[] {
  return available > wanted - notReadyNodes.length ? [] : notReadyNodes
}
