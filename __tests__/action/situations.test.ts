/** The examples for one situation each, besides those of examples.test.ts. */
import { describe, expect, it } from '@jest/globals'
import { installPrograms } from '../cluster/programs.ts'
import { withNamespace } from '../cluster/testbed.ts'
import type { WorkflowRun } from './act.ts'
import { createKindAction, KIND } from './kind.ts'
import { dispatch, type Event, kubeconfigFor, pullRequest, push, pushTag, replaceIn } from './repository.ts'
import { expectExit, IMAGE, imageIn, K8S, printedBy, ROLLSAFE, withWorld, type World } from './world.ts'

const KUSTOMIZE = { files: { kustomize: 'examples/kustomize' }, deployment: 'kustomize/base/deployment.yaml' }
const CHART = { files: { chart: 'examples/chart' }, deployment: 'chart/templates/deployment.yaml' }

/** With the programs that render kustomizations and charts. */
async function runExample(
  { repository, namespace, gitHub }: World,
  example: string,
  event: Event,
): Promise<WorkflowRun> {
  await using programs = await installPrograms()
  return await repository.run({
    workflow: `examples/${example}.yml`,
    event,
    secrets: { KUBECONFIG: await kubeconfigFor(namespace.name) },
    gitHub: gitHub.url,
    path: [programs.folder],
  })
}

