import { CancelledError, ClusterError, messageOf, type Problem } from '../../errors.ts'
import { describe, type KubeObject, refOf } from '../../manifest/object.ts'
import { phaseOf } from '../../manifest/order.ts'
import type { Change } from '../../plan/change.ts'
import { type Bookkeeping, stamped } from '../../plan/desired.ts'
import { adoptFields } from '../../plan/ownership.ts'
import { leftoverFields } from '../../plan/strategy-change.ts'
import { problemFrom } from '../../plan/rejections.ts'
import type { Cluster } from '../../ports.ts'
import type { Write } from '../../rollback/write.ts'
import { applyTaking } from './apply-object.ts'
import { mapLimited } from '../concurrency.ts'
import { waitUntilServed } from './custom-kinds.ts'
import { waitUntilCounted } from './quotas.ts'
import { makeRoom } from './make-room.ts'
import { LockLostError } from '../session/lock.ts'
import type { Run } from '../run.ts'

/** One object that was written, or that may have been: the answer to the write was lost. */
export interface Written {
  readonly change: Exclude<Change, { type: 'unchanged' }>
  /** As the server answered; undefined when it is not known whether the write took effect. */
  readonly after: KubeObject | undefined
}

export interface Applied {
  /** In the order in which they were written. */
  readonly written: readonly Written[]
  /** What stopped the apply half-way: the server refused a write. */
  readonly problem?: Problem
  /** The same, but it was the run that was stopped. */
  readonly interruption?: Error
}

/** For taking it back. */
export function writeOf({ change, after }: Written): Write {
  const ref = refOf(change.manifest.object)
  switch (change.type) {
    case 'create':
    case 'run':
      return { type: change.type, ref, ...(after && { after }) }
    case 'recreate':
      return { type: 'recreate', ref, before: change.live, ...(after && { after }) }
    case 'update':
      return { type: 'update', ref, before: change.live, after: after ?? change.expected }
  }
}

/**
 * Writes what changes, phase by phase, and stops at the first write that the server refuses. After `stop` aborts nothing new is
 * written, and what is under way is seen to its end.
 */
export async function applyChanges(
  changes: readonly Change[],
  revision: number,
  run: Run,
  stop: AbortSignal,
): Promise<Applied> {
  const { cluster, runner, journal, clock } = run
  journal.enter('apply')
  const bookkeeping = { revision, changeCause: changeCause(run) }
  const written: Written[] = []
  const phases = Map.groupBy(changes, ({ manifest }) => phaseOf(manifest.object))
  let problem: Problem | undefined
  let interruption: Error | undefined
  for (const phase of [...phases.keys()].toSorted((a, b) => a - b)) {
    const before = written.length
    try {
      await mapLimited(phases.get(phase) ?? [], async (change) => {
        if (change.type !== 'unchanged') await write(change)
      })
      await waitUntilServed(
        written.slice(before).map(({ change }) => change.manifest),
        cluster,
        clock,
      )
      const made = written.slice(before).flatMap(({ after }) => after ?? [])
      await waitUntilCounted(made, cluster, clock)
    } catch (error) {
      if (isInterruption(error)) interruption = error
      else problem ??= unexpected(error)
    }
    if (problem || interruption) break
  }
  const why = problem?.message ?? interruption?.message
  journal.note(
    why === undefined
      ? `${written.length} of ${changes.length} objects written`
      : `stopped after ${written.length} of ${changes.length} objects: ${why}`,
  )
  return { written, ...(problem && { problem }), ...(interruption && { interruption }) }

  async function write(change: Written['change']): Promise<void> {
    stop.throwIfAborted()
    const subject = describe(refOf(change.manifest.object))
    try {
      const after = await writeObject(change, bookkeeping, run)
      written.push({ change, after })
      runner.info(`${subject} ${DONE[change.type]}`)
    } catch (error) {
      // What stood in its place may be gone already.
      const isHalfDone = change.type === 'recreate' || (error instanceof ClusterError && error.isUnreachable)
      if (isHalfDone) written.push({ change, after: undefined })
      if (!(error instanceof ClusterError)) throw error
      problem ??= problemFrom(error, subject, change.manifest.at)
      throw error
    }
  }
}

const DONE: Record<Written['change']['type'], string> = {
  create: 'created',
  update: 'configured',
  recreate: 'deleted and made anew',
  run: 'created',
}

/** How often an object that somebody else keeps writing is read again before giving up. */
const ADOPT_ATTEMPTS = 5

/** What `kubectl rollout history` shows: the commit, who deployed it, and where to read more. */
function changeCause({ inputs }: Run): string {
  const { run, release } = inputs
  return run ? `rollsafe: ${release} at ${run.sha.slice(0, 12)} by ${run.actor}, ${run.url}` : `rollsafe: ${release}`
}

async function writeObject(
  change: Written['change'],
  bookkeeping: Bookkeeping,
  { cluster, clock, inputs }: Run,
): Promise<KubeObject> {
  const { forceConflicts } = inputs
  const { object } = change.manifest
  if (change.type === 'create') {
    // What could not be checked before its namespace, kind or role existed is checked now, before it is written.
    if (!change.expected) await cluster.apply(object, { dryRun: true })
    return applyTaking(cluster, stamped(object, bookkeeping), undefined, { forceConflicts })
  }
  if (change.type === 'run') {
    if (change.live) await makeRoom(change.live, cluster, clock)
    return cluster.apply(object)
  }
  if (change.type === 'recreate') {
    await makeRoom(change.live, cluster, clock)
    if (!change.expected) await cluster.apply(object, { dryRun: true })
    return applyTaking(cluster, stamped(object, bookkeeping), undefined, { forceConflicts })
  }
  await adopt(cluster, object, change.live)
  return applyTaking(cluster, stamped(object, bookkeeping), change.live, { forceConflicts })
}

/** Makes the fields that kubectl applied ours, before the first apply by Rollsafe, and those that only an owner can remove. */
async function adopt(cluster: Cluster, desired: KubeObject, live: KubeObject): Promise<void> {
  let current: KubeObject | undefined = live
  for (let attempt = 1; current; attempt++) {
    const managedFields = adoptFields(current, leftoverFields(desired, current))
    if (!managedFields) return
    try {
      await cluster.replaceManagedFields(current, managedFields)
      return
    } catch (error) {
      const isOutdated = error instanceof ClusterError && error.status === 409
      if (!isOutdated || attempt === ADOPT_ATTEMPTS) throw error
      current = await cluster.get(refOf(live))
    }
  }
}

/** The run is to stop here, whatever the state of the release. */
function isInterruption(error: unknown): error is Error {
  return error instanceof CancelledError || error instanceof LockLostError
}

function unexpected(error: unknown): Problem {
  if (error instanceof ClusterError) return problemFrom(error, error.request)
  return { code: 'InvalidManifest', message: messageOf(error), hint: 'this is a defect of Rollsafe: please report it' }
}
