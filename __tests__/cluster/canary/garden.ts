/** Runs of the action in a garden of secrets, and everything that they leave behind for people to read. */
import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeObject } from '../../../src/manifest/object.ts'
import { ACTIONS_BOT, type FakeGitHub, startFakeGitHub } from '../../fakes/github.ts'
import { createLogin } from '../login.ts'
import { type Checkout, createCheckout, type Ended, type Started } from '../rollsafe.ts'
import { createNamespace, testbed, type TestNamespace } from '../testbed.ts'
import { confess, mutter } from './leaks.ts'
import { type Garden, type KnownFrom, plant, type Plant } from './plants.ts'

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete']
const RESOURCES = [
  'configmaps,secrets,events,pods,pods/log,services',
  'deployments.apps,statefulsets.apps,replicasets.apps,controllerrevisions.apps,jobs.batch,cronjobs.batch',
].join(',')

/** Words that are no secrets, one for each way on which secrets may get out: they prove that it leads there. */
export type Marker = 'log' | 'says' | 'event' | 'refusal' | 'rejection' | 'record'

export interface Told {
  readonly exitCode: number | undefined
  readonly outputs: Readonly<Record<string, string>>
  /** Everything that anybody may read, by name. What the runner takes for a command to mask is not shown. */
  readonly texts: Readonly<
    Record<'log' | 'annotations' | 'summary' | 'comment' | 'report' | 'outputs' | 'state' | 'cluster', string>
  >
  /** The log of each step as the runner gets it. */
  readonly raw: readonly string[]
}

export interface CanaryGarden extends Garden, AsyncDisposable {
  readonly namespace: TestNamespace
  readonly checkout: Checkout
  readonly marker: (marker: Marker) => string
  /** What Rollsafe can know of in time. */
  known(...from: KnownFrom[]): readonly Plant[]
  /** A log for pods, for the annotation that names it. */
  logFile(marker: Marker, plants: readonly Plant[]): Promise<string>
  /** The same where there is room for a line only. */
  line(marker: Marker, plants: readonly Plant[]): string
  /** Runs the action; one that is killed as soon as its log says so is followed by the post step of its job. */
  run(inputs: Readonly<Record<string, string>>, options?: { killedAt?: RegExp }): Promise<Told>
}

export async function createGarden(): Promise<CanaryGarden> {
  const namespace = await createNamespace('canary')
  const githubToken = randomBytes(20).toString('hex')
  const gitHub = await startFakeGitHub({ tokens: { [githubToken]: ACTIONS_BOT } })
  const checkout = await createCheckout()
  const { input, token } = await createLogin(namespace, VERBS, RESOURCES)
  const garden = plant({ 'input github-token': githubToken, 'kubeconfig: token': token })
  const kubeconfig = withOtherUsers(JSON.parse(input.kubeconfig), garden)
  const markers = new Map<Marker, string>()
  const logFiles: string[] = []
  await checkout.write('event.json', JSON.stringify(PULL_REQUEST))

  const marker = (name: Marker): string => {
    const known = markers.get(name) ?? `${name}${randomBytes(8).toString('hex')}`
    markers.set(name, known)
    return known
  }
  return {
    ...garden,
    namespace,
    checkout,
    marker,
    known: (...from) => garden.plants.filter(({ knownFrom }) => from.includes(knownFrom)),
    async logFile(name, plants) {
      const file = `${namespace.name}-${logFiles.length}.txt`
      const lines = [...confess(plants), marker(name)]
      const path = join(testbed().podLogs, file)
      logFiles.push(path)
      await writeFile(path, lines.map((line) => `2026-01-01T09:00:00.000000000Z stdout F ${line}\n`).join(''))
      return file
    },
    line: (name, plants) => `${marker(name)} ${mutter(plants)}`,
    run: (inputs, { killedAt } = {}) =>
      run({ namespace, checkout, gitHub, killedAt }, { ...inputs, kubeconfig, 'github-token': githubToken }),
    async [Symbol.asyncDispose]() {
      await Promise.all(logFiles.map((path) => rm(path, { force: true })))
      await gitHub.close()
      await checkout[Symbol.asyncDispose]()
      await namespace.remove()
    },
  }
}

