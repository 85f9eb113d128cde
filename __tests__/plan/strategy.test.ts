import { describe, expect, it } from '@jest/globals'
import type { Strategy } from '../../src/inputs/strategy.ts'
import type { KubeObject, Manifest } from '../../src/manifest/object.ts'
import { applyStrategy, unservedNote } from '../../src/plan/strategy.ts'

const AT = { file: 'k8s/app.yaml', line: 1 }
const object = (kind: string, spec: object, apiVersion = 'apps/v1'): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'web', namespace: 'shop' },
  spec: { replicas: 3, ...spec },
})
const manifest = (...of: Parameters<typeof object>): Manifest => ({ at: AT, object: object(...of) })

/** The spec that comes out, without what went in unchanged, and the notes. */
function applied(kind: string, spec: object, strategy: Strategy) {
  const before = manifest(kind, spec)
  const copy = structuredClone(before)
  const { manifests, notes } = applyStrategy([before], strategy)
  expect(before).toEqual(copy)
  expect(manifests).toHaveLength(1)
  expect(manifests[0]?.at).toEqual(AT)
  for (const note of notes) expect(note).toMatch(new RegExp(`^${kind} shop/web: [^.]+\\.$`))
  return { after: manifests[0]?.object, notes }
}

describe('a Deployment', () => {
  const rolling = (maxSurge: unknown, maxUnavailable: unknown) => ({
    type: 'RollingUpdate',
    rollingUpdate: { maxSurge, maxUnavailable },
  })
  it.each<[string, Strategy, unknown, unknown]>([
    ['rolling, by the defaults of Kubernetes', { type: 'rolling' }, undefined, rolling('25%', '25%')],
    ['rolling, after Recreate', { type: 'rolling' }, { type: 'Recreate' }, rolling('25%', '25%')],
    ['rolling, with its own numbers', { type: 'rolling' }, rolling(2, 0), rolling(2, 0)],
    ['rolling, with one number of its own', { type: 'rolling' }, { rollingUpdate: { maxSurge: 2 } }, rolling(2, '25%')],
    [
      'rolling, with numbers',
      { type: 'rolling', maxSurge: 1, maxUnavailable: '10%' },
      rolling(2, 0),
      rolling(1, '10%'),
    ],
    ['rolling, with one number', { type: 'rolling', maxSurge: '50%' }, rolling(2, 0), rolling('50%', 0)],
    ['rolling, with 0', { type: 'rolling', maxUnavailable: 0 }, undefined, rolling('25%', 0)],
    ['sequential', { type: 'sequential' }, rolling('50%', '50%'), rolling(1, 0)],
    ['parallel', { type: 'parallel' }, { type: 'Recreate' }, rolling('100%', 0)],
    ['recreate', { type: 'recreate' }, rolling(1, 1), { type: 'Recreate' }],
    ['as written', { type: 'as-written' }, rolling(7, 8), rolling(7, 8)],
    ['as written, so nothing', { type: 'as-written' }, undefined, undefined],
  ])('%s', (_name, strategy, written, expected) => {
    const spec = written === undefined ? {} : { strategy: written }
    const { after, notes } = applied('Deployment', spec, strategy)
    expect(after).toEqual(object('Deployment', expected === undefined ? {} : { strategy: expected }))
    expect(notes).toEqual([])
  })

  it.each<[string, Strategy, unknown, unknown, string]>([
    [
      'surge',
      { type: 'rolling', maxSurge: 0 },
      rolling(1, 0),
      rolling(0, '25%'),
      'its maxUnavailable of 0 becomes 25%',
    ],
    ['missing', { type: 'rolling', maxUnavailable: '0%' }, rolling('0%', 1), rolling('25%', '0%'), 'its maxSurge of 0'],
  ])('gets no two zeros, which the API server refuses: no %s', (_name, strategy, written, expected, note) => {
    const { after, notes } = applied('Deployment', { strategy: written }, strategy)
    expect(after).toEqual(object('Deployment', { strategy: expected }))
    expect(notes).toEqual([expect.stringContaining(note)])
  })
})

