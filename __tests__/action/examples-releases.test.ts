/** The examples that deploy tags, go back by hand, and try a pull request on a cluster of its own. */
import { describe, expect, it } from '@jest/globals'
import { installPrograms } from '../cluster/programs.ts'
import { withNamespace } from '../cluster/testbed.ts'
import { createKindAction, KIND } from './kind.ts'
import { dispatch, kubeconfigFor, pullRequest, push, pushTag } from './repository.ts'
import { expectExit, IMAGE, imageIn, printedBy, ROLLSAFE, withWorld } from './world.ts'

const K8S = { files: { k8s: 'examples/k8s' }, deployment: 'k8s/deployment.yaml' }

describe('examples/tag-release.yml', () => {
  it.concurrent('deploys a tag to staging and then to production, and one that is bad in staging no further', () =>
    withWorld(K8S, ({ repository, namespace, gitHub }) =>
      withNamespace('example-staging', async (staging) => {
        const release = async (tag: string) =>
          repository.run({
            workflow: 'examples/tag-release.yml',
            event: pushTag(tag),
            secrets: {
              STAGING_KUBECONFIG: await kubeconfigFor(staging.name),
              KUBECONFIG: await kubeconfigFor(namespace.name),
            },
            gitHub: gitHub.url,
          })

        const good = await release('v1.4.0')
        expectExit(good, 0)
        expect(printedBy(good, 'Tell the outcome')).toContain('Release v1.4.0 is deployed in production, since ')
        expect([await imageIn(staging), await imageIn(namespace)]).toEqual([`${IMAGE}:v1.4.0`, `${IMAGE}:v1.4.0`])

        const bad = await release('v1.5.0-crash')
        expectExit(bad, 1)
        expect(bad.steps['Deploy to staging']?.outputs).toMatchObject({ outcome: 'rolled-back', reason: 'CrashLoop' })
        expect(bad.steps).not.toHaveProperty(['Deploy to production'])
        expect([await imageIn(staging), await imageIn(namespace)]).toEqual([`${IMAGE}:v1.4.0`, `${IMAGE}:v1.4.0`])
      }),
    ),
  )
})

describe('examples/rollback.yml', () => {
  it.concurrent('goes back to the revision before, or to the one that is asked for', () =>
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
})

describe('examples/kind.yml', () => {
  it.concurrent('deploys to the cluster that is there, and leaves what is bad to be looked at', () =>
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