const PULL_REQUEST = {
  pull_request: {
    number: 128,
    head: { sha: 'a'.repeat(40), repo: { full_name: 'acme/shop' } },
    base: { repo: { full_name: 'acme/shop' } },
  },
}

/** Users and clusters that this run does not log in with, or to. */
function withOtherUsers(config: Record<'users' | 'clusters', object[]>, { at }: Garden): string {
  const others = [
    { username: 'mona', password: at('kubeconfig: password of another user') },
    { 'client-key-data': Buffer.from(at('kubeconfig: key of another user')).toString('base64') },
    {
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: 'aws',
        env: [{ name: 'AWS_SECRET_ACCESS_KEY', value: at('kubeconfig: secret of a login plugin') }],
        interactiveMode: 'Never',
      },
    },
  ]
  const server = `https://mona:${at('kubeconfig: password in the address of another cluster')}@other.example`
  return JSON.stringify({
    ...config,
    users: [...config.users, ...others.map((user, index) => ({ name: `other-${index}`, user }))],
    clusters: [...config.clusters, { name: 'other', cluster: { server } }],
  })
}

interface Place {
  readonly namespace: TestNamespace
  readonly checkout: Checkout
  readonly gitHub: FakeGitHub
  readonly killedAt: RegExp | undefined
}

async function run(place: Place, inputs: Readonly<Record<string, string>>): Promise<Told> {
  const { namespace, gitHub, killedAt } = place
  const main = await step(place, inputs)
  const saved = Object.entries(main.state).map(([name, value]) => [`STATE_${name}`, value])
  const post = killedAt && (await step({ ...place, killedAt: undefined }, inputs, Object.fromEntries(saved)))
  const { exitCode, outputs, summary } = post ?? main
  const state = { ...main.state, ...post?.state }
  const log = main.log + (post?.log ?? '')
  const lines = log.split('\n').filter((line) => !line.startsWith('::add-mask::'))
  return {
    exitCode,
    outputs,
    raw: [main.log, ...(post ? [post.log] : [])],
    texts: {
      log: lines.join('\n'),
      annotations: lines.filter((line) => /^::(?:error|warning|notice)/.test(line)).join('\n'),
      summary,
      comment: gitHub.comments.map(({ body }) => body).join('\n'),
      report: await readFile(outputs['report'] ?? '', 'utf8'),
      outputs: Object.values(outputs).join('\n'),
      state: Object.values(state).join('\n'),
      cluster: await readableInCluster(namespace),
    },
  }
}

async function step(
  { namespace, checkout, gitHub, killedAt }: Place,
  inputs: Readonly<Record<string, string>>,
  state: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  let started: Started | undefined
  const kill = (log: string) => {
    if (killedAt?.test(log)) started?.signal('SIGKILL')
  }
  started = await checkout.start(
    { namespace: namespace.name, 'log-lines': '1000', ...inputs },
    {
      onLog: kill,
      env: {
        GITHUB_ACTIONS: 'true',
        GITHUB_API_URL: gitHub.url,
        GITHUB_RUN_ID: '77',
        GITHUB_RUN_ATTEMPT: '1',
        GITHUB_SHA: 'b'.repeat(40),
        GITHUB_REF: 'refs/pull/128/merge',
        GITHUB_ACTOR: 'mona',
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_EVENT_PATH: join(checkout.folder, 'event.json'),
        RUNNER_DEBUG: '1',
        ...state,
      },
    },
  )
  return started.ended
}

/** What Rollsafe has written into the cluster where more people may read than Secrets: the lock, and its annotations. */
async function readableInCluster({ kubectl }: TestNamespace): Promise<string> {
  const leases = await kubectl(['get', 'leases', '-o', 'json'])
  const { items } = JSON.parse(await kubectl(['get', 'deployments,statefulsets,cronjobs', '-o', 'json'])) as {
    items: KubeObject[]
  }
  const own = items.map(({ metadata }) =>
    Object.entries(metadata.annotations ?? {}).filter(([name]) => /^(?:rollsafe\.dev|kubernetes\.io)\//.test(name)),
  )
  return leases + JSON.stringify(own)
}
