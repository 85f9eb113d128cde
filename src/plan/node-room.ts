/**
 * Whether the pods of a rollout find room on the nodes. Resources, node selectors and taints are looked at; affinities,
 * topology spread, volumes and host ports are not, so that what fits here may still find no node, but not the other way.
 */
import type { Deployment, Pod } from '../manifest/kinds.ts'
import { groupKindOf, isObject, type KubeObject } from '../manifest/object.ts'
import { objectsIn } from '../manifest/pod-template.ts'
import { podResources, readAmounts } from './pod-resources.ts'
import type { CapacityWorkload, Peak } from './rollout-peak.ts'

/** Pods of one workload for which there is no room. */
export interface NodeShortage {
  readonly peak: Peak
  /** Pods that need room at the same time. */
  readonly needed: number
  /** How many of them find it. */
  readonly free: number
  /** False when it is not the pods beyond the replicas that do not fit: less surge does not help. */
  readonly isSurge: boolean
}

interface Node {
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Readonly<Record<string, unknown>>[]
  /** Allocatable minus what the pods on it ask for, in thousandths; `pods` is one of them. */
  readonly free: ReadonlyMap<string, bigint>
}

/** What is free on the nodes that are Ready and not cordoned. */
export interface NodeRoom {
  readonly now: readonly Node[]
  /** With the old pods of the release gone. */
  readonly afterwards: readonly Node[]
}

/** `pods` are those of all namespaces. */
export function readNodeRoom(
  nodes: readonly KubeObject[],
  pods: readonly KubeObject[],
  workloads: readonly CapacityWorkload[],
): NodeRoom {
  const isOld = oldPodsOf(workloads.filter(isPlaced))
  const others = pods.filter((pod) => !isOld(pod))
  return { now: readNodes(nodes, pods), afterwards: readNodes(nodes, others) }
}

/** DaemonSets choose nodes of their own. */
function isPlaced({ expected }: CapacityWorkload): boolean {
  return groupKindOf(expected) !== 'DaemonSet.apps'
}

/**
 * The first shortage; undefined when all finds room. Twice it is tried: the pods that come beside the old ones, wave by
 * wave; and all new pods, with the old ones gone.
 */
export function nodeShortage(room: NodeRoom, peaks: readonly Peak[]): NodeShortage | undefined {
  const placed = peaks.filter(({ workload }) => isPlaced(workload)).toSorted(inOrder)
  for (const wave of new Set(placed.map(({ workload }) => workload.wave))) {
    const shortage = firstUnplaced(room.now, placed, (peak) => {
      const { before, after, mostTotal, workload } = peak
      if (workload.wave > wave) return 0
      return (workload.wave === wave ? mostTotal : after) - before
    })
    if (shortage) {
      const { before, after } = shortage.peak
      return { ...shortage, isSurge: shortage.free >= after - before }
    }
  }
  const shortage = firstUnplaced(room.afterwards, placed, ({ after }) => after)
  return shortage && { ...shortage, isSurge: false }
}

/** Earlier waves first, as they come first; in a wave the largest, so that no room seems to be lacking only by the order. */
function inOrder(a: Peak, b: Peak): number {
  const difference = (resource: string) =>
    Number((b.newPod.requests.get(resource) ?? 0n) - (a.newPod.requests.get(resource) ?? 0n))
  return a.workload.wave - b.workload.wave || difference('cpu') || difference('memory')
}

function firstUnplaced(
  nodes: readonly Node[],
  peaks: readonly Peak[],
  countOf: (peak: Peak) => number,
): Omit<NodeShortage, 'isSurge'> | undefined {
  const filling = nodes.map((node) => ({ ...node, free: new Map(node.free) }))
  for (const peak of peaks) {
    const needed = Math.max(0, countOf(peak))
    const free = place(filling, peak, needed)
    if (free < needed) return { peak, needed, free }
  }
  return undefined
}

