/**
 * The life of previews with the workflow that users copy, examples/previews.yml, and the action that is checked in as dist/. act knows
 * no `concurrency`: where GitHub would let two runs of a pull request wait for each other, here they are at work at the same time.
 */
import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { WorkflowRun } from './act.ts'
import {
  EXPIRY,
  holdNoMorePods,
  holdPods,
  letPodsGo,
  LONG_AGO,
  podsHeld,
  type PreviewWorld,
  withPreviews,
} from './preview-world.ts'
import { pullRequest, PULL_REQUEST, schedule } from './repository.ts'
import { expectExit, IMAGE, ROLLSAFE } from './world.ts'

const [A, B, C] = ['a'.repeat(40), 'b'.repeat(40), 'c'.repeat(40)] as const
const SWEEP = schedule('17 * * * *')
const WAITS = 'is at work'
const ENVIRONMENT = `preview/pr-${PULL_REQUEST}`

function expectOutcome(run: WorkflowRun, outcome: string, more: Readonly<Record<string, unknown>> = {}): void {
  expect({ outputs: run.steps[ROLLSAFE]?.outputs, log: run.log }).toMatchObject({ outputs: { outcome, ...more } })
}

async function imageIn({ kubectl, nameOf }: PreviewWorld, number?: number): Promise<string> {
  return await kubectl(['get', 'deployment/shop', '-n', nameOf(number), '-o', 'jsonpath={..containers[0].image}'])
}

async function namespaceOf({ kubectl, nameOf }: PreviewWorld, number?: number): Promise<KubeObject> {
  return JSON.parse(await kubectl(['get', 'namespace', nameOf(number), '-o', 'json'])) as KubeObject
}

/** Where which commit is deployed by what GitHub knows, and how it stands there. */
function deployedTo({ gitHub }: PreviewWorld): (string | undefined)[][] {
  return gitHub.deployments.map(({ environment, sha, statuses }) => [environment, sha, statuses.at(-1)?.state])
}

/** How often a comment was made, and how often one was edited. */
function commentsWritten({ gitHub }: PreviewWorld): { made: number; edited: number } {
  const count = (method: string) =>
    gitHub.requests.filter((request) => request.startsWith(`${method} `) && request.includes('/comments')).length
  return { made: count('POST'), edited: count('PATCH') }
}

