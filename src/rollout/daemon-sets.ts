/** DaemonSets: `kubectl rollout status`, OnDelete, and nodes on which no pod can start. */
import type { DaemonSet } from '../manifest/kinds.ts'
import { are, have } from './counting.ts'
import { type Expectation, isObserved, OBSERVING, type Status } from './state.ts'

/**
 * The status leaves out every node on which the pods would not be scheduled: excluded by nodeSelector or affinity, or with a
 * taint that they do not tolerate, as nodes that are not ready have. It counts cordoned nodes, on which these pods run all the
 * same. Pods that tolerate everything are counted on nodes that are not ready as well, where none can start: those are not
 * waited for when the expectation names them.
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
  const progressing = (message: string): Status => ({
    state: 'progressing',
    message: message + without + misplaced(set),
    pods,
  })

  if (!isObserved(set, expectation)) return { state: 'progressing', message: OBSERVING, pods }
  if (!isOnDelete && updated < waitedFor) {
    return progressing(`${updated} out of ${waitedFor} ${have(waitedFor, 'new pod')} been updated`)
  }
  if (available < waitedFor) {
    return progressing(`${available} of ${waitedFor} updated ${are(waitedFor, 'pod')} available`)
  }
  const old = isOnDelete ? wanted - updated : 0
  const keep = old === 1 ? 'keeps' : 'keep'
  const kept = old > 0 ? `; ${old} ${keep} the old revision until deleted (updateStrategy OnDelete)` : ''
  const message = `${available} of ${wanted} ${are(wanted, 'pod')} available${kept}${without}`
  return { state: 'healthy', message, pods }
}

/**
 * Pods on nodes that are not counted. On a node that is not ready such a pod cannot end, and uses up maxUnavailable until the
 * node is back or gone, so it may be what the rollout waits for.
 */
function misplaced({ status }: DaemonSet): string {
  const count = status?.numberMisscheduled ?? 0
  if (count === 0) return ''
  return count === 1
    ? '; 1 pod sits on a node that is not ready or no longer takes it'
    : `; ${count} pods sit on nodes that are not ready or no longer take them`
}

/**
 * More available pods than ready nodes means that a node is back, and without a single ready node nothing is proved: in both
 * cases all are waited for, since slow is better than wrong.
 */
function absentNodes({ notReadyNodes = [] }: Expectation, wanted: number, available: number): readonly string[] {
  const ready = wanted - notReadyNodes.length
  return ready <= 0 || available > ready ? [] : notReadyNodes
}
