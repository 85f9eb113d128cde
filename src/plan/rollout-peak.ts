/** How many old and new pods of a workload there are before, during and after its rollout. */
import type { Deployment } from '../manifest/kinds.ts'
import { groupKindOf, isObject, type KubeObject } from '../manifest/object.ts'
import { podTemplateOf } from '../manifest/pod-template.ts'
import { podBounds } from './pod-bounds.ts'
import { type PodResources, podResources } from './pod-resources.ts'

/** One workload of the release. */
export interface CapacityWorkload {
  /** As the API server says it will be: its answer to a dry run. */
  readonly expected: KubeObject
  /** As it is; absent when it is new. */
  readonly live?: KubeObject
  /** Its wave; workloads of one wave are rolled out at the same time. */
  readonly wave: number
}

/** The numbers that would stand in for the strategies of all Deployments. */
export interface Bound {
  readonly maxSurge: number
  readonly maxUnavailable: number
}

export interface Peak {
  readonly workload: CapacityWorkload
  /** Pods there are now. */
  readonly before: number
  /** New pods when all is done. */
  readonly after: number
  /** Old pods there may be while new ones come up: as many as are wanted in the end, if that is more. */
  readonly mostOld: number
  readonly mostTotal: number
  readonly oldPod: PodResources
  readonly newPod: PodResources
  /** The pod's spec, for what it may be scheduled on. */
  readonly podSpec: Readonly<Record<string, unknown>>
}

/** Undefined when it is not known how many pods the workload has, as for a DaemonSet that is new. */
export function peakOf(workload: CapacityWorkload, bound?: Bound): Peak | undefined {
  const { live } = workload
  const expected = bound ? withBound(workload.expected, bound) : workload.expected
  const bounds = podBounds(expected, live)
  const podSpec = podTemplateOf(expected)?.spec
  if (!bounds || !podSpec) return undefined
  const newPod = podResources(podSpec)
  const before = live ? podsOf(live) : 0
  const isDeployment = groupKindOf(expected) === 'Deployment.apps'
  return {
    workload,
    before,
    after: bounds.replicas,
    mostOld: isDeployment && before > 0 ? Math.max(before, bounds.replicas) : before,
    mostTotal: bounds.mostTotal,
    oldPod: live ? podResources(podTemplateOf(live)?.spec) : newPod,
    newPod,
    podSpec,
  }
}

/** Only Deployments have a surge that can be made smaller without losing anything but time. */
export function isSurging({ workload, mostTotal, after, before }: Peak): boolean {
  return isRollingDeployment(workload.expected) && mostTotal > Math.max(after, before)
}

function isRollingDeployment(object: KubeObject): boolean {
  return groupKindOf(object) === 'Deployment.apps' && (object as Deployment).spec?.strategy?.type !== 'Recreate'
}

function withBound(object: KubeObject, bound: Bound): KubeObject {
  if (!isRollingDeployment(object) || !isObject(object['spec'])) return object
  return { ...object, spec: { ...object['spec'], strategy: { type: 'RollingUpdate', rollingUpdate: bound } } }
}

function podsOf(live: KubeObject): number {
  const status = isObject(live['status']) ? live['status'] : {}
  const count = groupKindOf(live) === 'DaemonSet.apps' ? status['currentNumberScheduled'] : status['replicas']
  return typeof count === 'number' ? count : 0
}