// In one block, as Jest runs only tests of the same block at the same time, and these mostly wait.
describe('examples/previews.yml', () => {
  it.concurrent(
    'makes a preview, follows pushes, deletes it when the pull request is closed, and revives nothing',
    () =>
      withPreviews(async (world) => {
        const { gitHub, nameOf, happen, start, previews, kubectl, identity } = world
        const opened = await happen({ action: 'opened', commit: A }).ended
        expectExit(opened, 0)
        expectOutcome(opened, 'deployed', { namespace: nameOf(), revision: '1' })
        expect((await namespaceOf(world)).metadata).toMatchObject({
          labels: {
            'rollsafe.dev/preview-repository': String(identity.id),
            'rollsafe.dev/preview-pull-request': String(PULL_REQUEST),
            'rollsafe.dev/preview-head': A,
            [EXPIRY]: expect.stringMatching(/^20\d{6}T\d{6}Z$/),
          },
        })
        const guards = await kubectl(['get', 'quota,limitrange,networkpolicy', '-n', nameOf(), '-o', 'name'])
        expect(guards.trim().split('\n').toSorted()).toEqual([
          'limitrange/rollsafe-preview',
          'networkpolicy.networking.k8s.io/rollsafe-preview',
          'resourcequota/rollsafe-preview',
        ])
        expect(await imageIn(world)).toBe(`${IMAGE}:${A}`)
        expect(gitHub.comments.map(({ issue }) => issue)).toEqual([PULL_REQUEST])
        const made = await previews()
        expect(Object.keys(made)).toEqual([nameOf()])

        const pushed = await happen({ action: 'synchronize', commit: B }).ended
        expectExit(pushed, 0)
        expectOutcome(pushed, 'deployed', { revision: '2' })
        expect(await imageIn(world)).toBe(`${IMAGE}:${B}`)
        expect((await namespaceOf(world)).metadata.labels).toMatchObject({ 'rollsafe.dev/preview-head': B })
        expect(await previews()).toEqual(made)
        expect(commentsWritten(world)).toEqual({ made: 1, edited: 1 })
        expect(deployedTo(world)).toEqual([
          [ENVIRONMENT, A, 'success'],
          [ENVIRONMENT, B, 'success'],
        ])

        // The run of the first push, which somebody has let wait.
        const comments = structuredClone(gitHub.comments)
        const late = await start(pullRequest(A, { action: 'opened', to: identity })).ended
        expectOutcome(late, 'superseded', { changed: 'false' })
        expect(await imageIn(world)).toBe(`${IMAGE}:${B}`)
        expect(gitHub.comments).toEqual(comments)

        const closed = await happen({ action: 'closed', commit: B }).ended
        expectExit(closed, 0)
        expectOutcome(closed, 'removed', { changed: 'true' })
        expect(closed.steps[ROLLSAFE]?.annotations).toEqual([])
        expect(await previews()).toEqual({})
        expect(deployedTo(world)).toEqual([])

        const revived = await start(pullRequest(B, { to: identity })).ended
        expectOutcome(revived, 'superseded', { changed: 'false' })
        expect(await previews()).toEqual({})
      }),
  )

  it.concurrent("does nothing for a fork's pull request", () =>
    withPreviews(async ({ gitHub, identity, start, previews }) => {
      for (const action of ['opened', 'closed'] as const) {
        const run = await start(pullRequest(A, { action, to: identity, from: 'mallory/shop' })).ended
        expect(run).toMatchObject({ exitCode: 0, jobResult: undefined, steps: {} })
      }
      expect(gitHub.requests).toEqual([])
      expect(await previews()).toEqual({})
    }),
  )

  it.concurrent('has the last push in place when several are deployed at the same time', () =>
    withPreviews(async (world) => {
      const { gitHub, nameOf, happen, previews } = world
      await holdPods(world)
      const first = happen({ action: 'opened', commit: A })
      await podsHeld(world, nameOf())
      await holdNoMorePods(world)
      const second = happen({ action: 'synchronize', commit: B })
      await second.prints(WAITS)
      const third = happen({ action: 'synchronize', commit: C })
      await third.prints(WAITS)
      await letPodsGo(world, nameOf())

      const overtaken = await first.ended
      expectOutcome(overtaken, 'deployed', { revision: '1' })
      expect(overtaken.steps[ROLLSAFE]?.annotations).toEqual([
        expect.objectContaining({ level: 'warning', message: expect.stringContaining('is at ccccccc by now') }),
      ])
      // Whether it has got the lock before the third or after it.
      expectOutcome(await second.ended, 'superseded', { changed: 'false' })
      const last = await third.ended
      expectExit(last, 0)
      expectOutcome(last, 'deployed', { revision: '2' })
      expect(await imageIn(world)).toBe(`${IMAGE}:${C}`)
      expect((await namespaceOf(world)).metadata.labels).toMatchObject({ 'rollsafe.dev/preview-head': C })
      expect(commentsWritten(world)).toEqual({ made: 1, edited: 0 })
      expect(gitHub.comments.map(({ body }) => body)).toEqual([expect.stringContaining(C.slice(0, 7))])

      expectExit(await happen({ action: 'closed', commit: C }).ended, 0)
      expect(await previews()).toEqual({})
    }),
  )

  it.concurrent('deletes what is still being deployed when its pull request is closed, until that is reopened', () =>
    withPreviews(async (world) => {
      const { nameOf, happen, previews } = world
      await holdPods(world)
      const deploying = happen({ action: 'opened', commit: A })
      await podsHeld(world, nameOf())
      await holdNoMorePods(world)
      const waiting = happen({ action: 'synchronize', commit: B })
      await waiting.prints(WAITS)
      const closing = happen({ action: 'closed', commit: B })
      await closing.prints(WAITS)
      expect(Object.keys(await previews())).toEqual([nameOf()])
      await letPodsGo(world, nameOf())

      expectOutcome(await deploying.ended, 'deployed')
      const closed = await closing.ended
      expectExit(closed, 0)
      expectOutcome(closed, 'removed', { changed: 'true' })
      expectOutcome(await waiting.ended, 'superseded', { changed: 'false' })
      expect(await previews()).toEqual({})

      const reopened = await happen({ action: 'reopened', commit: B }).ended
      expectExit(reopened, 0)
      expectOutcome(reopened, 'deployed', { revision: '1' })
      expect(await imageIn(world)).toBe(`${IMAGE}:${B}`)
      expectExit(await happen({ action: 'closed', commit: B }).ended, 0)
      expect(await previews()).toEqual({})
    }),
  )

  it.concurrent('makes a preview anew when its pull request is reopened, while the old one still goes', () =>
    withPreviews(async (world) => {
      const { nameOf, happen, previews, kubectl } = world
      expectExit(await happen({ action: 'opened', commit: A }).ended, 0)
      const before = await previews()
      const held = { name: 'held', namespace: nameOf(), finalizers: ['rollsafe.dev/test-hold'] }
      await kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: held }))
      const closing = happen({ action: 'closed', commit: A })
      const reopening = await (async () => {
        try {
          await closing.prints('is being deleted, with all that is in it')
          const run = happen({ action: 'reopened', commit: A })
          await run.prints('is still being deleted; waiting until it is gone')
          return run
        } finally {
          const patch = JSON.stringify({ metadata: { finalizers: null } })
          await kubectl(['patch', 'configmap/held', '-n', nameOf(), '--type=merge', '--patch', patch])
        }
      })()

      expectOutcome(await closing.ended, 'removed', { changed: 'true' })
      const reopened = await reopening.ended
      expectExit(reopened, 0)
      expectOutcome(reopened, 'deployed', { revision: '1' })
      const after = await previews()
      expect(Object.keys(after)).toEqual([nameOf()])
      expect(after).not.toEqual(before)
      expect(await imageIn(world)).toBe(`${IMAGE}:${A}`)
      expect(world.gitHub.comments).toHaveLength(1)

      expectExit(await happen({ action: 'closed', commit: A }).ended, 0)
      expect(await previews()).toEqual({})
    }),
  )

  it.concurrent('sweeps what is over and what was closed unseen, and nothing of another repository', () =>
    withPreviews(async (ours) =>
      // The same name under another owner, so that their previews have the same names.
      withPreviews(
        async (theirs) => {
          const [over, unseen, open] = [1, 2, 3] as const
          const runs = [
            ...[over, unseen, open].map((number) => ours.happen({ action: 'opened', commit: A, number })),
            theirs.happen({ action: 'opened', commit: A }),
          ]
          for (const { ended } of runs) expectExit(await ended, 0)
          const before = await ours.previews()
          const theirsBefore = await theirs.previews()
          expect(Object.keys(theirsBefore)).toEqual([ours.nameOf()])
          for (const name of [ours.nameOf(over), theirs.nameOf()])
            await ours.kubectl(['label', '--overwrite', 'namespace', name, `${EXPIRY}=${LONG_AGO}`])
          ours.gitHub.setPullRequest(unseen, { state: 'closed', headSha: A })
          theirs.gitHub.setPullRequest(PULL_REQUEST, { state: 'closed', headSha: A })

          const sweeping = ours.start(SWEEP)
          // Meanwhile our pull request of the number that theirs has gets no preview, and deletes none.
          for (const action of ['opened', 'closed'] as const) {
            const fenced = await ours.happen({ action, commit: B }).ended
            expectOutcome(fenced, 'rejected', { reason: 'Fenced' })
          }
          const swept = await sweeping.ended
          expectExit(swept, 0)
          expectOutcome(swept, 'removed', { changed: 'true', message: expect.stringContaining('deleted 2 previews;') })
          expect(swept.steps[ROLLSAFE]?.annotations).toEqual([])
          expect(deployedTo(ours)).toEqual([[`preview/pr-${open}`, A, 'success']])
          expect(deployedTo(theirs)).toEqual([[ENVIRONMENT, A, 'success']])
          const left = ours.nameOf(open)
          expect(await ours.previews()).toEqual({ [left]: before[left] })
          expect(await theirs.previews()).toEqual(theirsBefore)
          expect(await imageIn(theirs)).toBe(`${IMAGE}:${A}`)

          ours.gitHub.setPullRequest(open, { state: 'closed', headSha: A })
          for (const { ended } of [ours, theirs].map(({ start }) => start(SWEEP))) expectExit(await ended, 0)
          expect([await ours.previews(), await theirs.previews()]).toEqual([{}, {}])
          expect([deployedTo(ours), deployedTo(theirs)]).toEqual([[], []])
        },
        `mona/${ours.identity.name.replace(/^.*\//, '')}`,
      ),
    ),
  )
})
