import { rejectIfAny, RejectedError } from '../errors.ts'
import { isSuperseded } from '../release/supersede.ts'
import type { Report } from '../report/report.ts'
import { type CarriedOut, carryOut } from './carry-out.ts'
import { deployReport } from './deploy-report.ts'
import { locate } from './locate.ts'
import { prepare, type Prepared } from './prepare/prepare.ts'
import { render, type Rendered } from './prepare/render.ts'
import { beginReview } from './prepare/review.ts'
import { whyOutdated } from './previews/currency.ts'
import type { Run } from './run.ts'
import { sameReleaseProblems } from './prepare/same-release.ts'
import { leaveNamespace, openSession, type Session } from './session/session.ts'
import { supersededReport } from './early-end.ts'

/**
 * Renders, takes the lock, compares, applies, follows; and when the release is bad, finds out why and brings back what was
 * there before. Throws RejectedError when nothing was written; every other end is a report.
 */
export async function deploy(run: Run): Promise<Report> {
  const { runner } = run
  const begun = await runner.group('Prepare', async () => {
    const review = beginReview(run)
    const rendered = await render(run)
    await review.assertEnough(rendered)
    // The lock of a preview is in its namespace, which must not come back for it.
    const late = await whyOutdated(run)
    if (late !== undefined) return { late }
    const session = await openWhileWanted(rendered, run)
    return typeof session === 'string' ? { late: session } : { session, prepared: await prepareIn(session, rendered) }
  })
  if (begun.late !== undefined) return supersededReport(run, begun.late)
  const { session, prepared } = begun
  if (typeof prepared === 'string') {
    await session.close()
    return supersededReport(session.run, prepared)
  }
  return locate(await deployPrepared(prepared, session), prepared.changes, session.run)
}

/** A sentence when nobody wants the preview any more, and with its namespace the place of the lock that was waited for is gone. */
async function openWhileWanted(rendered: Rendered, run: Run): Promise<Session | string> {
  try {
    return await openSession(rendered, run)
  } catch (error) {
    const late = error instanceof RejectedError ? await whyOutdated(run) : undefined
    if (late === undefined) throw error
    return late
  }
}

async function deployPrepared(prepared: Prepared, session: Session): Promise<Report> {
  try {
    return deployReport(prepared, await carryOutIn(prepared, session), session)
  } finally {
    await session.close()
  }
}

/** A sentence when another commit is wanted, or in place already. */
async function prepareIn(session: Session, rendered: Rendered): Promise<Prepared | string> {
  const { run, inPlace } = session
  try {
    if (isSuperseded(run.inputs.run, inPlace?.by)) return `a newer run has deployed ${describeNewer(session)}`
    rejectIfAny(sameReleaseProblems(rendered, session, run.inputs.release))
    const prepared = await prepare(rendered, session)
    // Again, as waiting for the lock may have taken its time.
    const late = await whyOutdated(run)
    if (late === undefined) return prepared
    await leaveNamespace(session)
    return late
  } catch (error) {
    await leaveNamespace(session)
    await session.close()
    throw error
  }
}

/** What is thrown, is thrown before the first write. */
async function carryOutIn(prepared: Prepared, session: Session): Promise<CarriedOut> {
  try {
    return await carryOut(prepared, session)
  } catch (error) {
    await leaveNamespace(session)
    throw error
  }
}

function describeNewer({ inPlace }: Session): string {
  const by = inPlace?.by
  return by ? `commit ${by.sha.slice(0, 7)} as revision ${inPlace?.revision}: ${by.url}` : 'another commit'
}