/** Puts as many of `count` equal pods as fit on the first nodes that take them; returns how many found room. */
function place(
  nodes: readonly (Node & { readonly free: Map<string, bigint> })[],
  { podSpec, newPod }: Peak,
  count: number,
): number {
  const needs = [...newPod.requests, ['pods', 1000n] as const].filter(([, amount]) => amount > 0n)
  let left = BigInt(count)
  for (const node of nodes) {
    if (left === 0n) break
    let fitting = left
    for (const [resource, amount] of needs) {
      const room = (node.free.get(resource) ?? 0n) / amount
      if (room < fitting) fitting = room
      if (fitting <= 0n) break
    }
    if (fitting <= 0n || !accepts(node, podSpec)) continue
    for (const [resource, amount] of needs) node.free.set(resource, (node.free.get(resource) ?? 0n) - amount * fitting)
    left -= fitting
  }
  return count - Number(left)
}

/** The Ready nodes that are not cordoned, with what is free on them. */
function readNodes(nodes: readonly KubeObject[], pods: readonly KubeObject[]): Node[] {
  const byNode = new Map<string, KubeObject[]>()
  for (const pod of pods) {
    const { spec, status } = pod as Pod
    if (spec?.nodeName === undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed') continue
    const there = byNode.get(spec.nodeName)
    if (there) there.push(pod)
    else byNode.set(spec.nodeName, [pod])
  }
  return nodes.flatMap((node): Node[] => {
    const spec = isObject(node['spec']) ? node['spec'] : {}
    const status = isObject(node['status']) ? node['status'] : {}
    const isReady = objectsIn(status['conditions']).some(
      ({ item }) => item['type'] === 'Ready' && item['status'] === 'True',
    )
    if (!isReady || spec['unschedulable'] === true || node.metadata.deletionTimestamp !== undefined) return []
    const free = new Map(readAmounts(status['allocatable']))
    for (const pod of byNode.get(node.metadata.name) ?? []) {
      for (const [resource, amount] of new Map([...podResources(pod['spec']).requests, ['pods', 1000n]]))
        free.set(resource, (free.get(resource) ?? 0n) - amount)
    }
    return [{ labels: node.metadata.labels ?? {}, taints: objectsIn(spec['taints']).map(({ item }) => item), free }]
  })
}

function accepts({ labels, taints }: Node, podSpec: Readonly<Record<string, unknown>>): boolean {
  const { nodeSelector } = podSpec
  const isSelected =
    !isObject(nodeSelector) || Object.entries(nodeSelector).every(([key, value]) => labels[key] === value)
  const tolerations = objectsIn(podSpec['tolerations']).map(({ item }) => item)
  return (
    isSelected &&
    taints.every((taint) => taint['effect'] === 'PreferNoSchedule' || tolerations.some((one) => tolerates(one, taint)))
  )
}

/** k8s.io/api/core/v1/toleration.go, ToleratesTaint, but for the comparison of numbers, which counts as tolerated. */
function tolerates(toleration: Readonly<Record<string, unknown>>, taint: Readonly<Record<string, unknown>>): boolean {
  const { effect = '', key = '', operator = 'Equal', value = '' } = toleration
  if (effect !== '' && effect !== taint['effect']) return false
  if (key !== '' && key !== taint['key']) return false
  return operator !== 'Equal' || value === (taint['value'] ?? '')
}

/** By the labels that the workloads select their pods with; a selector with expressions matches none here. */
function oldPodsOf(workloads: readonly CapacityWorkload[]): (pod: KubeObject) => boolean {
  const selectors = workloads.flatMap(({ live }) => {
    if (!live) return []
    const { matchLabels, matchExpressions } = (live as Deployment).spec?.selector ?? {}
    const labels = Object.entries(matchLabels ?? {})
    if (labels.length === 0 || (matchExpressions ?? []).length > 0) return []
    return [{ namespace: live.metadata.namespace ?? '', labels }]
  })
  const byNamespace = Map.groupBy(selectors, ({ namespace }) => namespace)
  return ({ metadata }) =>
    (byNamespace.get(metadata.namespace ?? '') ?? []).some(({ labels }) =>
      labels.every(([key, value]) => metadata.labels?.[key] === value),
    )
}
