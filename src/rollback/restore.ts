/**
 * Undoing one write, exactly: the fields that Rollsafe's apply changed go back to what they were, and nothing else.
 * Everything here works on objects as the server sent them; nothing is read from manifests.
 */
import { isObject, type KubeObject } from '../manifest/object.ts'
import { difference, type FieldSet, filterLeaves, isEmpty, NO_FIELDS, union, valueAt } from '../plan/field-set.ts'
import { isEqual } from '../plan/json.ts'
import { bodyOf, othersFields, ourFields, ourOrAdoptedFields } from '../plan/ownership.ts'
import { TEMPLATE_GENERATION } from '../rollout/pods.ts'

/**
 * Of these the API server keeps count itself, whatever is sent. A kubectl that made the object counts as their owner all the
 * same, so they would be restored again and again.
 */
const COUNTED_BY_SERVER: FieldSet = { 'f:metadata': { 'f:annotations': { [`f:${TEMPLATE_GENERATION}`]: {} } } }

/** One object around one write of ours. */
export interface WrittenObject {
  /** As it was before the release. */
  readonly before: KubeObject
  /** As the server answered our write. */
  readonly after: KubeObject
}

/**
 * What to apply, with the same field manager, to undo a write: the fields that were Rollsafe's before (or were adopted from
 * kubectl) and those whose value our write replaced, with the values they had. Fields that the bad release added are not in
 * it and so go away. A field that somebody else has taken since is left to them.
 */
export function restoringApply(written: WrittenObject, current: KubeObject | undefined): KubeObject {
  const { before } = written
  const fields = difference(fieldsToRestore(written), fieldsTakenSince(written, current))
  return bodyOf(before, fields)
}

/**
 * The object with every field that our write touched as it was before, for the rare case that applying did not get there
 * (the order of a list, a value the server had allocated). Undefined when there is nothing left to repair.
 */
export function exactRepair(
  written: WrittenObject,
  current: KubeObject | undefined,
  restored: KubeObject,
): KubeObject | undefined {
  const touched = difference(
    union(fieldsToRestore(written), ourFields(written.after)),
    union(fieldsTakenSince(written, current), COUNTED_BY_SERVER),
  )
  const repaired = goBack(written.before, restored, touched)
  return isEqual(repaired, restored) ? undefined : (repaired as KubeObject)
}

function fieldsToRestore({ before, after }: WrittenObject): FieldSet {
  const replaced = filterLeaves(ourFields(after), (path) => {
    const old = valueAt(before, path)
    return path.at(-1) !== '.' && old !== undefined && !isEqual(old, valueAt(after, path))
  })
  return difference(union(ourOrAdoptedFields(before), replaced), COUNTED_BY_SERVER)
}

/** Fields that were ours after our write and no longer are, and fields that others have set since. */
function fieldsTakenSince({ after }: WrittenObject, current: KubeObject | undefined): FieldSet {
  if (!current) return NO_FIELDS
  const ours = ourFields(current)
  const lost = difference(ourFields(after), ours)
  const added = difference(difference(othersFields(current), othersFields(after)), ours)
  return union(lost, added)
}

function goBack(before: unknown, now: unknown, touched: FieldSet): unknown {
  if (isEqual(before, now)) return now
  if (!isObject(before) || !isObject(now) || isEmpty(touched)) return before
  // A map, as a key of a ConfigMap may be called `__proto__`.
  const result = new Map(Object.entries(now))
  for (const [element, children] of Object.entries(touched)) {
    if (!element.startsWith('f:')) continue
    const name = element.slice(2)
    const value = result.get(name)
    if (Object.hasOwn(before, name)) result.set(name, goBack(before[name], value, children))
    else if (isObject(value) && !isEmpty(children)) {
      // The map is new, but others may have put something into it too.
      const rest = goBack({}, value, children)
      if (isObject(rest) && Object.keys(rest).length > 0) result.set(name, rest)
      else result.delete(name)
    } else result.delete(name)
  }
  return Object.fromEntries(result)
}
