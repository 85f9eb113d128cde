import { ClusterError, messageOf } from '../errors.ts'
import { describe, keyOf, type KubeObject, type ObjectRef, refOf } from '../manifest/object.ts'
import { phaseOf } from '../manifest/order.ts'
import { podTemplateOf } from '../manifest/pod-template.ts'
import { content } from '../plan/change.ts'
import { RELEASE_LABEL } from '../plan/desired.ts'
import { isEmpty } from '../plan/field-set.ts'
import { isEqual } from '../plan/json.ts'
import { adoptFields, isRollsafes, ourFields, ownersAsBefore } from '../plan/ownership.ts'
import { leftoverFields } from '../plan/strategy-change.ts'
import type { RollbackStepReport } from '../report/report.ts'
import { type BadRevision, badRevisionOf, madeSince } from '../rollback/bad-revision.ts'
import { isMadeAnew, otherDeployers } from '../rollback/other-deployers.ts'
import { recreatable } from '../rollback/recreate.ts'
import { exactRepair, restoringApply } from '../rollback/restore.ts'
import { onTheWayBack } from '../rollback/way-back.ts'
import type { UndoableWrite } from '../rollback/write.ts'
import { isFollowed } from '../rollout/status.ts'
import type { Target } from '../rollout/tracker.ts'
import { mapLimited } from './concurrency.ts'
import { namespaceOf } from './render.ts'
import type { Run } from './run.ts'
import { targetOf } from './targets.ts'
import type { Returning } from './tend-pods.ts'

export interface Undone {
  readonly steps: readonly RollbackStepReport[]
  /** Workloads on their way back, to be followed. */
  readonly returning: readonly Returning[]
  /** Writes whose objects went back with another strategy than their own, which they get when they are healthy. */
  readonly toFinish: readonly UndoableWrite[]
  /** The UIDs of objects that are back by name, but had to be made anew; by key. */
  readonly remade: ReadonlyMap<string, string>
}

interface Step {
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
    const changed = ofType(phase, ['update', 'prune'])
    steps.push(...(await mapLimited(changed, (write) => attempt(write, (one) => restore(one, run, options)))))
  }
  steps.push(...phases.flatMap((phase) => ofType(phase, ['run'])).map(leaveHook))
  for (const phase of phases.toReversed()) {
    const created = ofType(phase, ['create'])
    steps.push(...(await mapLimited(created, (write) => attempt(write, (one) => remove(one, run)))))
  }
  return {
    steps: steps.map(({ report }) => report),
    returning: steps.flatMap(({ returning }) => returning ?? []),
    toFinish: steps.flatMap(({ toFinish }) => toFinish ?? []),
    remade: new Map(steps.flatMap(({ remade }) => (remade ? [remade] : []))),
  }
}

/** Gives a workload that went back with another strategy its own again, now that all its pods are as before. */
export async function finishRestoring(write: UndoableWrite, { cluster, inputs }: Run): Promise<Target> {
  return untilCurrent(async () => {
    const { before } = write
    const current = await cluster.get(write.ref)
    if (!before || !current) throw new Error(`${describe(write.ref)} is gone again`)
    const restored = await restoreOnce({ before, after: current }, current, {
      cluster,
      inputs: { rollbackStrategy: { type: 'as-written' }, release: inputs.release },
    })
    return targetOf(restored.object, current)
  })
}

/** A hook has run, and nobody knows how to take back what it did in the world. Its Job stays, for its logs. */
function leaveHook({ ref }: UndoableWrite): Step {
  return { report: { ...ref, step: 'left-alone', message: 'if it has run, what it did cannot be undone' } }
}

async function restore(write: UndoableWrite, run: Run, options: UndoOptions): Promise<Step> {
  const { ref, before, after } = write
  if (!before) throw new Error(`nothing is known of ${describe(ref)} from before the release`)
  // As it was when this began: once we have written it, it no longer tells which pods are of the bad release.
  let first: KubeObject | undefined
  return untilCurrent(async () => {
    const current = await settledObject(ref, run, options)
    first ??= current
    const bad = write.isRecorded ? madeSince(after) : first && badRevisionOf({ before, after: after ?? first }, first)
    if (current && isEqual(content(identityOf(before, current)), content(before)) && !isMadeAnew(before, current)) {
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
    if (isFenced(write, current, run)) return leaveAlone(ref, OUTSIDE)
    if (!current) return recreate(before, ref, run)
    if (isMadeAnew(before, current)) return leaveAlone(ref, 'was deleted and made anew by somebody else')
    const others = after ? otherDeployers(after, current) : []
    if (others.length > 0) return leaveAlone(ref, `was changed by ${others.join(', ')} since this release wrote it`)
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

const RESTORE_ATTEMPTS = 5

/** An object that somebody else writes at the same moment is read and restored again. */
async function untilCurrent<T>(body: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await body()
    } catch (error) {
      const isOutdated = error instanceof ClusterError && error.status === 409
      if (!isOutdated || attempt === RESTORE_ATTEMPTS) throw error
    }
  }
}

const OUTSIDE = 'is outside of the namespace of the release, and nothing on it says that the release wrote it'

/**
 * A record is a Secret in the namespace of the release. Whoever may write there must not be able to have objects changed
 * elsewhere, so those have to carry the release's label themselves.
 */
function isFenced({ ref, isRecorded }: UndoableWrite, current: KubeObject | undefined, run: Run): boolean {
  if (!isRecorded || ref.namespace === namespaceOf(run)) return false
  return current?.metadata.labels?.[RELEASE_LABEL] !== run.inputs.release
}

function leaveAlone(ref: ObjectRef, why: string): Step {
  return { report: { ...ref, step: 'left-alone', message: `${why}: left as it is` } }
}

function following(object: KubeObject, before?: KubeObject, bad?: BadRevision): { returning?: Returning } {
  return isFollowed(object) ? { returning: { target: targetOf(object, before), ...(bad && { bad }) } } : {}
}

/** An object that had to be made anew is the same one but for its UID and its age. */
function identityOf(before: KubeObject, current: KubeObject): KubeObject {
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

async function recreate(before: KubeObject, ref: ObjectRef, { cluster }: Run): Promise<Step> {
  const restored = await cluster.create(recreatable(before))
  return {
    report: { ...ref, step: 'restored', message: 'restored: it had been deleted' },
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
  {
    cluster,
    inputs,
  }: { readonly cluster: Run['cluster']; readonly inputs: Pick<Run['inputs'], 'rollbackStrategy' | 'release'> },
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

async function remove(write: UndoableWrite, run: Run): Promise<Step> {
  const { ref, after } = write
  const { cluster, inputs } = run
  const isGone: Step = { report: { ...ref, step: 'already-as-before', message: 'is not there, as before' } }
  const current = await cluster.get(ref)
  if (!current || (after ? after.metadata.uid !== current.metadata.uid : !isOurs(current, inputs.release)))
    return isGone
  if (isFenced(write, current, run)) return leaveAlone(ref, OUTSIDE)
  const others = after ? otherDeployers(after, current) : []
  if (others.length > 0) return leaveAlone(ref, `was changed by ${others.join(', ')} since this release created it`)
  if (!(await cluster.delete(ref, current.metadata.uid ?? ''))) return isGone
  return { report: { ...ref, step: 'deleted', message: 'deleted: this release had created it' } }
}

/**
 * The answer to our write was lost, or the run that wrote it is dead. The object did not exist before, so if it carries our
 * fields and the label of the release, we made it.
 */
function isOurs(current: KubeObject, release: string): boolean {
  return !isEmpty(ourFields(current)) && current.metadata.labels?.[RELEASE_LABEL] === release
}
