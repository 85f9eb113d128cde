import { keyOf, type KubeObject, type ObjectRef } from '../manifest/object.ts'

/** One write of a release, with what is needed to take it back. Plain JSON: records in the cluster hold it. */
export interface Write {
  /**
   * `run` is a hook: a Job that was made anew. `recreate` is a deletion and a creation, for a field that cannot change. `prune` is a
   * deletion of what the release no longer has.
   */
  readonly type: 'create' | 'update' | 'recreate' | 'run' | 'prune'
  readonly ref: ObjectRef
  /** The object before the release; absent when it did not exist. */
  readonly before?: KubeObject
  /**
   * As the server answered the write or, where it is not known whether the write took effect, the dry-run before it; absent
   * when there was neither, and for `prune`.
   */
  readonly after?: KubeObject
}

/** A write that is to be taken back. */
export interface UndoableWrite extends Write {
  /** It is known from a record in the cluster, and not from this run's own memory: whoever may write Secrets may have made it. */
  readonly isRecorded?: boolean
}

/** What was made anew once has fields that only making it anew can bring back. */
function changeType(first: UndoableWrite, last: UndoableWrite): 'update' | 'recreate' {
  return first.type === 'recreate' || last.type === 'recreate' ? 'recreate' : 'update'
}

/**
 * The writes of several runs, oldest first, as if they were one: what was before the first is what a rollback goes back to,
 * and what the last made is what it finds.
 */
export function mergeWrites(writes: readonly UndoableWrite[]): UndoableWrite[] {
  const merged = new Map<string, UndoableWrite>()
  for (const write of writes) {
    const key = keyOf(write.ref)
    const first = merged.get(key)
    merged.set(key, first ? joined(first, write) : write)
  }
  return [...merged.values()]
}

function joined(first: UndoableWrite, last: UndoableWrite): UndoableWrite {
  const { type, ref } = first
  const hasBefore = first.before !== undefined
  // What was there and is no longer comes back; what was not there goes away, if it is there.
  const isGone = last.type === 'prune' && hasBefore
  return {
    type: isGone || type === 'run' ? last.type : hasBefore ? changeType(first, last) : 'create',
    ref,
    ...(first.before && { before: first.before }),
    ...(last.after && { after: last.after }),
    ...((first.isRecorded || last.isRecorded) && { isRecorded: true }),
  }
}