describe('a StatefulSet', () => {
  const rolling = (rollingUpdate?: object) => ({ type: 'RollingUpdate', ...(rollingUpdate && { rollingUpdate }) })
  it.each<[string, Strategy, unknown, unknown, string[]]>([
    ['rolling', { type: 'rolling' }, undefined, rolling(), []],
    [
      'rolling, with its own number',
      { type: 'rolling' },
      rolling({ maxUnavailable: 2 }),
      rolling({ maxUnavailable: 2 }),
      [],
    ],
    [
      'rolling, with a number',
      { type: 'rolling', maxUnavailable: '50%' },
      undefined,
      rolling({ maxUnavailable: '50%' }),
      [],
    ],
    [
      'rolling, none missing',
      { type: 'rolling', maxUnavailable: 0 },
      undefined,
      rolling({ maxUnavailable: 1 }),
      ['one pod at a time is missing'],
    ],
    [
      'rolling, with surge',
      { type: 'rolling', maxSurge: 1, maxUnavailable: 2 },
      undefined,
      rolling({ maxUnavailable: 2 }),
      ['max-surge has no effect'],
    ],
    ['rolling, without surge', { type: 'rolling', maxSurge: 0 }, undefined, rolling(), []],
    [
      'sequential',
      { type: 'sequential' },
      rolling({ maxUnavailable: 3 }),
      rolling({ maxUnavailable: 1 }),
      ['one pod at a time is missing'],
    ],
    [
      'sequential, with a partition',
      { type: 'sequential' },
      rolling({ partition: 2 }),
      rolling({ partition: 2, maxUnavailable: 1 }),
      ['one pod at a time is missing', 'its partition stays: pods with an ordinal below 2 keep the old version'],
    ],
    ['rolling, with partition 0', { type: 'rolling' }, rolling({ partition: 0 }), rolling({ partition: 0 }), []],
    [
      'parallel stays as it is, as none would be left',
      { type: 'parallel' },
      rolling({ maxUnavailable: 1 }),
      rolling({ maxUnavailable: 1 }),
      ['all at once and none missing do not go together'],
    ],
    [
      'recreate',
      { type: 'recreate' },
      undefined,
      rolling({ maxUnavailable: '100%' }),
      ['a new pod may start while old ones of other ordinals are still ending'],
    ],
    ['recreate, by its own alpha type', { type: 'recreate' }, { type: 'Recreate' }, { type: 'Recreate' }, []],
    ['rolling, after its own alpha type', { type: 'rolling' }, { type: 'Recreate' }, rolling(), []],
    [
      'OnDelete is the word of its owner',
      { type: 'rolling', maxUnavailable: 1 },
      { type: 'OnDelete' },
      { type: 'OnDelete' },
      ['updateStrategy OnDelete leaves it to you'],
    ],
  ])('%s', (_name, strategy, written, expected, notes) => {
    const rest = { podManagementPolicy: 'Parallel' }
    const result = applied(
      'StatefulSet',
      { ...rest, ...(written !== undefined && { updateStrategy: written }) },
      strategy,
    )
    expect(result.after).toEqual(object('StatefulSet', { ...rest, updateStrategy: expected }))
    expect(result.notes).toEqual(notes.map((note) => expect.stringContaining(note)))
  })
})

describe('everything else', () => {
  it.each<[string, string]>([
    ['DaemonSet', 'apps/v1'],
    ['Job', 'batch/v1'],
    ['Deployment', 'example.dev/v1'],
    ['Rollout', 'argoproj.io/v1alpha1'],
  ])('stays as it is: %s in %s', (kind, apiVersion) => {
    const before = manifest(kind, {}, apiVersion)
    for (const type of ['rolling', 'sequential', 'parallel', 'recreate'] as const)
      expect(applyStrategy([before], { type })).toEqual({ manifests: [before], notes: [] })
  })

  it('keeps its order, and a spec that is none does no harm', () => {
    const broken: Manifest = { at: AT, object: { ...object('Deployment', {}), spec: 'nonsense' } }
    const { manifests } = applyStrategy([manifest('Job', {}), broken, manifest('StatefulSet', {})], { type: 'rolling' })
    expect(manifests.map(({ object: { kind } }) => kind)).toEqual(['Job', 'Deployment', 'StatefulSet'])
  })
})

describe('a maxUnavailable that the cluster does not serve', () => {
  const set = (rollingUpdate?: object) =>
    object('StatefulSet', { updateStrategy: { type: 'RollingUpdate', rollingUpdate } })
  it('is told', () => {
    expect(unservedNote(set({ maxUnavailable: 2 }), set({ partition: 0 }))).toMatch(
      /^StatefulSet shop\/web: its pods are replaced one at a time, .*MaxUnavailableStatefulSet.*\.$/,
    )
  })
  it.each<[string, KubeObject, KubeObject]>([
    ['served', set({ maxUnavailable: 2 }), set({ partition: 0, maxUnavailable: 2 })],
    ['not asked for', set(), set({ partition: 0 })],
    ['the default anyway', set({ maxUnavailable: 1 }), set({ partition: 0 })],
    ['of another kind', object('Deployment', {}), object('Deployment', {})],
  ])('is not, when it is %s', (_name, desired, expected) => {
    expect(unservedNote(desired, expected)).toBeUndefined()
  })
})
