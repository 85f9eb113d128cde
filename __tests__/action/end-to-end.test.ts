/**
 * The end-to-end workflow that GitHub runs on kind, with the testbed's cluster in place of kind's: it proves that the
 * workflow's own checks hold for an action that works, so that on GitHub only the kubelets and the registry are new.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startFakeGitHub } from '../fakes/github.ts'
import { testbed } from '../cluster/testbed.ts'
import { createRepository, push, shortenDeadline } from './repository.ts'

const KIND = 'helm/kind-action@ef37e7f390d99f746eb8b610417061a60e82a6cc'

describe('.github/workflows/e2e.yml', () => {
  it('deploys, updates, leaves alone and rolls back, and finds that all is as it should be', async () => {
    const kind = await mkdtemp(join(tmpdir(), 'rollsafe-kind-'))
    await using repository = await createRepository({
      'action.yml': 'action.yml',
      dist: 'dist',
      '.github/e2e': '.github/e2e',
    })
    const gitHub = await startFakeGitHub()
    try {
      await actLikeKind(kind)
      await shortenDeadline(repository, '.github/e2e/web.yaml')
      const run = await repository.run({
        workflow: '.github/workflows/e2e.yml',
        event: push('0a1b2c3'),
        gitHub: gitHub.url,
        matrix: { kubernetes: '1.37' },
        path: kubectlFolders(),
        actions: { [KIND]: kind },
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
      await rm(kind, { recursive: true, force: true })
    }
  })
})

/** Makes an action that leaves for the steps after it what kind-action does: a cluster that is named in the environment. */
async function actLikeKind(folder: string): Promise<void> {
  const action = {
    name: 'Testbed',
    description: 'Names the kubeconfig of the testbed',
    runs: {
      using: 'composite',
      steps: [{ shell: 'bash', run: `echo 'KUBECONFIG=${testbed().kubeconfig}' >> "$GITHUB_ENV"` }],
    },
  }
  await writeFile(join(folder, 'action.yml'), JSON.stringify(action))
}

/** GitHub's runners have kubectl. */
function kubectlFolders(): string[] {
  const { facts } = testbed()
  return facts.kind === 'own' ? [dirname(facts.cluster.kubectl)] : (process.env['PATH'] ?? '').split(':')
}
