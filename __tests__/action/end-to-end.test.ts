/**
 * The end-to-end workflow that GitHub runs on kind, with the testbed's cluster in place of kind's: it proves that the
 * workflow's own checks hold for an action that works, so that on GitHub only the kubelets and the registry are new.
 */
import { dirname } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startFakeGitHub } from '../fakes/github.ts'
import { testbed } from '../cluster/testbed.ts'
import { createKindAction, KIND } from './kind.ts'
import { createRepository, kubeconfigFor, push, shortenDeadline } from './repository.ts'

describe('.github/workflows/e2e.yml', () => {
  it('deploys, updates, leaves alone and rolls back, and finds that all is as it should be', async () => {
    await using kind = await createKindAction(await kubeconfigFor())
    await using repository = await createRepository({
      'action.yml': 'action.yml',
      dist: 'dist',
      '.github/e2e': '.github/e2e',
    })
    const gitHub = await startFakeGitHub()
    try {
      await shortenDeadline(repository, '.github/e2e/web.yaml')
      const run = await repository.run({
        workflow: '.github/workflows/e2e.yml',
        event: push('0a1b2c3'),
        gitHub: gitHub.url,
        matrix: { kubernetes: '1.37' },
        path: kubectlFolders(),
        actions: { [KIND]: kind.folder },
      })
      expect({ exitCode: run.exitCode, log: run.log }).toMatchObject({ exitCode: 0 })
      expect(run.steps).toMatchObject({
        'Deploy the first version': { result: 'success', outputs: { outcome: 'deployed' } },
        'Deploy an image that does not exist': { result: 'failure', outputs: { outcome: 'rolled-back' } },
        'Check the outcomes': { result: 'success' },
      })
    } finally {
      await gitHub.close()
      await testbed().kubectl(['delete', 'namespace', 'e2e', '--ignore-not-found', '--wait=false'])
    }
  })
})

/** GitHub's runners have kubectl. */
function kubectlFolders(): string[] {
  const { facts } = testbed()
  return facts.kind === 'own' ? [dirname(facts.cluster.kubectl)] : (process.env['PATH'] ?? '').split(':')
}
