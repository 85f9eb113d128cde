/** Deployments and ReplicaSets: `kubectl rollout status` (kubectl, pkg/polymorphichelpers/rollout_status.go) and a bit more. */
import type { Deployment, ReplicaSet } from '../manifest/kinds.ts'
import type { KubeObject } from '../manifest/object.ts'
import { conditionOf, saidBy, trueCondition } from './conditions.ts'
import { are, have } from './counting.ts'
import { type Expectation, isObserved, OBSERVING, type Status } from './state.ts'

const REVISION = 'deployment.kubernetes.io/revision'

export function deploymentStatus(deployment: Deployment, expectation: Expectation): Status {
  const { spec, status } = deployment
  // The API server defaults replicas to 1; a Deployment whose field lost its owner may lack it in a manifest.
  const wanted = spec?.replicas ?? 1
  const total = status?.replicas ?? 0
  const updated = status?.updatedReplicas ?? 0
  const available = status?.availableReplicas ?? 0
  const pods = { available, wanted }

  if (!isObserved(deployment, expectation)) return { state: 'progressing', message: OBSERVING, pods }
  const missing = unfinished()
  // Before the deadline: that condition can outlive the trouble, for instance on a Deployment that was scaled meanwhile.
  if (missing === undefined) {
    return { state: 'healthy', message: `${available} of ${wanted} ${are(wanted, 'replica')} available`, pods }
  }
  const message = missing + refusal(deployment)
  const condition = conditionOf(deployment, 'Progressing')
  if (
    condition?.reason === 'ProgressDeadlineExceeded' &&
    (condition.lastUpdateTime ?? '') !== expectation.staleDeadline
  ) {
    const deadline = `exceeded its progress deadline of ${spec?.progressDeadlineSeconds ?? 600} s`
    return { state: 'failed', reason: 'ProgressDeadlineExceeded', message: `${deadline}: ${message}`, pods }
  }
  if (spec?.paused !== true) return { state: 'progressing', message, pods }
  if (!isStuck()) return { state: 'progressing', message: `${message}; it is paused`, pods }
  return {
    state: 'failed',
    // There is no code for "will not progress" but the one for "did not progress".
    reason: 'ProgressDeadlineExceeded',
    message: `is paused, so it never finishes: ${message}; set spec.paused to false, or run kubectl rollout resume`,
    pods,
  }

  /** kubectl's three questions, in its order, and between them the pods that are too many after a scale-down. */
  function unfinished(): string | undefined {
    const old = total - updated
    if (updated < wanted) return `${updated} out of ${wanted} ${have(wanted, 'new replica')} been updated`
    if (old > 0) return `${old} old ${are(old, 'replica')} pending termination`
    if (updated > wanted) return `${updated - wanted} extra ${are(updated - wanted, 'replica')} pending termination`
    if (available < updated) return `${available} of ${updated} updated ${are(updated, 'replica')} available`
    return undefined
  }

  /**
   * The controller makes no ReplicaSet for a paused Deployment and moves no replicas to the newest one, it only scales
   * (pkg/controller/deployment/sync.go). So pods of an old template stay, and without any ReplicaSet there will be no pods.
   */
  function isStuck(): boolean {
    const isNew = deployment.metadata.annotations?.[REVISION] === undefined
    return updated < wanted && (total > updated || isNew)
  }
}

/** A ReplicaSet that is in the manifests itself. It scales and never replaces a pod, so only numbers are waited for. */
export function replicaSetStatus(set: ReplicaSet, expectation: Expectation): Status {
  const wanted = set.spec?.replicas ?? 1
  const total = set.status?.replicas ?? 0
  const available = set.status?.availableReplicas ?? 0
  const pods = { available, wanted }
  const progressing = (message: string): Status => ({ state: 'progressing', message, pods })

  if (!isObserved(set, expectation)) return progressing(OBSERVING)
  if (total > wanted)
    return progressing(`${total - wanted} extra ${are(total - wanted, 'replica')} pending termination`)
  const message = `${available} of ${wanted} ${are(wanted, 'replica')} available`
  return available < wanted ? progressing(message + refusal(set)) : { state: 'healthy', message, pods }
}

/** Why pods cannot be made: the ReplicaSet's own condition, which its Deployment repeats. */
function refusal(object: KubeObject): string {
  const condition = trueCondition(object, 'ReplicaFailure')
  return condition ? `; pods cannot be created: ${saidBy(condition)}` : ''
}
