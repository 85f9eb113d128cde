import { ClusterError, messageOf, type Problem } from '../errors.ts'
import { describe, type KubeObject, type ObjectRef } from '../manifest/object.ts'
import { phaseOf } from '../manifest/order.ts'
import { belongsTo } from '../plan/desired.ts'
import { problemFrom } from '../plan/rejections.ts'
import { hookOf } from '../plan/stages.ts'
import type { RecordedObject } from '../release/record.ts'
import { counted } from '../report/format.ts'
import type { ObjectReport, Report } from '../report/report.ts'
import { decideEnd, type Deletion } from './apply/prune.ts'
import { mapLimited } from './concurrency.ts'
import { assertHomeAllowed, identityOf, namespaceOf } from './prepare/render.ts'
import { reportFrame } from './report-frame.ts'
import type { Run } from './run.ts'
import { inventoryOf } from './session/known-release.ts'
import { teardownPreview } from './previews/teardown-preview.ts'
import { openSession, type Session } from './session/session.ts'
import { stillThere, untilGone } from './until-gone.ts'

/**
 * Deletes what the release has in the cluster, by UID, and at last its records, so that nothing of it is left; but for what people keep
 * data in, which is named. Done again, it goes on where it was. Throws RejectedError when nothing was deleted.
 */
export async function teardown(run: Run): Promise<Report> {
  assertHomeAllowed(run)
  const { preview } = run.inputs
  if (preview) return teardownPreview(preview, run)
  if (await isHomeless(run)) return report(run, { removed: [], kept: [], problems: [], warnings: [] })
  const session = await run.runner.group('Prepare', () =>
    openSession({ namespace: namespaceOf(run), desired: [] }, run),
  )
  try {
    return report(session.run, await remove(session))
  } finally {
    await session.close()
  }
}

/** Where not even the namespace is there, there is no release to remove, and no place for its lock. */
async function isHomeless(run: Run): Promise<boolean> {
  try {
    return (await run.cluster.get({ apiVersion: 'v1', kind: 'Namespace', name: namespaceOf(run) })) === undefined
  } catch (error) {
    // Most logins may not read Namespaces; the lock tells, then.
    if (error instanceof ClusterError && error.status === 403) return false
    throw error
  }
}

interface Removal {
  readonly removed: readonly ObjectRef[]
  /** Whole sentences about what stays. */
  readonly kept: readonly string[]
  /** What could not be deleted. */
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

async function remove(session: Session): Promise<Removal> {
  const { run, records, heads, stop } = session
  const decided = await mapLimited(inventoryOf(session), (recorded) => decide(recorded, run))
  const kept = decided.flatMap(({ ref, decision }) =>
    decision.type === 'keep' ? [`${describe(ref)} ${decision.why}`] : [],
  )
  const deletions = decided
    .flatMap(({ ref, decision }): Deletion[] => (decision.type === 'delete' ? [{ ref, live: decision.live }] : []))
    .toSorted((one, other) => phaseOf(other.ref) - phaseOf(one.ref))
  const { removed, problems } = await run.runner.group('Remove the release', () => deleteAll(deletions, run, stop))
  const held = await waitUntilGone(
    deletions.filter(({ ref }) => removed.includes(ref)),
    run,
    stop,
  )
  // As long as something could not be deleted, the records are what tells of it.
  if (problems.length === 0) await records.remove(heads)
  return { removed, kept, problems, warnings: [...session.warnings, ...held] }
}

/** As for pruning; but the Jobs of hooks go as well, and of those it is not known which of them is there. */
function decide(recorded: RecordedObject, run: Run): ReturnType<typeof decideEnd> {
  return decideEnd(recorded, run, (live) => {
    const isOurHook = live !== undefined && hookOf(recorded.object) !== undefined && belongsTo(live, identityOf(run))
    return isOurHook ? { ...recorded, ...uidOf(live) } : recorded
  })
}

function uidOf({ metadata: { uid } }: KubeObject): Pick<RecordedObject, 'uid'> {
  return uid === undefined ? {} : { uid }
}

async function deleteAll(
  deletions: readonly Deletion[],
  { cluster, runner }: Run,
  stop: AbortSignal,
): Promise<Pick<Removal, 'removed' | 'problems'>> {
  const removed: ObjectRef[] = []
  const problems: Problem[] = []
  for (const { ref, live } of deletions) {
    stop.throwIfAborted()
    try {
      await cluster.delete(ref, live.metadata.uid ?? '')
      removed.push(ref)
      runner.info(`${describe(ref)} deleted`)
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error
      problems.push(problemFrom(error, describe(ref)))
      runner.info(`${describe(ref)} cannot be deleted: ${messageOf(error)}`)
    }
  }
  return { removed, problems }
}

const PATIENCE_MS = 60_000

/** Whole sentences about what is still there, and what holds it: it goes when that lets go. */
async function waitUntilGone(
  deletions: readonly Deletion[],
  { cluster, clock }: Run,
  stop: AbortSignal,
): Promise<string[]> {
  const deadline = clock.now() + PATIENCE_MS
  const held = await mapLimited(deletions, ({ live }) =>
    untilGone(live, { cluster, clock, milliseconds: deadline - clock.now(), signal: stop }),
  )
  return held.flatMap((live) => (live ? [stillThere(live, PATIENCE_MS)] : []))
}

function report(run: Run, { removed, kept, problems, warnings }: Removal): Report {
  const { release } = run.inputs
  const frame = {
    ...reportFrame(run),
    namespace: namespaceOf(run),
    server: run.cluster.server,
    changed: removed.length > 0,
    objects: removed.map((ref): ObjectReport => ({ ...ref, change: 'pruned' })),
    warnings: [...warnings, ...kept],
  }
  const [first] = problems
  if (first) {
    const others = problems.length === 1 ? '' : `; ${counted(problems.length - 1, 'more object')} could not be deleted`
    const message = `${counted(removed.length, 'object')} of the release ${release} deleted, and then: ${first.message}${others}`
    const hint = `${first.hint}; then run this again, which goes on where this one was`
    return { ...frame, outcome: 'failed', reason: first.code, message, hint, problems }
  }
  const rest = kept.length === 0 ? '' : `; ${counted(kept.length, 'object')} stayed`
  const message =
    removed.length === 0
      ? `there was nothing of the release ${release} to delete${rest}`
      : `${counted(removed.length, 'object')} of the release ${release} deleted${rest}`
  return { ...frame, outcome: 'removed', message }
}
