import { ClusterError, type Problem, RejectedError, rejectIfAny } from '../errors.ts'
import type { Inputs } from '../inputs/inputs.ts'
import { setImages } from '../manifest/images.ts'
import { assertNoDuplicates, loadManifests } from '../manifest/load.ts'
import { describe, keyOf, type KubeObject, type Manifest, refOf } from '../manifest/object.ts'
import { inOrder } from '../manifest/order.ts'
import { type Change, changeOf } from '../plan/change.ts'
import { labelled, locate, problemsOf, RELEASE_LABEL, revisionOf, stampedAsBefore } from '../plan/desired.ts'
import { providedNamespaces, providedTypes } from '../plan/provided.ts'
import { problemFrom } from '../plan/rejections.ts'
import type { Cluster } from '../ports.ts'
import { applyTaking } from './apply-object.ts'
import { counted } from '../report/format.ts'
import { hookOf, stageProblems } from '../plan/stages.ts'
import { withNewStrategy, withOldStrategy } from '../plan/strategy-change.ts'
import { applyStrategy, unservedNote } from '../plan/strategy.ts'
import { type Forecast, forecast } from './forecast.ts'
import { mapLimited } from './concurrency.ts'
import { readLive } from './live.ts'
import type { Run } from './run.ts'

/** A release that the API server has agreed to, object by object, before anything was written. */
export interface Prepared {
  readonly namespace: string
  /** In the order in which they are applied. */
  readonly changes: readonly Change[]
  /** The revision that this release gets if anything changes. */
  readonly revision: number
  readonly previousRevision: number | undefined
  readonly forecast: Forecast
}

/** Renders the manifests and asks the API server, by dry-run, what each would do. Throws RejectedError; writes nothing. */
export async function prepare(run: Run): Promise<Prepared> {
  const { inputs, cluster, renderer, runner, journal } = run
  const written = loadManifests(await renderer.render(inputs.sources))
  const { manifests } = setImages(written, inputs.images)
  const namespace = inputs.namespace ?? cluster.contextNamespace ?? 'default'
  runner.info(`${counted(manifests.length, 'object')} for ${cluster.server}, namespace ${namespace}`)
  try {
    const { manifests: shaped, notes } = applyStrategy(await locateAll(manifests, namespace, cluster), inputs.strategy)
    for (const note of notes) runner.info(note)
    const desired = inOrder(shaped).map((manifest) => ({
      ...manifest,
      object: labelled(manifest.object, inputs.release),
    }))
    const changes = await dryRunAll(desired, run)
    const revisions = changes.flatMap((change) => ('live' in change && change.live ? [revisionOf(change.live)] : []))
    const previous = Math.max(0, ...revisions)
    const counts = Object.entries(Object.groupBy(changes, ({ type }) => type)).map(
      ([type, list]) => `${list.length} to ${WORDS[type as Change['type']]}`,
    )
    runner.info(`the API server accepts them all: ${counts.join(', ')}`)
    journal.note(`${changes.length} objects checked: ${counts.join(', ')}`)
    return {
      forecast: await forecast(changes, run),
      namespace,
      changes,
      revision: previous + 1,
      previousRevision: previous === 0 ? undefined : previous,
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

/** Gives every object its namespace, by the scope that the cluster says its kind has. */
async function locateAll(manifests: readonly Manifest[], namespace: string, cluster: Cluster): Promise<Manifest[]> {
  const provided = providedTypes(manifests)
  const problems: Problem[] = []
  const located: Manifest[] = []
  for (const manifest of manifests) {
    const { apiVersion, kind } = manifest.object
    const type =
      (await cluster.resourceType(apiVersion, kind)) ??
      provided.find((one) => one.apiVersion === apiVersion && one.kind === kind)
    if (type) {
      problems.push(...problemsOf(manifest, type), ...stageProblems(manifest))
      located.push(locate(manifest, type, namespace))
    } else {
      problems.push({
        code: 'InvalidManifest',
        message: `${describe(refOf(manifest.object))}: the cluster does not know the kind ${kind} in ${apiVersion}`,
        hint: 'check the spelling against kubectl api-resources, or add its CustomResourceDefinition to the manifests',
        at: manifest.at,
      })
    }
  }
  rejectIfAny(problems)
  assertNoDuplicates(located)
  return located
}

async function dryRunAll(desired: readonly Manifest[], run: Run): Promise<Change[]> {
  const waiting = await waitingForOthers(desired, run.cluster)
  const checkable = desired.filter((manifest) => !waiting.has(manifest))
  const live = await readLive(run.cluster, checkable, run.inputs.release)
  const checked = await mapLimited(desired, async (manifest): Promise<Checked> => {
    if (waiting.has(manifest)) return { change: { type: 'create', manifest }, problems: [] }
    const before = live.get(keyOf(refOf(manifest.object)))
    const problems = ownershipProblems(manifest, before, run.inputs)
    try {
      return { change: await dryRun(manifest, before, run), problems }
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

function ownershipProblems(manifest: Manifest, live: KubeObject | undefined, inputs: Inputs): Problem[] {
  const owner = live?.metadata.labels?.[RELEASE_LABEL]
  const problem = (code: Problem['code'], message: string, hint: string): Problem => ({
    code,
    message: `${describe(refOf(manifest.object))} ${message}`,
    hint,
    at: manifest.at,
  })
  if (live?.metadata.deletionTimestamp !== undefined) {
    const held = live.metadata.finalizers?.join(', ')
    return [
      problem(
        'Conflict',
        `is being deleted${held === undefined ? '' : ` and held by the finalizers ${held}`}`,
        'wait until it is gone and run again',
      ),
    ]
  }
  if (owner === undefined || owner === inputs.release || inputs.forceConflicts) return []
  return [
    problem(
      'Conflict',
      `belongs to the release ${JSON.stringify(owner)}`,
      'use another name, set the input release to that one, or set force-conflicts: true to take it over',
    ),
  ]
}
