/** The input `kustomize`, by a real kubectl. It works on files alone: no cluster is asked. */
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
  folder = mkdtempSync(join(tmpdir(), 'rollsafe-kustomize-'))
  workspace = join(folder, 'checkout')
  write({
    'base/settings.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {greeting: hello}\n',
    'base/kustomization.yaml': 'resources: [settings.yaml]\n',
    'overlay/kustomization.yaml': 'resources: [../base]\n',
  })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(workspace, dirname(path)), { recursive: true })
    writeFileSync(join(workspace, path), text)
  }
}

const noFacts = () => Promise.reject(new Error('there is no chart'))
const build = (kustomize: string, searchPath = programs.folder) =>
  createRenderer({ searchPath, timeoutMs: 60_000 }).render({ workspace, manifests: [], kustomize }, noFacts)
const problems = (kustomize = 'overlay') => problemsOfAsync(() => build(kustomize))
const objects = async (kustomize = 'overlay') =>
  loadManifests(await build(kustomize)).map(({ object: { kind, metadata } }) => `${kind} ${metadata.name}`)

describe('a kustomization', () => {
  it('is built, and its text named by the command that prints it', async () => {
    const [file, ...more] = await build('overlay')
    expect(more).toEqual([])
    expect(file?.path).toBe('kubectl kustomize overlay')
    expect(file?.text).toContain('greeting: hello')
  })

  it('may use bases, components, patches and generators that are in the checkout', async () => {
    write({
      'overlay/kustomization.yaml': [
        'namePrefix: shop-',
        'resources: [../base, more/]',
        'components: [../component]',
        'patches:',
        '- path: patch.yaml',
        '- patch: |-',
        '    - {op: add, path: /data/inline, value: https://example.com/x.yaml}',
        '  target: {kind: ConfigMap, name: settings}',
        'configMapGenerator:',
        '- {name: generated, files: [key=data.txt, data.txt], envs: [data.env], literals: [url=https://example.com/]}',
        'replacements:',
        '- path: replacement.yaml',
        'transformers:',
        '- |-',
        '  apiVersion: builtin',
        '  kind: AnnotationsTransformer',
        '  metadata: {name: docs}',
        '  annotations: {docs: "https://example.com/docs"}',
        '  fieldSpecs: [{path: metadata/annotations, create: true}]',
        '- labels.yaml',
        'images: [{name: web, newTag: v2}]',
      ].join('\n'),
      'overlay/patch.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {patched: "yes"}\n',
      'overlay/replacement.yaml':
        'source: {kind: ConfigMap, name: settings, fieldPath: data.greeting}\ntargets:\n- select: {kind: Secret}\n  fieldPaths: [stringData.greeting]\n  options: {create: true}\n',
      'overlay/labels.yaml':
        'apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels: {team: shop}\nfieldSpecs: [{path: metadata/labels, create: true}]\n',
      'overlay/data.txt': 'some text',
      'overlay/data.env': 'A=1',
      'overlay/more/kustomization.yml': 'resources: [secret.yaml]\n',
      'overlay/more/secret.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: login}\n',
      'component/Kustomization':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {a: b}\n',
    })
    const files = await build('overlay')
    expect(loadManifests(files).map(({ object: { kind, metadata } }) => `${kind} ${metadata.name}`)).toEqual([
      expect.stringMatching(/^ConfigMap shop-generated-[a-z0-9]{10}$/),
      'ConfigMap shop-settings',
      'Secret shop-login',
    ])
    expect(files[0]?.text).toMatch(/patched: "yes"/)
    expect(files[0]?.text).toMatch(/inline: https:/)
    expect(files[0]?.text).toMatch(/docs: https:/)
    expect(files[0]?.text).toMatch(/team: shop/)
  })

  it('may be combined with plain manifests', async () => {
    const sources = { workspace, manifests: ['base/settings.yaml'], kustomize: 'overlay' }
    const files = await createRenderer({ searchPath: programs.folder, timeoutMs: 60_000 }).render(sources, noFacts)
    expect(files.map(({ path }) => path)).toEqual(['base/settings.yaml', 'kubectl kustomize overlay'])
  })

  it('is built by kustomize itself, where there is one', async () => {
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    const script = `#!/bin/sh\nshift\nexec "${programs.folder}/kubectl" kustomize "$@"\n`
    writeFileSync(join(bin, 'kustomize'), script, { mode: 0o755 })
    const [file] = await build('overlay', `${programs.folder}:${bin}`)
    expect(file?.path).toBe('kustomize build overlay')
    expect(file?.text).toContain('greeting: hello')
  })
})

