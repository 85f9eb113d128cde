/** The workflow files of examples/, as users copy them, run with the action that is checked in as dist/. */
import { describe, expect, it } from '@jest/globals'
import { MONA, type Fault } from '../fakes/github.ts'
import type { WorkflowRun } from './act.ts'
import { kubeconfigFor, pullRequest, PULL_REQUEST, push } from './repository.ts'
import { IMAGE, imageIn, K8S, printedBy, ROLLSAFE, withWorld, type World } from './world.ts'

async function runQuickStart({ repository, namespace, gitHub }: World, commit: string): Promise<WorkflowRun> {
  return await repository.run({
    workflow: 'examples/quick-start.yml',
    event: push(commit),
    secrets: { KUBECONFIG: await kubeconfigFor(namespace.name) },
    gitHub: gitHub.url,
  })
}

async function runPullRequest(
  { repository, namespace, gitHub }: World,
  commit: string,
  from?: string,
): Promise<WorkflowRun> {
  return await repository.run({
    workflow: 'examples/pull-request.yml',
    event: pullRequest(commit, from === undefined ? {} : { from }),
    secrets: { STAGING_KUBECONFIG: Buffer.from(await kubeconfigFor()).toString('base64') },
    vars: { STAGING_NAMESPACE: namespace.name },
    gitHub: gitHub.url,
  })
}

describe('examples/quick-start.yml', () => {
  it('deploys a push, takes a bad one back, and hands outputs and summary on', () =>
    withWorld(K8S, async (world) => {
      const good = await runQuickStart(world, '4c9d2e1-v1')
      expect(good).toMatchObject({
        exitCode: 0,
        jobResult: 'success',
        steps: {
          [ROLLSAFE]: {
            result: 'success',
            annotations: [],
            outputs: {
              outcome: 'deployed',
              release: 'shop',
              namespace: world.namespace.name,
              revision: '1',
              'previous-revision': '',
              reason: '',
              changed: 'true',
            },
          },
        },
      })
      expect(printedBy(good, 'Tell the outcome')).toContain(
        `Release shop in namespace ${world.namespace.name} is deployed, since 3 of 3 objects were written and all are healthy.`,
      )
      const summary = good.steps[ROLLSAFE]?.summary
      expect(summary).toContain(`Deployed: \`shop\` in namespace \`${world.namespace.name}\``)
      expect(summary).toContain('4c9d2e1-v1')
      expect(await imageIn(world.namespace)).toBe(`${IMAGE}:4c9d2e1-v1`)

      const bad = await runQuickStart(world, '5e0f7a3-unpullable')
      expect(bad).toMatchObject({
        exitCode: 1,
        jobResult: 'failure',
        steps: {
          [ROLLSAFE]: {
            result: 'failure',
            outputs: { outcome: 'rolled-back', reason: 'ImagePull', 'previous-revision': '1', changed: 'false' },
          },
        },
      })
      expect(printedBy(bad, 'Tell the outcome')).toMatch(
        /^Release shop in namespace \S+ is rolled-back, since .*cannot pull the image/,
      )
      expect(bad.steps[ROLLSAFE]?.annotations).toMatchObject([
        { level: 'error', title: 'Rolled back: release shop' },
        { level: 'error', title: 'ImagePull: Deployment/shop' },
      ])
      expect(bad.steps[ROLLSAFE]?.summary).toContain('ImagePull')
      expect(await imageIn(world.namespace)).toBe(`${IMAGE}:4c9d2e1-v1`)

      // A push belongs to no pull request, so GitHub's API has nothing to be asked for.
      expect(world.gitHub.requests).toEqual([])
    }))
})

