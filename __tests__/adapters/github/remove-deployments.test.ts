/** What becomes of the deployments of a preview when it is deleted. */
import { describe, expect, it } from '@jest/globals'
import { createDeploymentNotifier, type DeploymentOptions } from '../../../src/adapters/github/deployments.ts'
import { createSweptNotifier } from '../../../src/adapters/github/remove-deployments.ts'
import type { Report } from '../../../src/report/report.ts'
import { startFakeGitHub } from '../../fakes/github.ts'
import { FAULTS } from '../../fakes/github-faults.ts'
import { deployed, rolledBack } from '../../fixtures/reports/reports.ts'
import { fake, noHurry } from './fake-for-each-test.ts'

const run = deployed.run as NonNullable<Report['run']>
const ENVIRONMENT = `preview/pr-${run.pullRequest}`
const PREVIEW = { release: `shop-pr-${run.pullRequest}`, namespace: `shop-pr-${run.pullRequest}` }
const REMOVED: Report = { ...deployed, command: 'teardown', outcome: 'removed' }

function notifier(more: Partial<DeploymentOptions> = {}) {
  const options = { token: 'job-token', apiUrl: fake.url, repository: 'acme/shop', environment: ENVIRONMENT }
  return createDeploymentNotifier({ ...options, ...PREVIEW, run, isResumed: false, ...more })
}

async function deploy(report: Report = deployed, more: Partial<DeploymentOptions> = {}): Promise<void> {
  const one = notifier(more)
  await one.begin?.(noHurry())
  await one.end(report, noHurry())
}

const names = (): string[] => fake.deployments.map(({ environment }) => environment)
const deletions = (): string[] => fake.requests.filter((request) => request.startsWith('DELETE'))

describe('a teardown', () => {
  it.each([
    ['job-token', [ENVIRONMENT, 'staging']],
    ['personal-token', ['staging']],
  ])('deletes the deployments of a pull request, and with the %s leaves %j', async (token, environments) => {
    await deploy()
    await deploy(rolledBack)
    await deploy()
    await deploy(deployed, { environment: 'staging' })
    await notifier({ token }).end(REMOVED, noHurry())
    expect(names()).toEqual(['staging'])
    expect([...fake.environments]).toEqual(environments)
  })

  it('deletes more than one page of them', async () => {
    for (let push = 0; push < 105; push += 1) await notifier().begin?.(noHurry())
    await notifier().end(REMOVED, noHurry())
    expect(names()).toEqual([])
  })

  it('leaves what somebody else has in that environment, and then the environment too', async () => {
    const token = 'personal-token'
    await deploy(deployed, { release: 'blog-pr-128' })
    await deploy()
    await notifier({ token }).end(REMOVED, noHurry())
    expect(fake.deployments).toMatchObject([{ payload: { release: 'blog-pr-128' } }])
    expect(fake.deployments[0]?.statuses.at(-1)).toMatchObject({ state: 'success' })
    expect([...fake.environments]).toEqual([ENVIRONMENT])
    // There is nothing left to do.
    await notifier({ token }).end(REMOVED, noHurry())
    expect(deletions()).toHaveLength(1)
  })

  const OPERATIONS = [
    'repos/list-deployments',
    'repos/create-deployment-status',
    'repos/delete-deployment',
    'repos/delete-an-environment',
  ]
  const cases = OPERATIONS.flatMap((operation) =>
    Object.entries(FAULTS).map(([name, fault]) => ({ operation, name, fault })),
  )
  // How GitHub answers for what is gone already, and for what a token may not delete.
  const USUAL = ['repos/delete-deployment 404', 'repos/delete-an-environment 403', 'repos/delete-an-environment 404']

  /** What a removal comes to: a sentence, or that everything is gone. */
  function endOf({ operation, name, fault }: (typeof cases)[number]): RegExp {
    if (fault.kind === 'hang') return /^TimeoutError$/
    if (name.endsWith('once') || USUAL.includes(`${operation} ${name}`)) return /^told$/
    return /^GitHub did not (list|take|delete) .*environment preview\/pr-128: ./
  }

  it.concurrent.each(cases)('goes on or ends in a sentence with $name at $operation', async (one) => {
    const own = await startFakeGitHub()
    try {
      const options = { apiUrl: own.url, token: 'personal-token' }
      await deploy(deployed, options)
      own.fail({ operation: one.operation, ...one.fault })
      const signal = AbortSignal.timeout(one.fault.kind === 'hang' ? 500 : 20_000)
      const end = await notifier(options)
        .end(REMOVED, signal)
        .then(
          () => 'told',
          (error: Error) => (error.name === 'TimeoutError' ? error.name : error.message),
        )
      expect(end).toMatch(endOf(one))
      expect(own.violations).toEqual([])
      const isAllGone = own.deployments.length === 0 && own.environments.size === 0
      expect([isAllGone, !one.name.endsWith('once')]).toContain(true)
    } finally {
      await own.close()
    }
  })
})

describe('a sweep', () => {
  const swept = (...namespaces: string[]): Report => ({
    ...REMOVED,
    command: 'sweep',
    objects: namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', name, change: 'pruned' })),
  })
  const { pullRequest: _none, ...scheduled } = run
  const sweeper = () =>
    createSweptNotifier({
      token: 'personal-token',
      apiUrl: fake.url,
      repository: 'acme/shop',
      environment: 'preview/pr-{pr}',
      run: scheduled,
    })
  const of = (pullRequest: number) => ({
    environment: `preview/pr-${pullRequest}`,
    release: `shop-pr-${pullRequest}`,
    namespace: `shop-pr-${pullRequest}`,
    run: { ...run, pullRequest },
  })

  it('deletes the deployments of just the previews that it has deleted', async () => {
    for (const number of [12, 13, 128]) await deploy(deployed, of(number))
    await sweeper().end(swept('shop-pr-12', 'shop-pr-128', 'shop'), noHurry())
    expect(names()).toEqual(['preview/pr-13'])
    expect([...fake.environments]).toEqual(['preview/pr-13'])
  })

  it('that was rejected asks nothing', async () => {
    await sweeper().end({ ...swept('shop-pr-12'), outcome: 'rejected' }, noHurry())
    expect(fake.requests).toEqual([])
  })

  it('tells of those that GitHub keeps, and deletes the others', async () => {
    for (const number of [12, 13]) await deploy(deployed, of(number))
    fake.fail({ operation: 'repos/delete-deployment', kind: 'status', status: 422, message: 'No', times: 1 })
    await expect(sweeper().end(swept('shop-pr-12', 'shop-pr-13'), noHurry())).rejects.toThrow(
      /^GitHub did not delete a deployment in the environment preview\/pr-1[23]: 422 No$/,
    )
    expect(names()).toHaveLength(1)
  })
})
