/** The life of a preview: made, brought up to date, never by a run that comes too late, and gone in the end. */
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { startFakeGitHub, type FakeGitHub } from '../fakes/github.ts'
import { app, IMAGE } from './manifests.ts'
import { createCheckout, type RunResult } from './rollsafe.ts'
import { testbed } from './testbed.ts'

const PULL_REQUEST = 128
const sha = (digit: string): string => digit.repeat(40)

interface World {
  readonly gitHub: FakeGitHub
  /** The name of the preview of pull request 128, and of its namespace. */
  readonly name: string
  readonly repositoryId: number
  /** Runs the action on the event of a pull request at this commit. */
  run(headSha: string, inputs?: Readonly<Record<string, string>>): Promise<RunResult>
  namespace(): Promise<KubeObject | undefined>
  kubectl(args: readonly string[], input?: string): Promise<string>
}

/** A repository that no other test has, and a GitHub that knows it. What is left of its previews goes with it. */
async function withWorld(body: (world: World) => Promise<void>): Promise<void> {
  const repositoryId = randomBytes(5).readUIntBE(0, 5) + 1
  const release = `preview-${randomBytes(4).toString('hex')}`
  const name = `${release}-pr-${PULL_REQUEST}`
  const gitHub = await startFakeGitHub({ repositoryId })
  const kubectl = (args: readonly string[], input?: string) => testbed().kubectl(args, input)
  await using checkout = await createCheckout({ 'k8s/app.yaml': app() })
  const run = async (headSha: string, inputs: Readonly<Record<string, string>> = {}): Promise<RunResult> => {
    const event = {
      repository: { id: repositoryId, full_name: 'acme/shop' },
      pull_request: { number: PULL_REQUEST, head: { sha: headSha, repo: { full_name: 'acme/shop' } } },
    }
    const path = join(checkout.folder, 'event.json')
    await writeFile(path, JSON.stringify(event))
    const given = { release, preview: 'true', 'github-token': 'job-token', ...inputs }
    const env = {
      GITHUB_API_URL: gitHub.url,
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_EVENT_PATH: path,
      GITHUB_RUN_ID: '7',
    }
    return await checkout.run(given, { login: 'administrator', env })
  }
  const namespace = async (): Promise<KubeObject | undefined> => {
    const text = await kubectl(['get', 'namespace', name, '--ignore-not-found', '-o', 'json'])
    return text === '' ? undefined : (JSON.parse(text) as KubeObject)
  }
  try {
    await body({ gitHub, name, repositoryId, run, namespace, kubectl })
    expect(gitHub.violations).toEqual([])
  } finally {
    await gitHub.close()
    const selector = `rollsafe.dev/preview-repository=${repositoryId}`
    await kubectl(['delete', 'namespaces', '-l', selector, '--wait=false'])
  }
}

const TEARDOWN = { command: 'teardown', manifests: '' }
const SWEEP = { command: 'sweep', manifests: '', preview: 'false' }

describe('a preview', () => {
  it('is made with a namespace of its own, follows pushes, and goes when its pull request is closed', () =>
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
    }))

  it('is taken back whole when its first version is bad', () =>
    withWorld(async ({ gitHub, run, namespace, kubectl, name }) => {
      gitHub.setPullRequest(PULL_REQUEST, { state: 'open', headSha: sha('a') })
      const bad = await run(sha('a'), { images: `${IMAGE}:v1-crash` })
      expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } })
      await kubectl(['wait', '--for=delete', `namespace/${name}`, '--timeout=60s'])
      expect(await namespace()).toBeUndefined()
    }))

  it('is not made without an answer from GitHub, nor in a namespace that is not its own', () =>
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
    }))
})

describe('a sweep', () => {
  it('deletes what is over, and neither what is not nor what no record knows', () =>
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
    }))
})
