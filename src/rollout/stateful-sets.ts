/** StatefulSets: `kubectl rollout status`, and what it leaves out (minReadySeconds, extra pods, OnDelete). */
import type { StatefulSet } from '../manifest/kinds.ts'
import { are, have } from './counting.ts'
import { type Expectation, isObserved, OBSERVING, type Status } from './state.ts'

/**
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies. The rules are the same for
 * OrderedReady and Parallel: they differ in the order in which pods get there, not in where they get.
 */
export function statefulSetStatus(set: StatefulSet, expectation: Expectation): Status {
  const { spec, status } = set
  const wanted = spec?.replicas ?? 1
  const total = status?.replicas ?? 0
  const ready = status?.readyReplicas ?? 0
  const updated = status?.updatedReplicas ?? 0
  const pods = { available: status?.availableReplicas ?? ready, wanted }
  const progressing = (message: string): Status => ({ state: 'progressing', message, pods })

  if (!isObserved(set, expectation)) return progressing(OBSERVING)
  if (ready < wanted) return progressing(`${ready} of ${wanted} ${are(wanted, 'pod')} ready`)
  if (total > wanted) return progressing(`${total - wanted} extra ${are(total - wanted, 'pod')} pending termination`)

  const isOnDelete = spec?.updateStrategy?.type === 'OnDelete'
  const partition = isOnDelete ? wanted : (spec?.updateStrategy?.rollingUpdate?.partition ?? 0)
  const toUpdate = Math.max(0, wanted - partition)
  if (updated < toUpdate) return progressing(`${updated} out of ${toUpdate} ${have(toUpdate, 'new pod')} been updated`)
  // The controller makes the two revisions equal as the last step of an update (completeUpdate in stateful_set_utils.go).
  if (partition === 0 && status?.updateRevision !== status?.currentRevision) {
    return progressing(`${updated} of ${wanted} ${are(wanted, 'pod')} at revision ${status?.updateRevision ?? ''}`)
  }
  if (pods.available < wanted) {
    const patience = spec?.minReadySeconds ?? 0
    const message = `${pods.available} of ${wanted} updated ${are(wanted, 'pod')} available`
    return progressing(patience > 0 ? `${message}; minReadySeconds is ${patience}` : message)
  }
  const old = wanted - updated
  const why = isOnDelete ? 'until deleted (updateStrategy OnDelete)' : `(partition ${partition})`
  const kept = old > 0 ? `; ${old} of them ${old === 1 ? 'keeps' : 'keep'} the old revision ${why}` : ''
  return { state: 'healthy', message: `${pods.available} of ${wanted} ${are(wanted, 'pod')} available${kept}`, pods }
}
