import { rejectIfAny } from '../errors.ts'
import { isSuperseded } from '../release/supersede.ts'
import type { Report } from '../report/report.ts'
import { type CarriedOut, carryOut } from './carry-out.ts'
import { deployReport } from './deploy-report.ts'
import { locate } from './locate.ts'
import { prepare, type Prepared } from './prepare/prepare.ts'
import { render, type Rendered } from './prepare/render.ts'
import { beginReview } from './prepare/review.ts'
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
  const { session, prepared } = await runner.group('Prepare', async () => {
    const review = beginReview(run)
    const rendered = await render(run)
    await review.assertEnough(rendered)
    const opened = await openSession(rendered, run)
    return { session: opened, prepared: await prepareIn(opened, rendered) }
  })
  if (!prepared) {
    await session.close()
    return supersededReport(session.run, `a newer run has deployed ${describeNewer(session)}`)
  }
  return locate(await deployPrepared(prepared, session), prepared.changes, session.run)
}

async function deployPrepared(prepared: Prepared, session: Session): Promise<Report> {
  try {
    return deployReport(prepared, await carryOutIn(prepared, session), session)
  } finally {
    await session.close()
  }
}

/** Undefined when a newer commit is in place already. */
async function prepareIn(session: Session, rendered: Rendered): Promise<Prepared | undefined> {
  const { run, inPlace } = session
  try {
    if (isSuperseded(run.inputs.run, inPlace?.by)) return undefined
    rejectIfAny(sameReleaseProblems(rendered, session, run.inputs.release))
    return await prepare(rendered, session)
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