describe('examples/pull-request.yml', () => {
  it('writes one comment, and edits it when the release goes bad and when it is good again', () =>
    withWorld(K8S, async (world) => {
      const { gitHub } = world
      gitHub.addComment(PULL_REQUEST, MONA, 'Looks good to me')
      /** The body of the only other comment. */
      const commentAfter = async (commit: string, exitCode: number): Promise<{ run: WorkflowRun; body: string }> => {
        const run = await runPullRequest(world, commit)
        expect({ exitCode: run.exitCode, log: run.log }).toMatchObject({ exitCode })
        expect(run.steps[ROLLSAFE]?.annotations.filter(({ level }) => level === 'warning')).toEqual([])
        const [others, ours, ...more] = gitHub.comments
        expect({ others: others?.body, more }).toEqual({ others: 'Looks good to me', more: [] })
        return { run, body: ours?.body ?? '' }
      }

      const first = await commentAfter('a1b2c3d-v1', 0)
      expect(first.body).toContain('Deployed')
      expect(first.run.steps).not.toHaveProperty(['Say why not'])

      const bad = await commentAfter('b2c3d4e-crash', 1)
      expect(bad.body).toMatch(/Rolled back[\s\S]*CrashLoop[\s\S]*b2c3d4e/)
      expect(bad.run.jobResult).toBe('failure')
      expect(printedBy(bad.run, 'Say why not')).toContain('The outcome is rolled-back, because of CrashLoop.')
      expect(printedBy(bad.run, 'Say why not')).toContain('"outcome": "rolled-back"')

      const mended = await commentAfter('c3d4e5f-v3', 0)
      expect(mended.body).toContain('c3d4e5f-v3')
      expect(mended.body).not.toContain('CrashLoop')

      expect(gitHub.requests.filter((request) => request.startsWith('POST'))).toHaveLength(1)
      expect(gitHub.requests.filter((request) => request.startsWith('PATCH'))).toHaveLength(2)
      expect(await imageIn(world.namespace)).toBe(`${IMAGE}:c3d4e5f-v3`)
    }))

  it("does nothing for a fork's pull request", () =>
    withWorld(K8S, async (world) => {
      const run = await runPullRequest(world, 'd4e5f6a-v1', 'mallory/shop')
      expect(run).toMatchObject({ exitCode: 0, jobResult: undefined, steps: {} })
      expect(world.gitHub.requests).toEqual([])
      expect(await world.namespace.kubectl(['get', 'deployments', '-o', 'name'])).toBe('')
    }))

  // At the same time, since each waits for most of its time.
  it.concurrent.each<[string, Fault, RegExp]>([
    [
      'refuses it, as on a read-only token',
      {
        operation: 'issues/create-comment',
        kind: 'status',
        status: 403,
        message: 'Resource not accessible by integration',
      },
      /403 Resource not accessible by integration.*pull-requests: write/,
    ],
    ['fails', { operation: 'issues/create-comment', kind: 'status', status: 500 }, /500/],
    ['does not answer', { operation: 'issues/list-comments', kind: 'hang' }, /no answer/],
  ])('is green without its comment when GitHub %s', (_name, fault, message) =>
    withWorld(K8S, async (world) => {
      world.gitHub.fail(fault)
      const run = await runPullRequest(world, 'e5f6a7b-v1')
      expect({ exitCode: run.exitCode, log: run.log }).toMatchObject({ exitCode: 0 })
      const step = run.steps[ROLLSAFE]
      expect(step).toMatchObject({ result: 'success', outputs: { outcome: 'deployed' } })
      expect(step?.annotations).toEqual([
        expect.objectContaining({ level: 'warning', message: expect.stringMatching(message) }),
      ])
      expect(world.gitHub.requests.length).toBeGreaterThan(0)
      expect(world.gitHub.comments).toEqual([])
      // From the line that says how it went to the end of the step: ten seconds, and one for a machine that is busy.
      const told = step?.printed.find(({ text }) => text.includes('Deployed: release shop'))
      expect((step?.endedAt ?? Infinity) - (told?.at ?? 0)).toBeLessThan(11_000)
    }),
  )
})
