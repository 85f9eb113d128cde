import { ClusterError, type Problem, RejectedError, rejectIfAny } from '../errors.ts'
import { pendingOf } from '../release/history.ts'
import { isSuperseded } from '../release/supersede.ts'
import { counted } from '../report/format.ts'
import { plannedObjects } from '../report/planned-objects.ts'
import type { PlannedObject, Report } from '../report/report.ts'
import { problemFrom } from '../plan/rejections.ts'
import { planPrune, type PrunePlan } from './apply/prune.ts'
import { rejectedBy } from './early-end.ts'
import { discreetRecords } from './keep-secrets.ts'
import { compare, type Compared } from './prepare/compare.ts'
import { type Forecast, forecast } from './prepare/forecast.ts'
import { previousRevision } from './prepare/prepare.ts'
import { readingCluster } from './prepare/reading-cluster.ts'
import { identityOf, render, type Rendered } from './prepare/render.ts'
import { beginReview } from './prepare/review.ts'
import { sameReleaseProblems } from './prepare/same-release.ts'
import { reportFrame } from './report-frame.ts'
import type { Run } from './run.ts'
import { inventoryOf, type KnownRelease, readKnown } from './session/known-release.ts'
import { openRecords } from './session/records.ts'

/**
 * Tells what a deploy with the same inputs would do now, and does none of it: it takes no lock, and writes nothing. Where a deploy
 * would be rejected, so is the plan, which then shows what there is of it. Throws RejectedError when there is nothing to show.
 */
export async function plan(run: Run): Promise<Report> {
  const reading: Run = { ...run, cluster: readingCluster(run.cluster) }
  return run.runner.group('Plan', async () => {
    try {
      const review = beginReview(reading)
      const rendered = await render(reading)
      const lacking = await review.problems(rendered)
      return planReport(await compareRelease(rendered, lacking, reading), rendered, reading)
    } catch (error) {
      if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the cluster')])
      throw error
    }
  })
}

interface Planned {
  readonly known: KnownRelease
  readonly compared: readonly Compared[]
  readonly prune: PrunePlan
  readonly forecast: Forecast
  /** All that a deploy would be rejected for. */
  readonly problems: readonly Problem[]
}

/** `lacking` are the rights that a deploy would need and the login does not have; the plan may get by without them. */
async function compareRelease(rendered: Rendered, lacking: readonly Problem[], run: Run): Promise<Planned> {
  try {
    const planned = await compareAll(rendered, run)
    return { ...planned, problems: [...lacking, ...planned.problems] }
  } catch (error) {
    if (error instanceof ClusterError && error.status === 403) rejectIfAny(lacking)
    throw error
  }
}

async function compareAll(rendered: Rendered, run: Run): Promise<Planned> {
  const { desired } = rendered
  const records = discreetRecords(openRecords(run.cluster, identityOf(run)), run.runner)
  const known = await readKnown(records, await records.list())
  const compared = await compare(desired, run)
  const prune = await planPrune(inventoryOf(known), desired, run)
  const problems = [
    ...sameReleaseProblems(rendered, known, run.inputs.release),
    ...compared.flatMap((one) => one.problems),
    ...prune.problems,
  ]
  const changes = compared.flatMap(({ change }) => change ?? [])
  return { known, compared, prune, forecast: await forecast(changes, run), problems }
}

function planReport({ known, compared, prune, forecast: ahead, problems }: Planned, { namespace }: Rendered, run: Run) {
  const changes = compared.flatMap(({ change }) => change ?? [])
  const previous = previousRevision(changes, known.inPlace)
  const unasked = prune.left.map((ref) => ({ ref, why: 'stays, as nobody has asked to prune it (prune: true)' }))
  const objects = plannedObjects({
    compared: compared.map((one) => ({ ...one, isRefused: one.problems.length > 0 })),
    pruned: prune.deletions.map(({ ref }) => ref),
    kept: [...prune.kept, ...unasked],
    bounds: ahead.bounds,
    replaceKnown: run.runner.replaceKnown,
  })
  const acting = objects.filter(({ action }) => ACTS.includes(action))
  const told = {
    ...reportFrame(run),
    namespace,
    server: run.cluster.server,
    ...(previous > 0 && { revision: previous }),
    changed: acting.length > 0,
    warnings: [...known.warnings, ...passing(known, run), ...ahead.warnings],
    plan: { objects },
  }
  const [first, ...rest] = problems
  if (first) return { ...told, ...rejectedBy([first, ...rest]) } satisfies Report
  return { ...told, outcome: 'planned', message: summarize(objects, acting) } satisfies Report
}

const ACTS: readonly PlannedObject['action'][] = ['create', 'update', 'recreate', 'run', 'prune']

function summarize(objects: readonly PlannedObject[], acting: readonly PlannedObject[]): string {
  if (acting.length === 0) return `all ${objects.length} objects are as the manifests say: a deploy would write nothing`
  const byAction = Map.groupBy(acting, ({ action }) => action)
  const counts = ACTS.flatMap((action) => {
    const count = byAction.get(action)?.length ?? 0
    return count > 0 ? [`${action} ${count}`] : []
  })
  return `a deploy would ${counts.join(', ')} of ${counted(objects.length, 'object')}`
}

/** What may be otherwise when the deploy comes. */
function passing({ heads, inPlace }: KnownRelease, { inputs }: Run): string[] {
  const pending = pendingOf(heads)
  const by = inPlace?.by
  return [
    ...(pending
      ? [
          `revision ${pending.revision} is not finished: its run is at work, or was killed, and then the next deploy takes it back first; this plan is of the cluster as it is now`,
        ]
      : []),
    ...(by && isSuperseded(inputs.run, by)
      ? [`a newer run has deployed commit ${by.sha.slice(0, 7)}: a deploy of this run would be superseded`]
      : []),
  ]
}
