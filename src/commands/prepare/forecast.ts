import { ClusterError } from '../../errors.ts'
import { describe, groupKindOf, isObject, keyOf, type KubeObject, refOf } from '../../manifest/object.ts'
import { CONTAINER_FIELDS, objectsIn, podTemplateOf } from '../../manifest/pod-template.ts'
import { capacityOf } from '../../plan/capacity.ts'
import type { Change } from '../../plan/change.ts'
import { describeBounds, type PodBounds, podBounds } from '../../plan/pod-bounds.ts'
import { waveOf } from '../../plan/stages.ts'
import type { Cluster, Query } from '../../ports.ts'
import { keepPod } from '../../rollout/pod-queries.ts'
import type { Run } from '../run.ts'

/** What a rollout will take, as far as it can be known before. */
export interface Forecast {
  /** By key (keyOf), of the workloads whose pods are replaced or made. */
  readonly bounds: ReadonlyMap<string, PodBounds>
  readonly warnings: readonly string[]
  /** As they were before the release; empty when they may not be read, or nobody needs them. */
  readonly nodes: readonly KubeObject[]
}

/** In a larger cluster, reading all pods to know what is free on the nodes would cost more than the answer is worth. */
const ALL_PODS: Query = { apiVersion: 'v1', kind: 'Pod', keep: keepRequests, most: 250 }

/** Tells the pod bounds of every rollout to come, and whether its peak fits into quotas and nodes. Never fails. */
export async function forecast(changes: readonly Change[], { cluster, runner }: Run): Promise<Forecast> {
  const workloads = changes.flatMap((change) => {
    if (change.type === 'unchanged' || change.type === 'run') return []
    const live = change.type === 'create' ? undefined : change.live
    const expected = change.expected ?? change.manifest.object
    const bounds = change.type === 'recreate' ? boundsAnew(expected) : podBounds(expected, live)
    return bounds ? [{ expected, bounds, wave: waveOf(change.manifest.object), ...(live && { live }) }] : []
  })
  for (const { expected, bounds } of workloads) runner.info(`${describe(refOf(expected))}: ${describeBounds(bounds)}`)
  const namespaces = [...new Set(workloads.flatMap(({ expected }) => expected.metadata.namespace ?? []))]
  const quotas = await Promise.all(
    namespaces.map((namespace) => readIfAllowed(cluster, { apiVersion: 'v1', kind: 'ResourceQuota', namespace })),
  )
  // Pods that ask for nothing fit on every node.
  const areSized = workloads.some(({ expected }) => asksForResources(expected))
  const pods = areSized ? await readIfAllowed(cluster, ALL_PODS) : undefined
  const isNeeded = pods !== undefined || workloads.some(({ expected }) => groupKindOf(expected) === 'DaemonSet.apps')
  const nodes = isNeeded ? await readIfAllowed(cluster, { apiVersion: 'v1', kind: 'Node' }) : undefined
  const onNodes = pods && nodes && { pods, nodes }
  const capacity = capacityOf({ workloads, quotas: quotas.flatMap((list) => list ?? []), ...(onNodes && { onNodes }) })
  if (!capacity.fits) runner.info(`warning: ${capacity.warning}`)
  return {
    bounds: new Map(workloads.map(({ expected, bounds }) => [keyOf(refOf(expected)), bounds])),
    warnings: capacity.fits ? [] : [capacity.warning],
    nodes: nodes ?? [],
  }
}

/** None of the old pods is kept. */
function boundsAnew(expected: KubeObject): PodBounds | undefined {
  const bounds = podBounds(expected)
  return bounds && { ...bounds, note: 'it is deleted and made anew' }
}

function asksForResources(workload: KubeObject): boolean {
  const spec = podTemplateOf(workload)?.spec ?? {}
  const containers = CONTAINER_FIELDS.flatMap((field) => objectsIn(spec[field]))
  return [spec, ...containers.map(({ item }) => item)].some(
    ({ resources }) => isObject(resources) && Object.keys(resources).length > 0,
  )
}

/** What an answer leaves out is left out of the forecast, which is for people alone. */
async function readIfAllowed(cluster: Cluster, query: Query): Promise<readonly KubeObject[] | undefined> {
  try {
    const { objects, isCut } = await cluster.list(query)
    return isCut ? undefined : objects
  } catch (error) {
    if (error instanceof ClusterError) return undefined
    throw error
  }
}

/** Of a pod of anybody: where it is and what it asks for. */
function keepRequests(pod: KubeObject): KubeObject {
  return { ...keepPod(pod), spec: pod['spec'] }
}
