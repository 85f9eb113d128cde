import { describe, expect, it } from '@jest/globals'
import { diffObjects, type FieldChange } from '../../src/plan/diff.ts'
import { createRedactor } from '../../src/secrets/redactor.ts'
import { isEqual } from '../../src/plan/json.ts'
import type { Json, KubeObject } from '../../src/manifest/object.ts'
import { randomFrom, type Random } from '../fixtures/random.ts'

/** As a run sees them that knows of no secret. */
const differences = (before: KubeObject | undefined, after: KubeObject | undefined) =>
  diffObjects(before, after, createRedactor().replaceKnown)

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const configMap = (data: Record<string, unknown>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'app', namespace: 'shop' },
  data,
})

const deployment = (spec: Record<string, unknown>, podSpec: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { ...spec, template: { spec: podSpec } },
})

/** Of two versions of one field of a spec. */
const diffOf = (before: unknown, after: unknown): FieldChange[] =>
  differences(deployment({ field: before }), deployment({ field: after }))

describe('diffObjects', () => {
  it('names the fields as people write them', () => {
    const before = deployment({ replicas: 3 }, { containers: [{ name: 'web', image: 'web:1' }] })
    const after = deployment({ replicas: 4 }, { containers: [{ name: 'web', image: 'web:2' }] })
    expect(differences(before, after)).toEqual([
      { path: 'spec.replicas', before: '3', after: '4' },
      { path: 'spec.template.spec.containers[web].image', before: 'web:1', after: 'web:2' },
    ])
  })

  it.each([
    ['app.yaml', 'data[app.yaml]'],
    ['a', 'data.a'],
    ['a b', 'data["a b"]'],
    ['', 'data[""]'],
    ['x]y', 'data["x]y"]'],
    ['a\nb', String.raw`data["a\nb"]`],
    ['\u202eabc', String.raw`data[\u{202e}abc]`],
  ])('names the key %j', (key, path) => {
    expect(differences(configMap({ [key]: '1' }), configMap({ [key]: '2' }))).toEqual([
      { path, before: "'1'", after: "'2'" },
    ])
  })

  it('leaves out what the server keeps for itself', () => {
    const after: KubeObject = {
      ...deployment({ replicas: 1 }),
      metadata: {
        name: 'web',
        namespace: 'shop',
        uid: 'f3b1',
        resourceVersion: '12',
        generation: 3,
        creationTimestamp: '2026-11-25T02:00:00Z',
        managedFields: [{ manager: 'kubectl' }],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"spec":{}}' },
      },
      status: { replicas: 1 },
    }
    expect(differences(deployment({ replicas: 1 }), after)).toEqual([])
  })

  it('shows all that a new object has, but for its address', () => {
    const after = deployment({ replicas: 2 }, { containers: [{ name: 'web', image: 'web:1', args: [] }] })
    expect(differences(undefined, { ...after, metadata: { ...after.metadata, labels: { app: 'web' } } })).toEqual([
      { path: 'metadata', after: 'labels:\n  app: web' },
      {
        path: 'spec',
        after:
          'replicas: 2\ntemplate:\n  spec:\n    containers:\n      - name: web\n        image: web:1\n        args: []',
      },
    ])
    expect(differences(after, undefined)).toMatchObject([{ path: 'spec', before: expect.stringContaining('web:1') }])
    expect(differences(undefined, undefined)).toEqual([])
  })

  it.each([
    ['a text that YAML would read as something else', 'yes', 'no', "'yes'", "'no'"],
    ['a text of digits', '012', 12, "'012'", '12'],
    ['nothing', null, {}, 'null', '{}'],
    ['an object that becomes a text', { a: 1 }, 'a', 'a: 1', 'a'],
    ['a short list', ['a', 'b'], ['b', 'a', 'c'], '[a, b]', '[b, a, c]'],
    ['a list that becomes empty', [1], [], '[1]', '[]'],
    ['a zero-width space', 'a', 'a\u200b', 'a', String.raw`a\u{200b}`],
  ])('writes %s', (_what, before, after, old, now) => {
    expect(diffOf(before, after)).toEqual([{ path: 'spec.field', before: old, after: now }])
  })

  it('shows what comes and what goes', () => {
    expect(differences(configMap({ a: '1', b: 'x' }), configMap({ b: 'x', c: 'l1\nl2\n' }))).toEqual([
      { path: 'data.a', before: "'1'" },
      { path: 'data.c', after: '|\n  l1\n  l2' },
    ])
  })
})

