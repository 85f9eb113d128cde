/**
 * The status of one object as a table: object in, status out. Nothing is fetched and no clock is read, so the same object
 * always has the same status. Every status carries a message that counts, in kubectl's words.
 */
import type { Deployment } from '../manifest/kinds.ts'
import { groupKindOf, type KubeObject } from '../manifest/object.ts'
import type { Expectation, Status } from './state.ts'
import { daemonSetStatus, deploymentStatus, jobStatus, statefulSetStatus } from './workloads.ts'

/** Whether an object of this kind takes time to become what its spec says, in a way that is followed. */
export function isFollowed(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return ['Deployment.apps', 'StatefulSet.apps', 'DaemonSet.apps', 'Job.batch'].includes(groupKindOf(object))
}

export function statusOf(object: KubeObject, expectation: Expectation): Status {
  switch (groupKindOf(object)) {
    case 'Deployment.apps':
      return deploymentStatus(object, expectation)
    case 'StatefulSet.apps':
      return statefulSetStatus(object, expectation)
    case 'DaemonSet.apps':
      return daemonSetStatus(object, expectation)
    case 'Job.batch':
      return jobStatus(object)
    default:
      return { state: 'healthy', message: 'is applied' }
  }
}

/** The condition that would be stale after a write on top of this object, if it has one. */
export function deadlineConditionTime(object: KubeObject | undefined): string | undefined {
  if (!object || groupKindOf(object) !== 'Deployment.apps') return undefined
  const { status } = object as Deployment
  const condition = status?.conditions?.find(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  )
  return condition && (condition.lastUpdateTime ?? '')
}

const DEFAULT_PROGRESS_DEADLINE_SECONDS = 600
/** "No deadline" (pkg/controller/deployment/util/deployment_util.go, HasProgressDeadline). */
const NO_DEADLINE = 2 ** 31 - 1

/** How long a workload may go without progress, in seconds; undefined when for ever, as for kinds without a deadline. */
export function progressDeadlineSeconds(object: KubeObject): number | undefined {
  if (groupKindOf(object) !== 'Deployment.apps') return undefined
  const seconds = (object as Deployment).spec?.progressDeadlineSeconds ?? DEFAULT_PROGRESS_DEADLINE_SECONDS
  return seconds === NO_DEADLINE ? undefined : seconds
}

/**
 * A value that changes whenever the rollout gets ahead, by the Deployment controller's own measure
 * (progress.go, DeploymentProgressing): more updated or available pods, fewer old ones, or a spec newly observed.
 */
export function progressMark(object: KubeObject): string {
  const { status } = object as Deployment
  return JSON.stringify([
    object.metadata.uid,
    object.metadata.generation,
    status?.observedGeneration,
    status?.updatedReplicas,
    (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0),
    status?.readyReplicas,
    status?.availableReplicas,
  ])
}
