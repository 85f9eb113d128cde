/**
 * Helm's hooks (https://helm.sh/docs/topics/charts_hooks/) as hooks of Rollsafe. Jobs run before and after the release; what they
 * need is applied like everything else.
 */
import { type Problem, rejectIfAny } from '../errors.ts'
import { describe, groupKindOf, type KubeObject, type Manifest, refOf } from '../manifest/object.ts'
import { FIRST_POD_PHASE, phaseOf } from '../manifest/order.ts'
import { PRUNE_ANNOTATION } from './keep.ts'
import { type Hook, HOOK_ANNOTATION, WAVE_ANNOTATION, waveOf } from './stages.ts'

const HELM_HOOK = 'helm.sh/hook'
const HELM_WEIGHT = 'helm.sh/hook-weight'
const HELM_DELETE_POLICY = 'helm.sh/hook-delete-policy'

const INSTALL: readonly string[] = ['pre-install', 'post-install']
const UPGRADE: readonly string[] = ['pre-upgrade', 'post-upgrade']
/** Deleting and rolling back are done by other ways here, on which no Job runs. */
const NEVER: readonly string[] = ['pre-delete', 'post-delete', 'pre-rollback', 'post-rollback']
const TESTS: readonly string[] = ['test', 'test-success', 'test-failure']
const EVENTS = [...INSTALL, ...UPGRADE, ...NEVER, ...TESTS]

export interface WithoutHelmHooks {
  readonly manifests: readonly Manifest[]
  /** Whole sentences about what is left out, or done in another way than Helm would. */
  readonly notes: readonly string[]
}

/** A hook that takes place in this release. */
interface DueHook {
  readonly manifest: Manifest
  readonly when: Hook
  readonly isJob: boolean
  /** It is not in the next release, whatever that changes. */
  readonly isOnce: boolean
}

/** Whether an object is a hook of Helm, and not already one of Rollsafe. */
export function isHelmHook({ metadata }: KubeObject): boolean {
  const { annotations = {} } = metadata
  return annotations[HELM_HOOK] !== undefined && annotations[HOOK_ANNOTATION] === undefined
}

/**
 * The manifests with Helm's hooks turned into Rollsafe's. Jobs of a stage run one after the other, by weight and then by name, as
 * Helm has them. Other objects come with what pods need (`pre-…`), or after everything else (`post-…`). Throws RejectedError for
 * hooks that cannot be had.
 */
export function withoutHelmHooks(manifests: readonly Manifest[], isUpgrade: boolean): WithoutHelmHooks {
  const problems: Problem[] = []
  const leftOut = new Map<string, string[]>()
  const due: DueHook[] = []
  const others = manifests.filter(({ object }) => !isHelmHook(object))
  for (const manifest of manifests.filter(({ object }) => isHelmHook(object))) {
    const hook = dueHook(manifest, isUpgrade, problems)
    if (hook && 'when' in hook) due.push(hook)
    else if (hook) leftOut.set(hook.why, [...(leftOut.get(hook.why) ?? []), nameOf(manifest)])
  }
  const [first] = manifests
  if (first && others.length === 0 && due.length === 0 && problems.length === 0) {
    const message = `there is nothing to deploy: all objects are hooks of Helm that are left out (${[...leftOut.values()].flat().join(', ')})`
    problems.push({ code: 'InvalidManifest', message, hint: 'Check the values of the chart.', at: first.at })
  }
  rejectIfAny(problems)
  const waves = others.map(({ object }) => waveOf(object))
  const mapped = new Map([
    ...jobsInOrder(due),
    ...due.filter(({ isJob }) => !isJob).map((hook) => [hook.manifest, asOrdinary(hook, waves)] as const),
  ])
  const staying = due.filter(
    ({ manifest, isJob }) => isJob && /hook-(?:succeeded|failed)/.test(deletePolicyOf(manifest)),
  )
  return {
    manifests: manifests.flatMap((manifest) => (isHelmHook(manifest.object) ? (mapped.get(manifest) ?? []) : manifest)),
    notes: [
      ...[...leftOut].map(([why, names]) => `left out, as ${why}: ${names.join(', ')}`),
      ...(staying.length === 0
        ? []
        : [
            `${HELM_DELETE_POLICY} is not followed, the Jobs stay for their logs: ${staying.map(({ manifest }) => nameOf(manifest)).join(', ')}`,
          ]),
    ],
  }
}

