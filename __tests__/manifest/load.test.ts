import { describe, expect, it } from '@jest/globals'
import { assertNoDuplicates, loadManifests } from '../../src/manifest/load.ts'
import { problemsOf } from './problems.ts'

const load = (text: string, path = 'k8s/web.yaml') => loadManifests([{ path, text }])
const problems = (text: string) => problemsOf(() => load(text))

describe('loadManifests', () => {
  it('gives the objects in the order of files and documents, each with its place', () => {
    const manifests = loadManifests([
      { path: 'b.yaml', text: '# c\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: one}\n---\n---\n' },
      { path: 'a.json', text: '\n{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "two"}}' },
    ])
    expect(manifests).toEqual([
      { object: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } }, at: { file: 'b.yaml', line: 3 } },
      {
        object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'two' } },
        at: { file: 'a.json', line: 2 },
      },
    ])
  })

  it('takes lists apart, inside one another too, and gives items the kind of their list', () => {
    const manifests = load(`apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMapList
    items:
      - metadata: {name: one}
      - {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}
  - apiVersion: v1
    kind: Secret
    metadata: {name: three}
---
apiVersion: v1
kind: List
items: []
`)
    expect(manifests.map(({ object, at }) => [object.apiVersion, object.kind, object.metadata.name, at.line])).toEqual([
      ['v1', 'ConfigMap', 'one', 7],
      ['v1', 'ConfigMap', 'two', 8],
      ['v1', 'Secret', 'three', 9],
    ])
  })

  it('leaves a custom kind alone whose name ends in List and which has no items', () => {
    expect(load('apiVersion: x.io/v1\nkind: AllowList\nmetadata: {name: a}\nspec: {items: [1]}')).toHaveLength(1)
  })

  it('keeps fields it does not know, as they are', () => {
    const [manifest] = load(
      'apiVersion: x.io/v1\nkind: Thing\nmetadata: {name: a, extra: [1]}\nmode: 0644\nnothing: null\n',
    )
    expect(manifest?.object).toEqual({
      apiVersion: 'x.io/v1',
      kind: 'Thing',
      metadata: { name: 'a', extra: [1] },
      mode: 420,
      nothing: null,
    })
  })

  const HEAD = 'apiVersion: v1\nkind: ConfigMap\n'
  const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: c\n'
  const DEPLOYMENT = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  template:\n'
  it.each([
    ['text where an object should be', 'hello', 1, 'text stands where', ''],
    ['a list where an object should be', '- a', 1, 'a list stands where', ''],
    ['no kind', 'apiVersion: v1\nmetadata: {name: x}', 1, 'no kind', 'kind: Deployment'],
    ['neither apiVersion nor kind', '\na: b', 2, 'no apiVersion and no kind', 'Leave files out'],
    ['a kind that is no text', 'apiVersion: v1\nkind: yes', 1, 'no kind', ''],
    ['an apiVersion that is a number', 'apiVersion: 1\nkind: X', 1, 'no apiVersion', ''],
    ['no metadata', HEAD, 1, 'ConfigMap has no metadata', ''],
    ['metadata that is text', `${HEAD}metadata: x`, 3, 'no metadata', ''],
    ['no name', `${HEAD}metadata:\n  namespace: x`, 3, 'no name', 'metadata.name'],
    ['an empty name', `${HEAD}metadata:\n  name:`, 4, 'nothing as its name', ''],
    ['a name that is a number', `${HEAD}metadata:\n  name: 123`, 4, 'a number as its name', 'name: "123"'],
    ['generateName', `${HEAD}metadata:\n  generateName: x-`, 4, 'generateName', 'Give it a name'],
    ['a namespace that is a number', `${HEAD}metadata:\n  name: x\n  namespace: 1`, 5, 'namespace', 'quote'],
    [
      'a label that is a boolean',
      `${HEAD}metadata:\n  name: x\n  labels:\n    a: b\n    on: yes`,
      7,
      'metadata.labels.true is a boolean',
      'quotes',
    ],
    [
      'an annotation that is a number',
      `${HEAD}metadata:\n  name: x\n  annotations:\n    a: 1`,
      6,
      'metadata.annotations.a is a number',
      'quotes',
    ],
    [
      'an annotation without a value',
      `${HEAD}metadata:\n  name: x\n  annotations:\n    a:`,
      6,
      'annotations.a is nothing',
      'a: ""',
    ],
    ['labels that are a list', `${HEAD}metadata:\n  name: x\n  labels: [a]`, 5, 'labels is a list', 'key: value'],
    ['data that is a mapping', `${HEAD}metadata: {name: x}\ndata:\n  a: {b: c}`, 5, 'data.a is a mapping', 'block'],
    [
      'an environment variable that is a number',
      `${POD}      env:\n        - name: PORT\n          value: 80`,
      9,
      'spec.containers.0.env.0.value is a number',
      'quotes',
    ],
    [
      'a label of a pod template',
      `${DEPLOYMENT}    metadata:\n      labels:\n        v: 1.0\n    spec: {}`,
      8,
      'spec.template.metadata.labels.v',
      'quotes',
    ],
    [
      'a kustomization',
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a]',
      1,
      'kustomize',
      'the input kustomize',
    ],
    [
      'an object in a list',
      'apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Secret\n    metadata: {}',
      6,
      'no name',
      '',
    ],
    ['a list in a List', 'apiVersion: v1\nkind: List\nitems:\n  - [a]', 4, 'a list stands where', ''],
  ])('refuses %s', (_, text, line, message, hint) => {
    const [problem, ...more] = problems(text)
    expect(more).toEqual([])
    expect(problem).toMatchObject({ code: 'InvalidManifest', at: { file: 'k8s/web.yaml', line } })
    expect(problem?.message).toContain(message)
    expect(problem?.message).not.toMatch(/\.$/)
    expect(problem?.hint).toContain(hint)
    expect(problem?.hint).toMatch(/\.$/)
  })

  it('never shows a value, as it may be a secret', () => {
    const text = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  pin: 271828\n'
    expect(JSON.stringify(problems(text))).not.toContain('271828')
  })

  it('lets variables have no value, and reads values that are quoted', () => {
    expect(load(`${POD}      env: [{name: A, value: }, {name: B}, {name: C, value: "80"}]`)).toHaveLength(1)
  })

  it('tells everything that is wrong, in all files, in one error', () => {
    const found = problemsOf(() =>
      loadManifests([
        { path: 'a.yaml', text: 'a: b: c\n---\nkind: X\n' },
        { path: 'b.yaml', text: `${HEAD}metadata: {name: x, labels: {a: 1, b: 2}}` },
        { path: 'c.yaml', text: `${HEAD}metadata: {name: fine}` },
      ]),
    )
    expect(found.map(({ at }) => `${at?.file}:${at?.line}`)).toEqual(['a.yaml:1', 'b.yaml:3', 'b.yaml:3'])
  })

  it.each([[[]], [[{ path: 'a.yaml', text: '# nothing\n---\n' }]]])('refuses files without objects: %j', (files) => {
    expect(problemsOf(() => loadManifests(files))).toMatchObject([
      { code: 'InvalidManifest', message: expect.stringContaining('no Kubernetes object') },
    ])
  })
})

