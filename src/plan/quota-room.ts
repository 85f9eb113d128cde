/** Whether the rollout fits into the ResourceQuotas (https://kubernetes.io/docs/concepts/policy/resource-quotas/). */
import { isObject, type KubeObject } from '../manifest/object.ts'
import { objectsIn } from '../manifest/pod-template.ts'
import { type Amounts, largest, NO_AMOUNTS, type PodResources, readAmounts, sum, times } from './pod-resources.ts'
import type { Peak } from './rollout-peak.ts'

/** A resource of which the quota has less than the rollout needs beyond what is used now. */
export interface QuotaShortage {
  readonly quota: KubeObject
  /** As in the quota: `requests.cpu`, `pods` … */
  readonly resource: string
  readonly needed: bigint
  readonly free: bigint
}

/** The first shortage; undefined when all fits. */
export function quotaShortage(quotas: readonly KubeObject[], peaks: readonly Peak[]): QuotaShortage | undefined {
  for (const quota of quotas) {
    const counted = peaks.filter((peak) => isCounted(quota, peak))
    const extra = extraUsage(counted)
    const status = isObject(quota['status']) ? quota['status'] : {}
    const spec = isObject(quota['spec']) ? quota['spec'] : {}
    const used = readAmounts(status['used'])
    for (const [resource, hard] of readAmounts(status['hard'] ?? spec['hard'])) {
      const needed = extra.get(resource) ?? 0n
      const left = hard - (used.get(resource) ?? 0n)
      const free = left > 0n ? left : 0n
      if (needed > free) return { quota, resource, needed, free }
    }
  }
  return undefined
}

/** What the release uses at its highest beyond what it uses now: waves before are done, waves behind still as they are. */
function extraUsage(peaks: readonly Peak[]): Amounts {
  const waves = new Set(peaks.map(({ workload }) => workload.wave))
  const now = total(peaks, usageBefore)
  const highest = [...waves]
    .map((wave) =>
      total(peaks, (peak) => {
        if (peak.workload.wave < wave) return usageAfter(peak)
        return peak.workload.wave === wave ? usageAtPeak(peak) : usageBefore(peak)
      }),
    )
    .reduce(largest, now)
  return sum(highest, times(now, -1))
}

function total(peaks: readonly Peak[], usageOf: (peak: Peak) => Amounts): Amounts {
  return peaks.map(usageOf).reduce(sum, NO_AMOUNTS)
}

function usageBefore({ oldPod, before }: Peak): Amounts {
  return times(usage(oldPod), before)
}

function usageAfter({ newPod, after }: Peak): Amounts {
  return times(usage(newPod), after)
}

/** The worst mixture of old and new pods, resource by resource: as many as can be of the kind that needs more. */
function usageAtPeak({ oldPod, newPod, after, mostOld, mostTotal }: Peak): Amounts {
  const newPods = Math.min(after, mostTotal)
  const oldPods = Math.min(mostOld, mostTotal)
  return largest(
    sum(times(usage(newPod), newPods), times(usage(oldPod), Math.min(oldPods, mostTotal - newPods))),
    sum(times(usage(oldPod), oldPods), times(usage(newPod), Math.min(newPods, mostTotal - oldPods))),
  )
}

/** What a quota charges for one pod (pkg/quota/v1/evaluator/core/pods.go, podComputeUsageHelper). */
function usage({ requests, limits }: PodResources): Amounts {
  const charged = new Map([
    ['pods', 1000n],
    ['count/pods', 1000n],
  ])
  for (const [resource, amount] of requests) {
    charged.set(resource, amount)
    charged.set(`requests.${resource}`, amount)
  }
  for (const [resource, amount] of limits) charged.set(`limits.${resource}`, amount)
  return charged
}

/** Whether the quota counts the workload's pods: it is in their namespace, and they match all of its scopes. */
function isCounted(quota: KubeObject, { workload, podSpec, newPod }: Peak): boolean {
  if (quota.metadata.namespace !== workload.expected.metadata.namespace) return false
  const spec = isObject(quota['spec']) ? quota['spec'] : {}
  const scopes = Array.isArray(spec['scopes']) ? spec['scopes'] : []
  const selector = isObject(spec['scopeSelector']) ? spec['scopeSelector'] : {}
  const selectors = objectsIn(selector['matchExpressions']).map(({ item }) => item)
  return [
    ...scopes.map((scopeName: unknown) => ({ scopeName, operator: 'Exists', values: undefined })),
    ...selectors,
  ].every(({ scopeName, operator, values }) => {
    switch (scopeName) {
      case 'NotTerminating':
        // Pods of these workloads cannot have an activeDeadlineSeconds.
        return true
      case 'BestEffort':
        return isBestEffort(newPod)
      case 'NotBestEffort':
        return !isBestEffort(newPod)
      case 'PriorityClass':
        return matchesPriority(podSpec['priorityClassName'], operator, values)
      default:
        return false
    }
  })
}

function isBestEffort({ requests, limits }: PodResources): boolean {
  return [requests, limits].every((amounts) => ['cpu', 'memory'].every((name) => (amounts.get(name) ?? 0n) === 0n))
}

/** A pod without a class may be given the cluster's default one, which is not known here: it counts as in no scope. */
function matchesPriority(name: unknown, operator: unknown, values: unknown): boolean {
  if (typeof name !== 'string' || name === '') return false
  const isListed = Array.isArray(values) && values.includes(name)
  switch (operator) {
    case 'Exists':
      return true
    case 'In':
      return isListed
    case 'NotIn':
      return !isListed
    default:
      return false
  }
}
