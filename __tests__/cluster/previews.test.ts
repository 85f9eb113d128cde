/** The life of a preview: made, brought up to date, never by a run that comes too late, and gone in the end. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { leaseManifest } from '../../src/release/lease.ts'
import { startFakeGitHub, type FakeGitHub } from '../fakes/github.ts'
import { app, IMAGE } from './manifests.ts'
import { createCheckout, type RunOptions, type RunResult, type Started } from './rollsafe.ts'
import { ACCOUNT } from './roles.ts'
import { createNamespace, eventually, testbed } from './testbed.ts'

const PULL_REQUEST = 128
const sha = (digit: string): string => digit.repeat(40)

interface World {
  readonly gitHub: FakeGitHub
  /** The name of the preview of pull request 128, and of its namespace. */
  readonly name: string
  readonly repositoryId: number
  /** Runs the action on the event of a pull request at this commit. */
  run(headSha: string, inputs?: Readonly<Record<string, string>>): Promise<RunResult>
  /** The same for a run that is not left alone. `onLog` is called with all that was printed so far. */
  start(headSha: string, onLog: NonNullable<RunOptions['onLog']>): Promise<Started>
  /** The namespace of the ServiceAccount that runs log in as. */
  readonly home: string
  namespace(): Promise<KubeObject | undefined>
  kubectl(args: readonly string[], input?: string): Promise<string>
}

/**
 * A repository that no other test has, a GitHub that knows it, and a login that may do what docs/permissions.md has for previews, and no
 * more. What is left of its previews goes with it.
 */
async function withWorld(body: (world: World) => Promise<void>): Promise<void> {
  const repositoryId = randomBytes(5).readUIntBE(0, 5) + 1
  const release = `preview-${randomBytes(4).toString('hex')}`
  const name = `${release}-pr-${PULL_REQUEST}`
  const gitHub = await startFakeGitHub({ repositoryId })
  const kubectl = (args: readonly string[], input?: string) => testbed().kubectl(args, input)
  await using checkout = await createCheckout({ 'k8s/app.yaml': app() })
  await using home = await createNamespace('previews')
  await home.grant('rollsafe-previews')
  const kubeconfig = await home.kubeconfig()
  const prepare = async (headSha: string, inputs: Readonly<Record<string, string>>) => {
    const event = {
      repository: { id: repositoryId, full_name: 'acme/shop' },
      pull_request: { number: PULL_REQUEST, head: { sha: headSha, repo: { full_name: 'acme/shop' } } },
    }
    const path = join(checkout.folder, `event-${headSha}.json`)
    await writeFile(path, JSON.stringify(event))
    const given = { release, kubeconfig, preview: 'true', 'github-token': 'job-token', ...inputs }
    const env = {
      GITHUB_API_URL: gitHub.url,
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_EVENT_PATH: path,
      GITHUB_RUN_ID: '7',
    }
    return { given, env }
  }
  const run: World['run'] = async (headSha, inputs = {}) => {
    const { given, env } = await prepare(headSha, inputs)
    return await checkout.run(given, { env })
  }
  const start: World['start'] = async (headSha, onLog) => {
    const { given, env } = await prepare(headSha, {})
    return await checkout.start(given, { env, onLog })
  }
  const namespace = async (): Promise<KubeObject | undefined> => {
    const text = await kubectl(['get', 'namespace', name, '--ignore-not-found', '-o', 'json'])
    return text === '' ? undefined : (JSON.parse(text) as KubeObject)
  }
  try {
    await body({ gitHub, name, repositoryId, run, start, namespace, kubectl, home: home.name })
    expect(gitHub.violations).toEqual([])
  } finally {
    await gitHub.close()
    const selector = `rollsafe.dev/preview-repository=${repositoryId}`
    await kubectl(['delete', 'namespaces', '-l', selector, '--wait=false'])
  }
}

const TEARDOWN = { command: 'teardown', manifests: '' }
const SWEEP = { command: 'sweep', manifests: '', preview: 'false' }

/** The lock of another run, which does not end by itself while a test goes on. */
async function lockForLong(release: string): Promise<void> {
  const now = new Date()
  const content = { release, namespace: release, holder: 'another run', acquired: now, renewed: now, transitions: 0 }
  const lease = leaseManifest(content)
  const spec = { ...(lease['spec'] as object), leaseDurationSeconds: 600 }
  await testbed().kubectl(['create', '-f', '-'], JSON.stringify({ ...lease, spec }))
}

/** Takes the right to delete namespaces from the documented ClusterRole, or gives it back, and waits until that counts. */
async function letDelete(home: string, isAllowed: boolean): Promise<void> {
  const { kubectl } = testbed()
  const verbs = ['get', 'list', 'create', 'patch', 'update', ...(isAllowed ? ['delete'] : [])]
  const patch = JSON.stringify([{ op: 'replace', path: '/rules/0/verbs', value: verbs }])
  await kubectl(['patch', 'clusterrole', `rollsafe-previews-${home}`, '--type=json', '--patch', patch])
  const user = `system:serviceaccount:${home}:${ACCOUNT}`
  const spec = { user, resourceAttributes: { verb: 'delete', resource: 'namespaces' } }
  const review = JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec })
  await eventually(async () => {
    const answer = await kubectl(['create', '-o', 'jsonpath={.status.allowed}', '-f', '-'], review)
    expect(answer).toBe(String(isAllowed))
  })
}