// In one block, as Jest runs only tests of the same block at the same time, and these mostly wait.
describe('of the examples,', () => {
  it.concurrent('plan.yml tells a change and asks for the label, and kustomize.yml deploys it once it is merged', () =>
    withWorld(KUSTOMIZE, async (world) => {
      const { repository, namespace, gitHub } = world
      const plan = (labels: readonly string[]) => runExample(world, 'plan', pullRequest('b2c3d4e', { labels }))
      const configMaps = () => namespace.kubectl(['get', 'configmaps', '-l', 'rollsafe.dev/release=shop', '-o', 'name'])

      expectExit(await runExample(world, 'kustomize', push('a1b2c3d')), 0)
      expect(await imageIn(namespace)).toBe(`${IMAGE}:v1.4.0`)
      const before = await configMaps()
      expect(before).toMatch(/^configmap\/shop-\w+\s*$/)

      const same = await plan([])
      expectExit(same, 0)
      expect(same.steps[ROLLSAFE]?.outputs).toMatchObject({ changed: 'false' })

      await replaceIn(repository, 'kustomize/overlays/production/kustomization.yaml', 'v1.4.0', 'v1.5.0')
      await replaceIn(repository, 'kustomize/base/kustomization.yaml', 'Welcome to the shop', 'Welcome back')
      const unlabelled = await plan([])
      expectExit(unlabelled, 1)
      expect(unlabelled.steps).toMatchObject({
        [ROLLSAFE]: { result: 'success', outputs: { changed: 'true' } },
        'Ask for the label': { result: 'failure', annotations: [{ level: 'error' }] },
      })
      expect(gitHub.comments.map(({ body }) => body)).toEqual([expect.stringContaining('v1.5.0')])
      expectExit(await plan(['changes production']), 0)
      expect(await imageIn(namespace)).toBe(`${IMAGE}:v1.4.0`)
      expect(await configMaps()).toBe(before)

      expectExit(await runExample(world, 'kustomize', push('c3d4e5f')), 0)
      expect(await imageIn(namespace)).toBe(`${IMAGE}:v1.5.0`)
      // Under its new name, and no longer under the old one.
      expect(await configMaps()).toMatch(/^configmap\/shop-\w+\s*$/)
      expect(await configMaps()).not.toBe(before)
    }),
  )

  it.concurrent('helm.yml deploys the chart, and leaves the pods alone when the migration before them fails', () =>
    withWorld(CHART, async (world) => {
      const { namespace } = world
      const uids = () => namespace.kubectl(['get', 'pods', '-l', 'app=shop', '-o', 'jsonpath={..metadata.uid}'])

      expectExit(await runExample(world, 'helm', push('a1b2c3d-v1')), 0)
      expect(await imageIn(namespace)).toBe(`${IMAGE}:a1b2c3d-v1`)
      expect(await namespace.get('job', 'shop-migrate')).toMatchObject({
        spec: { template: { spec: { containers: [{ image: `${IMAGE}:a1b2c3d-v1` }] } } },
        status: { succeeded: 1 },
      })
      const before = await uids()
      expect(before.split(' ')).toHaveLength(2)

      const bad = await runExample(world, 'helm', push('b2c3d4e-crash'))
      expectExit(bad, 1)
      expect(bad.steps[ROLLSAFE]?.outputs).toMatchObject({ outcome: 'rolled-back', reason: 'JobFailed' })
      expect(await imageIn(namespace)).toBe(`${IMAGE}:a1b2c3d-v1`)
      expect(await uids()).toBe(before)
    }),
  )

  it.concurrent(
    'tag-release.yml deploys a tag to staging and then to production, and one that is bad in staging no further',
    () =>
      withWorld(K8S, ({ repository, namespace, gitHub }) =>
        withNamespace('example-staging', async (staging) => {
          const release = async (tag: string, commit: string) =>
            repository.run({
              workflow: 'examples/tag-release.yml',
              event: pushTag(tag, commit),
              secrets: {
                STAGING_KUBECONFIG: await kubeconfigFor(staging.name),
                KUBECONFIG: await kubeconfigFor(namespace.name),
              },
              gitHub: gitHub.url,
            })

          const [first, second] = ['a'.repeat(40), 'b'.repeat(40)] as const
          const good = await release('v1.4.0', first)
          expectExit(good, 0)
          for (const step of ['Deploy to staging', 'Deploy to production'])
            expect(good.steps[step]).toMatchObject({ result: 'success', annotations: [] })
          expect(printedBy(good, 'Tell the outcome')).toContain('Release v1.4.0 is deployed in production, since ')
          expect([await imageIn(staging), await imageIn(namespace)]).toEqual([`${IMAGE}:v1.4.0`, `${IMAGE}:v1.4.0`])

          const bad = await release('v1.5.0-crash', second)
          expectExit(bad, 1)
          expect(bad.steps['Deploy to staging']?.outputs).toMatchObject({ outcome: 'rolled-back', reason: 'CrashLoop' })
          expect(bad.steps).not.toHaveProperty(['Deploy to production'])
          // The first runs in staging again.
          expect(
            gitHub.deployments.map(({ environment, sha, production, statuses }) => [
              environment,
              sha,
              production,
              statuses.map(({ state }) => state).join(' '),
            ]),
          ).toEqual([
            ['staging', first, false, 'in_progress success success'],
            ['production', first, true, 'in_progress success'],
            ['staging', second, false, 'in_progress failure'],
          ])
          expect([await imageIn(staging), await imageIn(namespace)]).toEqual([`${IMAGE}:v1.4.0`, `${IMAGE}:v1.4.0`])
        }),
      ),
  )

  it.concurrent('rollback.yml goes back to the revision before, or to the one that is asked for', () =>
    withWorld(K8S, async ({ repository, namespace, gitHub }) => {
      const secrets = { KUBECONFIG: await kubeconfigFor(namespace.name) }
      const deploy = async (commit: string) => {
        const workflow = 'examples/quick-start.yml'
        expectExit(await repository.run({ workflow, event: push(commit), secrets, gitHub: gitHub.url }), 0)
      }
      const goBack = async (revision: string) => {
        const workflow = 'examples/rollback.yml'
        const run = await repository.run({ workflow, event: dispatch({ revision }), secrets, gitHub: gitHub.url })
        expectExit(run, 0)
        expect(printedBy(run, 'Tell the outcome')).toContain('Release shop is rolled-back, since ')
        return await imageIn(namespace)
      }
      await deploy('a1b2c3d-v1')
      await deploy('b2c3d4e-v2')
      expect(await goBack('')).toBe(`${IMAGE}:a1b2c3d-v1`)
      expect(await goBack('2')).toBe(`${IMAGE}:b2c3d4e-v2`)
    }),
  )

  it.concurrent('kind.yml deploys to the cluster that is there, and leaves what is bad to be looked at', () =>
    withWorld(K8S, async ({ repository, namespace, gitHub }) => {
      await using programs = await installPrograms()
      await using kind = await createKindAction(await kubeconfigFor(namespace.name))
      const attempt = (commit: string) =>
        repository.run({
          workflow: 'examples/kind.yml',
          // No secrets are needed, so the pull request of a fork may come, too.
          event: pullRequest(commit, { from: 'mona/shop' }),
          gitHub: gitHub.url,
          path: [programs.folder],
          actions: { [KIND]: kind.folder },
        })

      const good = await attempt('a1b2c3d-v1')
      expectExit(good, 0)
      expect(good.steps[ROLLSAFE]?.outputs).toMatchObject({ outcome: 'deployed' })
      expect(printedBy(good, 'Show what runs')).toContain(`${IMAGE}:a1b2c3d-v1`)
      expect(good.steps).not.toHaveProperty(['Show what went wrong'])

      const bad = await attempt('b2c3d4e-crash')
      expectExit(bad, 1)
      expect(bad.steps[ROLLSAFE]?.outputs).toMatchObject({ outcome: 'failed', reason: 'CrashLoop' })
      expect(printedBy(bad, 'Show what went wrong')).toContain('b2c3d4e-crash')
      expect(await imageIn(namespace)).toBe(`${IMAGE}:b2c3d4e-crash`)
      expect(gitHub.requests).toEqual([])
    }),
  )
})
