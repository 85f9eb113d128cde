import type { KubeObject } from '../../manifest/object.ts'
import { belongsTo, type ReleaseIdentity } from '../../plan/desired.ts'
import { isEmpty } from '../../plan/field-set.ts'
import { HELM_POLICY_ANNOTATION, isKeptByPolicy } from '../../plan/keep.ts'
import { ourFields } from '../../plan/ownership.ts'
import { otherDeployers } from '../../rollback/other-deployers.ts'
import type { UndoableWrite } from '../../rollback/write.ts'
import { identityOf } from '../prepare/render.ts'
import type { Run } from '../run.ts'
import { leaveAlone, type Step, whyFenced } from './undo-step.ts'

const KEPT = `stays, as its annotation ${HELM_POLICY_ANNOTATION} says`
const GONE = 'is not there, as before'

/** Deletes what a release has created, and nothing else that bears its name. */
export async function removeObject(write: UndoableWrite, run: Run): Promise<Step> {
  const { ref, after } = write
  const { cluster } = run
  const asBefore = (message: string): Step => ({ report: { ...ref, step: 'already-as-before', message } })
  const current = await cluster.get(ref)
  if (!current) return asBefore(GONE)
  // It was to be deleted and made anew, and that did not come about.
  if (write.before && write.before.metadata.uid === current.metadata.uid) return asBefore('is as it was before')
  const isTheOne = after ? after.metadata.uid === current.metadata.uid : isOurs(current, identityOf(run))
  if (!isTheOne) return asBefore("is not there any more: what bears its name is somebody else's")
  const fence = whyFenced(write, current, run)
  if (fence !== undefined) return leaveAlone(ref, fence)
  if (isKeptByPolicy(current)) return { report: { ...ref, step: 'kept', message: KEPT } }
  const others = after ? otherDeployers(after, current) : []
  if (others.length > 0) return leaveAlone(ref, `was changed by ${others.join(', ')} since this release created it`)
  if (!(await cluster.delete(ref, current.metadata.uid ?? ''))) return asBefore(GONE)
  return { report: { ...ref, step: 'deleted', message: 'deleted: this release had created it' } }
}

/**
 * The answer to our write was lost, or the run that wrote it is dead. The object did not exist before, so if it carries our
 * fields and the label of the release, we made it.
 */
function isOurs(current: KubeObject, release: ReleaseIdentity): boolean {
  return !isEmpty(ourFields(current)) && belongsTo(current, release)
}
