import { ClusterError } from '../../errors.ts'
import { keyOf, refOf } from '../../manifest/object.ts'
import { badSince, lastGood } from '../../release/history.ts'
import { type RecordHead, recordName } from '../../release/record-secret.ts'
import { RecordError } from '../../release/read-record.ts'
import type { ReleaseRecord } from '../../release/record.ts'
import { mergeWrites, type UndoableWrite } from '../../rollback/write.ts'
import type { Records } from '../session/records.ts'

export interface UndoBasis {
  /** One for each object. */
  readonly writes: readonly UndoableWrite[]
  /** Bad revisions that were left in place, and whose writes are among these. */
  readonly earlier: readonly ReleaseRecord[]
  /** Whole sentences about what cannot be taken back, as nobody knows it any more. */
  readonly warnings: readonly string[]
}

/**
 * What to take back to get to the last good revision: these writes and, when bad revisions were left in place since, theirs as
 * well. Where no revision was ever good, only these: what earlier runs have left in place may be all that there is.
 */
export async function undoBasis(
  writes: readonly UndoableWrite[],
  heads: readonly RecordHead[],
  records: Records,
): Promise<UndoBasis> {
  const earlier: ReleaseRecord[] = []
  const warnings: string[] = []
  for (const head of lastGood(heads) ? badSince(heads) : []) {
    try {
      earlier.push(await records.read(head))
    } catch (error) {
      if (!(error instanceof RecordError || error instanceof ClusterError)) throw error
      warnings.push(`what revision ${head.revision} has left in place is not taken back: ${error.message}`)
    }
  }
  return { writes: mergeWrites([...earlier.flatMap(recordedWrites), ...writes]), earlier, warnings }
}

export function recordedWrites({ writes }: ReleaseRecord): UndoableWrite[] {
  return writes.map((write) => ({ ...write, isRecorded: true }))
}

/**
 * Writes the UIDs of objects that a rollback had to make anew into the record of the last good revision. With the old ones in it,
 * the next deploy would take them for somebody else's, and not prune them.
 */
export async function rememberRemade(
  remade: ReadonlyMap<string, string>,
  heads: readonly RecordHead[],
  records: Records,
): Promise<void> {
  const good = lastGood(heads)
  if (!good || remade.size === 0) return
  const record = await records.read(good).catch((error: unknown) => {
    // Nothing goes back to it, and nothing is pruned by it: whoever needs it will name it.
    if (error instanceof RecordError) return undefined
    throw error
  })
  if (!record) return
  const objects = record.objects.map(({ object, uid }) => {
    const known = remade.get(keyOf(refOf(object))) ?? uid
    return { object, ...(known !== undefined && { uid: known }) }
  })
  await records.update({ ...record, objects })
}

/** Writes down that the bad revisions are taken back, too. */
export async function closeEarlier(earlier: readonly ReleaseRecord[], records: Records): Promise<void> {
  for (const record of earlier) await records.update({ ...record, status: 'rolled-back', writes: [] })
}

/** The last good record, as the commands that finish a rollback by hand need it; undefined when one Secret does not hold it. */
export function recordByHand(
  record: ReleaseRecord | undefined,
  heads: readonly RecordHead[],
): { name: string; namespace: string; keys: ReadonlySet<string> } | undefined {
  const head = heads.find(({ revision }) => revision === record?.revision)
  if (!record || !head || head.parts.length > 0) return undefined
  const keys = new Set(record.objects.map(({ object }) => keyOf(refOf(object))))
  return { name: recordName(record), namespace: record.namespace, keys }
}
