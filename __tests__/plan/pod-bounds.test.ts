import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { describeBounds, podBounds, resolveFenceposts, seenBounds, type SeenBounds } from '../../src/plan/pod-bounds.ts'
import { type Random, randomFrom } from '../fixtures/random.ts'
import { DeploymentController, type ReplicaSet, type Rollout } from './deployment-controller.ts'

const OLD = { spec: { containers: [{ name: 'app', image: 'app:1' }] } }
const NEW = { spec: { containers: [{ name: 'app', image: 'app:2' }] } }
const workload = (kind: string, spec: object, status: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'web', namespace: 'shop' },
  spec: { template: NEW, ...spec },
  status,
})
const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
})
const RECREATE = { strategy: { type: 'Recreate' } }

describe('resolveFenceposts', () => {
  it.each<[string | number, string | number, number, number, number]>([
    ['25%', '25%', 3, 1, 0],
    ['25%', '25%', 1, 1, 0],
    ['25%', '25%', 4, 1, 1],
    ['25%', '25%', 10, 3, 2],
    [0, '25%', 3, 0, 1],
    [0, '25%', 4, 0, 1],
    ['0%', 0, 3, 0, 1],
    [0, 5, 3, 0, 3],
    ['100%', 0, 3, 3, 0],
    [10, 0, 3, 10, 0],
    [0, 0, 0, 0, 0],
  ])('%j and %j of %d are %d up and %d down', (maxSurge, maxUnavailable, replicas, surge, unavailable) => {
    expect(resolveFenceposts(maxSurge, maxUnavailable, replicas)).toEqual({ surge, unavailable })
  })
})

describe('a Deployment', () => {
  const live = (replicas: number, available = replicas, more: object = {}) =>
    workload(
      'Deployment',
      { replicas, template: OLD },
      { replicas, updatedReplicas: replicas, availableReplicas: available, ...more },
    )
  it.each<[string, object, KubeObject | undefined, string]>([
    ['is replaced by the defaults', { replicas: 3 }, live(3), 'at least 3 of 3 available, at most 4 pods in all'],
    ['has one replica when it says nothing', {}, live(1), 'at least 1 of 1 available, at most 2 pods in all'],
    [
      '25% of 8',
      { replicas: 8, ...rolling('25%', '25%') },
      live(8),
      'at least 6 of 8 available, at most 10 pods in all',
    ],
    [
      'maxUnavailable 0',
      { replicas: 3, ...rolling(1, 0) },
      live(3),
      'at least 3 of 3 available, at most 4 pods in all',
    ],
    ['maxSurge 0', { replicas: 3, ...rolling(0, 1) }, live(3), 'at least 2 of 3 available, at most 3 pods in all'],
    [
      'both round to 0, so that one goes missing',
      { replicas: 3, ...rolling('0%', '25%') },
      live(3),
      'at least 2 of 3 available, at most 3 pods in all',
    ],
    [
      'all at once',
      { replicas: 3, ...rolling('100%', 0) },
      live(3),
      'at least 3 of 3 available, at most 6 pods in all',
    ],
    [
      'never more new pods than replicas',
      { replicas: 2, ...rolling(5, 0) },
      live(2),
      'at least 2 of 2 available, at most 4 pods in all',
    ],
    [
      'Recreate has an outage',
      { replicas: 3, ...RECREATE },
      live(3),
      'at least 0 of 3 available, at most 3 pods in all (Recreate removes all old pods first)',
    ],
    [
      'is new',
      { replicas: 3, ...rolling(2, 0) },
      undefined,
      'at least 0 of 3 available, at most 3 pods in all (it is new)',
    ],
    [
      'grows',
      { replicas: 6, ...rolling(1, 1) },
      live(3),
      'at least 3 of 6 available, at most 7 pods in all (3 are available now)',
    ],
    ['shrinks', { replicas: 3, ...rolling(1, 0) }, live(6), 'at least 3 of 3 available, at most 6 pods in all'],
    [
      'shrinks with Recreate',
      { replicas: 1, ...RECREATE },
      live(6),
      'at least 0 of 1 available, at most 6 pods in all (Recreate removes all old pods first)',
    ],
    ['goes to 0', { replicas: 0, ...rolling(1, 0) }, live(2), 'at least 0 of 0 available, at most 2 pods in all'],
    [
      'comes from 0',
      { replicas: 2, ...rolling(1, 0) },
      live(0),
      'at least 0 of 2 available, at most 2 pods in all (0 are available now)',
    ],
    [
      'is half down already',
      { replicas: 3, ...rolling(1, 0) },
      live(3, 1),
      'at least 1 of 3 available, at most 4 pods in all (1 is available now)',
    ],
    [
      'only grows',
      { replicas: 5, template: OLD },
      live(3),
      'at least 3 of 5 available, at most 5 pods in all (3 are available now)',
    ],
    [
      'only shrinks, in spite of Recreate',
      { replicas: 2, template: OLD, ...RECREATE },
      live(3),
      'at least 2 of 2 available, at most 3 pods in all',
    ],
    ['is unchanged', { replicas: 3, template: OLD }, live(3), 'at least 3 of 3 available, at most 3 pods in all'],
    [
      'is unchanged, and its rollout goes on',
      { replicas: 4, template: OLD, ...rolling(1, 1) },
      live(4, 3, { replicas: 5, updatedReplicas: 2 }),
      'at least 3 of 4 available, at most 5 pods in all',
    ],
    [
      'is paused',
      { replicas: 3, paused: true },
      live(3),
      'at least 3 of 3 available, at most 3 pods in all (it is paused, so no pod is replaced)',
    ],
    [
      'is paused and down',
      { replicas: 3, paused: true },
      live(3, 0),
      'at least 0 of 3 available, at most 3 pods in all (it is paused, so no pod is replaced; 0 are available now)',
    ],
    [
      'shrinks in the middle of a rollout',
      { replicas: 2, ...rolling(1, 0) },
      live(4, 4, { replicas: 5, updatedReplicas: 2 }),
      'at least 0 of 2 available, at most 5 pods in all (the rollout before is unfinished and has more pods than that)',
    ],
  ])('%s', (_name, spec, before, expected) => {
    const bounds = podBounds(workload('Deployment', spec), before)
    expect(bounds && describeBounds(bounds)).toBe(expected)
  })

  it('of another group has no bounds', () => {
    expect(podBounds({ ...workload('Deployment', {}), apiVersion: 'example.dev/v1' })).toBeUndefined()
  })
})

