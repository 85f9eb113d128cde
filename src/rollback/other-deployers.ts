/** Who else has deployed an object since Rollsafe wrote it: then it is theirs, and a rollback leaves it alone. */
import { type KubeObject, keyOf, type ManagedFieldsEntry, refOf } from '../manifest/object.ts'
import { belongsTo, releaseOf } from '../plan/desired.ts'
import { type FieldSet, filterLeaves, isEmpty, readFieldSet, valueAt } from '../plan/field-set.ts'
import { isEqual } from '../plan/json.ts'
import { isMainResource, isRollsafes, ourFields } from '../plan/ownership.ts'

/**
 * The field managers that have changed what our write had set, by their names; empty when nobody has. `after` is the object as
 * our write left it, `current` as it is now.
 *
 * What controllers add beside our fields is not counted, nor are the subresources `scale` and `status`: autoscalers and
 * controllers write there, and people who scale by hand, and none of them deploys.
 */
export function otherDeployers(after: KubeObject, current: KubeObject): string[] {
  const release = releaseOf(after)
  const owner = releaseOf(current)
  if (release && owner && !belongsTo(current, release)) return [`the release ${owner.release}`]
  const changed = filterLeaves(
    ourFields(after),
    (path) => path.at(-1) !== '.' && !isReplicas(path) && !isEqual(valueAt(after, path), valueAt(current, path)),
  )
  if (isEmpty(changed)) return []
  const others = (current.metadata.managedFields ?? []).filter(
    (entry) => !isRollsafes(entry) && isMainResource(entry) && !isTheSameIn(after, entry),
  )
  return [
    ...new Set(
      others.flatMap((entry) => (shares(readFieldSet(entry.fieldsV1), changed) ? [entry.manager ?? 'unknown'] : [])),
    ),
  ]
}

function isReplicas(path: readonly string[]): boolean {
  return path.join('/') === 'f:spec/f:replicas'
}

/** Untouched since our write: such an owner has changed nothing. */
function isTheSameIn(after: KubeObject, entry: ManagedFieldsEntry): boolean {
  return (after.metadata.managedFields ?? []).some((known) => isEqual(known, entry))
}

/** Whether two sets have a member in common, or one a member of which the other has a part. */
function shares(a: FieldSet, b: FieldSet): boolean {
  return Object.entries(a).some(([element, children]) => {
    const other = b[element]
    return other !== undefined && (isEmpty(children) || isEmpty(other) || shares(children, other))
  })
}

/** Whether the object under this name is another one than the one that was there before, and not of our making. */
export function isMadeAnew(before: KubeObject, current: KubeObject): boolean {
  if (keyOf(refOf(before)) !== keyOf(refOf(current))) throw new Error('two different objects are compared')
  const isOfOurMaking = (current.metadata.managedFields ?? []).some(isRollsafes)
  return before.metadata.uid !== current.metadata.uid && !isOfOurMaking
}
