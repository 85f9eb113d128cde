/** Every way in which GitHub can fail, on every endpoint that is used: none changes what is told of a release, or hides it. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDeploymentNotifier } from '../../src/adapters/github/deployments.ts'
import { markerOf } from '../../src/report/comment.ts'
import type { Report } from '../../src/report/report.ts'
import { runScript, type ChildResult } from '../fakes/child.ts'
import { ACTIONS_BOT, REPOSITORY_ID, startFakeGitHub, type FakeGitHub } from '../fakes/github.ts'
import { FAULTS } from '../fakes/github-faults.ts'
import { parsedCommands, settingsIn } from '../fakes/runner-commands.ts'
import { deployed, rolledBack } from '../fixtures/reports/reports.ts'

const REPORTS = { deployed, rolledBack }

const OPERATIONS = [
  'issues/list-comments',
  'issues/create-comment',
  'issues/update-comment',
  'users/get-authenticated',
  'pulls/get',
  'repos/list-deployments',
  'repos/create-deployment',
  'repos/list-deployment-statuses',
  'repos/create-deployment-status',
] as const
type Operation = (typeof OPERATIONS)[number]

const PREVIEW = { repositoryId: REPOSITORY_ID, pullRequest: 128, headSha: '0'.repeat(40), ttlSeconds: 3600 }

const cases = Object.entries(FAULTS).flatMap(([fault, what]) =>
  OPERATIONS.flatMap((operation) =>
    (['deployed', 'rolledBack'] as const).map((report) => ({ fault, what, operation, report })),
  ),
)
type Case = (typeof cases)[number]

const isOfComments = (operation: Operation): boolean => !operation.startsWith('repos/')

/** Whether this case ends with a warning: not when GitHub recovers, nor when the endpoint is not needed. */
function isFelt({ fault, operation, report }: Case): boolean {
  const isPassing = fault.endsWith('once')
  const isUnused = report === 'deployed' && operation.startsWith('repos/list-')
  // That is how GitHub answers the token of a job, always.
  const isUsual = operation === 'users/get-authenticated' && fault === '403'
  return !isPassing && !isUnused && !isUsual
}

/** The action's end, for all cases: with its real runner, and each with a GitHub of its own. */
const script = `
  import { readFileSync, writeFileSync } from 'node:fs'
  import { setTimeout as wait } from 'node:timers/promises'
  import { createDeploymentNotifier } from 'root/src/adapters/github/deployments.ts'
  import { createGitHub } from 'root/src/adapters/github/github.ts'
  import { createRunner } from 'root/src/adapters/runner/runner.ts'
  import { createHerald } from 'root/src/commands/herald.ts'
  import { whileCurrent } from 'root/src/commands/previews/currency.ts'
  import { publish } from 'root/src/commands/publish.ts'
  import * as reports from 'root/__tests__/fixtures/reports/reports.ts'
  const told = []
  async function end({ index, report, url, hurry, folder, preview }) {
    const runner = createRunner({ ...process.env, RUNNER_TEMP: folder, GITHUB_STEP_SUMMARY: folder + '/summary' })
    const clock = {
      now: () => performance.now(),
      date: () => new Date(),
      sleep: (ms, signal) => wait(ms / hurry, undefined, { signal }).catch(() => {}),
    }
    const options = { token: 'job-token', apiUrl: url, repository: 'acme/shop' }
    const { run } = reports[report]
    const deployment = { ...options, environment: 'staging', release: 'shop', run, isResumed: false }
    const herald = createHerald([createDeploymentNotifier(deployment)], clock)
    herald.begin()
    const github = whileCurrent(createGitHub(options), { preview, command: 'deploy' })
    const ports = { runner, github, clock, herald, redact: (text) => text }
    told[index] = await publish(reports[report], ports, 'auto')
  }
  const all = JSON.parse(readFileSync(process.env.CASES, 'utf8'))
  await Promise.all(all.filter(({ hurry }) => hurry < 1).map(end))
  await Promise.all(all.filter(({ hurry }) => hurry > 1).map(end))
  writeFileSync(process.env.TOLD, JSON.stringify(told))
`

let folder: string
let child: ChildResult
let told: readonly Report[]
let fakes: readonly FakeGitHub[]

