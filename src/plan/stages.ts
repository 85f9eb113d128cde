/** In which steps a release goes out: waves, one healthy before the next begins, and Jobs before and after. */
import type { Problem } from '../errors.ts'
import { describe, groupKindOf, isObject, type KubeObject, type Manifest, refOf } from '../manifest/object.ts'
import { FIRST_POD_PHASE, phaseOf } from '../manifest/order.ts'
import type { Change } from './change.ts'

export const WAVE_ANNOTATION = 'rollsafe.dev/wave'
export const HOOK_ANNOTATION = 'rollsafe.dev/hook'
const HOOKS = ['pre-deploy', 'post-deploy'] as const
export type Hook = (typeof HOOKS)[number]

export interface Stage {
  /** For people: `wave 2`, `pre-deploy Jobs`; empty when it is the only one. */
  readonly title: string
  /** In the order in which they are applied; what is in it becomes healthy before the next stage begins. */
  readonly changes: readonly Change[]
}

/** When a Job is to run, by its annotation; undefined for everything that is not a hook. */
export function hookOf({ metadata }: KubeObject): Hook | undefined {
  const text = metadata.annotations?.[HOOK_ANNOTATION]
  return HOOKS.find((hook) => hook === text)
}

/** Lower waves go first; without the annotation, 0. */
export function waveOf({ metadata }: KubeObject): number {
  const text = metadata.annotations?.[WAVE_ANNOTATION] ?? '0'
  return /^-?\d{1,6}$/.test(text) ? Number(text) : 0
}

/** What is wrong with the annotations that say when an object is applied. */
export function stageProblems({ object, at }: Manifest): Problem[] {
  const { annotations = {} } = object.metadata
  const wave = annotations[WAVE_ANNOTATION]
  const hook = annotations[HOOK_ANNOTATION]
  const problems: Problem[] = []
  const refuse = (message: string, hint: string) =>
    problems.push({ code: 'InvalidManifest', message: `${describe(refOf(object))}: ${message}`, hint, at })
  if (wave !== undefined && !/^-?\d{1,6}$/.test(wave)) {
    refuse(
      `the annotation ${WAVE_ANNOTATION} is ${JSON.stringify(wave)}, not a whole number`,
      'write a number in quotes: "1"',
    )
  }
  if (hook !== undefined && hookOf(object) === undefined) {
    refuse(`the annotation ${HOOK_ANNOTATION} is ${JSON.stringify(hook)}`, `write ${HOOKS.join(' or ')}`)
  }
  if (hook !== undefined && isObject(object['spec']) && object['spec']['suspend'] === true) {
    refuse('is a hook and suspended, so it would never run', 'remove spec.suspend')
  }
  if (hook !== undefined && groupKindOf(object) !== 'Job.batch') {
    refuse(`the annotation ${HOOK_ANNOTATION} is on a ${object.kind}`, 'only a Job can be a hook')
  }
  return problems
}

/**
 * The stages of a release. Jobs that run before come after the objects of the first wave that pods need (namespaces, roles,
 * configuration, claims), so that they find their configuration, and before anything that runs is changed. Hooks have waves of their own, and run around
 * those of all other objects. When nothing else changes, no Job runs.
 */
export function stagesOf(changes: readonly Change[]): Stage[] {
  const ofHook = (hook: Hook) =>
    inWaves(
      changes.filter(({ manifest }) => hookOf(manifest.object) === hook),
      `${hook} Jobs`,
    )
  const rest = changes.filter(({ manifest }) => hookOf(manifest.object) === undefined)
  if (rest.length > 0 && rest.every(({ type }) => type === 'unchanged')) return [{ title: '', changes: rest }]
  const stages = inWaves(rest, '')
  const before = ofHook('pre-deploy')
  const all = [...(before.length === 0 ? stages : aroundJobs(before, stages)), ...ofHook('post-deploy')]
  return all.filter((stage) => stage.changes.length > 0)
}

function inWaves(changes: readonly Change[], title: string): Stage[] {
  const byWave = Map.groupBy(changes, ({ manifest }) => waveOf(manifest.object))
  const waves = [...byWave.keys()].toSorted((a, b) => a - b)
  const titleOf = (wave: number) => (waves.length === 1 ? title : [title, `wave ${wave}`].filter(Boolean).join(', '))
  return waves.map((wave) => ({ title: titleOf(wave), changes: byWave.get(wave) ?? [] }))
}

/** Splits the first wave into what pods need and the rest, with the Jobs between them. */
function aroundJobs(jobs: readonly Stage[], [first, ...later]: readonly Stage[]): Stage[] {
  const needed = (first?.changes ?? []).filter(({ manifest }) => phaseOf(manifest.object) < FIRST_POD_PHASE)
  const running = (first?.changes ?? []).filter(({ manifest }) => phaseOf(manifest.object) >= FIRST_POD_PHASE)
  return [
    { title: 'what pods need', changes: needed },
    ...jobs,
    { title: first?.title || 'the release', changes: running },
    ...later,
  ]
}
