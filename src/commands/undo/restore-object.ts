import { ClusterError } from '../../errors.ts'
import { describe, keyOf, type KubeObject, type ObjectRef, refOf } from '../../manifest/object.ts'
import { podTemplateOf } from '../../manifest/pod-template.ts'
import { content } from '../../plan/change.ts'
import { isEmpty } from '../../plan/field-set.ts'
import { isEqual } from '../../plan/json.ts'
import { adoptFields, isRollsafes, ownersAsBefore } from '../../plan/ownership.ts'
import { leftoverFields } from '../../plan/strategy-change.ts'
import { type BadRevision, badRevisionOf, madeSince } from '../../rollback/bad-revision.ts'
import { isMadeAnew, otherDeployers } from '../../rollback/other-deployers.ts'
import { recreatable } from '../../rollback/recreate.ts'
import { exactRepair, restoringApply } from '../../rollback/restore.ts'
import { onTheWayBack } from '../../rollback/way-back.ts'
import type { UndoableWrite } from '../../rollback/write.ts'
import { isFollowed } from '../../rollout/status.ts'
import type { Target } from '../../rollout/tracker.ts'
import type { Run } from '../run.ts'
import { targetOf } from '../follow/targets.ts'
import type { Returning } from './tend-pods.ts'
import { leaveAlone, type Step, type UndoOptions, whyFenced } from './undo-step.ts'

/** How an object is restored that the release has made itself, in the place of the one before. */
type Replace = (before: KubeObject, current: KubeObject, ref: ObjectRef, run: Run) => Promise<Step>

/** Restores what a release has changed, pruned or, with `replace`, made anew to what it was before, exactly. */
export async function restoreObject(
  write: UndoableWrite,
  run: Run,
  options: UndoOptions,
  replace?: Replace,
): Promise<Step> {
  const { ref, before, after } = write
  if (!before) throw new Error(`nothing is known of ${describe(ref)} from before the release`)
  // As it was when this began: once we have written it, it no longer tells which pods are of the bad release.
  let first: KubeObject | undefined
  return untilCurrent(run.clock, async () => {
    const current = await settledObject(ref, run, options)
    first ??= current
    const bad = write.isRecorded ? madeSince(after) : first && badRevisionOf({ before, after: after ?? first }, first)
    if (current && isEqual(content(withIdentityOf(before, current)), content(before)) && !isMadeAnew(before, current)) {
      const isAsFound = current === first
      return {
        report: isAsFound
          ? { ...ref, step: 'already-as-before', message: 'is as it was before' }
          : { ...ref, step: 'restored', message: 'restored' },
        // Perhaps an earlier run has restored it, and was killed while it was replacing the pods.
        ...following(await withOwnersAsBefore(before, current, run), isAsFound ? undefined : first, bad),
        ...remadeAs(before, current),
      }
    }
    const fence = whyFenced(write, current, run)
    if (fence !== undefined) return leaveAlone(ref, fence)
    if (!current) return createAgain(before, ref, run, 'it had been deleted')
    if (isMadeAnew(before, current)) return leaveAlone(ref, 'was deleted and made anew by somebody else')
    const others = after ? otherDeployers(after, current) : []
    if (others.length > 0) return leaveAlone(ref, `was changed by ${others.join(', ')} since this release wrote it`)
    if (replace && current.metadata.uid !== before.metadata.uid) return replace(before, current, ref, run)
    const written = { before, after: after ?? current }
    const restored = await restoreOnce(written, current, run)
    const how = restored.note === undefined ? '' : `; ${restored.note}`
    return {
      report: { ...ref, step: 'restored', message: `restored${how}` },
      ...following(restored.object, first, bad),
      ...(restored.isUnfinished && { toFinish: write }),
      ...remadeAs(before, restored.object),
    }
  })
}

const RESTORE_ATTEMPTS = 6
const FIRST_PAUSE_MS = 50

/** An object that somebody else writes at the same moment is read and restored again: a controller writes several times in a row. */
async function untilCurrent<T>(clock: Run['clock'], body: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await body()
    } catch (error) {
      const isOutdated = error instanceof ClusterError && error.status === 409
      if (!isOutdated || attempt === RESTORE_ATTEMPTS) throw error
      await clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1))
    }
  }
}

