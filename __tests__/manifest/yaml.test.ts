import { describe, expect, it } from '@jest/globals'
import { RejectedError } from '../../src/errors.ts'
import { loadManifests } from '../../src/manifest/load.ts'
import { readYaml } from '../../src/manifest/yaml.ts'
import { GOLDEN_FILES, REFUSED } from '../fixtures/yaml/golden.ts'
import { randomFrom, type Random } from '../fixtures/random.ts'
import { problemsOf } from './problems.ts'

const read = (text: string) => readYaml({ path: 'k8s/web.yaml', text })
const values = (text: string) => read(text).map(({ value }) => value)
const problemOf = (text: string) => problemsOf(() => read(text))[0]

describe('YAML as kubectl reads it', () => {
  it('has recordings to compare with', () => {
    expect(GOLDEN_FILES.map(({ name }) => name)).toContain('scalar-values.yaml')
    expect(REFUSED.length).toBeGreaterThan(20)
  })

  it.each(GOLDEN_FILES)('$name', ({ name, text, objects }) => {
    expect(loadManifests([{ path: name, text }]).map(({ object }) => object)).toEqual(objects)
  })

  it.each(REFUSED)('refuses $name', ({ text }) => {
    const problem = problemOf(text)
    expect(problem).toMatchObject({ code: 'InvalidManifest', at: { file: 'k8s/web.yaml' } })
    expect(problem?.at?.line).toBeGreaterThan(3)
    expect(problem?.hint).not.toBe('')
  })
})

describe('where Rollsafe differs from kubectl on purpose', () => {
  it.each([
    ['9007199254740993'],
    ['-9007199254740993'],
    ['18446744073709551616'],
    ['0xFFFFFFFFFFFFFFF'],
    ['0b1' + '0'.repeat(60)],
  ])('refuses the integer %s, which would be rounded', (integer) => {
    expect(problemOf(`a: ${integer}`)).toMatchObject({ message: expect.stringContaining('too large'), at: { line: 1 } })
    expect(values(`a: "${integer}"`)).toEqual([{ a: integer }])
  })

  it('reads the document after "...", which kubectl drops without a word', () => {
    expect(values('a: 1\n...\nb: 2\n')).toEqual([{ a: 1 }, { b: 2 }])
  })

  it('reads the escape \\/ of JSON in YAML too', () => {
    expect(values(String.raw`a: "\/"`)).toEqual([{ a: '/' }])
  })

  it.each(['__proto__', 'constructor', 'prototype'])('refuses the key %s where Kubernetes has field names', (key) => {
    for (const text of [
      `${key}: {polluted: 1}`,
      `spec:\n  ${key}: 1`,
      `spec: {"${key}": 1}`,
      `a: &k ${key}\n? *k\n: 1`,
    ]) {
      expect(problemOf(text)?.message).toContain(`"${key}" is not accepted`)
    }
  })
})