const PLUGIN = 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\n'

describe('what is not in the checkout', () => {
  it.each<[string, string, RegExp]>([
    ['a URL', 'resources: ["https://example.com/app.yaml"]', /^overlay\/kustomization.yaml:1: "https:.*" in resources/],
    ['a repository', 'bases:\n- github.com/acme/shop//deploy?ref=v1', /:2: "github.com\/acme.*" in bases/],
    ['one by ssh', 'components: ["git@github.com:acme/shop.git"]', /"git@github/],
    ['one of another host', 'resources: ["git::https://example.com/x"]', /"git::https/],
    ['one by its short name', 'resources: ["gh:acme/shop"]', /"gh:acme/],
    ['one of Azure', 'resources: ["example/_git/shop"]', /"example\/_git/],
    ['a field in other case', 'Resources: ["https://example.com/app.yaml"]', /"https:.*" in Resources/],
    ['a field with letters that fold', 'reſources: ["https://example.com/app.yaml"]', /"https:.*" in reſources/],
    ['a patch', 'patches: [{path: "https://example.com/p.yaml"}]', /"https:.*" in patches/],
    ['a patch of old', 'patchesStrategicMerge: ["https://example.com/p.yaml"]', /in patchesStrategicMerge/],
    ['a file of a generator', 'configMapGenerator: [{name: a, files: ["k=https://example.com/"]}]', /"https:/],
    ['variables of a generator', 'secretGenerator: [{name: a, Env: "https://example.com/"}]', /"https:/],
    ['a schema', 'openapi: {path: "https://example.com/s.json"}', /in openapi/],
    ['a definition', 'crds: ["https://example.com/crd.yaml"]', /in crds/],
    ['a transformer', 'transformers: ["https://example.com/t.yaml"]', /in transformers/],
    [
      'what an inline generator names',
      `generators:\n- |-\n${`${PLUGIN}files: ["k=https://example.com/"]`.replaceAll(/^/gm, '  ')}`,
      /"k=https.* would be fetched/,
    ],
    [
      'what a generator in a file names',
      'generators: [plugin.yaml]',
      /overlay\/plugin.yaml:1: "https.* would be fetched/,
    ],
    ['what one in a folder names', 'transformers: [plugins]', /overlay\/plugins\/p.yaml:1: "https.* would be fetched/],
    ['a base of a base', 'resources: [../remote]', /^remote\/kustomization.yaml:1: "https:/],
    ['a password in a URL', 'resources: ["https://me:hunter22@example.com/"]', /"https:\/\/\*\*\*@example/],
    ['a folder above', 'resources: [../../outside]', /"..\/..\/outside" in resources leads outside/],
    ['an absolute path', 'resources: [/etc/hosts]', /"\/etc\/hosts" in resources leads outside/],
    ['a linked file', 'resources: [../base, linked.yaml]', /"linked.yaml" in resources leads outside/],
    ['a linked folder', 'resources: [linked]', /"linked" in resources leads outside/],
    ['a linked file of a generator', 'configMapGenerator: [{name: a, files: [linked.yaml]}]', /leads outside/],
    ['what is not there', 'resources: [../base, nope.yaml]', /:1: "nope.yaml" in resources is not there/],
    ['a folder without a kustomization', 'resources: [empty]', /overlay\/empty has no kustomization.yaml/],
    ['a chart of kustomize', 'helmCharts: [{name: x, repo: "https://example.com"}]', /would have kustomize run helm/],
    ['an unknown field', 'executes: [x.sh]', /"executes" is not a field/],
    ['a second document', 'resources: [../base]\n---\nresources: ["https://example.com"]', /more than one document/],
    ['what is no mapping', '- resources', /is no kustomization/],
    ['what is no YAML', 'resources: [', /kustomization.yaml/],
  ])('is refused: %s', async (_name, kustomization, message) => {
    write({
      'overlay/kustomization.yaml': kustomization,
      'remote/kustomization.yaml': 'resources: ["https://example.com/app.yaml"]',
      'overlay/plugin.yaml': `${PLUGIN}files: ["https://example.com/"]`,
      'overlay/plugins/kustomization.yaml': 'resources: [p.yaml]',
      'overlay/plugins/p.yaml': `${PLUGIN}envs: ["https://example.com/"]`,
      'overlay/empty/README.md': '',
    })
    mkdirSync(join(folder, 'outside'))
    writeFileSync(join(folder, 'outside', 'kustomization.yaml'), 'resources: [a.yaml]')
    symlinkSync(join(folder, 'outside', 'kustomization.yaml'), join(workspace, 'overlay', 'linked.yaml'))
    symlinkSync(join(folder, 'outside'), join(workspace, 'overlay', 'linked'))
    const found = await problems()
    expect(found[0]).toMatchObject({ code: 'InvalidManifest', message: expect.stringMatching(message) })
    expect(found[0]?.hint).not.toBe('')
    expect(JSON.stringify(found)).not.toContain('hunter22')
  })

  it('is told all at once', async () => {
    write({ 'overlay/kustomization.yaml': 'resources:\n- https://example.com/\n- nope.yaml\n- ../../outside\n' })
    expect(await problems()).toMatchObject([{ at: { line: 2 } }, { at: { line: 3 } }, { at: { line: 4 } }])
  })

  it.each([
    ['a URL', 'https://example.com/shop', /"https:.*" is a URL/],
    ['a folder above', '../outside', /leads outside the workspace/],
    ['a link that leads out', 'out', /"out" leads outside the workspace/],
    ['nothing', 'nope', /there is no directory "nope"/],
    ['a file', 'base/settings.yaml', /is not a directory/],
    ['a folder without a kustomization', '.', /has no kustomization.yaml/],
  ])('is refused as the input: %s', async (_name, kustomize, message) => {
    mkdirSync(join(folder, 'outside'))
    symlinkSync(join(folder, 'outside'), join(workspace, 'out'))
    expect(await problems(kustomize)).toMatchObject([{ message: expect.stringMatching(message) }])
  })

  it('includes files beside the folder that names them, as kustomize has it', async () => {
    write({ 'overlay/kustomization.yaml': 'resources: [../base/settings.yaml]' })
    const [problem] = await problems()
    expect(problem?.message).toMatch(
      /^kubectl cannot render the kustomization overlay: .*base\/settings.yaml' is not in or below/,
    )
    expect(problem?.message).not.toContain(folder)
  })
})

it('says what is wrong with a kustomization, without noise', async () => {
  const patch = 'patches:\n- target: {kind: ConfigMap}\n  patch: |-\n    - {op: replace, path: /spec/nope, value: x}'
  write({ 'overlay/kustomization.yaml': `resources: [../base]\ncommonLabels: {a: b}\n${patch}\n` })
  expect(await problems()).toEqual([
    {
      code: 'InvalidManifest',
      message: expect.stringMatching(
        /^kubectl cannot render the kustomization overlay: replace operation does not apply/,
      ),
      hint: expect.stringContaining('your own machine'),
    },
  ])
})

it('takes local names that look remote when they are written as local', async () => {
  write({
    'overlay/kustomization.yaml': 'resources: [./github.com/acme]',
    'overlay/github.com/acme/kustomization.yaml': 'resources: [a.yaml]',
    'overlay/github.com/acme/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: local}\n',
  })
  expect(await objects()).toEqual(['ConfigMap local'])
})
