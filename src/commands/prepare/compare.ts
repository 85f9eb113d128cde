import { ClusterError, type Problem } from '../../errors.ts'
import { describe, keyOf, type KubeObject, type Manifest, refOf } from '../../manifest/object.ts'
import { scaledByManifests, withLiveReplicas } from '../../plan/autoscaling.ts'
import { type Change, changeOf } from '../../plan/change.ts'
import { ownershipProblems } from '../../plan/claims.ts'
import { stampedAsBefore } from '../../plan/desired.ts'
import { isAsApplied } from '../../plan/ownership.ts'
import { providedNamespaces, providedRole } from '../../plan/provided.ts'
import { asksForAddresses, immutableHint, recreationOf } from '../../plan/recreate.ts'
import { isImmutable, problemFrom } from '../../plan/rejections.ts'
import { hookOf } from '../../plan/stages.ts'
import { withNewStrategy, withOldStrategy } from '../../plan/strategy-change.ts'
import { unservedNote } from '../../plan/strategy.ts'
import type { Cluster } from '../../ports.ts'
import { applyTaking } from '../apply/apply-object.ts'
import { mapLimited } from '../concurrency.ts'
import type { Run } from '../run.ts'
import { readLive } from './live.ts'
import { identityOf } from './render.ts'

/** What one object would do. */
export interface Compared {
  readonly manifest: Manifest
  /** Absent when the server refuses it. */
  readonly change?: Change
  /** What is wrong with it; a release that has any is rejected. */
  readonly problems: readonly Problem[]
}

/** Asks the API server, by dry-run, what each object would do, in the order in which they are given. Throws ClusterError; writes nothing. */
export async function compare(desired: readonly Manifest[], run: Run): Promise<Compared[]> {
  const waiting = await waitingForOthers(desired, run.cluster)
  const checkable = desired.filter((manifest) => !waiting.has(manifest))
  const live = await readLive(run.cluster, checkable, run.inputs.release)
  const scaled = scaledByManifests(desired.map(({ object }) => object))
  return mapLimited(desired, async (manifest): Promise<Compared> => {
    run.signals.cancelled.throwIfAborted()
    if (waiting.has(manifest)) return { manifest, change: { type: 'create', manifest }, problems: [] }
    const before = live.get(keyOf(refOf(manifest.object)))
    const problems = ownershipProblems(manifest, before, {
      ...identityOf(run),
      forceConflicts: run.inputs.forceConflicts,
    })
    const scalable = { ...manifest, object: withLiveReplicas(manifest.object, before, scaled) }
    try {
      return { manifest, change: await dryRun(scalable, before, run), problems }
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error
      // The role is not found, or does not hold yet what it will.
      const isAboutRole = !before && (error.status === 403 || error.status === 404)
      const role = isAboutRole ? providedRole(manifest, desired) : undefined
      if (role !== undefined && !live.has(role)) return { manifest, change: { type: 'create', manifest }, problems }
      const problem = problemFrom(error, describe(refOf(manifest.object)), manifest.at)
      const hint = before && problem.code === 'Immutable' ? immutableHint(manifest.object, before) : problem.hint
      return { manifest, problems: [...problems, { ...problem, hint }] }
    }
  })
}

async function dryRun(
  manifest: Manifest,
  before: KubeObject | undefined,
  { inputs, cluster, runner }: Run,
): Promise<Change> {
  if (hookOf(manifest.object)) return checkHook(manifest, before, cluster)
  const object = stampedAsBefore(manifest.object, before)
  if (before && isAsApplied(object, before)) return { type: 'unchanged', manifest, live: before }
  let answer: KubeObject
  try {
    answer = await applyTaking(cluster, before ? withOldStrategy(object, before) : object, before, {
      dryRun: true,
      forceConflicts: inputs.forceConflicts,
    })
  } catch (error) {
    if (!before || !(error instanceof ClusterError) || !isImmutable(error)) throw error
    const recreation = recreationOf(object, before)
    if (!recreation.isAllowed) throw error
    const expected = await dryRunAnew(object, cluster)
    return { type: 'recreate', manifest, live: before, ...(expected && { expected }), why: recreation.why }
  }
  const note = unservedNote(object, answer)
  if (note !== undefined) runner.info(note)
  return changeOf(manifest, before, before ? withNewStrategy(answer, object, before) : answer)
}

async function checkHook(manifest: Manifest, live: KubeObject | undefined, cluster: Cluster): Promise<Change> {
  await dryRunAnew(manifest.object, cluster)
  return { type: 'run', manifest, ...(live && { live }) }
}

/**
 * What the server says of an object that is to take the place of one that is still there: it is asked under another name. Undefined
 * for a Service that asks for addresses, as the old one has them still.
 */
async function dryRunAnew(object: KubeObject, cluster: Cluster): Promise<KubeObject | undefined> {
  if (asksForAddresses(object)) return undefined
  const name = `${object.metadata.name.slice(0, 50)}-dry-run`
  const answer = await cluster.apply({ ...object, metadata: { ...object.metadata, name } }, { dryRun: true })
  return { ...answer, metadata: { ...answer.metadata, name: object.metadata.name } }
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
