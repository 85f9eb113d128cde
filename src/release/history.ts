/** Questions about the revisions of a release. Heads are sorted by revision, the oldest first. */
import type { RecordStatus } from './record.ts'
import type { RecordHead } from './record-secret.ts'

type Heads = readonly RecordHead[]

/** The revision to go back to. */
export function lastGood(heads: Heads): RecordHead | undefined {
  return heads.findLast(({ status }) => status === 'good')
}

/** What the cluster runs: the newest revision that was not taken back, whether it is good or was left as it was. */
export function inPlace(heads: Heads): RecordHead | undefined {
  return heads.findLast(({ status }) => !isTakenBack(status))
}

/** What another deployer has changed of a superseded release is theirs; the rest of it was taken back. */
function isTakenBack(status: RecordStatus): boolean {
  return status === 'rolled-back' || status === 'superseded'
}

/** The newest revision of which nobody has said yet what became of it. Older ones, if any, are next once it is settled. */
export function pendingOf(heads: Heads): RecordHead | undefined {
  return heads.findLast(({ status }) => status === 'pending')
}

/** Revisions count upwards and none is used twice while a newer one is known. */
export function nextRevision(heads: Heads): number {
  return (heads.at(-1)?.revision ?? 0) + 1
}

/**
 * The revisions since the last good one that were left in place, oldest first: to get back to the good one
 * their writes have to be undone too. All of them when none was ever good.
 */
export function badSince(heads: Heads): RecordHead[] {
  const good = lastGood(heads)?.revision ?? 0
  return heads.filter(({ revision, status }) => revision > good && status === 'bad')
}

/**
 * What can be deleted so that the newest `limit` are kept. Beyond those are kept, at any age, what a rollback may need: the
 * last good one, what was left in place since, and what is pending. `newest` is a revision that was made, or whose status has
 * changed, since the heads were listed: it counts, and is not deleted.
 */
export function outdated(heads: Heads, limit: number, newest?: Pick<RecordHead, 'revision' | 'status'>): RecordHead[] {
  const others = heads.filter(({ revision }) => revision !== newest?.revision)
  const good = newest?.status === 'good' ? newest.revision : (lastGood(others)?.revision ?? 0)
  return others
    .slice(0, Math.max(0, others.length + (newest ? 1 : 0) - limit))
    .filter(({ revision, status }) => isTakenBack(status) || (revision < good && status !== 'pending'))
}
