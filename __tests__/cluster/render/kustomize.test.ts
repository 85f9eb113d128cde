/** The input `kustomize`, by a real kubectl. It works on files alone: no cluster is asked. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
const problems = () => problemsOfAsync(() => build('overlay'))
const objects = async () =>
  loadManifests(await build('overlay')).map(({ object: { kind, metadata } }) => `${kind} ${metadata.name}`)

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

it('does not take files from beside its folder, as kustomize has it', async () => {
  write({ 'overlay/kustomization.yaml': 'resources: [../base/settings.yaml]' })
  const [problem] = await problems()
  expect(problem?.message).toMatch(
    /^kubectl cannot render the kustomization overlay: .*base\/settings.yaml' is not in or below/,
  )
  expect(problem?.message).not.toContain(folder)
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
