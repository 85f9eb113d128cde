/** The examples for kustomizations and charts, which the runner's own programs render, and the plan of such a change. */
import { describe, expect, it } from '@jest/globals'
import { installPrograms } from '../cluster/programs.ts'
import type { WorkflowRun } from './act.ts'
import { type Event, kubeconfigFor, pullRequest, push, replaceIn } from './repository.ts'
import { expectExit, IMAGE, imageIn, ROLLSAFE, withWorld, type World } from './world.ts'

const KUSTOMIZE = { files: { kustomize: 'examples/kustomize' }, deployment: 'kustomize/base/deployment.yaml' }
const CHART = { files: { chart: 'examples/chart' }, deployment: 'chart/templates/deployment.yaml' }

async function run({ repository, namespace, gitHub }: World, example: string, event: Event): Promise<WorkflowRun> {
  await using programs = await installPrograms()
  return await repository.run({
    workflow: `examples/${example}.yml`,
    event,
    secrets: { KUBECONFIG: await kubeconfigFor(namespace.name) },
    gitHub: gitHub.url,
    path: [programs.folder],
  })
}

describe('examples/kustomize.yml and examples/plan.yml', () => {
  it.concurrent('plan a change, let it pass with the label only, and deploy it once it is merged', () =>
    withWorld(KUSTOMIZE, async (world) => {
      const { repository, namespace, gitHub } = world
      const plan = (labels: readonly string[]) => run(world, 'plan', pullRequest('b2c3d4e', { labels }))
      const configMaps = () => namespace.kubectl(['get', 'configmaps', '-l', 'rollsafe.dev/release=shop', '-o', 'name'])

      expectExit(await run(world, 'kustomize', push('a1b2c3d')), 0)
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

      expectExit(await run(world, 'kustomize', push('c3d4e5f')), 0)
      expect(await imageIn(namespace)).toBe(`${IMAGE}:v1.5.0`)
      // Under its new name, and no longer under the old one.
      expect(await configMaps()).toMatch(/^configmap\/shop-\w+\s*$/)
      expect(await configMaps()).not.toBe(before)
    }),
  )
})

describe('examples/helm.yml', () => {
  it.concurrent('deploys the chart, and leaves the pods alone when the migration before them fails', () =>
    withWorld(CHART, async (world) => {
      const { namespace } = world
      const uids = () => namespace.kubectl(['get', 'pods', '-l', 'app=shop', '-o', 'jsonpath={..metadata.uid}'])

      expectExit(await run(world, 'helm', push('a1b2c3d-v1')), 0)
      expect(await imageIn(namespace)).toBe(`${IMAGE}:a1b2c3d-v1`)
      expect(await namespace.get('job', 'shop-migrate')).toMatchObject({
        spec: { template: { spec: { containers: [{ image: `${IMAGE}:a1b2c3d-v1` }] } } },
        status: { succeeded: 1 },
      })
      const before = await uids()
      expect(before.split(' ')).toHaveLength(2)

      const bad = await run(world, 'helm', push('b2c3d4e-crash'))
      expectExit(bad, 1)
      expect(bad.steps[ROLLSAFE]?.outputs).toMatchObject({ outcome: 'rolled-back', reason: 'JobFailed' })
      expect(await imageIn(namespace)).toBe(`${IMAGE}:a1b2c3d-v1`)
      expect(await uids()).toBe(before)
    }),
  )
})
