import { messageOf, type Problem } from '../../errors.ts'
import { describe, type KubeObject, type Manifest, type ObjectRef, refOf } from '../../manifest/object.ts'
import { phaseOf } from '../../manifest/order.ts'
import { whyOutside } from '../../plan/fences.ts'
import { leftBehind, listed, type PruneDecision, pruneDecision } from '../../release/inventory.ts'
import type { RecordedObject } from '../../release/record.ts'
import { counted } from '../../report/format.ts'
import { mapLimited } from '../concurrency.ts'
import { identityOf } from '../prepare/render.ts'
import type { Run } from '../run.ts'

export interface Deletion {
  readonly ref: ObjectRef
  /** As it was when the plan was made. */
  readonly live: KubeObject
}

/** What is deleted once the release is good. */
export interface PrunePlan {
  /** In the order in which they are deleted: what uses others goes before them. */
  readonly deletions: readonly Deletion[]
  /** What stays although the release no longer has it; `why` goes on from its name. */
  readonly kept: readonly { readonly ref: ObjectRef; readonly why: string }[]
  /** What stays because nobody has asked for it to be pruned. */
  readonly left: readonly ObjectRef[]
  /** Why the release is to be rejected. */
  readonly problems: readonly Problem[]
}

/**
 * Decides what of the inventory is to go, and tells it. More than `prune-limit` allows is a problem: a manifest that was not
 * rendered must not empty a namespace. A rollback by hand deletes what came after its target
 * without being asked, as else the release would not be that revision.
 */
export async function planPrune(
  inventory: readonly RecordedObject[],
  desired: readonly Manifest[],
  run: Run,
): Promise<PrunePlan> {
  const { inputs, runner } = run
  const left = leftBehind(
    inventory,
    desired.map(({ object }) => object),
  )
  if (left.length === 0) return { deletions: [], kept: [], left: [], problems: [] }
  const isRollback = inputs.command === 'rollback'
  if (!inputs.prune && !isRollback) {
    runner.info(`no longer in the manifests, and left in the cluster (prune: true deletes them): ${listed(left)}`)
    return { deletions: [], kept: [], left: left.map(({ object }) => refOf(object)), problems: [] }
  }
  const decided = await mapLimited(left, (recorded) => decideEnd(recorded, run))
  const deletions = decided.flatMap(({ ref, decision }) =>
    decision.type === 'delete' ? [{ ref, live: decision.live }] : [],
  )
  const kept = decided.flatMap(({ ref, decision }) => (decision.type === 'keep' ? [{ ref, why: decision.why }] : []))
  for (const { ref, why } of kept) runner.info(`${describe(ref)} ${why}`)
  for (const { ref } of deletions) runner.info(`${describe(ref)} is to be pruned when the release is good`)
  const problems = deletions.length > inputs.pruneLimit && !isRollback ? [tooMany(deletions, inputs.pruneLimit)] : []
  const inOrder = deletions.toSorted((one, other) => phaseOf(other.ref) - phaseOf(one.ref))
  return { deletions: inOrder, kept, left: [], problems }
}

/**
 * What becomes of an object of the inventory that the release is to lose. `known` is what is known of it, given what is there now: all
 * that is on record, if not given.
 */
export async function decideEnd(
  recorded: RecordedObject,
  { inputs, cluster }: Run,
  known: (live: KubeObject | undefined) => RecordedObject = () => recorded,
): Promise<{ readonly ref: ObjectRef; readonly decision: PruneDecision }> {
  const ref = refOf(recorded.object)
  const release = identityOf({ inputs, cluster })
  const fence = whyOutside(ref, inputs.fences, release.namespace)
  if (fence !== undefined) return { ref, decision: { type: 'keep', why: `stays, as it ${fence}` } }
  const live = await cluster.get(ref)
  return { ref, decision: pruneDecision(known(live), live, release) }
}

function tooMany(deletions: readonly Deletion[], limit: number): Problem {
  const names = listed(deletions.map(({ live }) => ({ object: live })))
  return {
    code: 'Fenced',
    message: `the release would prune ${counted(deletions.length, 'object')}, more than prune-limit allows (${limit}): ${names}`,
    hint: 'check that the manifests are complete; if they are, raise prune-limit',
  }
}

export interface Pruned {
  readonly pruned: readonly ObjectRef[]
  /** What could not be deleted, as whole sentences: a good release stays good. */
  readonly warnings: readonly string[]
}

/** Deletes what the plan says, by UID. */
export async function prune({ deletions }: PrunePlan, { cluster, runner, journal }: Run): Promise<Pruned> {
  const pruned: ObjectRef[] = []
  const warnings: string[] = []
  for (const { ref, live } of deletions) {
    try {
      const isDeleted = await cluster.delete(ref, live.metadata.uid ?? '')
      pruned.push(ref)
      runner.info(`${describe(ref)} ${isDeleted ? 'pruned' : 'is gone already'}`)
    } catch (error) {
      warnings.push(`${describe(ref)} could not be pruned: ${messageOf(error)}`)
    }
  }
  if (pruned.length > 0) journal.note(`${counted(pruned.length, 'object')} pruned`)
  return { pruned, warnings }
}
