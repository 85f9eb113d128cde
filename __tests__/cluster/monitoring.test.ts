import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { run } from '../../testbed/run.ts'
import { startListeners } from '../fakes/listeners.ts'
import { app, IMAGE } from './manifests.ts'
import { EXAMPLES, PROMTOOL, startMonitoring } from './monitoring.ts'
import { createCheckout } from './rollsafe.ts'
import { eventually, withNamespace } from './testbed.ts'

describe('the alerts of examples/monitoring', () => {
  it('are what Prometheus takes, and fire when they should', async () => {
    expect(await run(PROMTOOL, ['check', 'rules', 'alerts.yml'], { cwd: EXAMPLES })).toContain('4 rules found')
    expect(await run(PROMTOOL, ['test', 'rules', 'alerts.test.yml'], { cwd: EXAMPLES })).toContain('SUCCESS')
  })
})

describe('those who are told of a release', () => {
  it('hear of a good one and of a bad one, and Prometheus sounds the alarm until it is mended', () =>
    withNamespace('monitoring', async (namespace) => {
      const secrets = { token: randomBytes(16).toString('hex'), secret: randomBytes(32).toString('hex') }
      await using listeners = await startListeners(secrets)
      await using monitoring = await startMonitoring()
      await using checkout = await createCheckout({
        'k8s/app.yaml': app({ deadlineSeconds: 20 }),
        'event.json': JSON.stringify({ head_commit: { timestamp: '2026-11-22T08:15:00+02:00' } }),
        'notify.yml': `slack: [{url-from: SLACK_WEBHOOK_URL}]
grafana: [{url: '${listeners.url}/grafana', token-from: GRAFANA_TOKEN}]
pushgateway: [{url: '${monitoring.pushgateway}', cluster: 'eu/1'}]
webhook: [{url: '${listeners.url}/hook', secret-from: HOOK_SECRET}]
`,
      })
      const env = {
        SLACK_WEBHOOK_URL: `${listeners.url}${listeners.slackPath}`,
        GRAFANA_TOKEN: secrets.token,
        HOOK_SECRET: secrets.secret,
        GITHUB_EVENT_PATH: join(checkout.folder, 'event.json'),
      }
      const deploy = (tag: string) =>
        checkout.run({ namespace: namespace.name, images: `${IMAGE}:${tag}`, notify: 'notify.yml' }, { env })
      const valueOf = async (metric: string) =>
        Number((await monitoring.query(`${metric}{namespace="${namespace.name}"}`))[0]?.value[1])

      const good = await deploy('v1')
      expect(good).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' }, report: { warnings: [] } })
      expect(good.report.times.commit).toBe('2026-11-22T06:15:00.000Z')
      expect(good.log).not.toContain(secrets.token)
      const success = await eventually(async () => {
        const [series] = await monitoring.query(
          `rollsafe_deploy_last_success_timestamp_seconds{namespace="${namespace.name}"}`,
        )
        expect(series?.metric).toMatchObject({ job: 'rollsafe', release: 'shop', cluster: 'eu/1' })
        return Number(series?.value[1])
      })
      expect(success).toBeCloseTo(Date.parse(good.report.times.ended) / 1000, 1)
      expect(await monitoring.firing(namespace.name)).toEqual([])

      const bad = await deploy('v2-unpullable')
      expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' }, report: { warnings: [] } })
      const { started, detected = '', recovered = '', ended } = bad.report.times
      expect([started, detected, recovered, ended].toSorted((a, b) => Date.parse(a) - Date.parse(b))).toEqual([
        started,
        detected,
        recovered,
        ended,
      ])
      await eventually(async () => expect(await monitoring.firing(namespace.name)).toEqual(['RollsafeDeployFailed']))
      expect(await valueOf('rollsafe_rollback')).toBe(1)
      // Still that of the good one.
      expect(await valueOf('rollsafe_deploy_last_success_timestamp_seconds')).toBe(success)

      expect((await deploy('v3')).exitCode).toBe(0)
      await eventually(async () => expect(await monitoring.firing(namespace.name)).toEqual([]))
      // One group for all three runs.
      expect((await monitoring.metrics()).match(/^rollsafe_rollback\{/gm)).toHaveLength(1)

      expect(listeners.violations).toEqual([])
      expect(listeners.messages.map((message) => message.split('*')[1])).toEqual([
        'Deployed',
        'Rolled back',
        'Deployed',
      ])
      expect(listeners.annotations.map(({ tags }) => tags.find((tag) => tag.startsWith('outcome:')))).toEqual([
        'outcome:deployed',
        'outcome:rolled-back',
        'outcome:deployed',
      ])
      for (const { time, timeEnd } of listeners.annotations) expect(timeEnd).toBeGreaterThan(time)
      expect(listeners.reports).toMatchObject([
        { outcome: 'deployed' },
        { outcome: 'rolled-back' },
        { outcome: 'deployed' },
      ])

      const dashboard = await readFile(join(EXAMPLES, 'dashboard.json'), 'utf8')
      for (const [, expression = ''] of dashboard.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)) {
        const query = (JSON.parse(expression) as string)
          .replaceAll(/\$(?:release|namespace)\b/g, '.*')
          .replaceAll('$__range', '1h')
        expect([query, await monitoring.query(query)]).toEqual([query, expect.arrayContaining([expect.anything()])])
      }
    }))

  it('do not hold up a good deploy nor hide a bad one when they are in trouble', () =>
    withNamespace('deaf', async (namespace) => {
      const secrets = { token: randomBytes(16).toString('hex'), secret: randomBytes(32).toString('hex') }
      await using listeners = await startListeners(secrets)
      listeners.trouble(listeners.slackPath, 'hang')
      listeners.trouble('/grafana', 'error')
      listeners.trouble('/hook', 'redirect')
      listeners.trouble('/metrics', 'reset')
      await using checkout = await createCheckout({
        'k8s/app.yaml': app({ deadlineSeconds: 20 }),
        'notify.yml': `slack: [{url-from: SLACK_WEBHOOK_URL}]
grafana: [{url: '${listeners.url}/grafana', token-from: GRAFANA_TOKEN}]
pushgateway: [{url: '${listeners.url}'}]
webhook: [{url: '${listeners.url}/hook', secret-from: HOOK_SECRET}]
`,
      })
      const slackUrl = `${listeners.url}${listeners.slackPath}`
      const env = { SLACK_WEBHOOK_URL: slackUrl, GRAFANA_TOKEN: secrets.token, HOOK_SECRET: secrets.secret }
      const deploy = (tag: string) =>
        checkout.run({ namespace: namespace.name, images: `${IMAGE}:${tag}`, notify: 'notify.yml' }, { env })
      for (const [tag, exitCode, outcome] of [
        ['v1', 0, 'deployed'],
        ['v2-unpullable', 1, 'rolled-back'],
      ] as const) {
        const told = await deploy(tag)
        expect(told).toMatchObject({ exitCode, outputs: { outcome } })
        expect(told.report.warnings.filter((warning) => warning.includes('could not be told'))).toHaveLength(4)
        for (const place of [
          JSON.stringify(told.report),
          told.summary,
          told.log.replaceAll(/^::add-mask::.*$/gm, ''),
        ]) {
          expect(place).not.toContain(listeners.slackPath)
          expect(place).not.toContain(secrets.token)
        }
      }
    }))
})