async function startGitHub({ what, operation, report }: Case): Promise<FakeGitHub> {
  const fake = await startFakeGitHub()
  const { run, namespace } = REPORTS[report]
  if (!run) throw new Error('the fixture has a run')
  if (['issues/update-comment', 'users/get-authenticated'].includes(operation)) {
    fake.addComment(128, ACTIONS_BOT, `${markerOf({ release: 'shop', namespace })}\nthe run before`)
  }
  const options = { token: 'job-token', apiUrl: fake.url, repository: 'acme/shop' }
  const before = { ...options, environment: 'staging', release: 'shop', run: { ...run, id: 1 }, isResumed: false }
  const notifier = createDeploymentNotifier(before)
  await notifier.begin?.(AbortSignal.timeout(20_000))
  await notifier.end(deployed, AbortSignal.timeout(20_000))
  fake.fail({ operation, ...what })
  return fake
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollsafe-test-'))
  fakes = await Promise.all(cases.map(startGitHub))
  const folders = await Promise.all(
    cases.map(async (_case, index) => {
      const own = join(folder, String(index))
      await mkdir(own)
      return own
    }),
  )
  // The nine seconds that all telling has are over sooner with a GitHub that hangs, and else do not count on a busy machine.
  const plan = cases.map(({ report, what, operation }, index) => ({
    index,
    report,
    url: fakes[index]?.url,
    hurry: what.kind === 'hang' ? 1.5 : 0.1,
    folder: folders[index],
    // Before the comment on a preview GitHub is asked whether its pull request has moved on.
    ...(operation === 'pulls/get' && { preview: PREVIEW }),
  }))
  const [CASES, TOLD, GITHUB_OUTPUT] = ['cases', 'told', 'output'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await Promise.all([writeFile(CASES, JSON.stringify(plan)), writeFile(GITHUB_OUTPUT, '')])
  child = await runScript(script, { GITHUB_ACTIONS: 'true', CASES, TOLD, GITHUB_OUTPUT })
  told = JSON.parse(await readFile(TOLD, 'utf8')) as Report[]
}, 120_000)

afterAll(async () => {
  await Promise.all(fakes.map((fake) => fake.close()))
  await rm(folder, { recursive: true })
})

describe('publish, when GitHub fails', () => {
  it('never fails itself', () => {
    expect(child).toMatchObject({ code: 0, stderr: '' })
  })

  it('gives the outputs and annotations of every release all the same', async () => {
    const outputs = settingsIn(await readFile(join(folder, 'output'), 'utf8'))
    const outcomes = outputs.flatMap(([name, value]) => (name === 'outcome' ? [value] : []))
    const half = cases.length / 2
    expect(outcomes.filter((outcome) => outcome === 'deployed')).toHaveLength(half)
    expect(outcomes.filter((outcome) => outcome === 'rolled-back')).toHaveLength(half)
    const errors = parsedCommands(child.stdout).filter(({ name }) => name === 'error')
    expect(errors.length).toBeGreaterThanOrEqual(half)
    const warnings = parsedCommands(child.stdout).filter(({ name }) => name === 'warning')
    expect(warnings).toHaveLength(told.flatMap((report) => report.warnings).length)
  })

  describe.each(cases.map((one, index) => ({ ...one, index })))('with $fault at $operation', ({ index, ...one }) => {
    it(`tells that the release is ${one.report}`, async () => {
      const [report, fake] = [told[index], fakes[index]]
      const expected = REPORTS[one.report]
      expect({ ...report, warnings: [] }).toEqual({ ...expected, warnings: [] })
      expect(report?.warnings).toHaveLength(expected.warnings.length + (isFelt(one) ? 1 : 0))
      expect(await readFile(join(folder, String(index), 'summary'), 'utf8')).toContain(expected.message.slice(0, 20))
      expect(fake?.violations).toEqual([])
      // What has nothing to do with the fault is told all the same; and all is, when it has passed.
      const [comment, ...others] = fake?.comments ?? []
      const isCommented = comment !== undefined && others.length === 0 && !comment.body.includes('the run before')
      expect([isCommented, isFelt(one) && isOfComments(one.operation)]).toContain(true)
      const states = fake?.deployments.map(({ statuses }) => statuses.at(-1)?.state)
      const [own, all] = one.report === 'deployed' ? ['success', 'inactive success'] : ['failure', 'success failure']
      const isMarked = states?.join(' ') === all
      expect([isMarked, isFelt(one) && !isOfComments(one.operation)]).toContain(true)
      // Without the one before, at least the release's own.
      expect([states?.at(-1) === own, isFelt(one) && one.operation.startsWith('repos/create-')]).toContain(true)
    })
  })
})
