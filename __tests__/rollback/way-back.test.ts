import { describe, expect, it } from '@jest/globals'
import type { RollbackStrategy } from '../../src/inputs/rollback-strategy.ts'
import { isObject, type JsonObject, type KubeObject, type ManagedFieldsEntry } from '../../src/manifest/object.ts'
import { isZeroBound, scaledValue } from '../../src/plan/int-or-percent.ts'
import { onTheWayBack } from '../../src/rollback/way-back.ts'

type Bound = number | string

const workload = (kind: string, spec: Record<string, unknown>): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'web', namespace: 'shop' },
  spec,
})
const fieldOf = (kind: string) => (kind === 'Deployment' ? 'strategy' : 'updateStrategy')
const rolling = (rollingUpdate?: Record<string, unknown>) => ({
  type: 'RollingUpdate',
  ...(rollingUpdate && { rollingUpdate }),
})
const least = (maxUnavailable?: Bound): RollbackStrategy => ({
  type: 'max-unavailable',
  ...(maxUnavailable !== undefined && { maxUnavailable }),
})
const FAST: RollbackStrategy = { type: 'fast' }

/** What the restoring apply says, of which Rollsafe owns no strategy. */
const BODY = { template: { old: true } }

function goBack(kind: string, own: object, strategy: RollbackStrategy, replicas = 3) {
  const before = workload(kind, { replicas, [fieldOf(kind)]: own, template: { old: true } })
  const way = onTheWayBack(workload(kind, BODY), before, strategy)
  const { spec } = way.body
  const { [fieldOf(kind)]: sent, ...rest } = isObject(spec) ? spec : {}
  return { ...way, sent, rest }
}