/** Gives a workload that went back with another strategy its own again, now that all its pods are as before. */
export async function finishRestoring(write: UndoableWrite, { cluster, clock }: Run): Promise<Target> {
  return untilCurrent(clock, async () => {
    const { before } = write
    const current = await cluster.get(write.ref)
    if (!before || !current) throw new Error(`${describe(write.ref)} is gone again`)
    const restored = await restoreOnce({ before, after: current }, current, {
      cluster,
      inputs: { rollbackStrategy: { type: 'as-written' } },
    })
    return targetOf(restored.object, current)
  })
}

function following(object: KubeObject, before?: KubeObject, bad?: BadRevision): { returning?: Returning } {
  return isFollowed(object) ? { returning: { target: targetOf(object, before), ...(bad && { bad }) } } : {}
}

/** An object that had to be made anew is the same one but for its UID and its age. */
function withIdentityOf(before: KubeObject, current: KubeObject): KubeObject {
  const { uid, creationTimestamp } = before.metadata
  return {
    ...current,
    metadata: {
      ...current.metadata,
      ...(uid !== undefined && { uid }),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
    },
  }
}

const PAUSE_MS = 500

/** The object, once nobody is deleting it any more; what is written to it until then would go with it. */
async function settledObject(
  ref: ObjectRef,
  { cluster, clock }: Run,
  { deadline, signal }: UndoOptions,
): Promise<KubeObject | undefined> {
  for (;;) {
    signal.throwIfAborted()
    const current = await cluster.get(ref)
    if (current?.metadata.deletionTimestamp === undefined) return current
    if (clock.now() > deadline) {
      const held = current.metadata.finalizers?.join(', ') ?? 'nothing'
      throw new Error(`is still being deleted (finalizers: ${held}), so it cannot be restored`)
    }
    await clock.sleep(PAUSE_MS, signal)
  }
}

/** Makes an object as it was before; `why` it has to be made says what had become of it. */
export async function createAgain(before: KubeObject, ref: ObjectRef, { cluster }: Run, why: string): Promise<Step> {
  const restored = await cluster.create(recreatable(before))
  return {
    report: { ...ref, step: 'restored', message: `restored: ${why}` },
    ...following(restored),
    ...remadeAs(before, restored),
  }
}

function remadeAs(before: KubeObject, now: KubeObject): Pick<Step, 'remade'> {
  const { uid } = now.metadata
  return uid === undefined || uid === before.metadata.uid ? {} : { remade: [keyOf(refOf(now)), uid] }
}

interface Restored {
  readonly object: KubeObject
  /** It has not its own strategy yet. */
  readonly isUnfinished: boolean
  readonly note?: string
}

async function restoreOnce(
  written: { before: KubeObject; after: KubeObject },
  current: KubeObject,
  { cluster, inputs }: { readonly cluster: Run['cluster']; readonly inputs: Pick<Run['inputs'], 'rollbackStrategy'> },
): Promise<Restored> {
  const { before } = written
  const exact = restoringApply(written, current)
  const replacesPods = !isEqual(podTemplateOf(before), podTemplateOf(current))
  const way = replacesPods
    ? onTheWayBack(exact, before, inputs.rollbackStrategy, current)
    : { body: exact, isFinal: true }
  const leftovers = leftoverFields(way.body, current)
  const managedFields = isEmpty(leftovers) ? undefined : adoptFields(current, leftovers)
  if (managedFields) await cluster.replaceManagedFields(current, managedFields)
  const restored = await cluster.apply(way.body)
  const note = way.note === undefined ? {} : { note: way.note }
  if (!way.isFinal) return { object: restored, isUnfinished: true, ...note }
  const repaired = exactRepair(written, current, restored)
  const object = repaired ? await cluster.replace(repaired) : restored
  return { object: await withOwnersAsBefore(before, object, { cluster }), isUnfinished: false, ...note }
}

async function withOwnersAsBefore(
  before: KubeObject,
  restored: KubeObject,
  { cluster }: Pick<Run, 'cluster'>,
): Promise<KubeObject> {
  // Where Rollsafe owns nothing, that has been done.
  const owners = restored.metadata.managedFields?.some(isRollsafes) ? ownersAsBefore(before, restored) : undefined
  return owners ? cluster.replaceManagedFields(restored, owners) : restored
}
