/** The way back of a StatefulSet from wherever a bad rollout can have left it, against the controller in small. */
import { describe, expect, it } from '@jest/globals'
import { badRevisionOf, replacePods } from '../../src/rollback/replace-pods.ts'
import { type Random, randomFrom } from '../fixtures/random.ts'
import { type Rules, StatefulSetController } from './stateful-set-controller.ts'

const OLDER = 'older'
const OLD = 'old'
const BAD = 'bad'
const WRITTEN_AT = '2026-01-02T00:00:00Z'

function randomRules(random: Random): Rules {
  const replicas = 1 + random.below(5)
  const partition = [undefined, 0, 0, random.below(replicas)][random.below(4)]
  return {
    replicas,
    isOrdered: random.of([true, true, false]),
    type: random.of(['RollingUpdate', 'RollingUpdate', 'OnDelete']),
    ...(partition !== undefined && { partition }),
    maxUnavailable: partition === undefined ? 1 : 1 + random.below(2),
    version: random.of(['gate', 'no gate', '1.37']),
  }
}

/** Something that happens by itself. Old pods always start; of the bad ones `isDoomed` tells which break, sooner or later. */
function live(set: StatefulSetController, random: Random, isDoomed: (index: number) => boolean): void {
  const index = random.below(set.rules.replicas)
  const pod = set.pods.get(index)
  switch (random.below(4)) {
    case 0:
      return set.sync()
    case 1:
      if (pod?.isEnding) set.pods.delete(index)
      return
    case 2:
      if (pod && !pod.isBroken) pod.isReady = true
      return
    case 3:
      if (pod?.revision === BAD && isDoomed(index)) Object.assign(pod, { isReady: false, isBroken: true })
      return
  }
}

/** Everything that can happen has happened, again and again, until nothing changes any more. */
function settle(set: StatefulSetController): void {
  for (let pass = 0; pass < 4 * set.rules.replicas; pass++) {
    for (const [index, pod] of set.pods) {
      if (pod.isEnding) set.pods.delete(index)
      else if (!pod.isBroken) pod.isReady = true
    }
    set.sync()
  }
}

function play(seed: number) {
  const random = randomFrom(seed)
  const rules = randomRules(random)
  const set = new StatefulSetController(rules, OLD)
  const isMixed = rules.type === 'OnDelete'
  for (const index of set.indexes) set.make(index, isMixed ? random.of([OLDER, OLD]) : OLD)
  settle(set)
  const before = set.asObject()

  set.now = WRITTEN_AT
  set.generation = 2
  set.update = BAD
  // A release that brings everything to every pod, where the old one kept it from some.
  const isWider = rules.partition !== undefined && random.below(4) === 0
  if (isWider) set.rules = { ...rules, partition: 0 }
  const after = set.asObject()
  const managedFields = [{ manager: 'rollsafe', operation: 'Apply', time: WRITTEN_AT }]
  const written = { before, after: { ...after, metadata: { ...after.metadata, managedFields } } }
  const doomed = new Set(set.indexes.filter(() => random.below(2) === 0))
  const isDoomed = (index: number) => doomed.has(index)
  for (let step = random.below(200); step > 0; step--) {
    live(set, random, isDoomed)
    const pod = set.pods.get(random.below(rules.replicas))
    if (pod && isMixed && random.below(8) === 0) set.delete(pod.uid)
  }
  const bad = badRevisionOf(written, set.asObject())
  const isStuck = set.indexes.some((index) => set.pods.get(index)?.isBroken)

  set.generation = 3
  set.update = OLD
  set.rules = rules
  const isFast = random.below(6) === 0
  const bound = random.of([1, 1, 2])
  const strategy = isFast ? ({ type: 'fast' } as const) : ({ type: 'max-unavailable', maxUnavailable: bound } as const)
  const deleted: { revision: string; isReady: boolean }[] = []
  /** Nothing was deleted twice, or too many at once, and nothing called done that was not. */
  let isSound = true
  const look = (): boolean => {
    const pods = set.asPods()
    const object = set.asObject()
    const answer = replacePods(object, { generation: 3 }, bad, pods, strategy)
    isSound &&= !answer.isDone || set.indexes.every((index) => set.isUp(index))
    for (const { uid, revision = '', ready } of answer.delete) {
      isSound &&= pods.some((pod) => pod.uid === uid && !pod.deleting)
      deleted.push({ revision, isReady: ready })
      set.delete(uid)
    }
    const missing = set.indexes.filter((index) => !set.isUp(index)).length
    // There is no way back without going below the bound: see comesBackBad.
    const isUndivided = rules.type === 'RollingUpdate' && rules.partition === undefined && set.current === BAD
    const isTooMany = missing > bound && answer.delete.some(({ ready }) => ready)
    const isOneByOne = rules.isOrdered && rules.type === 'RollingUpdate' && !isWider
    isSound &&= isFast || isUndivided || !isTooMany
    isSound &&= isFast || !isOneByOne || answer.delete.length <= 1
    return answer.isDone
  }
  // Below a partition the controller makes pods of the current revision: nothing helps where that is the bad one.
  const isHopeless = isWider && set.current === BAD && (rules.partition ?? 0) > 0
  let isDone = false
  for (let step = 0; step < 4000; step++) {
    live(set, random, isDoomed)
    isDone = random.below(3) === 0 && look()
    if (isDone) break
  }
  return { set, rules, deleted, isDone, isSound, isHopeless, isStuck }
}

describe('a StatefulSet on its way back', () => {
  it('gets there from every state, by deleting only what is bad, and never more at once than allowed', () => {
    const kinds = new Map<string, number>()
    for (let seed = 1; seed <= 3000; seed++) {
      const { set, rules, deleted, isDone, isSound, isHopeless, isStuck } = play(seed)
      const seen = JSON.stringify({ seed, rules, pods: [...set.pods], deleted })
      expect([seen, isSound, deleted.filter(({ revision }) => revision !== BAD)]).toEqual([seen, true, []])
      if (isHopeless) continue
      expect([seen, isDone]).toEqual([seen, true])
      expect([seen, [...set.pods.values()].filter(({ revision }) => revision === BAD)]).toEqual([seen, []])
      const kind = `${rules.type} ${rules.isOrdered ? 'ordered' : 'parallel'} ${rules.version}`
      if (isStuck && deleted.length > 0) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    }
    // Also that the test has been where it wants to be.
    expect([...kinds.values()].filter((count) => count > 10).length).toBeGreaterThanOrEqual(10)
  })
})