describe('a way back other than as written', () => {
  it.each<[string, string, object, RollbackStrategy, number, object]>([
    [
      'its own',
      'Deployment',
      rolling({ maxSurge: 0, maxUnavailable: 2 }),
      least(1),
      3,
      { maxSurge: 0, maxUnavailable: 1 },
    ],
    [
      'a percentage',
      'Deployment',
      rolling({ maxSurge: 1, maxUnavailable: 1 }),
      least('50%'),
      4,
      { maxSurge: 1, maxUnavailable: '50%' },
    ],
    [
      'none missing',
      'Deployment',
      rolling({ maxSurge: 0, maxUnavailable: 1 }),
      least(0),
      3,
      { maxSurge: 1, maxUnavailable: 0 },
    ],
    [
      'none missing, 0%',
      'Deployment',
      rolling({ maxSurge: '0%', maxUnavailable: 1 }),
      least('0%'),
      3,
      { maxSurge: 1, maxUnavailable: '0%' },
    ],
    [
      'a percentage that comes to nothing',
      'Deployment',
      rolling({ maxSurge: 0, maxUnavailable: 1 }),
      least('25%'),
      3,
      { maxSurge: 1, maxUnavailable: '25%' },
    ],
    [
      'own, comes to nothing',
      'Deployment',
      rolling({ maxSurge: 0, maxUnavailable: '25%' }),
      least(),
      3,
      { maxSurge: 1, maxUnavailable: '25%' },
    ],
    [
      'none missing, own surge',
      'Deployment',
      rolling({ maxSurge: '25%', maxUnavailable: '25%' }),
      least(0),
      3,
      { maxSurge: '25%', maxUnavailable: 0 },
    ],
    [
      'without replicas',
      'Deployment',
      rolling({ maxSurge: 0, maxUnavailable: 1 }),
      least(0),
      0,
      { maxSurge: 1, maxUnavailable: 0 },
    ],
    ['defaults', 'Deployment', {}, least(1), 3, { maxSurge: '25%', maxUnavailable: 1 }],
    [
      'fast',
      'Deployment',
      rolling({ maxSurge: 1, maxUnavailable: 0 }),
      FAST,
      3,
      { maxSurge: '100%', maxUnavailable: 0 },
    ],
    ['fast, defaults', 'Deployment', {}, FAST, 3, { maxSurge: '100%', maxUnavailable: '25%' }],
    [
      'a partition',
      'StatefulSet',
      rolling({ partition: 2, maxUnavailable: 3 }),
      least(2),
      5,
      { partition: 2, maxUnavailable: 2 },
    ],
    ['no numbers', 'StatefulSet', rolling(), least('50%'), 4, { maxUnavailable: '50%' }],
    [
      'fewer',
      'DaemonSet',
      rolling({ maxSurge: 0, maxUnavailable: '50%' }),
      least(1),
      3,
      { maxSurge: 0, maxUnavailable: 1 },
    ],
    [
      'fast',
      'DaemonSet',
      rolling({ maxSurge: 0, maxUnavailable: 1 }),
      FAST,
      3,
      { maxSurge: 0, maxUnavailable: '100%' },
    ],
    [
      'fast, with a surge',
      'DaemonSet',
      rolling({ maxSurge: 1, maxUnavailable: 0 }),
      FAST,
      3,
      { maxSurge: '100%', maxUnavailable: 0 },
    ],
  ])('%s (%s)', (_, kind, own, strategy, replicas, rollingUpdate) => {
    const { sent, rest, isFinal, note } = goBack(kind, own, strategy, replicas)
    expect(sent).toEqual({ type: 'RollingUpdate', rollingUpdate })
    expect(rest).toEqual(BODY)
    expect(isFinal).toBe(false)
    expect(note).toBeUndefined()
  })

  it.each<[string, string, object, RollbackStrategy]>([
    ['as written', 'Deployment', rolling({ maxSurge: 0, maxUnavailable: 1 }), { type: 'as-written' }],
    ['the same numbers', 'Deployment', rolling({ maxSurge: 1, maxUnavailable: 0 }), least(0)],
    ['its own numbers', 'Deployment', rolling({ maxSurge: '25%', maxUnavailable: '25%' }), least()],
    ['fast already', 'Deployment', rolling({ maxSurge: 3, maxUnavailable: 0 }), FAST],
    ['fast, by deleting pods', 'StatefulSet', rolling({ partition: 0 }), FAST],
    ['its own numbers', 'StatefulSet', rolling({ partition: 0 }), least()],
    ['OnDelete', 'StatefulSet', { type: 'OnDelete' }, least(1)],
    ['OnDelete', 'DaemonSet', { type: 'OnDelete' }, FAST],
    ['its own numbers', 'DaemonSet', rolling({ maxSurge: 0, maxUnavailable: 1 }), least()],
    ['a surge, so none is missing', 'DaemonSet', rolling({ maxSurge: 1, maxUnavailable: 0 }), least(2)],
    ['a surge, so none is missing', 'DaemonSet', rolling({ maxSurge: 1, maxUnavailable: 0 }), least(0)],
    ['no strategy at all', 'Job', {}, FAST],
  ])('leaves the body as it is: %s (%s)', (_, kind, own, strategy) => {
    const { sent, isFinal, note } = goBack(kind, own, strategy)
    expect({ sent, isFinal, note }).toEqual({ sent: undefined, isFinal: true, note: undefined })
  })

  it.each<[string, object, RollbackStrategy, RegExp, object | undefined]>([
    ['Deployment', { type: 'Recreate' }, least(1), /goes back by Recreate/, undefined],
    ['Deployment', { type: 'Recreate' }, FAST, /two versions of it must not run side by side/, undefined],
    ['StatefulSet', { type: 'Recreate' }, least(1), /goes back by Recreate/, undefined],
    [
      'StatefulSet',
      rolling({ partition: 0, maxUnavailable: 2 }),
      least(0),
      /one pod at a time is missing/,
      { partition: 0, maxUnavailable: 1 },
    ],
    ['StatefulSet', rolling({ partition: 0, maxUnavailable: 1 }), least(0), /one pod at a time is missing/, undefined],
    [
      'StatefulSet',
      rolling({ partition: 0 }),
      least('10%'),
      /one pod at a time is missing/,
      { partition: 0, maxUnavailable: '10%' },
    ],
    [
      'DaemonSet',
      rolling({ maxSurge: 0, maxUnavailable: 2 }),
      least('0%'),
      /its maxSurge of 0/,
      { maxSurge: 0, maxUnavailable: 1 },
    ],
  ])('says what cannot be had: %s %j %j', (kind, own, strategy, expected, rollingUpdate) => {
    const { sent, isFinal, note } = goBack(kind, own, strategy)
    expect(note).toMatch(expected)
    expect(note).toMatch(new RegExp(String.raw`^${kind} .*web.*\.$`))
    expect(sent).toEqual(rollingUpdate && { type: 'RollingUpdate', rollingUpdate })
    expect(isFinal).toBe(rollingUpdate === undefined)
  })

  it('replaces the strategy that the body restores, and nothing else of it', () => {
    const spec = { replicas: 2, strategy: rolling({ maxSurge: 1, maxUnavailable: 1 }), template: { old: true } }
    const body = workload('Deployment', spec)
    const way = onTheWayBack(body, body, least(0))
    expect(way.body).toEqual(workload('Deployment', { ...spec, strategy: rolling({ maxSurge: 1, maxUnavailable: 0 }) }))
    expect(body.spec).toBe(spec)
  })

  it('counts the replicas that an autoscaler has asked for since', () => {
    const own = rolling({ maxSurge: 0, maxUnavailable: '25%' })
    const before = workload('Deployment', { replicas: 3, strategy: own })
    const current = workload('Deployment', { replicas: 8, strategy: own })
    const maxSurge = (way: { body: KubeObject }) => JSON.stringify(way.body['spec'])
    expect(maxSurge(onTheWayBack(workload('Deployment', {}), before, least()))).toContain('"maxSurge":1')
    expect(onTheWayBack(workload('Deployment', {}), before, least(), current).isFinal).toBe(true)
  })

  it.each([
    ['helm', 'Update', true],
    ['kubectl-client-side-apply', 'Update', false],
    ['rollsafe', 'Apply', false],
  ])('leaves a strategy that %s owns alone, unless it is adopted', (manager, operation, isOthers) => {
    const fieldsV1: JsonObject = { 'f:spec': { 'f:strategy': { 'f:type': {} } } }
    const managedFields: ManagedFieldsEntry[] = [{ manager, operation, fieldsV1 }]
    const before = workload('Deployment', { strategy: rolling({ maxSurge: 0, maxUnavailable: 1 }) })
    const current = { ...before, metadata: { ...before.metadata, managedFields } }
    const { isFinal, note } = onTheWayBack(workload('Deployment', {}), before, least(0), current)
    expect(isFinal).toBe(isOthers)
    expect(note?.includes('another tool') ?? false).toBe(isOthers)
  })
})

