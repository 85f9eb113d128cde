import { ClusterError, type Problem, RejectedError, rejectIfAny } from '../errors.ts'
import { describe, type Manifest, refOf } from '../manifest/object.ts'
import { isBeyondRecord } from '../plan/fences.ts'
import { problemFrom } from '../plan/rejections.ts'
import { hookOf } from '../plan/stages.ts'
import { RecordError } from '../release/read-record.ts'
import type { ReleaseRecord } from '../release/record.ts'
import type { RecordHead } from '../release/record-secret.ts'
import type { Report } from '../report/report.ts'
import { carryOut } from './carry-out.ts'
import { mapLimited } from './concurrency.ts'
import { deployReport } from './deploy-report.ts'
import { locate } from './locate.ts'
import { prepare, type Prepared } from './prepare/prepare.ts'
import { assertHomeAllowed, identityOf, namespaceOf, place } from './prepare/render.ts'
import { beginReview } from './prepare/review.ts'
import type { Run } from './run.ts'
import { openSession, type Session } from './session/session.ts'

/**
 * Goes back by hand to a good revision, out of its record: all its objects as they were, and what came later deleted. It makes a
 * new revision, is followed like a deploy, and is never taken back by itself. Throws RejectedError when nothing was written.
 */
export async function rollback(run: Run): Promise<Report> {
  assertHomeAllowed(run)
  const { session, prepared, target } = await run.runner.group('Prepare', async () => {
    const opened = await openSession({ namespace: namespaceOf(run), desired: [] }, run)
    try {
      return { session: opened, ...(await prepareTarget(opened)) }
    } catch (error) {
      await opened.close()
      throw error
    }
  })
  return locate(await goBack(target, prepared, session), prepared.changes, session.run)
}

async function goBack(target: ReleaseRecord, prepared: Prepared, session: Session): Promise<Report> {
  try {
    const copyOf = target.copyOf ?? target.revision
    return deployReport(prepared, { ...(await carryOut(prepared, session, { copyOf })), copyOf }, session)
  } finally {
    await session.close()
  }
}

async function prepareTarget(session: Session): Promise<{ target: ReleaseRecord; prepared: Prepared }> {
  const { run } = session
  const review = beginReview(run)
  const target = await chooseTarget(session)
  const by = target.by ? `, which ${target.by.actor} deployed from commit ${target.by.sha.slice(0, 7)}` : ''
  run.runner.info(`going back to revision ${target.revision} of ${target.startedAt}${by}`)
  const name = `revision ${target.revision}`
  // No Job runs backwards: what it did to the world when the revision was new, it has done.
  const objects = target.objects.filter(({ object }) => hookOf(object) === undefined)
  const manifests = objects.map(({ object }): Manifest => ({ object, at: { file: name, line: 1 } }))
  const placed = await place(manifests, run)
  await review.assertEnough(placed)
  await assertOurs(target, run)
  return { target, prepared: await prepare(placed, session) }
}

/** A record is not trusted outside of the namespace of the release: there, it may change what is the release's already. */
async function assertOurs({ objects, revision }: ReleaseRecord, run: Run): Promise<void> {
  const release = identityOf(run)
  const outside = objects.map(({ object }) => refOf(object)).filter((ref) => ref.namespace !== release.namespace)
  const problems = await mapLimited(outside, async (ref): Promise<Problem[]> => {
    try {
      if (!isBeyondRecord(ref, await run.cluster.get(ref), release)) return []
    } catch (error) {
      if (error instanceof ClusterError) return [problemFrom(error, describe(ref))]
      throw error
    }
    const message = `${describe(ref)} is outside of the namespace of the release, and is not the release's now`
    const hint = `deploy the commit of revision ${revision} instead: its manifests are trusted further than a record`
    return [{ code: 'Fenced', message, hint }]
  })
  rejectIfAny(problems.flat())
}

/** The revision that was asked for or, without a wish, the newest good one that differs from what is in place. */
async function chooseTarget({ run, heads, records, inPlace }: Session): Promise<ReleaseRecord> {
  const { toRevision, release } = run.inputs
  if (toRevision !== undefined) {
    const head = heads.find(({ revision }) => revision === toRevision)
    if (!head) throw refusal(`the release ${release} has no revision ${toRevision}`, heads)
    if (head.status !== 'good') throw refusal(`revision ${toRevision} was never good: it is ${head.status}`, heads)
    return readTarget(head)
  }
  const origin = inPlace && (inPlace.copyOf ?? inPlace.revision)
  // Then the revision in place is not wholly there, and going back to it is what is asked for.
  const isDisturbed = heads.findLast(({ status }) => status !== 'rolled-back')?.status === 'superseded'
  const isLeft = isDisturbed || (inPlace?.status !== 'good' && inPlace?.copyOf === undefined)
  const candidates = heads.filter(
    ({ status, revision }) => status === 'good' && (isDisturbed || revision !== inPlace?.revision),
  )
  for (const head of candidates.toReversed()) {
    const record = await readTarget(head)
    // After going back from 5 to 4 and again, the way leads to 3, and not to 5 once more; nor does it when 4 turns out bad.
    if (isLeft || origin === undefined || (record.copyOf ?? record.revision) < origin) return record
  }
  throw refusal(`the release ${release} has no good revision before the one in place`, heads)

  async function readTarget(head: RecordHead): Promise<ReleaseRecord> {
    try {
      return await records.read(head)
    } catch (error) {
      if (error instanceof RecordError) throw refusal(error.message, heads)
      throw error
    }
  }
}

function refusal(message: string, heads: readonly RecordHead[]): RejectedError {
  const good = heads.filter(({ status }) => status === 'good').map(({ revision }) => revision)
  const hint =
    good.length === 0
      ? 'there is no good revision on record: deploy the commit that you want'
      : `good revisions on record: ${good.join(', ')}; name one with to-revision, or deploy the commit that you want`
  return new RejectedError([{ code: 'InvalidInput', message, hint }])
}