const object = (apiVersion: string, kind: string, name: string, namespace?: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${namespace === undefined ? '' : `  namespace: ${namespace}\n`}---\n`

describe('assertNoDuplicates', () => {
  it('names both places, and counts versions of one kind as one', () => {
    const manifests = load(
      object('autoscaling/v1', 'HorizontalPodAutoscaler', 'web', 'shop') +
        object('autoscaling/v2', 'HorizontalPodAutoscaler', 'web', 'shop'),
    )
    expect(problemsOf(() => assertNoDuplicates(manifests))).toMatchObject([
      {
        code: 'InvalidManifest',
        message: 'HorizontalPodAutoscaler shop/web is written down twice, at k8s/web.yaml:1 and at k8s/web.yaml:7',
        at: { file: 'k8s/web.yaml', line: 7 },
      },
    ])
  })

  it('tells each further copy', () => {
    expect(problemsOf(() => assertNoDuplicates(load(object('v1', 'Secret', 'a').repeat(3))))).toHaveLength(2)
  })

  it('lets names repeat in other namespaces, kinds and groups', () => {
    const text = [
      object('v1', 'Secret', 'a', 'one'),
      object('v1', 'Secret', 'a', 'two'),
      object('v1', 'ConfigMap', 'a', 'one'),
      object('x.io/v1', 'Secret', 'a', 'one'),
      object('v1', 'Secret', 'b', 'one'),
    ].join('')
    expect(() => assertNoDuplicates(load(text))).not.toThrow()
  })
})

describe('limits', () => {
  it('hold for all files together, and say so once', () => {
    const many = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: &x [${Array(900).fill('a').join(', ')}]\ny: [${Array(1000).fill('*x').join(', ')}]\n`
    const files = Array.from({ length: 8 }, (_, at) => ({ path: `${at}.yaml`, text: many }))
    expect(problemsOf(() => loadManifests(files))).toMatchObject([
      { code: 'InvalidManifest', message: '4.yaml:4: the files hold more than 4000000 values together' },
    ])
  }, 30_000)
})