describe('a StatefulSet', () => {
  const live = (replicas: number, available = replicas, more: object = {}) =>
    workload(
      'StatefulSet',
      { replicas, template: OLD },
      { replicas, availableReplicas: available, currentRevision: 'a', updateRevision: 'a', ...more },
    )
  const update = (rollingUpdate: object) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } })
  it.each<[string, object, KubeObject | undefined, string]>([
    ['goes one by one', { replicas: 3 }, live(3), 'at least 2 of 3 available, at most 3 pods in all'],
    ['of one pod', {}, live(1), 'at least 0 of 1 available, at most 1 pod in all'],
    [
      'maxUnavailable 2',
      { replicas: 3, ...update({ maxUnavailable: 2 }) },
      live(3),
      'at least 1 of 3 available, at most 3 pods in all',
    ],
    [
      'a percentage rounds down, to one at the least',
      { replicas: 3, ...update({ maxUnavailable: '10%' }) },
      live(3),
      'at least 2 of 3 available, at most 3 pods in all',
    ],
    [
      '100%',
      { replicas: 3, ...update({ maxUnavailable: '100%' }) },
      live(3),
      'at least 0 of 3 available, at most 3 pods in all',
    ],
    [
      'a partition keeps pods',
      { replicas: 5, ...update({ maxUnavailable: 4, partition: 3 }) },
      live(5),
      'at least 3 of 5 available, at most 5 pods in all',
    ],
    [
      'a partition beyond all',
      { replicas: 3, ...update({ partition: 3 }) },
      live(3),
      'at least 3 of 3 available, at most 3 pods in all',
    ],
    [
      'OnDelete',
      { replicas: 3, updateStrategy: { type: 'OnDelete' } },
      live(3),
      'at least 3 of 3 available, at most 3 pods in all (updateStrategy OnDelete replaces no pod by itself)',
    ],
    [
      'the alpha type Recreate',
      { replicas: 3, updateStrategy: { type: 'Recreate' } },
      live(3),
      'at least 0 of 3 available, at most 3 pods in all (Recreate removes all old pods first)',
    ],
    ['is new', { replicas: 3 }, undefined, 'at least 0 of 3 available, at most 3 pods in all (it is new)'],
    ['shrinks', { replicas: 2 }, live(4), 'at least 1 of 2 available, at most 4 pods in all'],
    ['is unchanged', { replicas: 3, template: OLD }, live(3), 'at least 3 of 3 available, at most 3 pods in all'],
    [
      'is unchanged, and its update goes on',
      { replicas: 3, template: OLD },
      live(3, 3, { updateRevision: 'b' }),
      'at least 2 of 3 available, at most 3 pods in all',
    ],
  ])('%s', (_name, spec, before, expected) => {
    const bounds = podBounds(workload('StatefulSet', spec), before)
    expect(bounds && describeBounds(bounds)).toBe(expected)
  })
})

