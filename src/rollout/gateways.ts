/**
 * Gateways and routes of the Gateway API. A controller may be missing, or still be waiting for an address from outside, and
 * neither holds a release up. What does is a controller that says of our very spec that it cannot be used, by one of the
 * reasons that the standard defines for that; it is never fatal at once, since the object that is missing may be on its way.
 * https://gateway-api.sigs.k8s.io/reference/spec/ (GatewayConditionReason, RouteConditionReason)
 */
import { isObject, type KubeObject } from '../manifest/object.ts'
import { counted } from '../report/format.ts'
import { type Condition, conditionOf, conditionsIn, saidBy } from './conditions.ts'
import type { Expectation, Status } from './state.ts'

const UNUSABLE_GATEWAY: ReadonlySet<string> = new Set(['Invalid', 'InvalidParameters', 'UnsupportedAddress'])

/** Not `Programmed`: that needs an address, as a Service of type LoadBalancer does. */
export function gatewayStatus(gateway: KubeObject, expectation: Expectation): Status {
  const accepted = ofOurSpec(conditionOf(gateway, 'Accepted'), gateway, expectation)
  if (accepted?.status === 'True') {
    const programmed = conditionOf(gateway, 'Programmed')
    const note = programmed?.status === 'False' ? `; not programmed yet: ${saidBy(programmed)}` : ''
    return { state: 'healthy', message: `is accepted${note}` }
  }
  if (accepted?.status === 'False' && UNUSABLE_GATEWAY.has(accepted.reason)) {
    return { state: 'progressing', message: `is not accepted: ${saidBy(accepted)}` }
  }
  return { state: 'healthy', message: 'is applied; no controller has accepted it yet', isAssumed: true }
}

const UNUSABLE_ROUTE: ReadonlySet<string> = new Set([
  'NotAllowedByListeners',
  'NoMatchingListenerHostname',
  'NoMatchingParent',
  'UnsupportedValue',
  'IncompatibleFilters',
  'RefNotPermitted',
  'InvalidKind',
  'BackendNotFound',
  'UnsupportedProtocol',
])

interface ParentStatus {
  readonly parentRef: Record<string, unknown>
  readonly conditions: readonly Condition[]
}

/** Each parent speaks for itself; what parents say that the spec no longer names is old. */
export function routeStatus(route: KubeObject, expectation: Expectation): Status {
  const wanted = objectsOf(isObject(route['spec']) ? route['spec']['parentRefs'] : undefined)
  const parents = objectsOf(isObject(route['status']) ? route['status']['parents'] : undefined)
    .map(({ parentRef, conditions }): ParentStatus => ({
      parentRef: isObject(parentRef) ? parentRef : {},
      conditions: conditionsIn(conditions),
    }))
    .filter(({ parentRef }) => wanted.some((one) => isSameParent(one, parentRef, route)))

  for (const { parentRef, conditions } of parents) {
    const refused = conditions.find(
      (one) =>
        ['Accepted', 'ResolvedRefs'].includes(one.type) &&
        one.status === 'False' &&
        UNUSABLE_ROUTE.has(one.reason) &&
        ofOurSpec(one, route, expectation),
    )
    if (refused) {
      const said = refused.type === 'Accepted' ? 'does not accept it' : 'cannot resolve all that it refers to'
      return { state: 'progressing', message: `${nameOf(parentRef)} ${said}: ${saidBy(refused)}` }
    }
  }
  const accepting = parents.filter(({ conditions }) => {
    const accepted = ofOurSpec(
      conditions.find(({ type }) => type === 'Accepted'),
      route,
      expectation,
    )
    return accepted?.status === 'True'
  })
  if (accepting.length === 0) {
    return { state: 'healthy', message: 'is applied; no controller has accepted it yet', isAssumed: true }
  }
  const isPartial = accepting.length < wanted.length
  return {
    state: 'healthy',
    message: `is accepted by ${accepting.length} of ${counted(wanted.length, 'parent')}`,
    ...(isPartial && { isAssumed: true }),
  }
}

/** The condition, unless it says that it speaks of an older spec. */
function ofOurSpec(
  condition: Condition | undefined,
  { metadata }: KubeObject,
  { generation }: Expectation,
): Condition | undefined {
  const newest = Math.max(generation, metadata.generation ?? 0)
  return condition && (condition.observedGeneration ?? newest) >= newest ? condition : undefined
}

/** The parts of a ParentReference that name an object or a part of it, with their defaults. */
function isSameParent(one: Record<string, unknown>, other: Record<string, unknown>, route: KubeObject): boolean {
  const defaults: Record<string, unknown> = {
    group: 'gateway.networking.k8s.io',
    kind: 'Gateway',
    namespace: route.metadata.namespace,
  }
  return ['group', 'kind', 'namespace', 'name', 'sectionName', 'port'].every(
    (field) => (one[field] ?? defaults[field]) === (other[field] ?? defaults[field]),
  )
}

function nameOf({ kind = 'Gateway', name }: Record<string, unknown>): string {
  return `${String(kind)} ${String(name)}`
}

function objectsOf(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}
