/**
 * The order in which the objects of a release are applied. What others are checked against or need to start comes before
 * them; what sends traffic or requests to others comes after. Objects of one phase do not need each other.
 */
import { groupKindOf, type Manifest } from './object.ts'

const PHASES: readonly (readonly string[])[] = [
  // What other objects live in or are defined by.
  [
    'Namespace',
    'CustomResourceDefinition.apiextensions.k8s.io',
    'PriorityClass.scheduling.k8s.io',
    'RuntimeClass.node.k8s.io',
    'StorageClass.storage.k8s.io',
    'IngressClass.networking.k8s.io',
    'GatewayClass.gateway.networking.k8s.io',
  ],
  // What admission checks pods and the other objects against.
  ['ResourceQuota', 'LimitRange', 'NetworkPolicy.networking.k8s.io'],
  // Identities and roles, before the bindings that join them.
  ['ServiceAccount', 'ClusterRole.rbac.authorization.k8s.io', 'Role.rbac.authorization.k8s.io'],
  ['ClusterRoleBinding.rbac.authorization.k8s.io', 'RoleBinding.rbac.authorization.k8s.io'],
  // What pods mount and read.
  ['ConfigMap', 'Secret', 'PersistentVolume', 'PodTemplate'],
  ['PersistentVolumeClaim'],
  // A pod sees in its environment only the Services that were there before it. A budget guards the first replacement of a pod.
  ['Service', 'PodDisruptionBudget.policy'],
  // Custom resources and all kinds that are not named here.
  [],
  [
    'Pod',
    'ReplicationController',
    'Deployment.apps',
    'ReplicaSet.apps',
    'StatefulSet.apps',
    'DaemonSet.apps',
    'Job.batch',
    'CronJob.batch',
  ],
  [
    'HorizontalPodAutoscaler.autoscaling',
    'Ingress.networking.k8s.io',
    'Gateway.gateway.networking.k8s.io',
    'HTTPRoute.gateway.networking.k8s.io',
    'GRPCRoute.gateway.networking.k8s.io',
    'TLSRoute.gateway.networking.k8s.io',
    'TCPRoute.gateway.networking.k8s.io',
    'UDPRoute.gateway.networking.k8s.io',
  ],
  // These stand in the way of requests to the API server until the pods behind them answer.
  [
    'APIService.apiregistration.k8s.io',
    'ValidatingAdmissionPolicy.admissionregistration.k8s.io',
    'ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io',
    'MutatingAdmissionPolicy.admissionregistration.k8s.io',
    'MutatingAdmissionPolicyBinding.admissionregistration.k8s.io',
    'ValidatingWebhookConfiguration.admissionregistration.k8s.io',
    'MutatingWebhookConfiguration.admissionregistration.k8s.io',
  ],
]

const PHASE_OF: ReadonlyMap<string, number> = new Map(
  PHASES.flatMap((kinds, phase) => kinds.map((kind) => [kind, phase] as const)),
)
const PHASE_OF_OTHERS = PHASES.findIndex((kinds) => kinds.length === 0)

/** That of Pods, and of everything that makes some. */
export const FIRST_POD_PHASE = PHASES.findIndex((kinds) => kinds.includes('Pod'))

/** The phase, from 0, in which an object is applied. */
export function phaseOf(object: { readonly apiVersion: string; readonly kind: string }): number {
  return PHASE_OF.get(groupKindOf(object)) ?? PHASE_OF_OTHERS
}

/** The manifests by phase, and inside a phase in the order in which they were given. */
export function inOrder(manifests: readonly Manifest[]): Manifest[] {
  return manifests.toSorted((one, other) => phaseOf(one.object) - phaseOf(other.object))
}
