/** What a user of examples/previews.yml has: a repository with pull requests, a login of its own in the cluster, and neighbours. */
import { expect, jest } from '@jest/globals'
import { randomBytes, randomInt } from 'node:crypto'
import type { KubeObject } from '../../src/manifest/object.ts'
import { createNamespace, eventually, testbed } from '../cluster/testbed.ts'
import { type FakeGitHub, startFakeGitHub } from '../fakes/github.ts'
import {
  createRepository,
  type Event,
  pullRequest,
  PULL_REQUEST,
  replaceIn,
  type Repository,
  type RepositoryIdentity,
} from './repository.ts'
import { startRun, type StartedRun } from './started-run.ts'
import { K8S } from './world.ts'

jest.setTimeout(240_000)

const LABELS = {
  repository: 'rollsafe.dev/preview-repository',
  pullRequest: 'rollsafe.dev/preview-pull-request',
}
export const EXPIRY = 'rollsafe.dev/preview-expires-at'
export const LONG_AGO = '20200101T000000Z'

/** A gate before the scheduler keeps pods pending until the test takes it away: so the rollout takes as long as the test wants. */
const GATE = 'rollsafe.dev/test-hold'

export interface Happening {
  readonly action: 'opened' | 'synchronize' | 'reopened' | 'closed'
  readonly commit: string
  readonly number?: number
}

export interface PreviewWorld {
  readonly repository: Repository
  readonly identity: RepositoryIdentity
  readonly gitHub: FakeGitHub
  /** The name of a preview and of its namespace. */
  nameOf(pullRequest?: number): string
  /** GitHub knows of it and starts the workflow, as when somebody opens, pushes to or closes a pull request. */
  happen(happening: Happening): StartedRun
  /** Starts the workflow and nothing else. */
  start(event: Event): StartedRun
  /** The previews of the repository: the UID of each namespace by its name. */
  previews(): Promise<Record<string, string>>
  kubectl(args: readonly string[], input?: string): Promise<string>
}

/**
 * Runs `body` with a repository that no other test has, and the login of docs/permissions.md for its previews. In the same cluster is
 * the preview of another repository, which is over, and has to be there untouched in the end. `name` is that of the repository.
 */
export async function withPreviews(
  body: (world: PreviewWorld) => Promise<void>,
  name = `acme/shop-${randomBytes(4).toString('hex')}`,
): Promise<void> {
  const identity = { name, id: randomId() }
  const release = name.replace(/^.*\//, '')
  const nameOf = (number = PULL_REQUEST) => `${release}-pr-${number}`
  const kubectl = (args: readonly string[], input?: string) => testbed().kubectl(args, input)
  await using home = await createNamespace('previews')
  await home.grant('rollsafe-previews')
  const secrets = { PREVIEW_KUBECONFIG: await home.kubeconfig() }
  await using repository = await createRepository(K8S.files, identity)
  const gitHub = await startFakeGitHub({ repository: name, repositoryId: identity.id })
  const started: StartedRun[] = []

  function start(event: Event): StartedRun {
    const run = startRun((onPrint) =>
      repository.run({ workflow: 'examples/previews.yml', event, secrets, gitHub: gitHub.url, onPrint }),
    )
    started.push(run)
    return run
  }

  function happen({ action, commit, number = PULL_REQUEST }: Happening): StartedRun {
    gitHub.setPullRequest(number, { state: action === 'closed' ? 'closed' : 'open', headSha: commit })
    return start(pullRequest(commit, { action, to: identity, number }))
  }

  async function previews(): Promise<Record<string, string>> {
    const list = await kubectl(['get', 'namespaces', '-l', `${LABELS.repository}=${identity.id}`, '-o', 'json'])
    const { items } = JSON.parse(list) as { items: KubeObject[] }
    return Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.uid ?? '']))
  }

  const neighbour = await createNeighbour(release)
  try {
    const before = await neighbour.metadata()
    await body({ repository, identity, gitHub, nameOf, happen, start, previews, kubectl })
    expect(await neighbour.metadata()).toEqual(before)
    expect(gitHub.violations).toEqual([])
  } finally {
    await kubectl(['delete', 'namespaces', '-l', `${LABELS.repository}=${identity.id}`, '--wait=false'])
    await neighbour.remove()
    // Those of a test that has failed end early without their namespace.
    await Promise.allSettled(started.map(({ ended }) => ended))
    await gitHub.close()
  }
}

function randomId(): number {
  return randomBytes(5).readUIntBE(0, 5) + 1
}

/** The preview of another repository that has the same name under another owner, and whose time is over. */
async function createNeighbour(
  release: string,
): Promise<{ metadata(): Promise<KubeObject['metadata']>; remove(): Promise<unknown> }> {
  const number = randomInt(1_000_000, 10_000_000)
  const name = `${release}-pr-${number}`
  const labels = {
    [LABELS.repository]: String(randomId()),
    [LABELS.pullRequest]: String(number),
    'rollsafe.dev/release': name,
    'rollsafe.dev/release-namespace': name,
    [EXPIRY]: LONG_AGO,
  }
  const metadata = { name, labels }
  const { kubectl } = testbed()
  await kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata }))
  return {
    async metadata() {
      return (JSON.parse(await kubectl(['get', 'namespace', name, '-o', 'json'])) as KubeObject).metadata
    },
    remove: () => kubectl(['delete', 'namespace', name, '--wait=false']),
  }
}

/** The pods of what is deployed from now on wait until `letPodsGo`. */
export async function holdPods({ repository }: PreviewWorld): Promise<void> {
  await replaceIn(
    repository,
    K8S.deployment,
    /^ {4}spec:\n/m,
    `    spec:\n      schedulingGates: [{ name: ${GATE} }]\n`,
  )
}

/** The pods of what is deployed from now on start at once again. */
export async function holdNoMorePods({ repository }: PreviewWorld): Promise<void> {
  await replaceIn(repository, K8S.deployment, /^ {6}schedulingGates: .*\n/m, '')
}

/** Waits until all pods of a preview are there, and held: as long as they are, the run that deploys it is in its rollout. */
export async function podsHeld({ kubectl }: PreviewWorld, name: string): Promise<void> {
  await eventually(async () => expect(await heldPods(kubectl, name)).toHaveLength(2))
}

export async function letPodsGo({ kubectl }: PreviewWorld, name: string): Promise<void> {
  const patch = JSON.stringify([{ op: 'remove', path: '/spec/schedulingGates' }])
  for (const pod of await heldPods(kubectl, name))
    await kubectl(['patch', pod, '--namespace', name, '--type=json', '--patch', patch])
}

async function heldPods(kubectl: PreviewWorld['kubectl'], namespace: string): Promise<string[]> {
  const held = `{range .items[?(@.spec.schedulingGates)]}pod/{.metadata.name}{"\\n"}{end}`
  const text = await kubectl(['get', 'pods', '--namespace', namespace, '-o', `jsonpath=${held}`])
  return text.split('\n').filter((line) => line !== '')
}
