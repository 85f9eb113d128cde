/** The inputs `helm-…`, by a real helm. It works on files alone: no cluster is asked. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createRenderer } from '../../../src/adapters/render/renderer.ts'
import { loadManifests } from '../../../src/manifest/load.ts'
import { problemsOfAsync } from '../../manifest/problems.ts'
import { installPrograms, type Programs } from '../programs.ts'

let programs: Programs
beforeAll(async () => {
  programs = await installPrograms()
})
afterAll(async () => {
  await programs[Symbol.asyncDispose]()
})

let folder: string
let workspace: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollsafe-helm-'))
  workspace = join(folder, 'checkout')
  write({
    'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n',
    'chart/values.yaml': 'greeting: hello\n',
    'chart/templates/settings.yaml': settings('greeting: {{ .Values.greeting | quote }}'),
  })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const settings = (...data: string[]) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n${data.map((line) => `  ${line}\n`).join('')}`

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(workspace, dirname(path)), { recursive: true })
    writeFileSync(join(workspace, path), text)
  }
}

const FACTS = {
  release: 'shop-production',
  namespace: 'shop',
  isUpgrade: true,
  kubernetes: { version: 'v1.31.4-eks-2d5f260', apiVersions: ['v1', 'example.com/v1', 'example.com/v1/Cart'] },
}

interface Given {
  readonly chart?: string
  readonly values?: readonly string[]
  readonly set?: readonly string[]
}

const render = ({ chart = 'chart', values = [], set = [] }: Given = {}, facts = FACTS) =>
  createRenderer({ searchPath: programs.folder, timeoutMs: 60_000 }).render(
    { workspace, manifests: [], helm: { chart, values, set } },
    () => Promise.resolve(facts),
  )
const problems = (given?: Given) => problemsOfAsync(() => render(given))
const objects = async (given?: Given) => loadManifests(await render(given)).map(({ object }) => object)

describe('a chart', () => {
  it('is rendered, and its text named by the command that prints it', async () => {
    expect(await render()).toMatchObject([
      { path: 'helm template chart', text: expect.stringContaining('greeting: "hello"') },
    ])
  })

  it('takes values from files, and single ones that count more', async () => {
    const keys = ['a', 'b', 'c', 'd'].map((key) => `${key}: {{ .Values.${key} | quote }}`)
    write({
      'chart/values.yaml': 'a: chart\nb: chart\nc: chart\nd: chart\n',
      'chart/templates/settings.yaml': settings(...keys),
      'one.yaml': 'b: one\nc: one\nd: one\n',
      'two.yaml': 'c: two\nd: two\n',
    })
    const given = { values: ['one.yaml', join(workspace, 'two.yaml')], set: ['d=--set'] }
    expect(await objects(given)).toMatchObject([{ data: { a: 'chart', b: 'one', c: 'two', d: '--set' } }])
  })

  it('is told release, namespace, and what the cluster can do', async () => {
    write({
      'chart/templates/settings.yaml': settings(
        'release: {{ .Release.Name }}',
        'namespace: {{ .Release.Namespace }}',
        'upgrade: "{{ .Release.IsUpgrade }} {{ .Release.IsInstall }}"',
        'version: {{ .Capabilities.KubeVersion }}',
        'group: "{{ .Capabilities.APIVersions.Has "example.com/v1" }}"',
        'kind: "{{ .Capabilities.APIVersions.Has "example.com/v1/Cart" }}"',
        'other: "{{ .Capabilities.APIVersions.Has "example.com/v2" }}"',
      ),
    })
    const data = {
      release: 'shop-production',
      namespace: 'shop',
      upgrade: 'true false',
      version: 'v1.31.4',
      group: 'true',
      kind: 'true',
      other: 'false',
    }
    const [object] = await objects()
    expect(object).toMatchObject({ data: { ...data, version: expect.stringMatching(/^v1\.31\.4/) } })
    const first = loadManifests(await render({}, { ...FACTS, isUpgrade: false })).map(({ object: one }) => one)
    expect(first).toMatchObject([{ data: { upgrade: 'false true' } }])
  })

  it('brings its definitions and its vendored charts', async () => {
    write({
      'chart/Chart.yaml':
        'apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies: [{name: cache, version: 1.0.0, repository: "https://charts.example.com"}]\n',
      'chart/crds/cart.yaml':
        'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: carts.example.com}\n',
      'chart/charts/cache/Chart.yaml': 'apiVersion: v2\nname: cache\nversion: 1.0.0\n',
      'chart/charts/cache/templates/settings.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cache}\n',
    })
    const names = (await objects()).map(({ kind, metadata }) => `${kind} ${metadata.name}`)
    expect(names.toSorted()).toEqual([
      'ConfigMap cache',
      'ConfigMap settings',
      'CustomResourceDefinition carts.example.com',
    ])
  })

  it('may use links that stay in the checkout', async () => {
    write({
      'shared/text.txt': 'shared',
      'chart/templates/settings.yaml': settings('text: {{ .Files.Get "files/text.txt" }}'),
    })
    symlinkSync(join(workspace, 'shared'), join(workspace, 'chart', 'files'))
    expect(await objects()).toMatchObject([{ data: { text: 'shared' } }])
  })
})

describe('what is not in the checkout', () => {
  it.each<[string, Given, RegExp]>([
    ['a chart by URL', { chart: 'oci://registry.example/charts/shop' }, /helm-chart: "oci:.*" is a URL/],
    ['a chart above', { chart: '../outside' }, /helm-chart: "..\/outside" leads outside/],
    ['a chart that is a link', { chart: 'out' }, /helm-chart: "out" leads outside/],
    ['no chart', { chart: 'nope' }, /there is no directory "nope"/],
    ['a folder without a chart', { chart: '.' }, /"." has no Chart.yaml/],
    ['values by URL', { values: ['https://example.com/values.yaml'] }, /helm-values: "https:.*" is a URL/],
    ['values above', { values: ['../outside/values.yaml'] }, /helm-values: .* leads outside/],
    ['values by a link', { values: ['out/values.yaml'] }, /helm-values: .* leads outside/],
    ['values from standard input', { values: ['-'] }, /there is no file "-"/],
  ])('is refused: %s', async (_name, given, message) => {
    mkdirSync(join(folder, 'outside'))
    writeFileSync(join(folder, 'outside', 'values.yaml'), 'a: b')
    symlinkSync(join(folder, 'outside'), join(workspace, 'out'))
    expect(await problems(given)).toMatchObject([{ code: 'InvalidInput', message: expect.stringMatching(message) }])
  })

  it('is refused where links inside the chart lead there, however deep', async () => {
    mkdirSync(join(folder, 'outside'))
    writeFileSync(join(folder, 'outside', 'key.pem'), 'outside')
    mkdirSync(join(workspace, 'shared'))
    symlinkSync(join(folder, 'outside', 'key.pem'), join(workspace, 'chart', 'key.pem'))
    symlinkSync(join(workspace, 'shared'), join(workspace, 'chart', 'shared'))
    symlinkSync(join(folder, 'outside'), join(workspace, 'shared', 'deep'))
    symlinkSync(join(workspace, 'chart'), join(workspace, 'shared', 'loop'))
    symlinkSync('nowhere', join(workspace, 'chart', 'dangling'))
    const messages = (await problems()).map(({ message }) => message)
    expect(messages.toSorted()).toEqual([
      'the input helm-chart: "chart/dangling" is a link to nothing',
      'the input helm-chart: "chart/key.pem" is a link that leads outside the workspace',
      'the input helm-chart: "shared/deep" is a link that leads outside the workspace',
    ])
  })

  it('is told with the fix when it is a dependency', async () => {
    write({
      'chart/Chart.yaml':
        'apiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies: [{name: cache, version: 1.0.0, repository: "https://charts.example.com"}]\n',
    })
    expect(await problems()).toMatchObject([
      {
        message: expect.stringMatching(/missing in charts\/ directory: cache$/),
        hint: expect.stringContaining('helm dependency build'),
      },
    ])
  })
})

describe('a chart that cannot be rendered', () => {
  it.each<[string, string, RegExp]>([
    [
      'a value that is not there',
      settings('x: {{ .Values.no.such }}'),
      /shop\/templates\/settings.yaml:5:\d+ .*nil pointer/,
    ],
    ['what the chart itself refuses', '{{ fail "set the greeting" }}', /set the greeting/],
    ['a template that is none', '{{ if }}', /missing value for if/],
    ['what is no YAML', 'a: b\n  c: d\n', /YAML parse error on shop\/templates\/settings.yaml/],
  ])('%s', async (_name, template, message) => {
    write({ 'chart/templates/settings.yaml': template })
    const [problem, ...more] = await problems()
    expect(more).toEqual([])
    expect(problem?.code).toBe('InvalidManifest')
    expect(problem?.message).toMatch(/^helm cannot render the chart chart: /)
    expect(problem?.message).toMatch(message)
    expect(problem?.message).not.toMatch(/--debug|\n|Error:/)
    expect(problem?.message).not.toContain(folder)
  })

  it('for a cluster that is too old', async () => {
    write({ 'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\nkubeVersion: ">=1.35.0-0"\n' })
    expect(await problems()).toMatchObject([{ message: expect.stringMatching(/kubeVersion: >=1.35.0-0/) }])
  })

  it('does not ask the cluster when the inputs are wrong', async () => {
    const asked = problemsOfAsync(() =>
      createRenderer({ searchPath: programs.folder, timeoutMs: 60_000 }).render(
        { workspace, manifests: [], helm: { chart: 'nope', values: [], set: [] } },
        () => Promise.reject(new Error('asked')),
      ),
    )
    expect(await asked).toHaveLength(1)
  })
})
