import { ClusterError, messageOf } from '../errors.ts'
import { describe, type KubeObject, type ObjectRef, refOf } from '../manifest/object.ts'
import { phaseOf } from '../manifest/order.ts'
import { content } from '../plan/change.ts'
import { isEqual } from '../plan/json.ts'
import { adoptFields, ourFields } from '../plan/ownership.ts'
import { leftoverFields } from '../plan/strategy-change.ts'
import { isEmpty, NO_FIELDS } from '../plan/field-set.ts'
import type { Cluster } from '../ports.ts'
import type { RollbackStepReport } from '../report/report.ts'
import { exactRepair, restoringApply } from '../rollback/restore.ts'
import { isFollowed } from '../rollout/status.ts'
import type { Target } from '../rollout/tracker.ts'
import type { Written } from './apply.ts'
import { mapLimited } from './concurrency.ts'
import type { Run } from './run.ts'
import { targetOf } from './targets.ts'

export interface Undone {
  readonly steps: readonly RollbackStepReport[]
  /** Workloads on their way back, to be followed. */
  readonly targets: readonly Target[]
}

interface Step {
  readonly report: RollbackStepReport
  readonly target?: Target
}

/**
 * Takes back every write of a release: what it changed goes back first, in the order of an apply, so that the old pods find
 * their old configuration; then what it created is deleted, in reverse. One object that cannot be restored does not stop
 * the others.
 */
export async function undo(written: readonly Written[], { cluster, runner }: Run): Promise<Undone> {
  const attempt = async (one: Written, body: (ref: ObjectRef) => Promise<Step>): Promise<Step> => {
    const ref = refOf(one.change.manifest.object)
    const step = await body(ref).catch((error: unknown): Step => ({
      report: { ...ref, step: 'failed', message: messageOf(error) },
    }))
    runner.info(`${describe(ref)} ${step.report.message}`)
    return step
  }
  const steps: Step[] = []
  const byPhase = Map.groupBy(written, ({ change }) => phaseOf(change.manifest.object))
  const phases = [...byPhase.keys()].toSorted((a, b) => a - b)
  for (const phase of phases) {
    const changed = (byPhase.get(phase) ?? []).filter(({ change }) => change.type === 'update')
    steps.push(...(await mapLimited(changed, (one) => attempt(one, (ref) => restore(one, ref, cluster)))))
  }
  steps.push(...written.filter(({ change }) => change.type === 'run').map(leaveHook))
  for (const phase of phases.toReversed()) {
    const created = (byPhase.get(phase) ?? []).filter(({ change }) => change.type === 'create')
    steps.push(...(await mapLimited(created, (one) => attempt(one, (ref) => remove(one, ref, cluster)))))
  }
  return { steps: steps.map(({ report }) => report), targets: steps.flatMap(({ target }) => target ?? []) }
}

/** A hook has run, and nobody knows how to take back what it did in the world. Its Job stays, for its logs. */
function leaveHook({ change }: Written): Step {
  const ref = refOf(change.manifest.object)
  return { report: { ...ref, step: 'left-alone', message: 'it has run: what it did cannot be undone' } }
}

/** How often an object that somebody else writes at the same moment is read again. */
const RESTORE_ATTEMPTS = 5

async function restore({ change, after }: Written, ref: ObjectRef, cluster: Cluster): Promise<Step> {
  if (change.type !== 'update') throw new Error(`${describe(ref)} was created, not changed`)
  const before = change.live
  for (let attempt = 1; ; attempt++) {
    try {
      const current = await cluster.get(ref)
      if (current && isEqual(content(current), content(before))) {
        return { report: { ...ref, step: 'already-as-before', message: 'is as it was before' } }
      }
      const restored = await restoreOnce({ before, after: after ?? current ?? before }, current, cluster)
      return {
        report: { ...ref, step: 'restored', message: current ? 'restored' : 'restored: it had been deleted' },
        ...(isFollowed(restored) && { target: targetOf(restored, current) }),
      }
    } catch (error) {
      const isOutdated = error instanceof ClusterError && error.status === 409
      if (!isOutdated || attempt === RESTORE_ATTEMPTS) throw error
    }
  }
}

async function restoreOnce(
  written: { before: KubeObject; after: KubeObject },
  current: KubeObject | undefined,
  cluster: Cluster,
): Promise<KubeObject> {
  const body = restoringApply(written, current)
  const leftovers = current ? leftoverFields(body, current) : NO_FIELDS
  const managedFields = current && !isEmpty(leftovers) ? adoptFields(current, leftovers) : undefined
  if (current && managedFields) await cluster.replaceManagedFields(current, managedFields)
  const restored = await cluster.apply(body)
  const repaired = exactRepair(written, current, restored)
  return repaired ? cluster.replace(repaired) : restored
}

async function remove({ after }: Written, ref: ObjectRef, cluster: Cluster): Promise<Step> {
  let created = after
  if (!created) {
    // The answer to our write was lost. The object did not exist before, so if it carries our fields, we made it.
    const current = await cluster.get(ref)
    created = current && !isEmpty(ourFields(current)) ? current : undefined
  }
  const isDeleted = created !== undefined && (await cluster.delete(ref, created.metadata.uid ?? ''))
  return {
    report: {
      ...ref,
      step: isDeleted ? 'deleted' : 'already-as-before',
      message: isDeleted ? 'deleted: this release had created it' : 'is not there, as before',
    },
  }
}
