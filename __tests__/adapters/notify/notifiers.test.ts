import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openNotifiers } from '../../../src/adapters/notify/notifiers.ts'
import { createClock } from '../../../src/adapters/system.ts'
import { createHerald } from '../../../src/commands/herald.ts'
import { publish } from '../../../src/commands/publish.ts'
import type { Inputs } from '../../../src/inputs/inputs.ts'
import type { Clock, Runner } from '../../../src/ports.ts'
import type { Report } from '../../../src/report/report.ts'
import { reportSaying } from '../../fixtures/reports/hostile.ts'
import { deployed, rejected, rolledBack, preview } from '../../fixtures/reports/reports.ts'
import { type FakeListeners, startListeners, type Trouble } from '../../fakes/listeners.ts'
import { problemsOfAsync } from '../../manifest/problems.ts'

const secrets = { token: randomBytes(16).toString('hex'), secret: randomBytes(32).toString('hex') }
const NEVER = new AbortController().signal

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rollsafe-notify-'))
  await mkdir(join(root, 'checkout'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

interface Asked {
  readonly listeners: FakeListeners
  readonly when?: string
  readonly clock?: Clock
  readonly masked?: string[]
}

/** Notifiers for all three, out of a file in a checkout. */
async function open({ listeners, when = 'always', clock = createClock(), masked = [] }: Asked) {
  const path = `notify-${randomBytes(4).toString('hex')}.yml`
  await writeFile(
    join(root, 'checkout', path),
    `slack:
  - url-from: SLACK_WEBHOOK_URL
    when: ${when}
grafana:
  - url: ${listeners.url}/grafana/
    token-from: GRAFANA_TOKEN
    tags: [checkout]
    dashboard-uid: cIBgcSjkk
    panel-id: 2
    when: ${when}
webhook:
  - url: ${listeners.url}/hook
    secret-from: HOOK_SECRET
    when: ${when}
`,
  )
  const env = {
    SLACK_WEBHOOK_URL: `${listeners.url}${listeners.slackPath}`,
    GRAFANA_TOKEN: secrets.token,
    HOOK_SECRET: secrets.secret,
  }
  return openNotifiers(inputs(path), { env, clock, runner: { mask: (secret) => masked.push(secret) } })
}

function inputs(notify: string, command: Inputs['command'] = 'deploy'): Inputs {
  const sources = { workspace: join(root, 'checkout'), manifests: [] }
  return { notify, command, sources, release: 'shop' } as unknown as Inputs
}

const silent: Runner = {
  info: () => undefined,
  debug: () => undefined,
  group: (_title, body) => body(),
  annotate: () => undefined,
  mask: () => undefined,
  hide: () => undefined,
  spare: () => undefined,
  replaceKnown: (text) => text,
  output: () => undefined,
  saveState: () => undefined,
  summary: async () => undefined,
  writeReport: async () => 'report.json',
}

/** Tells of a whole run as the action does; returns the report with the warnings. */
async function tell(report: Report, asked: Asked, begins = true): Promise<Report> {
  const { clock = createClock() } = asked
  const herald = createHerald(await open({ ...asked, clock }), clock)
  if (begins) herald.begin()
  return publish(report, { runner: silent, clock, herald, redact: (text) => text }, 'never')
}

describe('what others are told', () => {
  it('is a message, a region on the graphs and the signed report', async () => {
    await using listeners = await startListeners(secrets)
    const told = await tell(rolledBack, { listeners })
    expect(told.warnings).toEqual(rolledBack.warnings)
    expect(listeners.violations).toEqual([])
    expect(listeners.messages).toEqual([
      `↩️ *Rolled back*: release shop revision 8 in namespace shop, after 1 m 36 s
*CrashLoop* \`${rolledBack.message}\`
Is production safe? *yes*: revision 7 runs again, as before this run.
<${rolledBack.run?.url}|Look at the run>`,
    ])
    expect(listeners.requests.filter((request) => request.includes('annotations'))).toEqual([
      'POST /grafana/api/annotations',
      'PATCH /grafana/api/annotations/1124',
    ])
    expect(listeners.annotations).toMatchObject([
      {
        dashboardUID: 'cIBgcSjkk',
        panelId: 2,
        tags: ['checkout', 'rollsafe', 'release:shop', 'namespace:shop', 'outcome:rolled-back', 'reason:CrashLoop'],
      },
    ])
    const [{ time, timeEnd } = { time: 0, timeEnd: 0 }] = listeners.annotations
    expect(timeEnd).toBeGreaterThanOrEqual(time)
    expect(listeners.reports).toEqual([JSON.parse(JSON.stringify(rolledBack))])
  })

  it('leads to what is good and has an address', async () => {
    await using listeners = await startListeners(secrets)
    await tell(preview, { listeners })
    expect(listeners.messages[0]?.split('\n').at(-1)).toBe(
      `<${preview.run?.url}|Look at the run> · <https://shop-pr-128.preview.example.com/|Look at the release>`,
    )
    expect(listeners.violations).toEqual([])
  })

  it('is one annotation all the same when the first request for it fails', async () => {
    await using listeners = await startListeners(secrets)
    const clock = createClock()
    const notifiers = await open({ listeners, clock })
    const grafana = notifiers.find(({ name }) => name.startsWith('Grafana'))
    const aborted = AbortSignal.abort(new Error('no answer in time'))
    await expect(grafana?.begin?.(aborted)).rejects.toThrow('no answer in time')
    await grafana?.end(deployed, NEVER)
    expect(listeners.annotations).toHaveLength(1)
    expect(listeners.annotations[0]).toMatchObject({
      dashboardUID: 'cIBgcSjkk',
      time: expect.any(Number),
      timeEnd: expect.any(Number),
    })
    expect(listeners.violations).toEqual([])
  })

  it('is no annotation when nothing was written', async () => {
    await using listeners = await startListeners(secrets)
    await tell(rejected, { listeners }, false)
    expect(listeners.annotations).toEqual([])
    expect(listeners.messages).toHaveLength(1)
  })

  it('is only what they want to hear of', async () => {
    await using listeners = await startListeners(secrets)
    await tell(deployed, { listeners, when: 'failure' })
    expect(listeners.requests).toEqual([])
    await tell(rolledBack, { listeners, when: 'failure' })
    expect(listeners.messages).toHaveLength(1)
    expect(listeners.reports).toHaveLength(1)
    expect(listeners.requests.filter((request) => request.includes('annotations'))).toEqual([
      'POST /grafana/api/annotations',
    ])
    expect(listeners.violations).toEqual([])
  })

  it('is nothing of a plan', async () => {
    expect(
      await openNotifiers(inputs('is-not-there.yml', 'plan'), { env: {}, clock: createClock(), runner: silent }),
    ).toEqual([])
  })

  it('mentions nobody and holds no markup of what others have written', async () => {
    await using listeners = await startListeners(secrets)
    const hostile =
      '<!channel> <@U024BE7LH> `@here` <https://evil.example|log in> <img src=x onerror=alert(1)> & *loud*\u202e'
    await tell(reportSaying(hostile), { listeners })
    expect(listeners.violations).toEqual([])
    const [message = ''] = listeners.messages
    expect(message.replace(/^<https?:[^|>]*\|Look at the run>$/m, '')).not.toMatch(/[<>\u202e]/)
    // Slack shows what is in a code span as it is.
    expect(message.replaceAll(/`[^`\n]*`/g, '')).not.toMatch(/[`@!]|loud|log in/)
    expect(listeners.annotations[0]?.text.replace(/ <a href="[^"<>]*">Run<\/a>$/, '')).not.toMatch(/[<>]/)
  })
})

describe('a listener that is in trouble', () => {
  const cases: [Trouble, RegExp][] = [
    ['error', /could not be told: the answer is 500: \{"message":"something broke"\}/],
    ['redirect', /could not be told: the answer is a redirect \(307\), which is not followed/],
    ['reset', /could not be told: /],
    ['hang', /could not be told: no answer within 9 s/],
  ]
  it.each(cases)('(%s) is a warning, and the verdict stays', async (kind, warning) => {
    await using listeners = await startListeners(secrets)
    listeners.trouble('/', kind)
    // Time passes as soon as everybody waits for it.
    const clock: Clock =
      kind === 'hang'
        ? { ...createClock(), sleep: (ms, signal) => createClock().sleep(Math.min(ms, 300), signal) }
        : createClock()
    const told = await tell(deployed, { listeners, clock })
    expect({ ...told, warnings: [] }).toEqual({ ...deployed, warnings: [] })
    expect(told.warnings).toHaveLength(3)
    for (const one of told.warnings) expect(one).toMatch(warning)
    expect(told.warnings.map((one) => one.split(' could')[0] ?? '').toSorted()).toEqual([
      `Grafana at ${new URL(listeners.url).host}`,
      'Slack (SLACK_WEBHOOK_URL)',
      `The webhook at ${new URL(listeners.url).host}`,
    ])
    expect(listeners.requests).not.toContain('GET /elsewhere')
    expect(listeners.requests.filter((request) => request.endsWith('/elsewhere'))).toEqual([])
  })

  it('is not listened to for ever', async () => {
    await using listeners = await startListeners(secrets)
    listeners.trouble('/', 'endless')
    const told = await tell(deployed, { listeners })
    // Slack's and the webhook's answers say nothing that matters; Grafana's should have named the annotation.
    expect(told.warnings).toEqual([expect.stringMatching(/^Grafana .*the answer names no annotation/)])
  })
})

describe('the file', () => {
  it('gives away no secret: all are masked, the path of an address too', async () => {
    await using listeners = await startListeners(secrets)
    const masked: string[] = []
    await open({ listeners, masked })
    expect(masked).toEqual(
      expect.arrayContaining([
        `${listeners.url}${listeners.slackPath}`,
        listeners.slackPath,
        secrets.token,
        secrets.secret,
      ]),
    )
  })

  it.each([
    ['../outside.yml', /leads outside the workspace/],
    ['link.yml', /leads outside the workspace/],
    ['missing.yml', /there is no file "missing.yml"/],
    ['large.yml', /large.yml is larger than 64 KiB/],
    ['https://example.com/notify.yml', /is a URL/],
    ['broken.yml', /the input notify: broken.yml:1: /],
  ])('%s is refused', async (path, message) => {
    await writeFile(join(root, 'outside.yml'), 'slack: []')
    await symlink(join(root, 'outside.yml'), join(root, 'checkout', 'link.yml')).catch(() => undefined)
    await writeFile(join(root, 'checkout', 'large.yml'), `# ${'x'.repeat(70_000)}`)
    await writeFile(join(root, 'checkout', 'broken.yml'), 'slack: [')
    const problems = await problemsOfAsync(() =>
      openNotifiers(inputs(path), { env: {}, clock: createClock(), runner: silent }),
    )
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ code: 'InvalidInput', message: expect.stringMatching(message) })
  })
})
