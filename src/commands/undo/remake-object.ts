import { groupKindOf, type KubeObject, type ObjectRef } from '../../manifest/object.ts'
import type { UndoableWrite } from '../../rollback/write.ts'
import { makeRoom } from '../apply/make-room.ts'
import type { Run } from '../run.ts'
import { removeObject } from './remove-object.ts'
import { createAgain, restoreObject } from './restore-object.ts'
import type { Step, UndoOptions } from './undo-step.ts'

/**
 * Takes back that an object was deleted and made anew. The one of the release goes, and the one from before is made again; but for a
 * Job: nobody knows whether what it has done once may be done again, so the old one is not run a second time.
 */
export async function remakeObject(write: UndoableWrite, run: Run, options: UndoOptions): Promise<Step> {
  if (groupKindOf(write.ref) !== 'Job.batch') return restoreObject(write, run, options, replace)
  const step = await removeObject(write, run)
  if (step.report.step !== 'deleted') return step
  return { report: { ...step.report, message: 'deleted: the Job that it had replaced is not run again' } }
}

async function replace(before: KubeObject, current: KubeObject, ref: ObjectRef, run: Run): Promise<Step> {
  await makeRoom(current, run.cluster, run.clock)
  return createAgain(before, ref, run, 'the one of this release was deleted')
}
