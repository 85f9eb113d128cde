/**
 * The status of one object as a table: object in, status out. Nothing is fetched and no clock is read, so the same object
 * always has the same status. Every status carries a message that counts, in kubectl's words.
 */
import type { Deployment } from '../manifest/kinds.ts'
import { groupKindOf, groupOf, type KubeObject } from '../manifest/object.ts'
import { apiServiceStatus, crdStatus } from './api-extensions.ts'
import { barePodStatus } from './bare-pods.ts'
import { conditionOf } from './conditions.ts'
import { customResourceStatus } from './custom-resources.ts'
import { daemonSetStatus } from './daemon-sets.ts'
import { deploymentStatus, replicaSetStatus } from './deployments.ts'
import { gatewayStatus, routeStatus } from './gateways.ts'
import { cronJobStatus, jobStatus, statusWhenGone } from './jobs.ts'
import { ingressStatus, serviceStatus } from './networking.ts'
import { autoscalerStatus, budgetStatus, namespaceStatus } from './policies.ts'
import { statefulSetStatus } from './stateful-sets.ts'
import type { Expectation, Status } from './state.ts'
import { claimStatus } from './storage.ts'

/** Healthy as soon as it is applied, whatever its status says. Set by users on an object. */
const IGNORE_HEALTH_ANNOTATION = 'rollsafe.dev/ignore-health'

interface Rule {
  /**
   * Whether an object of the kind takes time to become what its spec says. To follow costs a list, a watch and the right to
   * both, so it is not done for kinds that never hold up a release; those are never `progressing` either.
   */
  readonly isFollowed: boolean
  readonly status: (object: KubeObject, expectation: Expectation) => Status
}

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['Deployment.apps', { isFollowed: true, status: deploymentStatus }],
  ['StatefulSet.apps', { isFollowed: true, status: statefulSetStatus }],
  ['DaemonSet.apps', { isFollowed: true, status: daemonSetStatus }],
  ['ReplicaSet.apps', { isFollowed: true, status: replicaSetStatus }],
  // The forerunner of ReplicaSets has the same fields.
  ['ReplicationController', { isFollowed: true, status: replicaSetStatus }],
  ['Pod', { isFollowed: true, status: barePodStatus }],
  ['Job.batch', { isFollowed: true, status: jobStatus }],
  // Its Jobs run some other day.
  ['CronJob.batch', { isFollowed: false, status: cronJobStatus }],
  // A Pending claim may be waiting for a pod that comes later, and a pod that cannot start for want of it says so.
  ['PersistentVolumeClaim', { isFollowed: false, status: claimStatus }],
  // Addresses come from outside, and in many clusters never.
  ['Service', { isFollowed: false, status: serviceStatus }],
  ['Ingress.networking.k8s.io', { isFollowed: false, status: ingressStatus }],
  // A route that its Gateway refuses serves nobody, however healthy the pods are.
  ['Gateway.gateway.networking.k8s.io', { isFollowed: true, status: gatewayStatus }],
  ['HTTPRoute.gateway.networking.k8s.io', { isFollowed: true, status: routeStatus }],
  ['GRPCRoute.gateway.networking.k8s.io', { isFollowed: true, status: routeStatus }],
  ['TLSRoute.gateway.networking.k8s.io', { isFollowed: true, status: routeStatus }],
  ['TCPRoute.gateway.networking.k8s.io', { isFollowed: true, status: routeStatus }],
  ['UDPRoute.gateway.networking.k8s.io', { isFollowed: true, status: routeStatus }],
  // Permission slips that no controller reports on.
  ['ReferenceGrant.gateway.networking.k8s.io', { isFollowed: false, status: applied }],
  ['CustomResourceDefinition.apiextensions.k8s.io', { isFollowed: true, status: crdStatus }],
  ['APIService.apiregistration.k8s.io', { isFollowed: true, status: apiServiceStatus }],
  // Active from its first moment.
  ['Namespace', { isFollowed: false, status: namespaceStatus }],
  // Both look at pods, and only say what they see.
  ['HorizontalPodAutoscaler.autoscaling', { isFollowed: false, status: autoscalerStatus }],
  ['PodDisruptionBudget.policy', { isFollowed: false, status: budgetStatus }],
])

/** All other kinds of Kubernetes' own groups (ConfigMap, Secret, RBAC, quotas, classes, webhooks …) have nothing to wait for. */
const OTHER_BUILT_IN: Rule = { isFollowed: false, status: applied }

/** Only its controller knows what a custom resource takes, so it is asked. */
const CUSTOM: Rule = { isFollowed: true, status: customResourceStatus }

/** Groups that the API server itself serves (`kubectl api-versions` of an empty cluster), alpha and beta ones too. */
const BUILT_IN_GROUPS: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'extensions',
  'flowcontrol.apiserver.k8s.io',
  'imagepolicy.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
])

function ruleOf(object: { readonly apiVersion: string; readonly kind: string }): Rule {
  return RULES.get(groupKindOf(object)) ?? (BUILT_IN_GROUPS.has(groupOf(object.apiVersion)) ? OTHER_BUILT_IN : CUSTOM)
}

/** Whether an object of this kind takes time to become what its spec says, in a way that is followed. */
export function isFollowed(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return ruleOf(object).isFollowed
}

export function statusOf(object: KubeObject, expectation: Expectation): Status {
  if (object.metadata.deletionTimestamp !== undefined) {
    const status = statusWhenGone(object)
    return status.state === 'failed' && status.reason === 'Deleted'
      ? { ...status, message: 'is being deleted by somebody else' }
      : status
  }
  if (object.metadata.annotations?.[IGNORE_HEALTH_ANNOTATION] === 'true') {
    return { state: 'healthy', message: `is applied; its health is ignored (${IGNORE_HEALTH_ANNOTATION})` }
  }
  return ruleOf(object).status(object, expectation)
}

function applied(): Status {
  return { state: 'healthy', message: 'is applied' }
}

/** The condition that would be stale after a write on top of this object, if it has one. */
export function deadlineConditionTime(object: KubeObject | undefined): string | undefined {
  if (!object || groupKindOf(object) !== 'Deployment.apps') return undefined
  const condition = conditionOf(object, 'Progressing')
  return condition?.reason === 'ProgressDeadlineExceeded' ? (condition.lastUpdateTime ?? '') : undefined
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
