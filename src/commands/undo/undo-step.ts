import type { KubeObject, ObjectRef } from '../../manifest/object.ts'
import { isBeyondRecord, whyOutside } from '../../plan/fences.ts'
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

const BEYOND_RECORD = 'is outside of the namespace of the release, and nothing on it says that the release wrote it'

/**
 * Why this run may not take back what another has written down; undefined when it may. What it wrote itself, it could write, and
 * may take back.
 */
export function whyFenced(
  { ref, isRecorded }: UndoableWrite,
  current: KubeObject | undefined,
  run: Run,
): string | undefined {
  if (!isRecorded) return undefined
  const release = identityOf(run)
  if (isBeyondRecord(ref, current, release)) return BEYOND_RECORD
  return whyOutside(ref, run.inputs.fences, release.namespace)
}

export function leaveAlone(ref: ObjectRef, why: string): Step {
  return { report: { ...ref, step: 'left-alone', message: `${why}: left as it is` } }
}
