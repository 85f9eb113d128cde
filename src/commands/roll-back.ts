import { describe, keyOf, refOf } from '../manifest/object.ts'
import { counted } from '../report/format.ts'
import type { RollbackReport, RollbackStepReport } from '../report/report.ts'
import { finishByHand } from '../rollback/by-hand.ts'
import { summarize } from '../rollout/verdict.ts'
import { follow } from './follow.ts'
import type { Observer } from './observer.ts'
import type { RolledOut } from './roll-out.ts'
import type { Run } from './run.ts'
import { undo } from './undo.ts'

/** Undoes what was written and follows it until it is healthy, within the rollback's own time. */
export async function rollBack(
  { written, followed }: RolledOut,
  observer: Observer,
  run: Run,
): Promise<RollbackReport> {
  const { clock, inputs, journal } = run
  journal.enter('roll-back')
  const started = clock.now()
  const deadline = started + inputs.rollbackTimeoutSeconds * 1000
  const { steps, targets } = await undo(written, run)
  const count = (wanted: RollbackStepReport['step']) => steps.filter(({ step }) => step === wanted).length
  journal.note(`${counted(count('restored'), 'object')} restored, ${count('deleted')} deleted`)

  const created = new Set(
    written.filter(({ change }) => change.type === 'create').map(({ change }) => keyOf(refOf(change.manifest.object))),
  )
  const failed = steps.filter(({ step }) => step === 'failed')
  // No soak, which would only keep the team waiting; and a way back is not given up before its time is over.
  const policy = { deadline, timeoutSeconds: inputs.rollbackTimeoutSeconds, stableForMs: 0, failFast: 'off' as const }
  const { verdict } = await follow(
    targets,
    observer,
    run,
    policy,
    followed && { pods: followed.state.pods, tracked: new Map() },
  )
  const report = (outcome: RollbackReport['outcome'], message: string): RollbackReport => ({
    outcome,
    message,
    seconds: Math.round((clock.now() - started) / 100) / 10,
    steps,
    commands: outcome === 'rolled-back' ? [] : finishByHand(steps, (ref) => created.has(keyOf(ref))),
  })

  const [first] = failed
  if (first) return report('rollback-failed', `${describe(first)} could not be restored: ${first.message}`)
  switch (verdict.type) {
    case 'good':
      return report('rolled-back', 'Everything is as it was before the release')
    case 'bad':
      return report('rollback-failed', `The previous revision is back, but ${summarize(verdict.failures)}`)
    case 'unknown':
      return report(
        'rollback-failed',
        `The previous revision was restored, but whether it is healthy could not be observed: ${verdict.why}`,
      )
  }
}
