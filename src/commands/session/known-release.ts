import { keyOf, refOf } from '../../manifest/object.ts'
import { badSince, inPlace, lastGood } from '../../release/history.ts'
import { RecordError } from '../../release/read-record.ts'
import type { RecordedObject, ReleaseRecord } from '../../release/record.ts'
import type { RecordHead } from '../../release/record-secret.ts'
import type { Records } from './records.ts'

/** What the records of a release tell. */
export interface KnownRelease {
  /** By revision, oldest first. */
  readonly heads: readonly RecordHead[]
  /** What the cluster runs: the newest revision that was not taken back. Absent when there is none. */
  readonly inPlace?: ReleaseRecord
  /** Absent when no revision was ever good. */
  readonly lastGood?: ReleaseRecord
  /** What was left in place since the last good revision and before `inPlace`, oldest first. */
  readonly leftInPlace: readonly ReleaseRecord[]
  /** Whole sentences about what was found, and mended. */
  readonly warnings: readonly string[]
}

/** Reads the records that matter. One that cannot be read is as if it were not there, and is named. Throws ClusterError. */
export async function readKnown(records: Records, heads: readonly RecordHead[]): Promise<KnownRelease> {
  const warnings: string[] = []
  const read = async (head: RecordHead | undefined): Promise<ReleaseRecord | undefined> => {
    if (!head) return undefined
    try {
      return await records.read(head)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      warnings.push(`the record of revision ${head.revision} is not used: ${error.message}`)
      return undefined
    }
  }
  const current = inPlace(heads)
  const good = lastGood(heads)
  const place = await read(current)
  const last = good?.revision === current?.revision ? place : await read(good)
  const before = badSince(heads).filter((head) => head !== current)
  const left = await Promise.all(before.map(read))
  const leftInPlace = left.filter((record) => record !== undefined)
  return { heads, ...(place && { inPlace: place }), ...(last && { lastGood: last }), leftInPlace, warnings }
}

/** What the release has in the cluster: of the last good revision, and of bad ones that were left in place since. */
export function inventoryOf({ inPlace: place, lastGood: good, leftInPlace }: KnownRelease): RecordedObject[] {
  const all = [good, ...leftInPlace, place].flatMap((record) => record?.objects ?? [])
  return [...new Map(all.map((recorded) => [keyOf(refOf(recorded.object)), recorded])).values()]
}
