/** The workflow files of this repository, and those that users copy: that they are right, and that they are safe. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { load } from 'js-yaml'
import { INPUT_DEFAULTS } from '../../src/inputs/inputs.ts'
import { parseDuration } from '../../src/inputs/parse.ts'
import { buildTool } from '../../testbed/build.ts'
import { run } from '../../testbed/run.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const ACTIONLINT = join(
  await buildTool('actionlint', (line) => process.stderr.write(`testbed: ${line}\n`)),
  'actionlint',
)

const WORKFLOWS = ['.github/workflows', 'examples'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((file) => file.endsWith('.yml'))
    .map((file) => join(folder, file)),
)

const EXAMPLES = WORKFLOWS.filter((path) => path.startsWith('examples/'))

interface Workflow {
  readonly permissions: unknown
  readonly env?: object
  readonly concurrency: unknown
  readonly jobs: Readonly<Record<string, Job>>
}

interface Job {
  readonly permissions?: unknown
  readonly env?: object
  readonly environment?: unknown
  readonly 'timeout-minutes'?: number
  readonly steps: readonly Step[]
}

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly env?: object
  readonly with?: Readonly<Record<string, string | number | boolean>>
}

function read(path: string): { text: string; workflow: Workflow; jobs: Job[] } {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const workflow = load(text) as Workflow
  return { text, workflow, jobs: Object.values(workflow.jobs) }
}

/** Without the linters for scripts, which one machine has and another has not. Throws with what is wrong. */
async function lint(paths: readonly string[], input = ''): Promise<string> {
  return await run(ACTIONLINT, ['-no-color', '-shellcheck=', '-pyflakes=', ...paths], { cwd: ROOT, input })
}

describe('the workflow files', () => {
  it('pass actionlint', async () => {
    expect(await lint(WORKFLOWS)).toBe('')
  })

  it('are told apart from wrong ones by actionlint', async () => {
    const wrong = 'on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: "echo ${{ github.nothing }}"}]}}\n'
    await expect(lint(['-'], wrong)).rejects.toThrow('property "nothing" is not defined')
  })
})

describe.each(WORKFLOWS)('%s', (path) => {
  const { text, workflow, jobs } = read(path)
  const steps = jobs.flatMap((job) => job.steps)

  it('gives each job its own permissions and a time limit, and says what runs beside what', () => {
    expect(workflow.permissions).toEqual({})
    expect(workflow.concurrency).toMatchObject({ group: expect.any(String) })
    for (const job of jobs) {
      expect(job).toMatchObject({ permissions: expect.any(Object), 'timeout-minutes': expect.any(Number) })
    }
  })

  it('names every action by commit and says which version that is', () => {
    const used = [...text.matchAll(/^\s*(?:- )?uses: (.+)$/gm)].map(([, reference = '']) => reference)
    expect(used).toHaveLength(steps.filter(({ uses }) => uses !== undefined).length)
    for (const reference of used) {
      expect(reference).toMatch(/^(\.\/|rollsafe\/rollsafe@v\d+|[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+(\.\d+){1,2})$/)
    }
  })

  it('leaves no credentials in a checkout, and puts no expression into a script', () => {
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
    expect(checkouts.length).toBeGreaterThan(0)
    for (const checkout of checkouts) expect(checkout.with).toMatchObject({ 'persist-credentials': false })
    for (const step of steps) expect(step.run ?? '').not.toContain('${{')
  })
})

describe('the actions that are used', () => {
  it('are the same version everywhere', () => {
    const versions = new Map<string, Set<string>>()
    for (const { jobs } of WORKFLOWS.map(read)) {
      for (const { uses } of jobs.flatMap((job) => job.steps)) {
        const [action = '', version = ''] = uses?.split('@') ?? []
        versions.set(action, (versions.get(action) ?? new Set()).add(version))
      }
    }
    expect([...versions].filter(([, found]) => found.size > 1)).toEqual([])
  })
})

/** In minutes: the longest that a step of Rollsafe waits for its lock, follows the rollout, and follows the way back. */
function longest({ with: inputs = {} }: Step): number {
  const seconds = (['lock-timeout', 'timeout', 'rollback-timeout'] as const).map((name) => {
    const parsed = parseDuration(String(inputs[name] ?? INPUT_DEFAULTS[name]), { least: 0, most: Infinity })
    if (!parsed.ok) throw new Error(`${name} is no duration`)
    return parsed.value
  })
  return seconds.reduce((sum, each) => sum + each, 0) / 60
}

describe('the examples', () => {
  it.each(EXAMPLES)('%s gives Rollsafe the time that it may need, and a few minutes for the rest', (path) => {
    for (const job of read(path).jobs) {
      const steps = job.steps.filter(({ uses }) => uses?.startsWith('rollsafe/rollsafe@'))
      expect(steps).not.toHaveLength(0)
      const needed = steps.map(longest).reduce((sum, each) => sum + each, 0)
      expect(job['timeout-minutes']).toBeGreaterThanOrEqual(needed + 5)
    }
  })

  it.each(EXAMPLES)('%s shows secrets to the steps that need them, and to no others', (path) => {
    const { workflow, jobs } = read(path)
    const all = [
      workflow.env,
      ...jobs.map(({ env }) => env),
      ...jobs.flatMap(({ steps }) => steps.map(({ env }) => env)),
    ]
    expect(JSON.stringify(all)).not.toContain('secrets.')
    const given = jobs
      .flatMap(({ steps }) => steps)
      .filter((step) => JSON.stringify(step.with ?? {}).includes('secrets.'))
    for (const { uses } of given) expect(uses).toMatch(/^rollsafe\/rollsafe@/)
  })

  it.each(['aks', 'eks', 'gke'])('examples/%s.yml logs in by OpenID Connect, from a protected environment', (cloud) => {
    const { text, jobs } = read(`examples/${cloud}.yml`)
    expect(text).not.toContain('secrets.')
    expect(jobs).toMatchObject([{ permissions: { contents: 'read', 'id-token': 'write' }, environment: 'production' }])
  })

  it('ask for a token of OpenID Connect only where one is used', () => {
    const asking = EXAMPLES.filter((path) => read(path).text.includes('id-token'))
    expect(asking.toSorted()).toEqual(['examples/aks.yml', 'examples/eks.yml', 'examples/gke.yml'])
  })

  it('are all in the table of their README, which names no others', () => {
    const table = readFileSync(join(ROOT, 'examples/README.md'), 'utf8').matchAll(/^\|.*\[(\S+\.yml)\]\(\1\)/gm)
    expect([...table].map(([, name]) => `examples/${name}`).toSorted()).toEqual(EXAMPLES.toSorted())
  })
})
