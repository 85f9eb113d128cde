/** Whether a rollout fits at its peak: into the namespace's quotas, and on the nodes. Told before it starts, as a warning. */
import { describe, type KubeObject, refOf } from '../manifest/object.ts'
import { type NodeRoom, nodeShortage, type NodeShortage, readNodeRoom } from './node-room.ts'
import { formatQuantity } from './quantity.ts'
import { quotaShortage, type QuotaShortage } from './quota-room.ts'
import { type Bound, type CapacityWorkload, isSurging, type Peak, peakOf } from './rollout-peak.ts'

export interface CapacityFacts {
  readonly workloads: readonly CapacityWorkload[]
  /** The ResourceQuotas of the workloads' namespaces. */
  readonly quotas: readonly KubeObject[]
  /** All nodes, and the pods of all namespaces; absent when they may not be read. */
  readonly onNodes?: { readonly nodes: readonly KubeObject[]; readonly pods: readonly KubeObject[] }
}

export type Capacity =
  | { readonly fits: true }
  | {
      readonly fits: false
      /** What there is too little of: `requests.cpu of the quota compute`, `room on the nodes`. */
      readonly what: string
      /** At the peak, beyond what is used now. */
      readonly needed: string
      readonly free: string
      /** The largest surge with which all would fit, for `strategy: rolling`; absent when none would. */
      readonly boundThatFits?: Bound
      /** One whole sentence. */
      readonly warning: string
    }

interface Room {
  readonly quotas: readonly KubeObject[]
  readonly nodes: NodeRoom | undefined
}

type Shortage = { readonly quota: QuotaShortage } | { readonly nodes: NodeShortage }

/**
 * Compares the peak of the rollout with what is free. It is a forecast: others may take what is free now, and an autoscaler
 * may add nodes. Pods that are already ending still hold their share for a while; that is not counted.
 */
export function capacityOf(facts: CapacityFacts): Capacity {
  const { workloads, quotas, onNodes } = facts
  const room: Room = { quotas, nodes: onNodes && readNodeRoom(onNodes.nodes, onNodes.pods, workloads) }
  const peaks = peaksOf(workloads)
  const shortage = shortageOf(room, peaks)
  if (!shortage) return { fits: true }
  const bound = boundThatFits(room, workloads, peaks)
  const told = 'quota' in shortage ? quotaWords(shortage.quota) : nodeWords(shortage.nodes)
  const advice = bound
    ? `With strategy rolling, max-surge ${bound.maxSurge} and max-unavailable ${bound.maxUnavailable} it would fit`
    : `Less surge would not help: ask for fewer or smaller pods, or make room`
  return {
    fits: false,
    what: told.what,
    needed: told.needed,
    free: told.free,
    ...(bound && { boundThatFits: bound }),
    warning: `${told.text}. ${advice}.`,
  }
}

function peaksOf(workloads: readonly CapacityWorkload[], bound?: Bound): Peak[] {
  return workloads.map((workload) => peakOf(workload, bound)).filter((peak) => peak !== undefined)
}

function shortageOf({ quotas, nodes }: Room, peaks: readonly Peak[]): Shortage | undefined {
  const quota = quotaShortage(quotas, peaks)
  if (quota) return { quota }
  const onNodes = nodes && nodeShortage(nodes, peaks)
  return onNodes && { nodes: onNodes }
}

/** Searched by halves, as less surge never needs more. Without any surge, a pod has to go before its successor comes. */
function boundThatFits(room: Room, workloads: readonly CapacityWorkload[], peaks: readonly Peak[]): Bound | undefined {
  const surges = peaks.filter(isSurging).map(({ mostTotal, after, before }) => mostTotal - Math.max(after, before))
  if (surges.length === 0) return undefined
  const fits = (maxSurge: number) => !shortageOf(room, peaksOf(workloads, boundOf(maxSurge)))
  if (!fits(0)) return undefined
  let fitting = 0
  let tooMuch = Math.max(...surges)
  while (tooMuch - fitting > 1) {
    const middle = Math.floor((fitting + tooMuch) / 2)
    if (fits(middle)) fitting = middle
    else tooMuch = middle
  }
  return boundOf(fitting)
}

function boundOf(maxSurge: number): Bound {
  return { maxSurge, maxUnavailable: maxSurge === 0 ? 1 : 0 }
}

interface Words {
  readonly what: string
  readonly needed: string
  readonly free: string
  readonly text: string
}

function quotaWords({ quota, resource, needed, free }: QuotaShortage): Words {
  const what = `${resource} of the ${describe(refOf(quota))}`
  const [need, left] = distinct(resource, needed, free)
  return {
    what,
    needed: need,
    free: left,
    text: `The rollout needs ${need} more ${what} at its peak, and ${left} is free`,
  }
}

/** Rounding must not make two different amounts look the same. */
function distinct(resource: string, needed: bigint, free: bigint): [string, string] {
  const words: [string, string] = [formatQuantity(needed, resource), formatQuantity(free, resource)]
  return words[0] === words[1] ? [formatQuantity(needed, ''), formatQuantity(free, '')] : words
}

function nodeWords({ peak, needed, free, isSurge }: NodeShortage): Words {
  const asks = [...peak.newPod.requests].map(([resource, amount]) => `${formatQuantity(amount, resource)} ${resource}`)
  const each = asks.length === 0 ? '' : ` (${asks.join(', ')} each)`
  const name = describe(refOf(peak.workload.expected))
  const when = isSurge ? 'beside the old ones' : 'in the end'
  return {
    what: 'room on the nodes',
    needed: `${needed} ${needed === 1 ? 'pod' : 'pods'}`,
    free: `${free} ${free === 1 ? 'pod' : 'pods'}`,
    text: `${name} needs room for ${needed} new ${needed === 1 ? 'pod' : 'pods'} ${when}${each}, and the nodes that are ready have it for ${free}, unless an autoscaler adds some`,
  }
}