describe('lists', () => {
  it.each([
    [
      'name',
      [
        { name: 'a', v: 1 },
        { name: 'b', v: 1 },
      ],
      [{ name: 'b', v: 2 }],
      ['[a]', '[b].v'],
    ],
    ['port', [{ port: 80, v: 1 }], [{ port: 443 }, { port: 80, v: 2 }], ['[80].v', '[443]']],
    [
      'port and protocol',
      [
        { port: 53, protocol: 'UDP', v: 1 },
        { port: 53, v: 1 },
      ],
      [
        { port: 53, protocol: 'UDP', v: 2 },
        { port: 53, v: 3 },
      ],
      ['[53/UDP].v', '[53].v'],
    ],
    [
      'containerPort',
      [
        { containerPort: 80, v: 1 },
        { containerPort: 80, protocol: 'SCTP' },
      ],
      [
        { containerPort: 80, v: 2 },
        { containerPort: 80, protocol: 'SCTP' },
      ],
      ['[80].v'],
    ],
    [
      'mountPath where names are not unique',
      [
        { name: 'v', mountPath: '/a' },
        { name: 'v', mountPath: '/b' },
      ],
      [
        { name: 'v', mountPath: '/b', readOnly: true },
        { name: 'v', mountPath: '/a' },
      ],
      ['[/b].readOnly', ' (order)'],
    ],
    ['ip', [{ ip: '::1', v: 1 }], [{ ip: '::1', v: 2 }], ['[::1].v']],
    ['type', [{ type: 'A', v: 1 }], [{ type: 'A', v: 2 }], ['[A].v']],
    ['nothing: by place', [{ v: 1 }, { v: 2 }, { v: 3 }], [{ v: 1 }, { v: 9 }, { v: 3 }], ['[1].v']],
    ['nothing: one is added in front', [{ v: 1 }, { v: 2 }], [{ v: 0 }, { v: 1 }, { v: 2 }], ['[0]']],
    [
      'a key that two share: by place',
      [{ name: 'a' }, { name: 'a', v: 1 }],
      [{ name: 'a' }, { name: 'a', v: 2 }],
      ['[1].v'],
    ],
    ['a key that one lacks: by place', [{ name: 'a' }, { v: 1 }], [{ name: 'a' }, { v: 2 }], ['[1].v']],
  ])('are matched by %s', (_key, before, after, paths) => {
    expect(diffOf(before, after).map(({ path }) => path)).toEqual(paths.map((path) => `spec.field${path}`))
  })

  it('show an order that changed in one line', () => {
    expect(diffOf([{ name: 'a' }, { name: 'b' }], [{ name: 'b' }, { name: 'a' }])).toEqual([
      { path: 'spec.field (order)', before: '[a, b]', after: '[b, a]' },
    ])
  })

  it('of many plain values are shown line by line', () => {
    const args = Array.from({ length: 20 }, (_, index) => `--flag-${index}=1`)
    expect(diffOf(args, args.with(10, '--flag-10=2'))).toEqual([
      {
        path: 'spec.field',
        lines: [
          { kind: '@', text: '7 lines as before' },
          { kind: ' ', text: '- --flag-7=1' },
          { kind: ' ', text: '- --flag-8=1' },
          { kind: ' ', text: '- --flag-9=1' },
          { kind: '-', text: '- --flag-10=1' },
          { kind: '+', text: '- --flag-10=2' },
          { kind: ' ', text: '- --flag-11=1' },
          { kind: ' ', text: '- --flag-12=1' },
          { kind: ' ', text: '- --flag-13=1' },
          { kind: '@', text: '6 lines as before' },
        ],
      },
    ])
  })

  it('that hold a script show the lines of it that changed', () => {
    const command = (line: string): string[] => ['sh', '-c', `set -e\n${line}\necho done\n`]
    expect(diffOf(command('a'), command('b'))).toEqual([
      {
        path: 'spec.field[2]',
        lines: [
          { kind: ' ', text: 'set -e' },
          { kind: '-', text: 'a' },
          { kind: '+', text: 'b' },
          { kind: ' ', text: 'echo done' },
        ],
      },
    ])
  })
})

