import { messageOf, type Problem } from '../../errors.ts'
import { describe, keyOf, refOf } from '../../manifest/object.ts'
import type { Change } from '../../plan/change.ts'
import { describeBounds } from '../../plan/pod-bounds.ts'
import { type Stage, stagesOf } from '../../plan/stages.ts'
import type { Ending } from '../../rollback/decide.ts'
import type { Policy } from '../../rollout/verdict.ts'
import { applyChanges, type Written } from '../apply/apply.ts'
import { follow, type Followed } from './follow.ts'
import { LockLostError } from '../session/lock.ts'
import type { Observer } from './observer.ts'
import type { Prepared } from '../prepare/prepare.ts'
import type { Session } from '../session/session.ts'
import { targetsOf, watchesOfChanges } from './targets.ts'

/** How far a release got. */
export interface RolledOut {
  /** In the order in which it was written. */
  readonly written: readonly Written[]
  /** The write that was refused. */
  readonly problem?: Problem
  /** What stopped the run: somebody cancelled it, or another run took the lock. */
  readonly interruption?: Error
  /** Of the last thing that was followed; absent when nothing came to be. */
  readonly followed?: Followed
}

/** How it ended, for the decision what to do about it. */
export function endingOf({ problem, interruption, followed }: RolledOut): Ending {
  if (interruption) return interruption instanceof LockLostError ? lostBy(interruption) : { type: 'cancelled' }
  if (problem) return { type: 'refused' }
  const verdict = followed?.verdict ?? { type: 'good' }
  if (verdict.type !== 'interrupted') return verdict
  return verdict.error instanceof LockLostError ? lostBy(verdict.error) : { type: 'cancelled' }
}

export function lostBy(error: unknown): Ending {
  return { type: 'lost', why: messageOf(error) }
}

/** Applies stage by stage, each healthy before the next; at the end all must stay healthy together for a while. */
export async function rollOut(
  { changes, revision, forecast }: Prepared,
  observer: Observer,
  { run, stop }: Session,
): Promise<RolledOut> {
  const { clock, inputs } = run
  const stages = stagesOf(changes)
  const policy: Policy = {
    deadline: clock.now() + inputs.timeoutSeconds * 1000,
    timeoutSeconds: inputs.timeoutSeconds,
    stableForMs: 0,
    failFast: inputs.failFast,
  }
  const written: Written[] = []
  let followed: Followed | undefined
  for (const stage of stages) {
    const applied = await run.runner.group(titleOf('Apply', stage), () =>
      applyChanges(stage.changes, revision, run, stop),
    )
    written.push(...applied.written)
    if (applied.problem || applied.interruption) return { ...applied, written, ...(followed && { followed }) }
    // Everything that has been reached so far: a wave must not go wrong behind the back of the next.
    const reached = stages.slice(0, stages.indexOf(stage) + 1).flatMap((one) => one.changes)
    const isLast = stage === stages.at(-1)
    // What has not changed has already stood the test of time.
    const stableForMs = isLast && written.length > 0 ? inputs.stableForSeconds * 1000 : 0
    followed = await run.runner.group(titleOf('Follow', stage), () => followAll(reached, { ...policy, stableForMs }))
    tellBounds(followed, stage)
    if (followed.verdict.type !== 'good') break
  }
  return { written, ...(followed && { followed }) }

  /** What was promised before, and what came of it. */
  function tellBounds({ state }: Followed, stage: Stage) {
    for (const { manifest } of stage.changes) {
      const ref = refOf(manifest.object)
      const planned = forecast.bounds.get(keyOf(ref))
      const seen = state.tracked.get(keyOf(ref))?.seen
      if (!planned || !seen) continue
      const most = seen.mostTotal === undefined ? '' : `, at most ${seen.mostTotal} in all`
      run.runner.info(
        `${describe(ref)}: at least ${seen.leastAvailable} pods were available${most} (planned: ${describeBounds(planned)})`,
      )
    }
  }

  async function followAll(reached: readonly Change[], wanted: Policy): Promise<Followed> {
    run.journal.enter('follow')
    await observer.watch(watchesOfChanges(changes, reached, inputs.release))
    return follow(targetsOf(reached, written, forecast.nodes), observer, run, {
      policy: wanted,
      signal: stop,
      ...(followed && { before: followed.state }),
    })
  }
}

function titleOf(verb: string, { title }: Stage): string {
  return title === '' ? `${verb} the release` : `${verb} ${title}`
}
