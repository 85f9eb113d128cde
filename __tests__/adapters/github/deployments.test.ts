import { describe, expect, it } from '@jest/globals'
import { createDeploymentNotifier, type DeploymentOptions } from '../../../src/adapters/github/deployments.ts'
import type { Report } from '../../../src/report/report.ts'
import { deployed, rejected, rollbackFailed, rolledBack } from '../../fixtures/reports/reports.ts'
import { fake, noHurry } from './fake-for-each-test.ts'

const run = deployed.run
if (!run) throw new Error('the fixture has a run')

function notifier(more: Partial<DeploymentOptions> = {}) {
  return createDeploymentNotifier({
    token: 'job-token',
    apiUrl: fake.url,
    repository: 'acme/shop',
    environment: 'staging',
    release: 'shop',
    run: { ...run, id: 7 } as NonNullable<Report['run']>,
    isResumed: false,
    ...more,
  })
}

/** A whole run: begins to write, and ends. */
async function tell(report: Report, more: Partial<DeploymentOptions> = {}): Promise<void> {
  const one = notifier(more)
  await one.begin?.(noHurry())
  await one.end(report, noHurry())
}

const states = (): string[][] => fake.deployments.map(({ statuses }) => statuses.map(({ state }) => state))

describe('a deployment on GitHub', () => {
  it('is made when the release begins, and says how it ended', async () => {
    await tell({ ...deployed, url: 'https://shop.example.com' })
    expect(fake.deployments).toMatchObject([
      {
        sha: run.sha,
        environment: 'staging',
        payload: { by: 'rollsafe', release: 'shop', run: 7, attempt: run.attempt },
        transient: false,
        production: false,
        statuses: [
          { state: 'in_progress', log: run.url },
          { state: 'success', log: run.url, url: 'https://shop.example.com', description: /^Deployed: / },
        ].map((status) => ({ ...status, description: expect.stringMatching(status.description ?? /begun/) })),
      },
    ])
  })

  it('is not made for a run that never wrote', async () => {
    await notifier().end(rejected, noHurry())
    expect(fake.requests).toEqual([])
  })

  it.each([
    ['production', false, true],
    ['Prod-eu', false, true],
    ['product', false, false],
    ['pre-production', false, false],
    [`pr-${run.pullRequest}`, true, false],
    [`pr-${run.pullRequest}0`, false, false],
  ])('in %s is transient: %s, of production: %s', async (environment, transient, production) => {
    await tell(deployed, { environment })
    expect(fake.deployments).toMatchObject([{ environment, transient, production }])
  })

  it('takes the place of the one before', async () => {
    await tell(deployed)
    await tell(deployed)
    expect(states()).toEqual([
      ['in_progress', 'success', 'inactive'],
      ['in_progress', 'success'],
    ])
  })

  it('that is taken back makes the last success of the release the active one again', async () => {
    await tell({ ...deployed, url: 'https://shop.example.com' })
    await tell(rollbackFailed)
    await tell(deployed, { release: 'blog' })
    await tell(rolledBack, { namespace: 'other' })
    await tell(rolledBack)
    expect(states()).toEqual([
      ['in_progress', 'success', 'inactive', 'success'],
      ['in_progress', 'failure'],
      ['in_progress', 'success'],
      ['in_progress', 'failure'],
      ['in_progress', 'failure'],
    ])
    expect(fake.deployments[0]?.statuses.at(-1)).toMatchObject({ url: 'https://shop.example.com' })
  })

  it('of a first release that is taken back leaves nothing active', async () => {
    await tell(rolledBack)
    expect(states()).toEqual([['in_progress', 'failure']])
  })

  it('that somebody went back to by hand is a success', async () => {
    await tell({ ...rolledBack, command: 'rollback' })
    expect(states()).toEqual([['in_progress', 'success']])
  })

  it('of a release that is torn down is inactive', async () => {
    const removed = { ...deployed, command: 'teardown', outcome: 'removed' as const }
    await notifier().end(removed, noHurry())
    expect(states()).toEqual([])
    await tell(deployed)
    await tell(rollbackFailed)
    await notifier().end(removed, noHurry())
    expect(states()).toEqual([
      ['in_progress', 'success', 'inactive'],
      ['in_progress', 'failure'],
    ])
  })

  it('is ended by the post step when the main step was cut short', async () => {
    await notifier().begin?.(noHurry())
    await notifier({ isResumed: true }).end({ ...rolledBack, outcome: 'cancelled' }, noHurry())
    expect(states()).toEqual([['in_progress', 'error']])
  })

  it('of another run is none of the post step’s', async () => {
    await notifier().begin?.(noHurry())
    await notifier({ isResumed: true, run: { ...run, id: 8 } }).end(rolledBack, noHurry())
    expect(states()).toEqual([['in_progress']])
  })

  it.each(['reset', 'lost-answer'] as const)('is made once in spite of a %s', async (kind) => {
    fake.fail({ operation: 'repos/create-deployment', kind, times: 1 })
    await tell(deployed)
    expect(states()).toEqual([['in_progress', 'success']])
  })

  it('is still made at the end when the beginning failed', async () => {
    fake.fail({ operation: 'repos/create-deployment', kind: 'status', status: 403, times: 1 })
    const one = notifier()
    await expect(one.begin?.(noHurry())).rejects.toThrow(/403/)
    await one.end(deployed, noHurry())
    expect(states()).toEqual([['success']])
  })

  it('waits as long as a rate limit says, if that is not long', async () => {
    const limit = { operation: 'repos/create-deployment-status', kind: 'status', status: 429, times: 1 } as const
    fake.fail({ ...limit, message: 'secondary rate limit', headers: { 'retry-after': '1' } })
    await tell(deployed)
    expect(states()).toEqual([['in_progress', 'success']])
  })

  it.each([
    [
      { status: 403, message: 'Resource not accessible by integration' },
      /staging: 403 .*`permissions: deployments: write`/,
    ],
    [{ status: 401, message: 'Bad credentials' }, /401 Bad credentials. The `github-token`/],
    [{ status: 404, message: 'Not Found' }, /404 Not Found. The job needs `permissions: deployments: write`/],
    [{ status: 422, message: 'No ref found' }, /422 No ref found/],
    [
      { status: 403, message: 'You have exceeded a secondary rate limit', headers: { 'retry-after': '60' } },
      /secondary rate limit. Set it by hand/,
    ],
  ])('that GitHub refuses with %j is told in a sentence', async (answer, message) => {
    fake.fail({ operation: 'repos/create-deployment', kind: 'status', ...answer })
    await expect(notifier().begin?.(noHurry())).rejects.toThrow(message)
    // Nothing else would help.
    expect(fake.requests).toHaveLength(1)
  })

  it('has its end told, and the one before brought back, each in spite of the other', async () => {
    await tell(deployed)
    const one = notifier()
    await one.begin?.(noHurry())
    fake.fail({ operation: 'repos/create-deployment-status', kind: 'status', status: 422, times: 1 })
    await expect(one.end(rolledBack, noHurry())).rejects.toThrow(/take the status failure/)
    expect(states()).toEqual([['in_progress', 'success', 'success'], ['in_progress']])
  })

  it('when the signal aborts, its reason is thrown', async () => {
    fake.fail({ operation: 'repos/create-deployment', kind: 'status', status: 500 })
    const reason = new Error('time is up')
    await expect(notifier().begin?.(AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})