/** Undefined after a problem. */
function dueHook(manifest: Manifest, isUpgrade: boolean, problems: Problem[]): DueHook | { why: string } | undefined {
  const { object, at } = manifest
  const written = object.metadata.annotations?.[HELM_HOOK] ?? ''
  const events = written.split(',').map((event) => event.trim().toLowerCase())
  const refuse = (message: string, hint: string): undefined => {
    problems.push({ code: 'InvalidManifest', message: `${nameOf(manifest)}: ${message}`, hint, at })
  }
  if (events.includes('crd-install')) {
    return refuse(`the hook crd-install is of Helm 2`, 'Move the definition into the folder crds/ of the chart.')
  }
  const unknown = events.find((event) => !EVENTS.includes(event))
  if (unknown !== undefined) {
    return refuse(
      `${HELM_HOOK} is ${JSON.stringify(written)}, which Helm does not know`,
      `Known are ${EVENTS.join(', ')}.`,
    )
  }
  const [now, otherwise] = isUpgrade ? [UPGRADE, INSTALL] : [INSTALL, UPGRADE]
  const dueNow = events.filter((event) => now.includes(event))
  if (dueNow.length === 0) return { why: whyLeftOut(events, otherwise, isUpgrade) }
  const isJob = groupKindOf(object) === 'Job.batch'
  const phase = phaseOf(object)
  const when = dueNow.some((event) => event.startsWith('pre-')) ? 'pre-deploy' : 'post-deploy'
  if (isJob && dueNow.length > 1) {
    return refuse(`a hook cannot run both before and after (${dueNow.join(', ')})`, 'Make it two Jobs.')
  }
  if (!isJob && (phase === FIRST_POD_PHASE || (when === 'pre-deploy' && phase > FIRST_POD_PHASE))) {
    const hint = 'Make it a Job, or an object like any other by removing the annotation.'
    return refuse(`cannot be a ${dueNow.join(', ')} hook, as only a Job and what it needs can`, hint)
  }
  const isOnce = !events.some((event) => otherwise.includes(event))
  return { manifest, when, isJob, isOnce }
}

function whyLeftOut(events: readonly string[], otherwise: readonly string[], isUpgrade: boolean): string {
  if (events.some((event) => otherwise.includes(event))) {
    const [what, why] = isUpgrade
      ? ['an upgrade', 'there is a good revision']
      : ['an installation', 'no revision was good yet']
    return `this is ${what} (${why})`
  }
  const isTest = events.every((event) => TESTS.includes(event))
  return isTest ? 'they are for "helm test"' : `no Job runs on the way back, or when something is deleted`
}

/** The Jobs of each stage with their place in it. */
function jobsInOrder(due: readonly DueHook[]): [Manifest, Manifest][] {
  const jobs = due.filter(({ isJob }) => isJob)
  return [...Map.groupBy(jobs, ({ when }) => when)].flatMap(([when, ofStage]) => {
    const inOrder = ofStage.toSorted(
      ({ manifest: one }, { manifest: other }) =>
        weightOf(one) - weightOf(other) || (one.object.metadata.name < other.object.metadata.name ? -1 : 1),
    )
    return inOrder.map(({ manifest }, place): [Manifest, Manifest] => [
      manifest,
      annotated(manifest, { [WAVE_ANNOTATION]: String(place), [HOOK_ANNOTATION]: when }),
    ])
  })
}

/** Helm does not delete what a hook of an earlier release has made. */
function asOrdinary({ manifest, when, isOnce }: DueHook, waves: readonly number[]): Manifest {
  const wave = when === 'pre-deploy' ? Math.min(0, ...waves) : Math.max(0, ...waves) + 1
  return annotated(manifest, {
    ...(wave !== 0 && { [WAVE_ANNOTATION]: String(wave) }),
    ...(isOnce && { [PRUNE_ANNOTATION]: 'keep' }),
  })
}

/** What somebody has written for Rollsafe itself counts more. */
function annotated(manifest: Manifest, annotations: Record<string, string>): Manifest {
  const { metadata } = manifest.object
  const all = { ...annotations, ...metadata.annotations }
  return { ...manifest, object: { ...manifest.object, metadata: { ...metadata, annotations: all } } }
}

/** As Helm reads it: 0 for what is no number. */
function weightOf({ object }: Manifest): number {
  const text = object.metadata.annotations?.[HELM_WEIGHT] ?? ''
  return /^[+-]?\d+$/.test(text) ? Number(text) : 0
}

function deletePolicyOf({ object }: Manifest): string {
  return object.metadata.annotations?.[HELM_DELETE_POLICY] ?? ''
}

function nameOf({ object }: Manifest): string {
  return describe(refOf(object))
}
