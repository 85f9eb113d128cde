/** Events as GitHub sends them (fixtures/events), with the fields that tell whose code a run is about. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { compose } from '../../src/compose.ts'
import { createClock } from '../../src/adapters/system.ts'
import { createRunner } from '../../src/adapters/runner/runner.ts'
import { openJournal } from '../../src/commands/journal.ts'
import { type Inputs, readInputs } from '../../src/inputs/inputs.ts'
import { forkProblems } from '../../src/inputs/run.ts'
import { problemsOfAsync } from '../manifest/problems.ts'

const payload = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/events/${name}.json`, import.meta.url), 'utf8'))

/** The inputs of a run that this event has started; its kubeconfig is a file that is not there. */
function inputsOn(event: string, of: unknown): Inputs {
  const given: Readonly<Record<string, string>> = { manifests: 'k8s' }
  const env = {
    GITHUB_REPOSITORY: 'Acme/shop',
    GITHUB_RUN_ID: '42',
    GITHUB_EVENT_NAME: event,
    KUBECONFIG: '/does/not/exist',
  }
  return readInputs({ input: (name) => given[name] ?? '', env, event: of })
}

const composed = (inputs: Inputs) => {
  const clock = createClock()
  const never = new AbortController().signal
  const signals = { cancelled: never, ending: never }
  return problemsOfAsync(() =>
    compose(
      inputs,
      {},
      { runner: createRunner({}), clock, journal: openJournal(clock), signals, announce: () => undefined },
    ),
  )
}

describe('code of a fork does not meet the credentials of a cluster', () => {
  it.each([
    ['pull_request_target', 'pull-request-of-fork', 'a commit of the fork mallory/shop'],
    ['pull_request_target', 'pull-request-of-deleted-fork', 'a commit of a repository that GitHub does not name'],
    ['workflow_run', 'workflow-run-of-fork', 'a commit of the fork mallory/shop'],
    ['pull_request_target', undefined, 'a commit of a repository that GitHub does not name'],
    ['workflow_run', undefined, 'a commit of a repository that GitHub does not name'],
  ])('on %s: %s', async (event, name, whose) => {
    const inputs = inputsOn(event, name === undefined ? undefined : payload(name))
    // Not that the kubeconfig cannot be read: nobody has tried.
    expect(await composed(inputs)).toEqual([
      {
        code: 'Fenced',
        message: `the event ${event} is about ${whose}, and runs with the secrets of Acme/shop`,
        hint: expect.stringContaining('after the pull request is merged'),
      },
    ])
  })

  it.each([
    ['pull_request_target', 'pull-request-of-branch', undefined],
    ['workflow_run', 'workflow-run-of-branch', undefined],
    // GitHub gives these no secrets: who deploys all the same has a login of another kind.
    ['pull_request', 'pull-request-of-fork', 'mallory/shop'],
    ['push', 'pull-request-of-fork', undefined],
  ])('on %s, nothing is wrong with %s', async (event, name, fork) => {
    const { run } = inputsOn(event, payload(name))
    expect(run?.fork).toBe(fork)
    expect(forkProblems(run)).toEqual([])
  })
})