// In one block, as Jest runs only tests of the same block at the same time, and these mostly wait.
describe('a preview', () => {
  it.concurrent('is made with a namespace of its own, follows pushes, and goes when its pull request is closed', () =>
    withWorld(async ({ gitHub, name, repositoryId, run, namespace, kubectl }) => {
      gitHub.setPullRequest(PULL_REQUEST, { state: 'open', headSha: sha('a') })
      const opened = await run(sha('a'), { images: `${IMAGE}:v1` })
      expect(opened).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed', release: name, namespace: name } })
      const home = await namespace()
      expect(home?.metadata).toMatchObject({
        labels: {
          'rollsafe.dev/preview-repository': String(repositoryId),
          'rollsafe.dev/preview-pull-request': String(PULL_REQUEST),
          'rollsafe.dev/preview-head': sha('a'),
        },
      })
      const guards = await kubectl(['get', 'quota,limitrange,networkpolicy', '-n', name, '-o', 'name'])
      expect(guards.trim().split('\n').toSorted()).toEqual([
        'limitrange/rollsafe-preview',
        'networkpolicy.networking.k8s.io/rollsafe-preview',
        'resourcequota/rollsafe-preview',
      ])
      expect(gitHub.comments).toHaveLength(1)
      expect(await run(sha('a'), { images: `${IMAGE}:v1` })).toMatchObject({ outputs: { outcome: 'unchanged' } })

      gitHub.setPullRequest(PULL_REQUEST, { state: 'open', headSha: sha('b') })
      const pushed = await run(sha('b'), { images: `${IMAGE}:v2` })
      expect(pushed).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed', revision: '2' } })
      expect((await namespace())?.metadata).toMatchObject({ labels: { 'rollsafe.dev/preview-head': sha('b') } })

      // The run of the push before, which was late.
      const before = gitHub.comments.map(({ body }) => body)
      const late = await run(sha('a'), { images: `${IMAGE}:v1` })
      expect(late).toMatchObject({ outputs: { outcome: 'superseded', changed: 'false' } })
      expect(gitHub.comments.map(({ body }) => body)).toEqual(before)
      const image = await kubectl(['get', 'deployment/web', '-n', name, '-o', 'jsonpath={..image}'])
      expect(image).toBe(`${IMAGE}:v2`)

      gitHub.setPullRequest(PULL_REQUEST, { state: 'closed', headSha: sha('b') })
      const closed = await run(sha('b'), TEARDOWN)
      expect(closed).toMatchObject({ exitCode: 0, outputs: { outcome: 'removed', changed: 'true' } })
      expect(await namespace()).toBeUndefined()
      expect(await run(sha('b'), TEARDOWN)).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'removed', changed: 'false' },
      })

      const revived = await run(sha('b'), { images: `${IMAGE}:v2` })
      expect(revived).toMatchObject({ outputs: { outcome: 'superseded', changed: 'false' } })
      expect(await namespace()).toBeUndefined()
    }),
  )

  it.concurrent('is taken back whole when its first version is bad', () =>
    withWorld(async ({ gitHub, run, namespace, kubectl, name }) => {
      gitHub.setPullRequest(PULL_REQUEST, { state: 'open', headSha: sha('a') })
      const bad = await run(sha('a'), { images: `${IMAGE}:v1-crash` })
      expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } })
      await kubectl(['wait', '--for=delete', `namespace/${name}`, '--timeout=60s'])
      expect(await namespace()).toBeUndefined()
    }),
  )

  it.concurrent('is not made without an answer from GitHub, nor in a namespace that is not its own', () =>
    withWorld(async ({ gitHub, run, namespace, kubectl, name }) => {
      gitHub.fail({ operation: 'pulls/get', kind: 'status', status: 403, times: 2 })
      const unknown = await run(sha('0'))
      expect(unknown).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'Fenced' } })
      expect(await namespace()).toBeUndefined()

      await kubectl(['create', 'namespace', name])
      try {
        for (const inputs of [{}, TEARDOWN]) {
          const fenced = await run(sha('0'), inputs)
          expect(fenced).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'Fenced' } })
        }
        expect((await namespace())?.metadata.deletionTimestamp).toBeUndefined()
        expect(await kubectl(['get', 'leases,secrets', '-n', name, '-o', 'name'])).toBe('')
      } finally {
        await kubectl(['delete', 'namespace', name, '--wait=false'])
      }
    }),
  )

  it.concurrent('stays away when the run that waited for its lock finds it gone', () =>
    withWorld(async ({ gitHub, name, run, start, namespace, kubectl }) => {
      gitHub.setPullRequest(PULL_REQUEST, { state: 'open', headSha: sha('a') })
      expect(await run(sha('a'))).toMatchObject({ outputs: { outcome: 'deployed' } })
      await lockForLong(name)
      gitHub.setPullRequest(PULL_REQUEST, { state: 'open', headSha: sha('b') })
      const { promise: waits, resolve } = Promise.withResolvers<void>()
      const waiting = await start(sha('b'), (log) => {
        if (log.includes('is at work')) resolve()
      })
      await Promise.race([waits, waiting.ended])
      // So that the teardown gets the lock.
      waiting.signal('SIGSTOP')
      try {
        await kubectl(['delete', 'leases', '--all', '-n', name])
        gitHub.setPullRequest(PULL_REQUEST, { state: 'closed', headSha: sha('b') })
        expect(await run(sha('b'), TEARDOWN)).toMatchObject({ exitCode: 0, outputs: { changed: 'true' } })
      } finally {
        waiting.signal('SIGCONT')
      }
      const { outputs, log } = await waiting.ended
      expect({ outputs, log }).toMatchObject({ outputs: { outcome: 'superseded', changed: 'false' } })
      expect(await namespace()).toBeUndefined()
    }),
  )

  it.concurrent('is neither made nor deleted by a login that may not delete namespaces, which says so', () =>
    withWorld(async ({ gitHub, name, home, run, namespace, kubectl }) => {
      gitHub.setPullRequest(PULL_REQUEST, { state: 'open', headSha: sha('a') })
      await letDelete(home, false)
      const first = await run(sha('a'))
      expect(first).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'Forbidden' } })
      expect(first.outputs['message']).toContain('in the whole cluster: delete on namespaces')
      expect(await namespace()).toBeUndefined()

      await letDelete(home, true)
      expect(await run(sha('a'))).toMatchObject({ outputs: { outcome: 'deployed' } })
      await letDelete(home, false)
      gitHub.setPullRequest(PULL_REQUEST, { state: 'closed', headSha: sha('a') })
      const refused = await run(sha('a'), TEARDOWN)
      expect(refused).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'rejected', reason: 'Forbidden', changed: 'false' },
      })
      expect(refused.outputs['message']).toMatch(
        new RegExp(`^Namespace ${name}: .*cannot delete resource "namespaces"`),
      )
      const swept = await run(sha('a'), SWEEP)
      expect(swept.report.warnings).toEqual([expect.stringContaining('cannot delete resource "namespaces"')])
      expect((await namespace())?.metadata.deletionTimestamp).toBeUndefined()
      expect(await kubectl(['get', 'leases', '-n', name, '-o', 'name'])).toBe('')

      await letDelete(home, true)
      expect(await run(sha('a'), TEARDOWN)).toMatchObject({ exitCode: 0, outputs: { changed: 'true' } })
      expect(await namespace()).toBeUndefined()
    }),
  )

  it.concurrent('is swept when it is over, and not before, nor when no record knows it', () =>
    withWorld(async ({ gitHub, name, repositoryId, run, namespace, kubectl }) => {
      gitHub.setPullRequest(PULL_REQUEST, { state: 'open', headSha: sha('a') })
      expect(await run(sha('a'))).toMatchObject({ outputs: { outcome: 'deployed' } })
      const copied = name.replace(/\d+$/, '129')
      const labels = {
        'rollsafe.dev/preview-repository': String(repositoryId),
        'rollsafe.dev/preview-pull-request': '129',
        'rollsafe.dev/release': copied,
        'rollsafe.dev/release-namespace': copied,
      }
      const copy = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: copied, labels } }
      await kubectl(['create', '-f', '-'], JSON.stringify(copy))
      gitHub.setPullRequest(129, { state: 'closed', headSha: sha('a') })

      gitHub.fail({ operation: 'pulls/get', kind: 'status', status: 403, times: 1 })
      expect(await run(sha('a'), SWEEP)).toMatchObject({ outputs: { outcome: 'rejected', changed: 'false' } })
      const kept = await run(sha('a'), SWEEP)
      expect(kept).toMatchObject({ exitCode: 0, outputs: { outcome: 'removed', changed: 'false' } })
      expect(kept.report.warnings.join('\n')).toContain(
        `Namespace ${copied} has the labels of a preview, but no record`,
      )

      const past = 'rollsafe.dev/preview-expires-at=20200101T000000Z'
      await kubectl(['label', '--overwrite', 'namespace', name, past])
      const swept = await run(sha('a'), SWEEP)
      expect(swept).toMatchObject({ exitCode: 0, outputs: { outcome: 'removed', changed: 'true' } })
      expect(await namespace()).toBeUndefined()
      expect(await kubectl(['get', 'namespace', copied, '-o', 'name'])).toBe(`namespace/${copied}\n`)
    }),
  )
})
