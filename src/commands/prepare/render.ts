import { ClusterError, type Problem, RejectedError, rejectIfAny } from '../../errors.ts'
import { setImages } from '../../manifest/images.ts'
import { assertNoDuplicates, loadManifests } from '../../manifest/load.ts'
import { describe, type Manifest, refOf } from '../../manifest/object.ts'
import { inOrder } from '../../manifest/order.ts'
import { isHelmHook, withoutHelmHooks } from '../../plan/helm-hooks.ts'
import { labelled, locate, problemsOf, type ReleaseIdentity } from '../../plan/desired.ts'
import { fenceProblem, homeProblems } from '../../plan/fences.ts'
import { providedTypes } from '../../plan/provided.ts'
import { recreateProblems } from '../../plan/recreate.ts'
import { problemFrom } from '../../plan/rejections.ts'
import { stageProblems } from '../../plan/stages.ts'
import { applyStrategy } from '../../plan/strategy.ts'
import type { ChartFacts, SourceFile } from '../../ports.ts'
import { counted } from '../../report/format.ts'
import { keepSecrets, keepSecretsOfFiles } from '../keep-secrets.ts'
import { withPreviewHome } from '../previews/home.ts'
import { readChartFacts } from './chart-facts.ts'
import type { Run } from '../run.ts'
import { resolveImages } from './resolve-images.ts'

/** A release as it is wanted, before it is compared with the cluster. */
export interface Rendered {
  /** Where the record and the lock are, and objects that name no namespace. */
  readonly namespace: string
  /** In the order in which they are applied, each in its namespace and with the label of the release. */
  readonly desired: readonly Manifest[]
}

/** Where objects of the release go that name no namespace. */
export function namespaceOf({ inputs, cluster }: Pick<Run, 'inputs' | 'cluster'>): string {
  return inputs.namespace ?? cluster.contextNamespace ?? 'default'
}

/** Which release this run is about. */
export function identityOf(run: Pick<Run, 'inputs' | 'cluster'>): ReleaseIdentity {
  return { release: run.inputs.release, namespace: namespaceOf(run) }
}

/** Reads the manifests and puts in images, strategy and namespaces. Throws RejectedError; writes nothing. */
export async function render(run: Run): Promise<Rendered> {
  const { inputs, renderer, runner, signals } = run
  let reading: Promise<ChartFacts> | undefined
  const facts = () => (reading ??= readChartFacts(run, identityOf(run)))
  const loaded = load(await renderer.render(inputs.sources, facts, signals.cancelled), run)
  // Before hooks are left out: an image that only these have is no mistake.
  const { manifests } = setImages(loaded, await resolveImages(inputs.images, run))
  // Not only of a chart: it may have been rendered in a step before.
  if (!manifests.some(({ object }) => isHelmHook(object))) return place(await withPreviewHome(manifests, run), run)
  const mapped = withoutHelmHooks(manifests, (await facts()).isUpgrade)
  for (const note of mapped.notes) runner.info(note)
  return place(await withPreviewHome(mapped.manifests, run), run)
}

function load(files: readonly SourceFile[], { runner }: Run): Manifest[] {
  try {
    const manifests = loadManifests(files)
    keepSecrets(manifests, runner)
    return manifests
  } catch (error) {
    keepSecretsOfFiles(files, runner)
    throw error
  }
}

/** The same for manifests that are at hand, as those of a record. */
export async function place(manifests: readonly Manifest[], run: Run): Promise<Rendered> {
  const { inputs, cluster, runner } = run
  const namespace = namespaceOf(run)
  keepSecrets(manifests, runner)
  runner.info(`${counted(manifests.length, 'object')} for ${cluster.server}, namespace ${namespace}`)
  try {
    const located = await locateAll(manifests, namespace, run)
    const { manifests: shaped, notes } = applyStrategy(located, inputs.strategy)
    for (const note of notes) runner.info(note)
    const desired = inOrder(shaped).map((manifest) => ({
      ...manifest,
      object: labelled(manifest.object, identityOf(run)),
    }))
    return { namespace, desired }
  } catch (error) {
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the cluster')])
    throw error
  }
}

/** Throws RejectedError when the release may not write to its own namespace, in which its lock and its records are. */
export function assertHomeAllowed(run: Pick<Run, 'inputs' | 'cluster'>): void {
  rejectIfAny(homeProblems(namespaceOf(run), run.inputs.fences))
}

/** Gives every object its namespace, by the scope that the cluster says its kind has, and sees to it that it stays inside. */
async function locateAll(
  manifests: readonly Manifest[],
  namespace: string,
  { cluster, inputs: { fences } }: Run,
): Promise<Manifest[]> {
  const provided = providedTypes(manifests)
  const problems: Problem[] = homeProblems(namespace, fences)
  const located: Manifest[] = []
  for (const manifest of manifests) {
    const { apiVersion, kind } = manifest.object
    const type =
      (await cluster.resourceType(apiVersion, kind)) ??
      provided.find((one) => one.apiVersion === apiVersion && one.kind === kind)
    if (type) {
      const placed = locate(manifest, type, namespace)
      const fenced = fenceProblem(refOf(placed.object), fences, namespace, manifest.at)
      problems.push(...problemsOf(manifest, type), ...stageProblems(manifest), ...recreateProblems(manifest))
      if (fenced) problems.push(fenced)
      located.push(placed)
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
