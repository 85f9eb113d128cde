/** What a release no longer has, and whether it may be deleted. */
import { describe, keyOf, type KubeObject, refOf } from '../manifest/object.ts'
import type { RecordedObject } from './record.ts'
import { belongsTo, type ReleaseIdentity } from '../plan/desired.ts'
import { keepingAnnotation } from '../plan/keep.ts'
import { keeperOf } from '../plan/keepers.ts'
import { isHolder } from '../plan/recreate.ts'
import { hookOf } from '../plan/stages.ts'

export type PruneDecision =
  | { readonly type: 'delete'; readonly live: KubeObject }
  /** A clause that goes on from the object's name. */
  | { readonly type: 'keep'; readonly why: string }
  /** It is not there any more. */
  | { readonly type: 'gone' }

/** The objects that a revision had and that are not among `desired`. The Job of a hook is the history of what ran. */
export function leftBehind(before: readonly RecordedObject[], desired: readonly KubeObject[]): RecordedObject[] {
  const wanted = new Set(desired.map((object) => keyOf(refOf(object))))
  return before.filter(({ object }) => !wanted.has(keyOf(refOf(object))) && hookOf(object) === undefined)
}

/**
 * Whether what is left behind may be deleted: only the very object that the release made or adopted, by its UID, and only
 * while it still carries the release's label. The record is not trusted further than that.
 */
export function pruneDecision(
  { object, uid }: RecordedObject,
  live: KubeObject | undefined,
  release: ReleaseIdentity,
): PruneDecision {
  const keep = (why: string): PruneDecision => ({ type: 'keep', why })
  if (!live) return { type: 'gone' }
  if (isHolder(object)) {
    const { kind, name, namespace } = refOf(object)
    const where = namespace === undefined ? '' : ` --namespace ${namespace}`
    return keep(`stays, as a ${kind} is never pruned: kubectl delete ${kind.toLowerCase()} ${name}${where}`)
  }
  const annotation = keepingAnnotation(live) ?? keepingAnnotation(object)
  if (annotation !== undefined) return keep(`stays, as its annotation ${annotation} says`)
  const keeper = keeperOf(live)
  if (keeper) return keep(`stays, as it is kept by ${keeper.tool} (${keeper.evidence})`)
  if (uid === undefined || live.metadata.uid !== uid) return keep('stays, as somebody else has made it anew')
  if (!belongsTo(live, release)) return keep(`stays, as it no longer has the label of the release ${release.release}`)
  if (live.metadata.deletionTimestamp !== undefined) return { type: 'gone' }
  return { type: 'delete', live }
}

/** For people, in one line: `ConfigMap shop/old, Service shop/old and 3 more`. */
export function listed(objects: readonly RecordedObject[], most = 5): string {
  const names = objects.slice(0, most).map(({ object }) => describe(refOf(object)))
  const more = objects.length - names.length
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
}
