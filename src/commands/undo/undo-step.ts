import type { KubeObject, ObjectRef } from '../../manifest/object.ts'
import { belongsTo } from '../../plan/desired.ts'
import type { RollbackStepReport } from '../../report/report.ts'
import type { UndoableWrite } from '../../rollback/write.ts'
import { identityOf } from '../prepare/render.ts'
import type { Run } from '../run.ts'
import type { Returning } from './tend-pods.ts'

/** What was done to one object on the way back. */
export interface Step {
  readonly report: RollbackStepReport
  readonly returning?: Returning
  readonly toFinish?: UndoableWrite
  readonly remade?: readonly [key: string, uid: string]
}

export interface UndoOptions {
  /** Until when to wait for an object that somebody is deleting, on the run's clock. */
  readonly deadline: number
  /** Aborts when nothing may be written any more. */
  readonly signal: AbortSignal
}

export const OUTSIDE = 'is outside of the namespace of the release, and nothing on it says that the release wrote it'

/**
 * A record is a Secret in the namespace of the release. Whoever may write there must not be able to have objects changed
 * elsewhere, so those have to carry the release's label themselves.
 */
export function isFenced({ ref, isRecorded }: UndoableWrite, current: KubeObject | undefined, run: Run): boolean {
  if (!isRecorded || ref.namespace === identityOf(run).namespace) return false
  return !belongsTo(current, identityOf(run))
}

export function leaveAlone(ref: ObjectRef, why: string): Step {
  return { report: { ...ref, step: 'left-alone', message: `${why}: left as it is` } }
}