describe('a DaemonSet', () => {
  const live = (nodes: number, available = nodes, more: object = {}) =>
    workload(
      'DaemonSet',
      { template: OLD },
      {
        desiredNumberScheduled: nodes,
        currentNumberScheduled: nodes,
        updatedNumberScheduled: nodes,
        numberAvailable: available,
        ...more,
      },
    )
  const update = (rollingUpdate: object) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } })
  it.each<[string, object, KubeObject, string]>([
    ['goes node by node', {}, live(3), 'at least 2 of 3 available, at most 3 pods in all'],
    [
      'a percentage rounds up, unlike that of a Deployment',
      update({ maxUnavailable: '10%' }),
      live(12),
      'at least 10 of 12 available, at most 12 pods in all',
    ],
    [
      'maxSurge',
      update({ maxSurge: 1, maxUnavailable: 0 }),
      live(3),
      'at least 3 of 3 available, at most 4 pods in all',
    ],
    [
      'maxSurge rounds up',
      update({ maxSurge: '10%', maxUnavailable: 0 }),
      live(12),
      'at least 12 of 12 available, at most 14 pods in all',
    ],
    [
      'an unavailable pod gets its successor at once',
      update({ maxSurge: 1, maxUnavailable: 0 }),
      live(4, 2),
      'at least 2 of 4 available, at most 7 pods in all (2 are available now)',
    ],
    ['both 0', update({ maxSurge: 0, maxUnavailable: 0 }), live(3), 'at least 2 of 3 available, at most 3 pods in all'],
    ['more than nodes', update({ maxUnavailable: 9 }), live(3), 'at least 0 of 3 available, at most 3 pods in all'],
    ['no nodes', {}, live(0), 'at least 0 of 0 available, at most 0 pods in all'],
    [
      'OnDelete',
      { updateStrategy: { type: 'OnDelete' } },
      live(3),
      'at least 3 of 3 available, at most 3 pods in all (updateStrategy OnDelete replaces no pod by itself)',
    ],
    ['is unchanged', { template: OLD }, live(3), 'at least 3 of 3 available, at most 3 pods in all'],
    [
      'is unchanged, and its update goes on',
      { template: OLD },
      live(3, 3, { updatedNumberScheduled: 1 }),
      'at least 2 of 3 available, at most 3 pods in all',
    ],
  ])('%s', (_name, spec, before, expected) => {
    const bounds = podBounds(workload('DaemonSet', spec), before)
    expect(bounds && describeBounds(bounds)).toBe(expected)
  })

  it('that is new has no number of nodes yet', () => {
    expect(podBounds(workload('DaemonSet', {}))).toBeUndefined()
  })
})

