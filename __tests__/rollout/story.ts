/**
 * Stories recorded from a real control plane by testbed/record.ts: a folder for each, a file for each state of an object in
 * the order in which the API server told them. `expected.json` beside them says what is to be made of it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { KubeEvent, Pod, ReplicaSet } from '../../src/manifest/kinds.ts'
import type { KubeObject } from '../../src/manifest/object.ts'
import { type CreationFailure, creationFailureOf, type Witness } from '../../src/rollout/fail-fast.ts'
import { podFacts } from '../../src/rollout/pod-facts.ts'

const FOLDER = resolve(import.meta.dirname, '../fixtures/stories')

export interface Step {
  /** As the file: `04-pod-errimagepull`. */
  readonly name: string
  readonly seconds: number
  readonly object: KubeObject
}

export interface Expected {
  /** Group kind of the workload. */
  readonly kind: string
  /** `reason gravity` by step, for the pods that have trouble at that step. */
  readonly troubles: Readonly<Record<string, string>>
  /** The step at which doomOf speaks for the first time; absent when it does not. */
  readonly doom: { readonly safe?: string; readonly eager?: string }
  /** The headline of the report, from all that was seen by the end. */
  readonly cause?: { readonly reason: string; readonly message: string }
}

/** What is known after a step, its clock in milliseconds. */
export interface Scene {
  readonly step: Step
  readonly witnesses: readonly Witness[]
  readonly creation: CreationFailure | undefined
}

export function storyNames(): string[] {
  return readdirSync(FOLDER, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
}

export function expectedOf(story: string): Expected {
  return JSON.parse(readFileSync(join(FOLDER, story, 'expected.json'), 'utf8')) as Expected
}

export function stepsOf(story: string): Step[] {
  return readdirSync(join(FOLDER, story))
    .filter((file) => /^\d\d-.*\.json$/.test(file))
    .toSorted()
    .map((file) => ({
      name: file.replace('.json', ''),
      ...(JSON.parse(readFileSync(join(FOLDER, story, file), 'utf8')) as Omit<Step, 'name'>),
    }))
}

export const isPod = (object: KubeObject): object is Pod => object.kind === 'Pod'
export const isEvent = (object: KubeObject): object is KubeEvent => object.kind === 'Event'
export const isReplicaSet = (object: KubeObject): object is ReplicaSet => object.kind === 'ReplicaSet'

/** The last state of each object. */
export function latest<Kind extends KubeObject>(
  steps: readonly Step[],
  is: (object: KubeObject) => object is Kind,
): Kind[] {
  const objects = steps.map(({ object }) => object).filter(is)
  return [...new Map(objects.map((object) => [object.metadata.uid, object])).values()]
}

export function replay(steps: readonly Step[]): Scene[] {
  return steps.map((step, index) => {
    const past = steps.slice(0, index + 1)
    return { step, witnesses: witnessesAt(past), creation: creationAt(past) }
  })
}

function witnessesAt(past: readonly Step[]): Witness[] {
  const now = past.at(-1)?.seconds ?? 0
  return latest(past, isPod).map((pod) => {
    const facts = podFacts(pod)
    const own = past.filter(({ object }) => object.metadata.uid === pod.metadata.uid)
    const other = own.findLastIndex(({ object }) => podFacts(object).trouble?.reason !== facts.trouble?.reason)
    const since = own[other + 1]?.seconds ?? now
    return { pod: facts, troubledForMs: (now - since) * 1000 }
  })
}

function creationAt(past: readonly Step[]): CreationFailure | undefined {
  const now = past.at(-1)?.seconds ?? 0
  const told = past.flatMap(({ object, seconds }) => {
    const failure = isPod(object) ? undefined : creationFailureOf(object)
    return failure ? [{ failure, seconds }] : []
  })
  const [first] = told
  const last = told.at(-1)
  return first && last && { ...last.failure, forMs: (now - first.seconds) * 1000 }
}
