/** What one pod asks for, as the scheduler and a ResourceQuota count it (component-helpers, resource/helpers.go). */
import { objectsIn } from '../manifest/pod-template.ts'
import { isObject } from '../manifest/object.ts'
import { parseQuantity } from './quantity.ts'

/** Thousandths by name of the resource: `cpu`, `memory`, `ephemeral-storage`, `nvidia.com/gpu` … */
export type Amounts = ReadonlyMap<string, bigint>

export interface PodResources {
  readonly requests: Amounts
  readonly limits: Amounts
}

export const NO_AMOUNTS: Amounts = new Map()

export function sum(a: Amounts, b: Amounts): Amounts {
  return merged(a, b, (one, other) => one + other)
}

export function largest(a: Amounts, b: Amounts): Amounts {
  return merged(a, b, (one, other) => (one > other ? one : other))
}

export function times(amounts: Amounts, count: number): Amounts {
  return new Map([...amounts].map(([resource, amount]) => [resource, amount * BigInt(count)]))
}

function merged(a: Amounts, b: Amounts, choose: (one: bigint, other: bigint) => bigint): Amounts {
  const result = new Map(a)
  for (const [resource, amount] of b) result.set(resource, choose(result.get(resource) ?? 0n, amount))
  return result
}

/** A map of quantities, such as `requests` or `allocatable`; what is no quantity is left out. */
export function readAmounts(value: unknown): Amounts {
  if (!isObject(value)) return NO_AMOUNTS
  return new Map(
    Object.entries(value).flatMap(([resource, quantity]): [string, bigint][] => {
      const amount = parseQuantity(quantity)
      return amount === undefined ? [] : [[resource, amount]]
    }),
  )
}

/**
 * The requests and limits of a pod with this spec: the larger of what its containers and sidecars need together and of what
 * its init containers need one after the other; then what the pod itself asks for instead, and its overhead. What a
 * LimitRange or a webhook would add is not in it.
 */
export function podResources(podSpec: unknown): PodResources {
  const spec = isObject(podSpec) ? podSpec : {}
  const ofPod = isObject(spec['resources']) ? spec['resources'] : {}
  const overhead = readAmounts(spec['overhead'])
  const containers = { requests: effective(spec, requestsOf), limits: effective(spec, limitsOf) }
  const podLimits = supported(readAmounts(ofPod['limits']))
  // A pod's own limit is its request too, unless it or its containers say otherwise (core/v1/defaults.go, defaultPodRequests).
  const podRequests = new Map([
    ...[...podLimits].filter(([resource]) => !containers.requests.has(resource)),
    ...supported(readAmounts(ofPod['requests'])),
  ])
  const limits = new Map([...containers.limits, ...podLimits])
  const limitedOverhead = new Map([...overhead].filter(([resource]) => (limits.get(resource) ?? 0n) > 0n))
  return {
    requests: sum(new Map([...containers.requests, ...podRequests]), overhead),
    limits: sum(limits, limitedOverhead),
  }
}

/** A container that limits a resource and does not request it requests its limit (core/v1/defaults.go, SetDefaults_Pod). */
function requestsOf(container: Record<string, unknown>): Amounts {
  const { resources } = container
  if (!isObject(resources)) return NO_AMOUNTS
  return new Map([...readAmounts(resources['limits']), ...readAmounts(resources['requests'])])
}

function limitsOf({ resources }: Record<string, unknown>): Amounts {
  return isObject(resources) ? readAmounts(resources['limits']) : NO_AMOUNTS
}

/**
 * Init containers run one after the other, each beside the sidecars before it; sidecars, which are init containers with
 * restartPolicy Always, go on running beside the containers.
 * https://github.com/kubernetes/enhancements/tree/master/keps/sig-node/753-sidecar-containers#exposing-pod-resource-requirements
 */
function effective(spec: Record<string, unknown>, amountsOf: (container: Record<string, unknown>) => Amounts): Amounts {
  let running = objectsIn(spec['containers'])
    .map(({ item }) => amountsOf(item))
    .reduce(sum, NO_AMOUNTS)
  let sidecars = NO_AMOUNTS
  let starting = NO_AMOUNTS
  for (const { item } of objectsIn(spec['initContainers'])) {
    const amounts = amountsOf(item)
    starting = largest(starting, sum(sidecars, amounts))
    if (item['restartPolicy'] !== 'Always') continue
    sidecars = sum(sidecars, amounts)
    running = sum(running, amounts)
  }
  return largest(running, starting)
}

/** What a pod can ask for itself, beside its containers. */
function supported(amounts: Amounts): Amounts {
  return new Map([...amounts].filter(([name]) => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')))
}