describe('against the controller in small', () => {
  const SEEDS = Array.from({ length: 100 }, (_, index) => 1000 + index)
  const bound = (random: Random) => random.of([0, 1, 2, 5, '0%', '10%', '25%', '50%', '100%'])

  function rolloutFrom(random: Random, replicas = random.below(9)): Rollout {
    const maxUnavailable = bound(random)
    const maxSurge = bound(random)
    const type = random.below(5) === 0 ? ('Recreate' as const) : ('RollingUpdate' as const)
    return {
      replicas,
      type,
      maxSurge: Number.parseInt(String(maxUnavailable), 10) === 0 ? maxSurge || 1 : maxSurge,
      maxUnavailable,
    }
  }

  /** ReplicaSets as earlier rollouts may have left them: the last one finished, or two in the middle. */
  function setsFrom(random: Random, replicas: number): Omit<ReplicaSet, 'isNew'>[] {
    const isFinished = random.below(3) > 0 || replicas < 2
    const sizes = isFinished ? [replicas] : [1 + random.below(replicas - 1), 1 + random.below(3)]
    return sizes.map((size) => ({
      replicas: size,
      available: random.below(3) === 0 ? random.below(size + 1) : size,
      desired: replicas,
      most: Math.max(
        replicas,
        sizes.reduce((sum, one) => sum + one, 0),
      ),
    }))
  }

  it.each(SEEDS)('no step leaves the bounds (seed %d)', (seed) => {
    const random = randomFrom(seed)
    const replicasBefore = random.below(9)
    const rollout = rolloutFrom(random, random.below(2) === 0 ? replicasBefore : random.below(9))
    const sets = setsFrom(random, replicasBefore)
    const controller = new DeploymentController(rollout, sets)
    const live = controller.asObject('old', { ...rollout, replicas: replicasBefore })
    const bounds = podBounds(controller.asObject('new'), live)
    let seen: SeenBounds | undefined = seenBounds(undefined, live)
    for (let step = 0; step < 400 && !controller.isDone; step++) {
      const waiting = controller.sets.filter(({ replicas, available }) => available < replicas)
      if (waiting.length > 0 && random.below(2) === 0) random.of(waiting).available++
      else controller.sync()
      seen = seenBounds(seen, controller.asObject('new'))
    }
    expect(controller.isDone).toBe(true)
    const { leastAvailable = -1, mostTotal = -1 } = bounds ?? {}
    expect(seen?.leastAvailable).toBeGreaterThanOrEqual(leastAvailable)
    expect(seen?.mostTotal).toBeLessThanOrEqual(mostTotal)
  })

  it.each(SEEDS.slice(0, 50))('the bounds are reached when pods are slow (seed %d)', (seed) => {
    const random = randomFrom(seed)
    const rollout = {
      ...rolloutFrom(random, 1 + random.below(12)),
      type: random.of(['RollingUpdate', 'Recreate'] as const),
    }
    const { replicas } = rollout
    const healthy = { replicas, available: replicas, desired: replicas, most: replicas }
    const controller = new DeploymentController(rollout, [healthy])
    const bounds = podBounds(controller.asObject('new'), controller.asObject('old'))
    let seen: SeenBounds | undefined
    for (let step = 0; step < 5; step++) {
      seen = seenBounds(seen, controller.asObject('new'))
      controller.sync()
    }
    expect(seen).toEqual({ leastAvailable: bounds?.leastAvailable, mostTotal: bounds?.mostTotal })
  })
})

describe('what is seen', () => {
  it('is the least and the most of all observations', () => {
    const seen = [
      { availableReplicas: 3, replicas: 3 },
      { availableReplicas: 2, replicas: 4 },
      { replicas: 5 },
      { availableReplicas: 3, replicas: 3 },
    ].map((status) => workload('Deployment', {}, status))
    expect(seen.slice(0, 2).reduce<SeenBounds | undefined>(seenBounds, undefined)).toEqual({
      leastAvailable: 2,
      mostTotal: 4,
    })
    expect(seen.reduce<SeenBounds | undefined>(seenBounds, undefined)).toEqual({ leastAvailable: 0, mostTotal: 5 })
  })

  it.each<[string, object, SeenBounds | undefined]>([
    ['StatefulSet', { replicas: 3, availableReplicas: 2, readyReplicas: 3 }, { leastAvailable: 2, mostTotal: 3 }],
    ['StatefulSet', { replicas: 3, readyReplicas: 1 }, { leastAvailable: 1, mostTotal: 3 }],
    ['DaemonSet', { numberAvailable: 4, currentNumberScheduled: 5 }, { leastAvailable: 4 }],
    ['Job', { active: 1 }, undefined],
  ])('of a %s: %j', (kind, status, expected) => {
    const object = { ...workload(kind, {}, status), apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1' }
    expect(seenBounds(undefined, object)).toEqual(expected)
  })

  it('does not change with another kind', () => {
    expect(seenBounds({ leastAvailable: 1 }, { ...workload('Job', {}), apiVersion: 'batch/v1' })).toEqual({
      leastAvailable: 1,
    })
  })
})
