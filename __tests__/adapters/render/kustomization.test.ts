/** What a kustomization may name, which is found out before kustomize is run: no program is needed here. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createRenderer } from '../../../src/adapters/render/renderer.ts'
import { problemsOfAsync } from '../../manifest/problems.ts'

let folder: string
let workspace: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollsafe-kustomization-'))
  workspace = join(folder, 'checkout')
  write({
    'base/settings.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n',
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
const problems = (kustomize = 'overlay') =>
  problemsOfAsync(() =>
    createRenderer({ searchPath: '', timeoutMs: 1000 }).render({ workspace, manifests: [], kustomize }, noFacts),
  )

const PLUGIN = 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\n'

describe('what is not in the checkout', () => {
  it.each<[string, string, RegExp]>([
    ['a URL', 'resources: ["https://example.com/app.yaml"]', /^overlay\/kustomization.yaml:1: "https:.*" in resources/],
    ['a repository', 'bases:\n- github.com/acme/shop//deploy?ref=v1', /:2: "github.com\/acme.*" in bases/],
    ['one by ssh', 'components: ["git@github.com:acme/shop.git"]', /"git@github/],
    ['one of another host', 'resources: ["git::https://example.com/x"]', /"git::https/],
    ['one by its short name', 'resources: ["gh:acme/shop"]', /"gh:acme/],
    ['one of Azure', 'resources: ["example/_git/shop"]', /"example\/_git/],
    ['one with a line break behind it', 'resources: ["git@github.com:acme/shop\\n"]', /"git@github.com:acme/],
    ['one that reads as YAML', 'transformers: ["git@github.com:acme/x: y\\n"]', /"git@github.com:acme/],
    [
      'one instead of a patch',
      'patchesStrategicMerge: ["https://example.com/x\\n"]',
      /"https:.* in patchesStrategicMerge/s,
    ],
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

  it('is not, where everything is in the checkout', async () => {
    // The one thing that is missing then is the program.
    expect(await problems()).toMatchObject([{ message: expect.stringMatching(/^the input kustomize needs/) }])
  })
})
