import { describe, expect, it } from '@jest/globals'
import { causeOf, standingRefusals } from '../../src/rollout/causes.ts'
import type { Findings } from '../../src/rollout/explanation.ts'
import { type CreationFailure, doomDueInMs, doomOf, type FailFast, type Witness } from '../../src/rollout/fail-fast.ts'
import { podFacts } from '../../src/rollout/pod-facts.ts'
import { expectedOf, isEvent, isPod, isReplicaSet, latest, replay, stepsOf, storyNames } from './story.ts'

const MODES: readonly FailFast[] = ['off', 'safe', 'eager']

it('has the stories', () => {
  expect(storyNames().length).toBeGreaterThanOrEqual(25)
})

describe.each(storyNames())('the story %s', (name) => {
  const expected = expectedOf(name)
  const steps = stepsOf(name)
  const scenes = replay(steps)

  it('shows the trouble of each pod', () => {
    const troubles = steps.flatMap(({ name: step, object }) => {
      const trouble = isPod(object) ? podFacts(object).trouble : undefined
      return trouble ? [[step, `${trouble.reason} ${trouble.gravity}`]] : []
    })
    expect(Object.fromEntries(troubles)).toEqual(expected.troubles)
  })

  it.each(MODES)('with fail-fast %s is called bad at the right step', (mode) => {
    const first = scenes.find(({ witnesses, creation }) => doomOf(expected.kind, witnesses, creation, mode))
    expect(first?.step.name).toEqual(mode === 'off' ? undefined : expected.doom[mode])
  })

  it.each(MODES)('with fail-fast %s tells when time alone would change that', (mode) => {
    const wrong = scenes.filter(({ witnesses, creation }) => {
      const due = doomDueInMs(expected.kind, witnesses, creation, mode)
      const isDoomed = (ms: number) =>
        doomOf(expected.kind, laterWitnesses(witnesses, ms), laterCreation(creation, ms), mode) !== undefined
      return due === undefined ? isDoomed(0) !== isDoomed(1e9) : isDoomed(0) || isDoomed(due - 1) || !isDoomed(due)
    })
    expect(wrong.map(({ step }) => step.name)).toEqual([])
  })

  it('ends in the right headline', () => {
    const pods = latest(steps, isPod)
    const events = latest(steps, isEvent)
    const replicaSets = latest(steps, isReplicaSet)
    const findings = new Map(
      pods.map(({ metadata: { uid = '' } }): [string, Findings] => [
        uid,
        { events: events.filter(({ involvedObject }) => involvedObject.uid === uid), logs: new Map() },
      ]),
    )
    const refusals = replicaSets.length > 0 ? replicaSets : standingRefusals(events, pods)
    expect(causeOf(pods, refusals, findings)).toEqual(expected.cause)
  })
})

function laterWitnesses(witnesses: readonly Witness[], ms: number): Witness[] {
  return witnesses.map((witness) => ({ ...witness, troubledForMs: witness.troubledForMs + ms }))
}

function laterCreation(creation: CreationFailure | undefined, ms: number): CreationFailure | undefined {
  return creation && { ...creation, forMs: creation.forMs + ms }
}
