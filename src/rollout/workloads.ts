/** `kubectl rollout status`, kind by kind (kubectl, pkg/polymorphichelpers/rollout_status.go). */
import type { DaemonSet, Deployment, Job, StatefulSet } from '../manifest/kinds.ts'
import type { Expectation, Status } from './state.ts'

const OBSERVING = 'waiting for the spec update to be observed'

interface Observable {
  readonly metadata: { readonly generation?: number }
  readonly status?: { readonly observedGeneration?: number }
}

/** A controller that has not seen our write yet still reports on the one before. */
function isObserved({ metadata, status }: Observable, { generation }: Expectation): boolean {
  return (status?.observedGeneration ?? 0) >= Math.max(generation, metadata.generation ?? 0)
}

export function deploymentStatus(deployment: Deployment, expectation: Expectation): Status {
  const { spec, status } = deployment
  // The API server defaults replicas to 1; objects in tests and old records may lack it.
  const wanted = spec?.replicas ?? 1
  const updated = status?.updatedReplicas ?? 0
  const available = status?.availableReplicas ?? 0
  const old = (status?.replicas ?? 0) - updated
  const pods = { available, wanted }
  const progressing = (message: string): Status => ({ state: 'progressing', message, pods })

  if (!isObserved(deployment, expectation)) return progressing(OBSERVING)
  const condition = status?.conditions?.find(({ type }) => type === 'Progressing')
  if (condition?.reason === 'ProgressDeadlineExceeded' && condition.lastUpdateTime !== expectation.staleDeadline) {
    const message = `exceeded its progress deadline of ${spec?.progressDeadlineSeconds ?? 600} s: ${unfinished() ?? 'not available'}`
    return { state: 'failed', reason: 'ProgressDeadlineExceeded', message, pods }
  }
  const waitingFor = unfinished()
  return waitingFor === undefined
    ? { state: 'healthy', message: `${available} of ${wanted} replicas are available`, pods }
    : progressing(waitingFor)

  /** kubectl's three questions, in its order. */
  function unfinished(): string | undefined {
    if (updated < wanted) return `${updated} out of ${wanted} new replicas have been updated`
    if (old > 0) return `${old} old ${old === 1 ? 'replica is' : 'replicas are'} pending termination`
    if (available < updated) return `${available} of ${updated} updated replicas are available`
    return undefined
  }
}

export function statefulSetStatus(set: StatefulSet, expectation: Expectation): Status {
  const { spec, status } = set
  const wanted = spec?.replicas ?? 1
  const ready = status?.readyReplicas ?? 0
  const updated = status?.updatedReplicas ?? 0
  const pods = { available: status?.availableReplicas ?? ready, wanted }
  const progressing = (message: string): Status => ({ state: 'progressing', message, pods })

  if (!isObserved(set, expectation)) return progressing(OBSERVING)
  if (ready < wanted) return progressing(`${ready} of ${wanted} pods are ready`)
  if (spec?.updateStrategy?.type === 'OnDelete') {
    return {
      state: 'healthy',
      message: `${ready} of ${wanted} pods are ready; updateStrategy OnDelete replaces none by itself`,
      pods,
    }
  }
  const partition = spec?.updateStrategy?.rollingUpdate?.partition ?? 0
  const toUpdate = Math.max(0, wanted - partition)
  if (updated < toUpdate) return progressing(`${updated} out of ${toUpdate} new pods have been updated`)
  // The controller makes the two revisions equal as the last step of an update (stateful_set_control.go).
  if (partition === 0 && status?.updateRevision !== status?.currentRevision) {
    return progressing(`${updated} of ${wanted} pods are at revision ${status?.updateRevision}`)
  }
  if (pods.available < wanted) return progressing(`${pods.available} of ${wanted} updated pods are available`)
  return { state: 'healthy', message: `${pods.available} of ${wanted} pods are available`, pods }
}

export function daemonSetStatus(set: DaemonSet, expectation: Expectation): Status {
  const { spec, status } = set
  const wanted = status?.desiredNumberScheduled ?? 0
  const updated = status?.updatedNumberScheduled ?? 0
  const available = status?.numberAvailable ?? 0
  const pods = { available, wanted }
  const progressing = (message: string): Status => ({ state: 'progressing', message, pods })

  if (!isObserved(set, expectation)) return progressing(OBSERVING)
  if (spec?.updateStrategy?.type !== 'OnDelete' && updated < wanted) {
    return progressing(`${updated} out of ${wanted} new pods have been updated`)
  }
  if (available < wanted) return progressing(`${available} of ${wanted} updated pods are available`)
  return { state: 'healthy', message: `${available} of ${wanted} pods are available`, pods }
}

/** A Job is done when it is Complete, not when it has started (https://kubernetes.io/docs/concepts/workloads/controllers/job/). */
export function jobStatus(job: Job): Status {
  const { spec, status } = job
  const isTrue = (wanted: string) =>
    status?.conditions?.find(({ type, status: value }) => type === wanted && value === 'True')
  const wanted = spec?.completions ?? 1
  const succeeded = status?.succeeded ?? 0
  const failed = isTrue('Failed')
  if (failed) {
    return {
      state: 'failed',
      reason: 'JobFailed',
      message: `failed: ${failed.message ?? failed.reason ?? 'no reason given'}`,
    }
  }
  if (isTrue('Complete')) return { state: 'healthy', message: `is complete, ${succeeded} of ${wanted} succeeded` }
  if (spec?.suspend === true) return { state: 'healthy', message: 'is suspended' }
  return { state: 'progressing', message: `${succeeded} of ${wanted} completions, ${status?.failed ?? 0} failed pods` }
}
