/** What a user of an example has: a repository with manifests, a namespace, and GitHub. */
import { expect, jest } from '@jest/globals'
import { startFakeGitHub, type FakeGitHub } from '../fakes/github.ts'
import { type TestNamespace, withNamespace } from '../cluster/testbed.ts'
import type { WorkflowRun } from './act.ts'
import { createRepository, type Repository, shortenDeadline } from './repository.ts'

// Several runs in a row, each of which waits for a release to be stable, beside those of other tests.
jest.setTimeout(240_000)

export const ROLLSAFE = 'rollsafe/rollsafe@v0'
export const IMAGE = 'ghcr.io/acme/shop'

export const K8S = { files: { k8s: 'examples/k8s' }, deployment: 'k8s/deployment.yaml' }

export interface World {
  readonly repository: Repository
  readonly namespace: TestNamespace
  readonly gitHub: FakeGitHub
}

/**
 * Runs `body` with a repository, a namespace and a GitHub that all are its own. `files` is what `createRepository` takes, `deployment`
 * the manifest in the checkout that has the deadline.
 */
export async function withWorld(
  { files, deployment }: { files: Readonly<Record<string, string>>; deployment: string },
  body: (world: World) => Promise<void>,
): Promise<void> {
  await withNamespace('example', async (namespace) => {
    await using repository = await createRepository(files)
    await shortenDeadline(repository, deployment)
    const gitHub = await startFakeGitHub()
    try {
      await body({ repository, namespace, gitHub })
      expect(gitHub.violations).toEqual([])
    } finally {
      await gitHub.close()
    }
  })
}

export async function imageIn(namespace: TestNamespace): Promise<string> {
  return await namespace.kubectl(['get', 'deployment', 'shop', '-o', 'jsonpath={..containers[0].image}'])
}

/** What a step printed, as one text; says what else happened when it did not run. */
export function printedBy(run: WorkflowRun, step: string): string {
  const ran = run.steps[step]
  if (!ran) throw new Error(`the step "${step}" did not run:\n${run.log}`)
  return ran.printed.map(({ text }) => text).join('\n')
}

/** Fails with the whole log when the run did not end so. */
export function expectExit(run: WorkflowRun, exitCode: number): void {
  expect({ exitCode: run.exitCode, log: run.log }).toMatchObject({ exitCode })
}
