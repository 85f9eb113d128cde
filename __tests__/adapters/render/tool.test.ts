/** How renderers are found and run. The real ones are in __tests__/cluster/render; here programs show what they are given. */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createRenderer } from '../../../src/adapters/render/renderer.ts'
import { problemsOfAsync } from '../../manifest/problems.ts'

let folder: string
let workspace: string
let bin: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollsafe-tool-'))
  workspace = join(folder, 'checkout')
  bin = join(folder, 'bin')
  await mkdir(join(workspace, 'chart'), { recursive: true })
  await mkdir(bin)
  await writeFile(join(workspace, 'chart', 'Chart.yaml'), 'name: shop\n')
  await writeFile(join(workspace, 'kustomization.yaml'), 'namePrefix: a-\n')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A program for the PATH, whose script Node runs. */
async function install(name: string, script: string, place = bin): Promise<string> {
  const path = join(place, name)
  await mkdir(place, { recursive: true })
  await writeFile(path, `#!${process.execPath}\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

interface Given {
  readonly searchPath?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

const facts = () =>
  Promise.resolve({
    release: 'shop',
    namespace: 'shop-production',
    isUpgrade: false,
    kubernetes: { version: 'v1.37.2', apiVersions: ['v1', 'apps/v1'] },
  })
const SOURCES = {
  helm: { helm: { chart: 'chart', values: [], set: ['a=$(id)'] } },
  kustomize: { kustomize: '.' },
}
const run = (what: keyof typeof SOURCES, { searchPath = bin, timeoutMs = 20_000, signal }: Given = {}) =>
  createRenderer({ searchPath, timeoutMs }).render({ workspace, manifests: [], ...SOURCES[what] }, facts, signal)
const problems = (what: keyof typeof SOURCES, given?: Given) => problemsOfAsync(() => run(what, given))

describe('a renderer of the runner', () => {
  it('gets nothing of the environment but the PATH, and a home of its own that is gone afterwards', async () => {
    await install('helm', 'console.log(JSON.stringify({ env: process.env, cwd: process.cwd() }))')
    const secrets = [
      'GITHUB_TOKEN',
      'ACTIONS_RUNTIME_TOKEN',
      'INPUT_KUBECONFIG',
      'KUBECONFIG',
      'HELM_DRIVER_SQL_CONNECTION_STRING',
    ]
    for (const name of secrets) process.env[name] = 'seen'
    try {
      const searchPath = [join(workspace, 'bin'), 'relative', bin].join(':')
      const [file] = await run('helm', { searchPath })
      const { env, cwd } = JSON.parse(file?.text ?? '') as { env: Record<string, string>; cwd: string }
      expect(cwd).toBe(workspace)
      expect(env['PATH']).toBe(bin)
      expect(JSON.stringify(env)).not.toContain('seen')
      const { HOME: home = '' } = env
      const folders = Object.entries(env).filter(([name]) => !/^PATH$|_PROXY$|^GIT_/.test(name))
      expect(folders.map(([name]) => name).toSorted()).toEqual([
        'HELM_CACHE_HOME',
        'HELM_CONFIG_HOME',
        'HELM_DATA_HOME',
        'HELM_PLUGINS',
        'HOME',
        'TMPDIR',
        'XDG_CACHE_HOME',
        'XDG_CONFIG_HOME',
        'XDG_DATA_HOME',
      ])
      for (const [, path] of folders) expect(path.startsWith(join(home, '..'))).toBe(true)
      await expect(readdir(join(home, '..'))).rejects.toMatchObject({ code: 'ENOENT' })
    } finally {
      for (const name of secrets) delete process.env[name]
    }
  })

  it('gets its arguments as they are, without a shell', async () => {
    await install('helm', 'console.log(JSON.stringify(process.argv.slice(2)))')
    const [file] = await run('helm')
    expect(JSON.parse(file?.text ?? '')).toEqual([
      'template',
      'shop',
      join(workspace, 'chart'),
      '--namespace=shop-production',
      '--include-crds',
      '--kube-version=v1.37.2',
      '--api-versions=v1',
      '--api-versions=apps/v1',
      '--set=a=$(id)',
    ])
  })

  it('may warn', async () => {
    await install('helm', 'console.error("level=WARN msg=old"); console.log("a: b")')
    expect(await run('helm')).toEqual([{ path: 'helm template chart', text: 'a: b\n' }])
  })

  it.each([
    ['takes too long', 'setInterval(() => 0, 1000)', 'helm did not render the chart chart within 0.5 s', 500],
    [
      'prints too much',
      'const s = "x".repeat(1e6); setInterval(() => console.log(s), 1)',
      'helm printed more than 10 MiB for the chart chart',
      60_000,
    ],
    [
      'fails without a word',
      'process.exit(3)',
      'helm cannot render the chart chart: it ended with exit code 3',
      20_000,
    ],
    ['is killed', 'process.kill(process.pid)', 'helm cannot render the chart chart: it ended with a signal', 20_000],
  ])('is stopped, and told of, when it %s', async (_name, script, message, timeoutMs) => {
    await install('helm', script)
    expect(await problems('helm', { timeoutMs })).toMatchObject([{ message }])
  })

  it('is killed when the run is cancelled', async () => {
    const file = join(folder, 'pid')
    await install(
      'helm',
      `require('fs').writeFileSync(${JSON.stringify(file)}, String(process.pid)); setInterval(() => 0, 1000)`,
    )
    const controller = new AbortController()
    const reason = new Error('cancelled')
    const running = run('helm', { signal: controller.signal })
    const watching = (async () => {
      while ((await readFile(file, 'utf8').catch(() => '')) === '') await new Promise(setImmediate)
      controller.abort(reason)
    })()
    await expect(running).rejects.toBe(reason)
    await watching
    const pid = Number(await readFile(file, 'utf8'))
    expect(() => process.kill(pid, 0)).toThrow(/ESRCH/)
  })
})

describe('a renderer that is not to be had', () => {
  it.each([
    ['helm', 'the input helm-chart needs helm, which is not on the PATH of this runner', 'azure/setup-helm'],
    [
      'kustomize',
      'the input kustomize needs kustomize or kubectl, which is not on the PATH of this runner',
      'azure/setup-kubectl',
    ],
  ] as const)('is missing: %s', async (what, message, hint) => {
    expect(await problems(what)).toEqual([{ code: 'InvalidInput', message, hint: expect.stringContaining(hint) }])
  })

  it('is in the checkout only', async () => {
    await install('helm', 'console.log("ran")', join(workspace, 'tools'))
    await symlink(join(workspace, 'tools', 'helm'), join(bin, 'helm'))
    for (const searchPath of [join(workspace, 'tools'), bin]) {
      expect(await problems('helm', { searchPath })).toMatchObject([
        {
          code: 'InvalidInput',
          message: expect.stringMatching(/needs helm, and the only one on the PATH is in the checkout/),
        },
      ])
    }
  })

  it('cannot be started', async () => {
    await writeFile(join(bin, 'helm'), '#!/no/such/interpreter\n', { mode: 0o755 })
    expect(await problems('helm')).toMatchObject([{ message: expect.stringMatching(/^helm cannot be started: /) }])
  })

  it('is told together with what is wrong with the other sources', async () => {
    const sources = { workspace, manifests: ['nope.yaml'], ...SOURCES.helm, ...SOURCES.kustomize }
    const found = await problemsOfAsync(() =>
      createRenderer({ searchPath: bin, timeoutMs: 20_000 }).render(sources, facts),
    )
    expect(found.map(({ message }) => message)).toEqual([
      'the input manifests: there is no file or directory "nope.yaml"',
      expect.stringMatching(/^the input kustomize needs/),
      expect.stringMatching(/^the input helm-chart needs/),
    ])
  })
})