describe('the rest of the world', () => {
  it('a key named __proto__ is a key like others', () => {
    const before = configMap(JSON.parse('{"__proto__": "1", "constructor": "1"}'))
    const after = configMap(JSON.parse('{"__proto__": "2", "toString": "1"}'))
    expect(differences(before, after)).toEqual([
      { path: 'data.__proto__', before: "'1'", after: "'2'" },
      { path: 'data.constructor', before: "'1'" },
      { path: 'data.toString', after: "'1'" },
    ])
    expect(differences(configMap(JSON.parse('{"__proto__": {}}')), configMap({ a: '1' }))).toHaveLength(2)
  })

  it('a megabyte of anything is borne', () => {
    for (const part of [
      'a',
      'a://b:',
      '-',
      'password',
      ' =',
      ['-----BEGIN', 'PRIVATE', 'KEY-----'].join(' '),
      'a\n',
      ' ',
    ]) {
      const text = part.repeat(Math.ceil(1_000_000 / part.length))
      expect(differences(configMap({ text }), configMap({ text: `${text}x` }))).toHaveLength(1)
    }
  })
})

const WORDS = 'name port protocol mountPath key type uid env value data __proto__ constructor a b metadata spec'.split(
  ' ',
)
const TEXTS = [
  '',
  'a',
  'b',
  'l1\nl2\n',
  'l1\nl3',
  'l1\r\nl2\n',
  '\u200b',
  '\ud800',
  'yes',
  '1',
  '---',
  '# x',
  'k: v',
  '\uE0000\uE001',
  '*a',
]

function jsonOf(random: Random, depth: number): Json {
  const kind = random.below(depth > 0 ? 8 : 4)
  if (kind === 0) return random.of([null, true, false])
  if (kind === 1) return random.of([0, 1, -1.5, 1e21])
  if (kind < 4) return random.of(TEXTS)
  const length = random.below(4)
  if (kind < 6) return Array.from({ length }, () => jsonOf(random, depth - 1))
  return Object.fromEntries(Array.from({ length }, () => [random.of(WORDS), jsonOf(random, depth - 1)]))
}

/** The same with something in it changed, mostly. */
function changed(random: Random, value: Json): Json {
  if (random.below(5) === 0 || value === null || typeof value !== 'object') return jsonOf(random, 2)
  if (Array.isArray(value)) {
    if (value.length === 0 || random.below(4) === 0) return [...value, jsonOf(random, 2)].toReversed()
    const index = random.below(value.length)
    return value.with(index, changed(random, value[index] ?? null))
  }
  const names = Object.keys(value)
  if (names.length === 0 || random.below(4) === 0) return { ...value, [random.of(WORDS)]: jsonOf(random, 2) }
  const name = random.of(names)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, key === name ? changed(random, one) : one]))
}

describe(`whatever comes (FUZZ_SEED=${seed})`, () => {
  it('equal objects have no difference, all others have one, and the same each time', () => {
    const random = randomFrom(seed)
    let different = 0
    for (let round = 0; round < 5000; round += 1) {
      const fields = jsonOf(random, 5)
      const objectOf = (spec: Json): KubeObject => ({
        apiVersion: random.of(['v1', 'apps/v1', 'example.com/v1']),
        kind: random.of(['ConfigMap', 'Deployment', 'Widget']),
        metadata: { name: 'a' },
        spec,
        data: spec,
      })
      const before = objectOf(fields)
      const after = { ...before, spec: changed(random, fields) }
      const told = JSON.stringify({ seed, before, after })
      expect(differences(before, structuredClone(before))).toEqual([])
      const changes = differences(before, after)
      expect({ told, isChanged: changes.length > 0 }).toEqual({ told, isChanged: !isEqual(before, after) })
      expect(differences(structuredClone(before), structuredClone(after))).toEqual(changes)
      for (const change of changes) {
        const shown = change.lines?.some(({ kind }) => kind === '-' || kind === '+') ?? change.before !== change.after
        expect({ told, change, shown }).toEqual({ told, change, shown: true })
      }
      different += changes.length
      expect(differences(undefined, after).length).toBeGreaterThan(0)
    }
    expect(different).toBeGreaterThan(1000)
  })

  it('an object of any shape is borne', () => {
    const random = randomFrom(seed)
    for (let round = 0; round < 2000; round += 1) {
      const [before, after] = [jsonOf(random, 5), jsonOf(random, 5)].map((fields) => ({
        kind: random.of(['Secret', 'ConfigMap', 'Widget']),
        apiVersion: 'v1',
        ...(typeof fields === 'object' && !Array.isArray(fields) && fields),
      }))
      for (const [one, other] of [
        [before, after],
        [before, undefined],
        [undefined, after],
      ]) {
        expect(Array.isArray(differences(one as KubeObject | undefined, other as KubeObject | undefined))).toBe(true)
      }
    }
  })
})