describe('what is sent', () => {
  const BOUNDS: Bound[] = [0, 1, 3, '0%', '10%', '25%', '100%']
  const pairs = BOUNDS.flatMap((maxSurge) => BOUNDS.map((maxUnavailable) => ({ maxSurge, maxUnavailable })))
  const wishes = [...BOUNDS.map(least), least(), FAST]
  const numbersOf = (sent: unknown) =>
    isObject(sent) && isObject(sent['rollingUpdate']) ? sent['rollingUpdate'] : undefined

  it('is never refused by the API server for two zeros, and has no more pods missing than asked for', () => {
    for (const own of pairs.filter((pair) => !isZeroBound(pair.maxSurge) || !isZeroBound(pair.maxUnavailable)))
      for (const wish of wishes)
        for (const replicas of [1, 2, 3, 10]) {
          const numbers = numbersOf(goBack('Deployment', rolling(own), wish, replicas).sent) ?? own
          const surge = scaledValue(numbers['maxSurge'], replicas, 'up')
          const unavailable = scaledValue(numbers['maxUnavailable'], replicas, 'down')
          expect(isZeroBound(numbers['maxSurge']) && isZeroBound(numbers['maxUnavailable'])).toBe(false)
          // With both at 0 pods the controller would let one go missing.
          expect(surge + unavailable).toBeGreaterThan(0)
          expect(surge).toBeGreaterThanOrEqual(wish.type === 'fast' ? replicas : 0)
          expect(numbers['maxUnavailable']).toBe(wish.maxUnavailable ?? own.maxUnavailable)
        }
  })

  it('has exactly one number other than zero for a DaemonSet', () => {
    for (const own of pairs.filter((pair) => isZeroBound(pair.maxSurge) !== isZeroBound(pair.maxUnavailable)))
      for (const wish of wishes) {
        const numbers = numbersOf(goBack('DaemonSet', rolling(own), wish).sent) ?? own
        expect(isZeroBound(numbers['maxSurge'])).not.toBe(isZeroBound(numbers['maxUnavailable']))
      }
  })
})
