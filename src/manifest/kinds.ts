/**
 * The built-in kinds whose fields Rollsafe reads, typed as they are on the wire: client-node's generated types say `Date`
 * where JSON has an RFC 3339 string.
 */
import type {
  CoreV1Event,
  V1APIService,
  V1CronJob,
  V1CustomResourceDefinition,
  V1DaemonSet,
  V1Deployment,
  V1Ingress,
  V1Job,
  V1Namespace,
  V1Node,
  V1NodeSelectorTerm,
  V1PersistentVolumeClaim,
  V1Pod,
  V1PodDisruptionBudget,
  V1PodTemplateSpec,
  V1ReplicaSet,
  V1Service,
  V1StatefulSet,
  V1Taint,
  V1Toleration,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node'
import type { ObjectMeta } from './object.ts'

type Wire<T> = T extends Date ? string : T extends object ? { [Field in keyof T]: Wire<T[Field]> } : T
type Kind<T> = Omit<Wire<T>, 'apiVersion' | 'kind' | 'metadata'> & {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

export type Deployment = Kind<V1Deployment>
export type StatefulSet = Kind<V1StatefulSet>
export type DaemonSet = Kind<V1DaemonSet>
export type ReplicaSet = Kind<V1ReplicaSet>
export type Job = Kind<V1Job>
export type CronJob = Kind<Partial<V1CronJob>>
export type PersistentVolumeClaim = Kind<V1PersistentVolumeClaim>
export type Service = Kind<V1Service>
export type Ingress = Kind<V1Ingress>
export type Namespace = Kind<V1Namespace>
export type HorizontalPodAutoscaler = Kind<Partial<V2HorizontalPodAutoscaler>>
export type PodDisruptionBudget = Kind<V1PodDisruptionBudget>
export type CustomResourceDefinition = Kind<Partial<V1CustomResourceDefinition>>
export type APIService = Kind<V1APIService>
export type Node = Kind<V1Node>
export type Pod = Kind<V1Pod>
export type KubeEvent = Kind<CoreV1Event>
export type PodTemplate = Wire<V1PodTemplateSpec>
export type NodeSelectorTerm = Wire<V1NodeSelectorTerm>
export type Taint = Wire<V1Taint>
export type Toleration = Wire<V1Toleration>
