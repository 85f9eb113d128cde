/** A user's repository on GitHub: a checkout, secrets, and the events that start its workflows. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { REPOSITORY_ID } from '../fakes/github.ts'
import { testbed } from '../cluster/testbed.ts'
import { type ActOptions, runAct, type WorkflowRun } from './act.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** What GitHub calls a repository, and the number by which it knows it. */
export interface RepositoryIdentity {
  readonly name: string
  readonly id: number
}

export const REPOSITORY: RepositoryIdentity = { name: 'acme/shop', id: REPOSITORY_ID }
export const PULL_REQUEST = 128

/** The job's token, as the fake GitHub knows it. */
const JOB_TOKEN = 'job-token'

export type RunOptions = Pick<ActOptions, 'vars' | 'env' | 'matrix' | 'path' | 'onPrint'> & {
  /** Path of the workflow file in this repository, such as `examples/quick-start.yml`. */
  readonly workflow: string
  readonly event: Event
  readonly secrets?: Readonly<Record<string, string>>
  /** Where the API of GitHub is served. */
  readonly gitHub: string
  /** Folders that stand for `owner/repository@ref`, besides Rollsafe's own. */
  readonly actions?: Readonly<Record<string, string>>
}

export interface Event {
  readonly name: 'push' | 'pull_request' | 'workflow_dispatch' | 'schedule'
  readonly payload: object
}

export interface Repository extends AsyncDisposable {
  /** Path of the checkout. */
  readonly checkout: string
  /** The folder of all that this repository's runs are made of: it is in the command lines of their steps. */
  readonly root: string
  run(options: RunOptions): Promise<WorkflowRun>
}

/** `files` tells where in this repository the parts of the checkout come from. */
export async function createRepository(
  files: Readonly<Record<string, string>>,
  identity: RepositoryIdentity = REPOSITORY,
): Promise<Repository> {
  const root = await mkdtemp(join(tmpdir(), 'rollsafe-action-'))
  const checkout = join(root, 'checkout')
  await mkdir(checkout)
  for (const [path, from] of Object.entries(files))
    await cp(join(ROOT, from), join(checkout, path), { recursive: true })
  await publishAction(join(root, 'rollsafe'))
  return {
    checkout,
    root,
    run: (options) => run({ root, checkout, identity }, options),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

/** A release whose image cannot be pulled is bad after its deadline, and the manifests give it more time than a test has. */
export async function shortenDeadline(where: Repository, manifest: string): Promise<void> {
  await replaceIn(where, manifest, /progressDeadlineSeconds: \d+/, 'progressDeadlineSeconds: 5')
}

/** Changes a file of the checkout, as a commit would. */
export async function replaceIn(
  { checkout }: Repository,
  file: string,
  what: string | RegExp,
  by: string,
): Promise<void> {
  const path = join(checkout, file)
  const text = await readFile(path, 'utf8')
  const replaced = text.replace(what, by)
  if (replaced === text) throw new Error(`${file} has no ${what} to replace`)
  await writeFile(path, replaced)
}

/** What GitHub's runner downloads for `uses: rollsafe/rollsafe@v0` and needs: nothing is built or installed there. */
async function publishAction(folder: string): Promise<void> {
  for (const part of ['action.yml', 'dist']) await cp(join(ROOT, part), join(folder, part), { recursive: true })
}

interface Place {
  readonly root: string
  readonly checkout: string
  readonly identity: RepositoryIdentity
}

async function run({ root, checkout, identity }: Place, options: RunOptions): Promise<WorkflowRun> {
  const home = await mkdtemp(join(root, 'run-'))
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(home, name), text)
    return join(home, name)
  }
  const text = await readFile(join(ROOT, options.workflow), 'utf8')
  return await runAct({
    ...options,
    workflow: await write(basename(options.workflow), readableByAct(text)),
    event: options.event.name,
    eventFile: await write('event.json', JSON.stringify(options.event.payload)),
    secretFile: await write('secrets.yaml', JSON.stringify({ GITHUB_TOKEN: JOB_TOKEN, ...options.secrets })),
    checkout,
    home,
    env: {
      GITHUB_REPOSITORY: identity.name,
      GITHUB_REPOSITORY_ID: String(identity.id),
      GITHUB_API_URL: options.gitHub,
      ...options.env,
    },
    actions: { 'rollsafe/rollsafe@v0': join(root, 'rollsafe'), ...options.actions },
  })
}

/** act 0.2.89 refuses `queue`, and `deployment` of an environment, which GitHub has had since May 2026. Nothing else is changed. */
function readableByAct(workflow: string): string {
  return workflow.replace(/^ {2}queue: max\n/m, '').replaceAll(', deployment: false }', ' }')
}

/** act hands the commit on as `github.sha`, whatever it looks like: a word in it chooses what the pods of the testbed do. */
export function push(commit: string): Event {
  return {
    name: 'push',
    payload: { ref: 'refs/heads/main', after: commit, deleted: false, repository: repositoryBody(REPOSITORY) },
  }
}

export function pushTag(tag: string, commit: string): Event {
  return {
    name: 'push',
    payload: { ref: `refs/tags/${tag}`, after: commit, deleted: false, repository: repositoryBody(REPOSITORY) },
  }
}

/** A workflow that is started by hand. */
export function dispatch(inputs: Readonly<Record<string, string>>): Event {
  return {
    name: 'workflow_dispatch',
    payload: { ref: 'refs/heads/main', inputs, repository: repositoryBody(REPOSITORY) },
  }
}

export interface PullRequestFacts {
  readonly action?: 'opened' | 'synchronize' | 'reopened' | 'closed'
  /** The repository that it is to. */
  readonly to?: RepositoryIdentity
  /** The name of the repository that its commits are in, if that is another one. */
  readonly from?: string
  readonly number?: number
  readonly labels?: readonly string[]
}

export function pullRequest(
  commit: string,
  {
    action = 'synchronize',
    to = REPOSITORY,
    from = to.name,
    number = PULL_REQUEST,
    labels = [],
  }: PullRequestFacts = {},
): Event {
  return {
    name: 'pull_request',
    payload: {
      action,
      number,
      pull_request: {
        number,
        labels: labels.map((name) => ({ name })),
        head: { ref: 'greeting', sha: commit, repo: from === to.name ? repositoryBody(to) : { full_name: from } },
        base: { ref: 'main', sha: 'b7c1f7d1', repo: repositoryBody(to) },
      },
      repository: repositoryBody(to),
    },
  }
}

/** The hour of a `schedule` has come. GitHub's payload need not name the repository: only the environment tells it. */
export function schedule(cron: string): Event {
  return { name: 'schedule', payload: { schedule: cron } }
}

function repositoryBody({ name, id }: RepositoryIdentity): object {
  return { id, full_name: name, default_branch: 'main' }
}

/** The testbed's kubeconfig, as a user would store it in a secret; `namespace` is its context's. */
export async function kubeconfigFor(namespace?: string): Promise<string> {
  const config = JSON.parse(await testbed().kubectl(['config', 'view', '--raw', '--output=json'])) as {
    contexts: { context: { namespace?: string } }[]
  }
  for (const { context } of config.contexts) if (namespace !== undefined) context.namespace = namespace
  return JSON.stringify(config)
}
