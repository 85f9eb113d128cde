import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { createHerald } from '../../src/commands/herald.ts'
import { publish, type PublishPorts } from '../../src/commands/publish.ts'
import type { Clock, Runner, StickyComment } from '../../src/ports.ts'
import { createRedactor } from '../../src/secrets/redactor.ts'
import type { Annotation } from '../../src/report/annotations.ts'
import type { Report } from '../../src/report/report.ts'
import { runScript } from '../fakes/child.ts'
import { startFakeGitHub } from '../fakes/github.ts'
import { commandsIn } from '../fakes/runner-commands.ts'
import { reportSaying } from '../fixtures/reports/hostile.ts'
import { deployed, everyOutcome, rejected, rollbackFailed, rolledBack } from '../fixtures/reports/reports.ts'

interface Told {
  log: string[]
  annotations: Annotation[]
  outputs: Record<string, string>
  summaries: string[]
  reports: string[]
  comments: StickyComment[]
}

/** Ports that write down what they are told. `broken` ones fail. */
function recorder(
  broken: { runner?: Partial<Runner>; github?: PublishPorts['github']; clock?: Clock } = {},
): Told & { ports: PublishPorts } {
  const told: Told = { log: [], annotations: [], outputs: {}, summaries: [], reports: [], comments: [] }
  const runner: Runner = {
    info: (text) => void told.log.push(text),
    debug: () => undefined,
    group: (_title, body) => body(),
    annotate: (annotation) => void told.annotations.push(annotation),
    mask: () => undefined,
    hide: () => undefined,
    spare: () => undefined,
    replaceKnown: (text) => text,
    output(name, value) {
      told.outputs[name] = value
    },
    saveState: () => undefined,
    async summary(markdown) {
      told.summaries.push(markdown)
    },
    async writeReport(json) {
      told.reports.push(json)
      return '/tmp/report.json'
    },
    ...broken.runner,
  }
  const github: NonNullable<PublishPorts['github']> = broken.github ?? {
    async upsertComment(comment) {
      told.comments.push(comment)
      return 'https://github.com/acme/shop/pull/128#issuecomment-1'
    },
  }
  const clock = broken.clock ?? patient
  return { ...told, ports: { runner, github, clock, herald: createHerald([], clock), redact: (text) => text } }
}

