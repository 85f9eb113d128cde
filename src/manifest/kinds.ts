/**
 * The built-in kinds whose fields Rollsafe reads, typed as they are on the wire: client-node's generated types say `Date`
 * where JSON has an RFC 3339 string.
 */
import type {
  CoreV1Event,
  V1DaemonSet,
  V1Deployment,
  V1Job,
  V1Pod,
  V1PodTemplateSpec,
  V1ReplicaSet,
  V1StatefulSet,
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
export type Pod = Kind<V1Pod>
export type KubeEvent = Kind<CoreV1Event>
export type PodTemplate = Wire<V1PodTemplateSpec>