describe('keys with a meaning in JavaScript', () => {
  it('are ordinary keys in maps of text, and pollute nothing', () => {
    const [object] = values('data:\n  __proto__: a\n  constructor: b\n  prototype: c\n')
    expect(JSON.stringify(object)).toBe('{"data":{"__proto__":"a","constructor":"b","prototype":"c"}}')
    expect(Object.getPrototypeOf((object as { data: object }).data)).toBe(Object.prototype)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('do not pollute by way of a merge', () => {
    const text = 'data: &d\n  __proto__: {polluted: yes}\nannotations:\n  <<: *d\n'
    const [object] = values(text)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(JSON.stringify(object)).toContain('"annotations":{"__proto__":{"polluted":true}}')
    expect(problemOf('data: &d {__proto__: 1}\nspec:\n  <<: *d')?.message).toContain('not accepted')
  })
})

describe('the tree', () => {
  it('shares nothing: what an alias repeats is a copy', () => {
    const [object] = values('a: &x {z: [1]}\nb: *x\nc: {<<: *x}') as [Record<string, { z: number[] }>]
    object['a']?.z.push(2)
    expect(object).toEqual({ a: { z: [1, 2] }, b: { z: [1] }, c: { z: [1] } })
  })

  it.each([
    ['', []],
    ['\n\n', []],
    ['# only a comment', []],
    ['---\n---\n---\n', []],
    ['---\n# nothing\n---\na: 1', [{ a: 1 }]],
    ['null', []],
    ['\r\na: 1\r\nb: |\r\n  x\r\n', [{ a: 1, b: 'x\n' }]],
    ['{"a":1}{"b":2}\n\n{"c":3}', [{ a: 1 }, { b: 2 }, { c: 3 }]],
    ['{a: 1} # flow', [{ a: 1 }]],
    ['{"a": "}{"}', [{ a: '}{' }]],
    ['a: [\n  b\n]\nc: {\n d: 1,\n}\ne: "x\ny"', [{ a: ['b'], c: { d: 1 }, e: 'x y' }]],
    ['a: [\nb,\n# c\nd\n]\ne: [ [\nf\n]\n]', [{ a: ['b', 'd'], e: [['f']] }]],
  ])('of %j', (text, expected) => {
    expect(values(text)).toEqual(expected)
  })
})

describe('lines', () => {
  const TEXT = [
    '# comment', // 1
    '---',
    'kind: A', // 3
    'metadata:',
    '  labels:', // 5
    '    app: web',
    'spec: &s', // 7
    '  - x: 1',
    '  -', // 9
    '    z: [1,',
    '      2]', // 11
    '---',
    '', // 13
    '  # comment',
    'kind: B', // 15
    'again:',
    '  one:', // 17
    '    two: [',
    '    ]', // 19
    'end: 1',
  ].join('\n')

  it.each([
    [0, [], 3],
    [0, ['kind'], 3],
    [0, ['metadata', 'labels', 'app'], 6],
    [0, ['metadata', 'labels', 'missing'], 5],
    [0, ['metadata', 'name'], 4],
    [0, ['spec', 1], 10],
    [0, ['spec', 1, 'z', 1], 11],
    [0, ['spec', 'not', 'a', 'list'], 7],
    [1, [], 15],
    [1, ['again', 'one', 'two'], 18],
    // A line before it was mended.
    [1, ['end'], 20],
  ])('document %i, %j is in line %i', (document, path, line) => {
    expect(read(TEXT)[document]?.lineOf(path)).toBe(line)
  })

  it.each([
    ['a: 1\nb: c: d', 2],
    ['a: 1\r\n\r\nb: c: d', 3],
    ['a: 1\n---\n\nb: 1\nc: &x\n  <<: *x', 6],
    ['{"a": 1}\n{"b": 2}\n{"c": .inf}', 3],
    ['a: |\n  text\n  text\nb: .nan', 4],
    ['a: 1\n--- b', 2],
    ['a:\n  - *b', 2],
  ])('of the error in %j', (text, line) => {
    expect(problemOf(text)).toMatchObject({ message: expect.stringContaining(`k8s/web.yaml:${line}: `), at: { line } })
  })

  it('one problem for each document that cannot be read', () => {
    const problems = problemsOf(() => read('a: b: c\n---\na: 1\n---\na: [\n---\nx: *y\n'))
    expect(problems.map(({ at }) => at?.line)).toEqual([1, 5, 7])
  })
})

describe('hints', () => {
  it.each([
    ['a: {{ .Values.x }}b', 'template'],
    ['a: {{ .Values.x }}', 'template'],
    ['%YAML 1.1\n---\na: 1', 'directive'],
    ['a:\n\tb: 1', 'tabs'],
    ['a:\t{b: 1,\n c: 2}\nd:\t [x\n\t]', 'tabs'],
    ['[a]: b', 'Quote'],
  ])('%j: %s', (text, word) => {
    expect(problemOf(text)?.hint.toLowerCase()).toContain(word.toLowerCase())
  })
})

const bomb = (levels: number, item: (anchor: string) => string) =>
  Array.from({ length: levels }, (_, level) => `a${level + 1}: &a${level + 1} ${item(`*a${level}`)}`).join('\n')
const ten = (text: string) => Array.from({ length: 10 }, () => text).join(', ')

describe('limits', () => {
  it.each([
    ['a bomb of aliases', `a0: &a0 [x]\n${bomb(12, (alias) => `[${ten(alias)}]`)}`, 'more than 1000000 values'],
    ['a bomb of merges', `a0: &a0 {k: v}\n${bomb(30, (alias) => `{<<: [${ten(alias)}]}`)}`, 'more than 1000000 values'],
    ['a bomb of text', `a: &a "${'x'.repeat(1_000_000)}"\nb: [${Array(20).fill('*a').join(',')}]`, '10 MiB'],
    ['a bomb of keys', `a: &a ${'x'.repeat(900)}\nb:\n${'  ? *a\n  : 1\n'.repeat(20_000)}`, '10 MiB'],
    ['depth', `${'['.repeat(101)}${']'.repeat(101)}`, 'maxDepth'],
    ['much depth', '- '.repeat(100_000), 'maxDepth'],
    ['depth by aliases', `a0: &a0 [x]\n${bomb(120, (alias) => `[${alias}]`)}`, 'nested more than 100 deep'],
    ['a file too large', 'x'.repeat(10 * 1024 * 1024 + 1), 'larger than 10 MiB'],
    ['many values', '- a\n'.repeat(1_000_001), 'more than 1000000 values'],
  ])(
    'refuses %s in good time',
    (_, text, message) => {
      expect(problemOf(text)?.message).toContain(message)
    },
    30_000,
  )

  it('takes 90 levels, and 100,000 uses of an anchor', () => {
    expect(values(`${'['.repeat(90)}${']'.repeat(90)}`)).toHaveLength(1)
    expect(values(`a: &a {b: 1}\nc: [${Array(100_000).fill('*a').join(',')}]`)).toHaveLength(1)
  })

  it('keeps messages short', () => {
    for (const text of [`a: ${'9'.repeat(100_000)}`, `a: *${'b'.repeat(100_000)}`, `--- ${'b'.repeat(100_000)}`]) {
      expect(problemOf(text)?.message.length).toBeLessThan(200)
    }
  })
})

/** The values, or the line of the first problem. Any other error passes through. */
function outcomeOf(text: string): unknown {
  try {
    return values(text)
  } catch (error) {
    if (error instanceof RejectedError) return error.problems[0].at?.line
    throw error
  }
}

describe('any JSON', () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Date.now() % 2 ** 31))
  const TEXTS = [
    '',
    ' ',
    'yes',
    '0644',
    'é\u2028\t',
    '"\\/\n',
    '{}',
    '# a',
    '---',
    '<<',
    '*a',
    '😀',
    'a: b',
    '\u0000',
    '~',
    "'",
    'x'.repeat(1500),
  ]

  function anything(random: Random, depth: number): unknown {
    const kind = random.below(depth > 5 ? 4 : 6)
    if (kind === 0) return random.of([null, true, false])
    if (kind === 1) return random.of([0, -1, 1.5, 1e21, 1e-7, 123456789, -0.25, Number.MAX_SAFE_INTEGER])
    if (kind < 4) return random.of(TEXTS)
    const items = Array.from({ length: random.below(5) }, () => anything(random, depth + 1))
    return kind === 4 ? items : Object.fromEntries(items.map((item) => [random.of(TEXTS), item]))
  }

  it(`reads as JSON.parse reads it (SEED=${seed})`, () => {
    const random = randomFrom(seed)
    for (let round = 0; round < 300; round++) {
      const value = { value: anything(random, 0) }
      for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2), JSON.stringify(value, null, '\t')]) {
        expect(values(text)).toEqual([value])
      }
    }
  })

  it(`and hostile YAML ends in values or in problems, never in another error (SEED=${seed})`, () => {
    const random = randomFrom(seed)
    const BITS = [
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '&a ',
      '*a',
      '<<: ',
      '"',
      "'",
      '|\n',
      '? ',
      '#',
      '\t',
      '!!int ',
      '!x ',
      '---\n',
      '...\n',
      '%',
      '\u0000',
      '\uD800',
    ]
    const lines: number[] = []
    const documents: unknown[] = []
    for (let round = 0; round < 3000; round++) {
      const text = Array.from({ length: 1 + random.below(25) }, () => random.of(BITS)).join('')
      const outcome = outcomeOf(text)
      if (typeof outcome === 'number') lines.push(outcome)
      else documents.push(outcome)
    }
    expect(Math.min(...lines)).toBeGreaterThan(0)
    expect(documents.length).toBeGreaterThan(100)
    expect(JSON.parse(JSON.stringify(documents))).toEqual(documents)
  })
})
