import { ClusterError, type Problem, RejectedError, rejectIfAny } from '../../errors.ts'
import { describe, keyOf, type KubeObject, type Manifest, refOf } from '../../manifest/object.ts'
import { scaledByManifests, withLiveReplicas } from '../../plan/autoscaling.ts'
import { type Change, changeOf } from '../../plan/change.ts'
import { stampedAsBefore, revisionOf } from '../../plan/desired.ts'
import { ownershipProblems } from '../../plan/claims.ts'
import { providedNamespaces } from '../../plan/provided.ts'
import { problemFrom } from '../../plan/rejections.ts'
import { hookOf } from '../../plan/stages.ts'
import { withNewStrategy, withOldStrategy } from '../../plan/strategy-change.ts'
import { unservedNote } from '../../plan/strategy.ts'
import type { Cluster } from '../../ports.ts'
import { nextRevision } from '../../release/history.ts'
import { applyTaking } from '../apply/apply-object.ts'
import { mapLimited } from '../concurrency.ts'
import { type Forecast, forecast } from './forecast.ts'
import { readLive } from './live.ts'
import { planPrune, type PrunePlan } from '../apply/prune.ts'
import { identityOf, type Rendered } from './render.ts'
import type { Run } from '../run.ts'
import { inventoryOf, type Session } from '../session/session.ts'

/** A release that the API server has agreed to, object by object, before anything was written. */
export interface Prepared {
  readonly namespace: string
  /** In the order in which they are applied. */
  readonly changes: readonly Change[]
  readonly prune: PrunePlan
  /** The revision that this release gets if anything changes. */
  readonly revision: number
  readonly previousRevision: number | undefined
  readonly forecast: Forecast
}

/** Asks the API server, by dry-run, what each object would do. Throws RejectedError; writes nothing. */
export async function prepare({ namespace, desired }: Rendered, session: Session): Promise<Prepared> {
  const { run, inPlace, heads, madeNamespace } = session
  const { runner, journal, signals } = run
  try {
    const compared = await dryRunAll(desired, run)
    // Made a moment ago, for the lock: it is this release that creates it.
    const changes = compared.map((change): Change => {
      const isMade = madeNamespace && keyOf(refOf(change.manifest.object)) === keyOf(refOf(madeNamespace))
      return isMade ? { type: 'create', manifest: change.manifest, expected: madeNamespace } : change
    })
    signals.cancelled.throwIfAborted()
    const prune = await planPrune(inventoryOf(session), desired, run)
    const counts = [
      ...Object.entries(Object.groupBy(changes, ({ type }) => type)).map(
        ([type, list]) => `${list.length} to ${WORDS[type as Change['type']]}`,
      ),
      ...(prune.deletions.length > 0 ? [`${prune.deletions.length} to prune`] : []),
    ]
    runner.info(`the API server accepts them all: ${counts.join(', ')}`)
    journal.note(`${changes.length} objects checked: ${counts.join(', ')}`)
    const stamps = changes.flatMap((change) => ('live' in change && change.live ? [revisionOf(change.live)] : []))
    // Before there were records, the annotation alone told the revision.
    const previous = inPlace?.revision ?? Math.max(0, ...stamps)
    return {
      namespace,
      changes,
      prune,
      revision: Math.max(nextRevision(heads), previous + 1),
      previousRevision: previous === 0 ? undefined : previous,
      forecast: await forecast(changes, run),
    }
  } catch (error) {
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the cluster')])
    throw error
  }
}

const WORDS: Record<Change['type'], string> = {
  create: 'create',
  update: 'update',
  unchanged: 'leave as they are',
  run: 'run',
}

async function dryRunAll(desired: readonly Manifest[], run: Run): Promise<Change[]> {
  const waiting = await waitingForOthers(desired, run.cluster)
  const checkable = desired.filter((manifest) => !waiting.has(manifest))
  const live = await readLive(run.cluster, checkable, run.inputs.release)
  const scaled = scaledByManifests(desired.map(({ object }) => object))
  const checked = await mapLimited(desired, async (manifest): Promise<Checked> => {
    run.signals.cancelled.throwIfAborted()
    if (waiting.has(manifest)) return { change: { type: 'create', manifest }, problems: [] }
    const before = live.get(keyOf(refOf(manifest.object)))
    const problems = ownershipProblems(manifest, before, {
      ...identityOf(run),
      forceConflicts: run.inputs.forceConflicts,
    })
    const scalable = { ...manifest, object: withLiveReplicas(manifest.object, before, scaled) }
    try {
      return { change: await dryRun(scalable, before, run), problems }
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error
      return { problems: [...problems, problemFrom(error, describe(refOf(manifest.object)), manifest.at)] }
    }
  })
  // In the order of the objects, not of the answers: the first problem is the headline, and must not depend on chance.
  rejectIfAny(checked.flatMap(({ problems }) => problems))
  return checked.flatMap(({ change }) => change ?? [])
}

interface Checked {
  /** Absent when the server refuses it. */
  readonly change?: Change
  readonly problems: readonly Problem[]
}

async function dryRun(
  manifest: Manifest,
  before: KubeObject | undefined,
  { inputs, cluster, runner }: Run,
): Promise<Change> {
  if (hookOf(manifest.object)) return checkHook(manifest, before, cluster)
  const object = stampedAsBefore(manifest.object, before)
  const answer = await applyTaking(cluster, before ? withOldStrategy(object, before) : object, before, {
    dryRun: true,
    forceConflicts: inputs.forceConflicts,
  })
  const note = unservedNote(object, answer)
  if (note !== undefined) runner.info(note)
  return changeOf(manifest, before, before ? withNewStrategy(answer, object, before) : answer)
}

/** A Job cannot be changed, so a hook is checked under another name than the one that the last release's Job still has. */
async function checkHook(manifest: Manifest, live: KubeObject | undefined, cluster: Cluster): Promise<Change> {
  const { object } = manifest
  const name = `${object.metadata.name.slice(0, 50)}-dry-run`
  await cluster.apply({ ...object, metadata: { ...object.metadata, name } }, { dryRun: true })
  return { type: 'run', manifest, ...(live && { live }) }
}

/** Objects that cannot be checked yet, because their namespace or their kind is made by this same release. */
async function waitingForOthers(desired: readonly Manifest[], cluster: Cluster): Promise<Set<Manifest>> {
  const newNamespaces = new Set<string>()
  for (const name of providedNamespaces(desired)) {
    if (!(await cluster.get({ apiVersion: 'v1', kind: 'Namespace', name }))) newNamespaces.add(name)
  }
  const waiting = new Set<Manifest>()
  for (const manifest of desired) {
    const { apiVersion, kind, metadata } = manifest.object
    const isServed = (await cluster.resourceType(apiVersion, kind)) !== undefined
    if (!isServed || newNamespaces.has(metadata.namespace ?? '')) waiting.add(manifest)
  }
  return waiting
}
