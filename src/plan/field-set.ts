/**
 * Sets of fields, in the form the API server keeps them in `managedFields[].fieldsV1`: a tree whose keys say `f:<field>`,
 * `k:<keys of a list item as JSON>`, `v:<value of a set as JSON>`, `i:<index>`, and `.` for the node itself
 * (https://github.com/kubernetes-sigs/structured-merge-diff/blob/master/fieldpath/serialize-pe.go).
 * An empty node is a member whose whole value is meant, or an empty map.
 */
import { isObject } from '../manifest/object.ts'

export interface FieldSet {
  readonly [element: string]: FieldSet
}

export const NO_FIELDS: FieldSet = {}

/** Reads `fieldsV1`; anything that is not such a tree counts as empty. */
export function readFieldSet(fieldsV1: unknown): FieldSet {
  if (!isObject(fieldsV1)) return NO_FIELDS
  return Object.fromEntries(Object.entries(fieldsV1).map(([element, children]) => [element, readFieldSet(children)]))
}

export function isEmpty(set: FieldSet): boolean {
  return Object.keys(set).length === 0
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const merged: Record<string, FieldSet> = { ...a }
  for (const [element, children] of Object.entries(b)) merged[element] = union(merged[element] ?? NO_FIELDS, children)
  return merged
}

/** The members of `a` that are not members of `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const kept: Record<string, FieldSet> = {}
  for (const [element, children] of Object.entries(a)) {
    const taken = b[element]
    if (taken === undefined) kept[element] = children
    else if (!isEmpty(children)) {
      const rest = difference(children, taken)
      if (!isEmpty(rest)) kept[element] = rest
    }
  }
  return kept
}

/** The members of `set` for which `keep` says yes; `keep` is asked for leaves, with the path of elements to them. */
export function filterLeaves(
  set: FieldSet,
  keep: (path: readonly string[]) => boolean,
  path: readonly string[] = [],
): FieldSet {
  const kept: Record<string, FieldSet> = {}
  for (const [element, children] of Object.entries(set)) {
    const at = [...path, element]
    if (isEmpty(children)) {
      if (keep(at)) kept[element] = children
    } else {
      const rest = filterLeaves(children, keep, at)
      if (!isEmpty(rest)) kept[element] = rest
    }
  }
  return kept
}

/** The value at a path of elements; undefined when there is none. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, element) => child(at, element), value)
}

function child(value: unknown, element: string): unknown {
  const name = element.slice(2)
  switch (element.slice(0, 2)) {
    case 'f:':
      return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
    case 'k:':
      return Array.isArray(value) ? value.find((item) => hasKeys(item, name)) : undefined
    case 'v:':
      return Array.isArray(value) ? value.find((item) => JSON.stringify(item) === name) : undefined
    case 'i:':
      return Array.isArray(value) ? value[Number(name)] : undefined
    default:
      return value
  }
}

/**
 * The part of a value that a set names: what its owner would have to apply to own just that. List items keep their order.
 * `others` are the fields of other owners: a map that is a member of `set` as a whole, but in which others own fields, was
 * empty when its owner set it and stays so.
 */
export function select(value: unknown, set: FieldSet, others: FieldSet = NO_FIELDS): unknown {
  const elements = Object.keys(set).filter((element) => element !== '.')
  if (elements.length === 0) {
    const isSharedMap = isObject(value) && !isEmpty(others)
    return '.' in set || isSharedMap ? emptyLike(value) : value
  }
  if (Array.isArray(value)) return selectItems(value, set, others)
  if (!isObject(value)) return value
  const selected: [name: string, value: unknown][] = []
  for (const element of elements) {
    const name = element.slice(2)
    // Only what it has itself: a key of a ConfigMap may be called `constructor`.
    if (Object.hasOwn(value, name))
      selected.push([name, select(value[name], set[element] ?? NO_FIELDS, others[element])])
  }
  return Object.fromEntries(selected)
}

function selectItems(list: readonly unknown[], set: FieldSet, others: FieldSet): unknown[] {
  const elements = Object.keys(set)
  return list.flatMap((item, index) => {
    const element = elements.find(
      (candidate) =>
        candidate === `i:${index}` ||
        candidate === `v:${JSON.stringify(item)}` ||
        (candidate.startsWith('k:') && hasKeys(item, candidate.slice(2))),
    )
    if (element === undefined) return []
    if (!element.startsWith('k:')) return [item]
    const keys: unknown = JSON.parse(element.slice(2))
    const selected = select(item, set[element] ?? NO_FIELDS, others[element])
    return [isObject(selected) && isObject(keys) ? { ...withoutDefaults(keys), ...selected } : selected]
  })
}

function hasKeys(item: unknown, keysAsJson: string): boolean {
  const keys: unknown = JSON.parse(keysAsJson)
  return (
    isObject(item) &&
    isObject(keys) &&
    Object.entries(keys).every(([key, value]) => item[key] === value || isDefault(item, key, value))
  )
}

/** The only list key that is defaulted after a client may have left it out: a port's protocol. */
function isDefault(item: Record<string, unknown>, key: string, value: unknown): boolean {
  return isDefaulted(key, value) && item[key] === undefined
}

/** An owner who has written such a key has it among its fields as well. */
function withoutDefaults(keys: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(keys).filter(([key, value]) => !isDefaulted(key, value)))
}

function isDefaulted(key: string, value: unknown): boolean {
  return key === 'protocol' && value === 'TCP'
}

function emptyLike(value: unknown): unknown {
  if (Array.isArray(value)) return []
  return isObject(value) ? {} : value
}