/** A clock on which the deadline never comes. */
const patient: Clock = {
  now: () => 0,
  date: () => new Date(0),
  sleep: (_ms, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
}

/** A clock on which the ten seconds, nine to tell and one to correct, pass at once. */
const hasty: Clock = {
  ...patient,
  sleep: (ms) => (ms === 9000 || ms === 1000 ? Promise.resolve() : Promise.reject(new Error(`${ms}?`))),
}

const lastReport = (told: Told): Report => JSON.parse(told.reports.at(-1) ?? '')

describe('publish', () => {
  it.each(everyOutcome.map((report) => [report.outcome, report] as const))(
    'tells %s everywhere',
    async (outcome, report) => {
      const told = recorder()
      expect(await publish(report, told.ports, 'auto')).toEqual(report)
      expect(told.outputs).toMatchObject({ outcome, report: '/tmp/report.json' })
      expect(told.summaries).toHaveLength(1)
      expect(told.reports.map((json): unknown => JSON.parse(json))).toEqual([report])
      expect(told.comments).toMatchObject([{ pullRequest: 128, marker: expect.stringContaining('rollsafe') }])
      expect(told.log.length).toBeGreaterThan(1)
    },
  )

  it.each([
    ['without a pull request', { ...deployed, run: { ...run(), pullRequest: undefined } }, 'auto'],
    ['outside GitHub', { ...deployed, run: undefined }, 'auto'],
    ['when told never to', rolledBack, 'never'],
  ] as const)('writes no comment %s', async (_when, report, mode) => {
    const told = recorder()
    const plain: Report = JSON.parse(JSON.stringify(report))
    expect((await publish(plain, told.ports, mode)).warnings).toEqual([])
    expect(told.comments).toEqual([])
  })

  it('makes a warning of a refused comment, in the log and in the report', async () => {
    const github: NonNullable<PublishPorts['github']> = {
      upsertComment: () => Promise.reject(new Error('403 not for you')),
    }
    const told = recorder({ github })
    const warning = 'The pull request could not be commented: 403 not for you'
    const report = await publish(rollbackFailed, told.ports, 'auto')
    expect(report.warnings).toEqual([...rollbackFailed.warnings, warning])
    expect(report.outcome).toBe('rollback-failed')
    expect(lastReport(told).warnings).toContain(warning)
    expect(told.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message)).toEqual(
      report.warnings,
    )
  })

  it.each([
    [
      'GitHub',
      { github: { upsertComment: () => new Promise<never>(() => {}) } },
      'The pull request could not be commented',
    ],
    [
      'the disk of the summary',
      { runner: { summary: () => new Promise<never>(() => {}) } },
      'The job summary could not be written',
    ],
    [
      'the disk of the report',
      { runner: { writeReport: () => new Promise<never>(() => {}) } },
      'The JSON report could not be written',
    ],
  ])('does not wait longer than 10 s for %s', async (_what, broken, warning) => {
    const told = recorder({ ...broken, clock: hasty })
    const report = await publish(deployed, told.ports, 'auto')
    expect(report.warnings).toContain(`${warning}: no answer within 9 s`)
    expect(report.outcome).toBe('deployed')
  })

  it('tells GitHub to stop at the deadline', async () => {
    const signals: AbortSignal[] = []
    const github: NonNullable<PublishPorts['github']> = {
      upsertComment(_comment, signal) {
        signals.push(signal)
        return new Promise<never>(() => {})
      },
    }
    await publish(deployed, recorder({ github, clock: hasty }).ports, 'auto')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  it.each(['info', 'annotate', 'output', 'summary', 'writeReport'] as const)(
    'never throws, not even when %s does',
    async (method) => {
      const told = recorder({
        runner: {
          [method]: () => {
            throw new Error('disk full')
          },
        },
      })
      const report = await publish(rejected, told.ports, 'auto')
      expect(report.outcome).toBe('rejected')
      expect(report.warnings.length).toBeGreaterThan(0)
      expect(report.warnings[0]).toContain('disk full')
    },
  )

  it('hides secrets everywhere, in every form', async () => {
    const secret = 'c4nary_*v@lue*/+'
    const forms = [
      secret,
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('base64url'),
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      secret.replace('_', '\\_').replaceAll('*', '\\*'),
    ]
    const redactor = createRedactor()
    redactor.add(secret)
    const github: NonNullable<PublishPorts['github']> = {
      upsertComment: () => Promise.reject(new Error(`token ${secret} is bad`)),
    }
    for (const form of [...forms.slice(0, 5), `${secret.slice(0, 5)}\u001b[0m${secret.slice(5)}`]) {
      for (const broken of [{}, { github }]) {
        const told = recorder(broken)
        const report = { ...reportSaying(`a ${form} b`), release: 'shop', namespace: 'shop' }
        const published = await publish(report, { ...told.ports, redact: redactor.redact }, 'auto')
        const everything = JSON.stringify([told, published])
        expect(forms.filter((one) => everything.includes(one))).toEqual([])
        expect(everything).toContain('***')
      }
    }
  })
})

describe('publish through the real runner and a GitHub over HTTP', () => {
  const script = `
    import { createRunner } from 'root/src/adapters/runner/runner.ts'
    import { createGitHub } from 'root/src/adapters/github/github.ts'
    import { createRedactor } from 'root/src/secrets/redactor.ts'
    import { createHerald } from 'root/src/commands/herald.ts'
    import { publish } from 'root/src/commands/publish.ts'
    import { rolledBack } from 'root/__tests__/fixtures/reports/reports.ts'
    import { setTimeout as wait } from 'node:timers/promises'
    const redactor = createRedactor()
    const runner = createRunner(process.env, redactor)
    const github = createGitHub({ token: process.env.TOKEN, apiUrl: process.env.GITHUB_API_URL, repository: 'acme/shop' })
    const clock = {
      now: () => performance.now(),
      date: () => new Date(),
      sleep: (ms, signal) => wait(ms / Number(process.env.HASTE), undefined, { signal }).catch(() => {}),
    }
    runner.mask('node-b-14')
    const report = { ...rolledBack, message: rolledBack.message + '\\n::set-output name=outcome::deployed' }
    const herald = createHerald([], clock)
    await publish(report, { runner, github, clock, herald, redact: redactor.redact }, 'auto')
  `

  it.each([
    ['that answers', undefined, 1, 0],
    [
      'that refuses',
      {
        operation: 'issues/create-comment',
        kind: 'status',
        status: 403,
        message: 'Resource not accessible by integration',
      },
      1,
      1,
    ],
    ['that hangs', { operation: 'issues/list-comments', kind: 'hang' }, 20, 1],
  ] as const)(
    '%s',
    async (_what, fault, haste, warnings) => {
      const folder = await mkdtemp(join(tmpdir(), 'rollsafe-test-'))
      const fake = await startFakeGitHub()
      if (fault) fake.fail(fault)
      const env = {
        GITHUB_ACTIONS: 'true',
        GITHUB_API_URL: fake.url,
        GITHUB_OUTPUT: join(folder, 'output'),
        GITHUB_STEP_SUMMARY: join(folder, 'summary'),
        RUNNER_TEMP: folder,
        TOKEN: 'job-token',
        HASTE: String(haste),
      }
      await Promise.all([env.GITHUB_OUTPUT, env.GITHUB_STEP_SUMMARY].map((file) => writeFile(file, '')))
      const child = await runScript(script, env)
      expect(child).toMatchObject({ code: 0, stderr: '' })
      expect(new Set(commandsIn(child.stdout))).toEqual(
        new Set(['add-mask', 'error', ...(warnings > 0 ? ['warning'] : [])]),
      )
      const [output, summary] = await Promise.all(
        [env.GITHUB_OUTPUT, env.GITHUB_STEP_SUMMARY].map((file) => readFile(file, 'utf8')),
      )
      expect(output).toMatch(/^outcome<<(\S+)\nrolled-back\n\1$/m)
      const path = /^report<<(\S+)\n(.*)\n\1$/m.exec(output ?? '')?.[2] ?? ''
      const report: Report = JSON.parse(await readFile(path, 'utf8'))
      expect(report.warnings).toHaveLength(warnings)
      expect(fake.comments).toHaveLength(fault ? 0 : 1)
      expect(fake.violations).toEqual([])
      for (const text of [
        child.stdout.replace('::add-mask::node-b-14\n', ''),
        output,
        summary,
        JSON.stringify(report),
        JSON.stringify(fake.comments),
      ]) {
        expect(text).not.toContain('node-b-14')
      }
      await fake.close()
      await rm(folder, { recursive: true })
    },
    30_000,
  )
})

function run(): NonNullable<Report['run']> {
  if (!deployed.run) throw new Error('the fixture has a run')
  return deployed.run
}
