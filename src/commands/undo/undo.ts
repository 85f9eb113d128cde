import { messageOf } from '../../errors.ts'
import { describe } from '../../manifest/object.ts'
import { phaseOf } from '../../manifest/order.ts'
import type { RollbackStepReport } from '../../report/report.ts'
import type { UndoableWrite } from '../../rollback/write.ts'
import { mapLimited } from '../concurrency.ts'
import { remakeObject } from './remake-object.ts'
import { removeObject } from './remove-object.ts'
import { restoreObject } from './restore-object.ts'
import type { Run } from '../run.ts'
import type { Returning } from './tend-pods.ts'
import type { Step, UndoOptions } from './undo-step.ts'

export interface Undone {
  readonly steps: readonly RollbackStepReport[]
  /** Workloads on their way back, to be followed. */
  readonly returning: readonly Returning[]
  /** Writes whose objects went back with another strategy than their own, which they get when they are healthy. */
  readonly toFinish: readonly UndoableWrite[]
  /** The UIDs of objects that are back by name, but had to be made anew; by key. */
  readonly remade: ReadonlyMap<string, string>
}

/**
 * Takes back every write of a release: what it changed or pruned goes back first, in the order of an apply, so that the old
 * pods find their old configuration; then what it created is deleted, in reverse. One object that cannot be restored does not
 * stop the others. Done again, it does nothing: what is as it was before is left as it is.
 */
export async function undo(writes: readonly UndoableWrite[], run: Run, options: UndoOptions): Promise<Undone> {
  const { runner } = run
  const attempt = async (write: UndoableWrite, body: (write: UndoableWrite) => Promise<Step>): Promise<Step> => {
    const step = await body(write).catch((error: unknown): Step => ({
      report: { ...write.ref, step: 'failed', message: messageOf(error) },
    }))
    runner.info(`${describe(write.ref)} ${step.report.message}`)
    return step
  }
  const inPhases = Map.groupBy(writes, ({ ref }) => phaseOf(ref))
  const phases = [...inPhases.keys()].toSorted((a, b) => a - b)
  const ofType = (phase: number, types: readonly UndoableWrite['type'][]) =>
    (inPhases.get(phase) ?? []).filter(({ type }) => types.includes(type))
  const steps: Step[] = []
  for (const phase of phases) {
    const changed = ofType(phase, ['update', 'recreate', 'prune'])
    const goBack = (one: UndoableWrite) =>
      one.type === 'recreate' ? remakeObject(one, run, options) : restoreObject(one, run, options)
    steps.push(...(await mapLimited(changed, (write) => attempt(write, goBack))))
  }
  steps.push(...phases.flatMap((phase) => ofType(phase, ['run'])).map(leaveHook))
  for (const phase of phases.toReversed()) {
    const created = ofType(phase, ['create'])
    steps.push(...(await mapLimited(created, (write) => attempt(write, (one) => removeObject(one, run)))))
  }
  return {
    steps: steps.map(({ report }) => report),
    returning: steps.flatMap(({ returning }) => returning ?? []),
    toFinish: steps.flatMap(({ toFinish }) => toFinish ?? []),
    remade: new Map(steps.flatMap(({ remade }) => (remade ? [remade] : []))),
  }
}

/** A hook has run, and nobody knows how to take back what it did in the world. Its Job stays, for its logs. */
function leaveHook({ ref }: UndoableWrite): Step {
  return { report: { ...ref, step: 'left-alone', message: 'if it has run, what it did cannot be undone' } }
}
