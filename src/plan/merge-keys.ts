import { isObject } from '../manifest/object.ts'

/**
 * The fields that tell the items of a list apart: those that Kubernetes merges lists by (`x-kubernetes-list-map-keys` in its
 * OpenAPI description), the name first as people look for it, and the two that an Ingress is read by.
 */
const MERGE_KEYS: readonly (readonly [string, string?])[] = [
  ['name'],
  ['containerPort', 'protocol'],
  ['port', 'protocol'],
  ['mountPath'],
  ['devicePath'],
  ['ip'],
  ['topologyKey', 'whenUnsatisfiable'],
  ['topologyKey'],
  ['key'],
  ['type'],
  ['uid'],
  ['host'],
  ['path'],
]

/** What is meant where a field of a key is left out. */
const DEFAULTS: ReadonlyMap<string, string> = new Map([['protocol', 'TCP']])

/** The items of a list by what tells them apart, as people write it: `web`, `80`, `53/UDP`. */
export type KeyedItems = ReadonlyMap<string, Record<string, unknown>>

/** Both lists by the first key that every item has and that no two items of a list share; undefined when there is none. */
export function keyedItems(
  before: readonly unknown[],
  after: readonly unknown[],
): readonly [KeyedItems, KeyedItems] | undefined {
  for (const key of MERGE_KEYS) {
    const old = itemsBy(key, before)
    const now = old && itemsBy(key, after)
    if (now) return [old, now]
  }
  return undefined
}

function itemsBy(key: readonly [string, string?], list: readonly unknown[]): KeyedItems | undefined {
  const items = new Map<string, Record<string, unknown>>()
  for (const item of list) {
    const label = isObject(item) ? labelOf(key, item) : undefined
    if (label === undefined || !isObject(item) || items.has(label)) return undefined
    items.set(label, item)
  }
  return items
}

function labelOf([first, second]: readonly [string, string?], item: Record<string, unknown>): string | undefined {
  const label = scalarAt(first, item)
  if (label === undefined || second === undefined) return label
  const more = scalarAt(second, item)
  if (more === undefined) return undefined
  return more === DEFAULTS.get(second) ? label : `${label}/${more}`
}

function scalarAt(field: string, item: Record<string, unknown>): string | undefined {
  const value = Object.hasOwn(item, field) ? item[field] : DEFAULTS.get(field)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
