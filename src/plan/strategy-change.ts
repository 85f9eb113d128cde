/**
 * Server-side apply cannot turn a rolling workload into a Recreate or OnDelete one by itself. The numbers that the API
 * server filled in as defaults belong to nobody, so no apply removes them, not even one that says `rollingUpdate: null`; and
 * the server refuses them beside the new type. Client-side `kubectl apply` has the patch strategy `retainKeys` for it. Here
 * the numbers are made Rollsafe's in `managedFields` first; the apply that leaves them out then takes them away.
 */
import { groupKindOf, isObject, type KubeObject } from '../manifest/object.ts'
import { type FieldSet, NO_FIELDS } from './field-set.ts'
import { othersFields } from './ownership.ts'

const STRATEGY_FIELDS: ReadonlyMap<string, string> = new Map([
  ['Deployment.apps', 'strategy'],
  ['StatefulSet.apps', 'updateStrategy'],
  ['DaemonSet.apps', 'updateStrategy'],
])

/**
 * Where `desired` has another type of strategy that does not allow the `rollingUpdate` that `live` has. Not where somebody
 * else owns a part of the strategy: that is a conflict, and the API server is to say so.
 */
function changedField(desired: KubeObject, live: KubeObject): string | undefined {
  const field = STRATEGY_FIELDS.get(groupKindOf(desired))
  if (field === undefined) return undefined
  const wanted = strategyOf(desired, field)
  const has = strategyOf(live, field)
  const isLeaving =
    wanted['type'] !== undefined && wanted['type'] !== 'RollingUpdate' && wanted['rollingUpdate'] === undefined
  const isOthers = othersFields(live)['f:spec']?.[`f:${field}`] !== undefined
  return isLeaving && isObject(has['rollingUpdate']) && !isOthers ? field : undefined
}

/** The fields that Rollsafe has to own in `live` before it applies `desired`; empty when there is nothing to do. */
export function leftoverFields(desired: KubeObject, live: KubeObject): FieldSet {
  const field = changedField(desired, live)
  if (field === undefined) return NO_FIELDS
  const { rollingUpdate } = strategyOf(live, field)
  const numbers = Object.fromEntries(
    Object.keys(isObject(rollingUpdate) ? rollingUpdate : {}).map((name) => [`f:${name}`, {}]),
  )
  return { 'f:spec': { [`f:${field}`]: { 'f:rollingUpdate': numbers } } }
}

/**
 * What to send to a dry run instead of `desired`, as a dry run cannot change owners first: the same with the strategy that
 * is there. `withNewStrategy` turns the answer into what the apply will make of it.
 */
export function withOldStrategy(desired: KubeObject, live: KubeObject): KubeObject {
  const field = changedField(desired, live)
  return field === undefined ? desired : withStrategy(desired, field, strategyOf(live, field))
}

/** The answer to a dry run of `withOldStrategy(desired, live)`, with the strategy that `desired` has. */
export function withNewStrategy(answer: KubeObject, desired: KubeObject, live: KubeObject): KubeObject {
  const field = changedField(desired, live)
  return field === undefined ? answer : withStrategy(answer, field, strategyOf(desired, field))
}

function strategyOf(object: KubeObject, field: string): Readonly<Record<string, unknown>> {
  const { spec } = object
  const strategy = isObject(spec) ? spec[field] : undefined
  return isObject(strategy) ? strategy : {}
}

function withStrategy(object: KubeObject, field: string, strategy: unknown): KubeObject {
  return { ...object, spec: { ...(isObject(object['spec']) ? object['spec'] : {}), [field]: strategy } }
}
