import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createGitHub } from '../../../src/adapters/github/github.ts'
import type { GitHub, StickyComment } from '../../../src/ports.ts'
import { renderComment } from '../../../src/report/comment.ts'
import { ACTIONS_BOT, MONA, startFakeGitHub, type FakeGitHub, type FakeUser, type Fault } from '../../fakes/github.ts'
import { HOSTILE } from '../../fixtures/hostile.ts'
import { reportSaying } from '../../fixtures/reports/hostile.ts'

const fault = (more: Partial<Fault>): Fault => ({ operation: 'issues/create-comment', kind: 'status', ...more })

const marker = '<!-- rollsafe release=shop namespace=shop -->'
const second = `${marker}\nsecond`
const comment: StickyComment = { marker, render: () => second, pullRequest: 128 }
const noHurry = (): AbortSignal => AbortSignal.timeout(20_000)
const otherBot: FakeUser = { login: 'dependabot[bot]', id: 49699333, type: 'Bot' }

let fake: FakeGitHub

beforeEach(async () => {
  fake = await startFakeGitHub()
})

afterEach(async () => {
  await fake.close()
})

function client(token: 'job-token' | 'personal-token' | 'wrong' = 'job-token'): GitHub {
  return createGitHub({ token, apiUrl: fake.url, repository: 'acme/shop' })
}

describe('the sticky comment', () => {
  it.each(['job-token', 'personal-token'] as const)('is made once and then edited, with a %s', async (token) => {
    const first = await client(token).upsertComment({ ...comment, render: () => `${marker}\nfirst` }, noHurry())
    const again = await client(token).upsertComment(comment, noHurry())
    expect(again).toBe(first)
    expect(first).toBe('https://github.com/acme/shop/pull/128#issuecomment-1000')
    expect(fake.comments).toMatchObject([{ issue: 128, body: second }])
    expect(fake.violations).toEqual([])
  })

  it('is written anew with what was there', async () => {
    const seen: (string | undefined)[] = []
    const render = (previous: string | undefined): string => {
      seen.push(previous)
      return `${marker}\nedit ${seen.length}`
    }
    for (const _ of [1, 2, 3]) await client().upsertComment({ ...comment, render }, noHurry())
    expect(seen).toEqual([undefined, `${marker}\nedit 1`, `${marker}\nedit 2`])
  })

  it('is found behind hundreds of others', async () => {
    for (let index = 0; index < 230; index += 1) fake.addComment(128, MONA, `comment ${index}`)
    const ours = fake.addComment(128, ACTIONS_BOT, `${marker}\nfirst`)
    await client().upsertComment(comment, noHurry())
    expect(ours.body).toBe(second)
    expect(fake.comments).toHaveLength(231)
    expect(fake.requests.filter((request) => request.startsWith('GET /repos'))).toHaveLength(3)
    expect(fake.violations).toEqual([])
  })

  it('is the oldest of two', async () => {
    const oldest = fake.addComment(128, ACTIONS_BOT, `${marker}\nfirst`)
    const later = fake.addComment(128, ACTIONS_BOT, `${marker}\ntoo many`)
    await client().upsertComment(comment, noHurry())
    expect([oldest.body, later.body]).toEqual([second, `${marker}\ntoo many`])
    expect(fake.violations).toEqual([])
  })

  it('is found with the line ends that GitHub may have stored', async () => {
    const ours = fake.addComment(128, ACTIONS_BOT, `${marker}\r\nfirst`)
    await client().upsertComment(comment, noHurry())
    expect(ours.body).toBe(second)
  })

  it.each([
    ['of a person with our marker', MONA, `${marker}\nforged`, 'job-token'],
    ['of a bot, when we are a person', otherBot, `${marker}\nforged`, 'personal-token'],
    ['that quotes our marker', ACTIONS_BOT, `> ${marker}\nquote`, 'job-token'],
    ['that holds our marker further down', ACTIONS_BOT, `text\n${marker}\n`, 'job-token'],
    ['of another release', ACTIONS_BOT, `<!-- rollsafe release=shop%2D2 namespace=shop -->\n`, 'job-token'],
    ['whose marker goes on', ACTIONS_BOT, `${marker} and more\n`, 'job-token'],
  ] as const)('is not one %s', async (_whose, user, body, token) => {
    const theirs = fake.addComment(128, user, body)
    await client(token).upsertComment(comment, noHurry())
    expect(theirs.body).toBe(body)
    expect(fake.comments).toHaveLength(2)
    expect(fake.violations).toEqual([])
  })

  it('of another pull request stays as it is', async () => {
    fake.addComment(7, ACTIONS_BOT, `${marker}\nfirst`)
    await client().upsertComment(comment, noHurry())
    expect(fake.comments.map(({ issue }) => issue)).toEqual([7, 128])
  })

  it('is taken by GitHub whatever the report says', async () => {
    for (const text of Object.values(HOSTILE)) {
      await client().upsertComment(
        {
          ...comment,
          render: (previous) => renderComment({ ...reportSaying(text), release: 'shop', namespace: 'shop' }, previous),
        },
        noHurry(),
      )
    }
    expect(fake.violations).toEqual([])
  })
})

describe('trouble with GitHub', () => {
  it.each([
    [
      'a token without the permission',
      fault({ status: 403, message: 'Resource not accessible by integration' }),
      'GitHub did not take the comment on pull request #128: 403 Resource not accessible by integration. The job needs `permissions: pull-requests: write`. A pull request from a fork never gets it: there, the job summary has the same facts',
    ],
    [
      'a locked conversation',
      fault({ status: 403, message: 'Unable to create comment because issue is locked.' }),
      /#128: 403 Unable to create comment because issue is locked\.\. Unlock the conversation, or set `comment: never`/,
    ],
    [
      'a rate limit',
      fault({ status: 429, message: 'API rate limit exceeded' }),
      /429 API rate limit exceeded\. The next run/,
    ],
    ['an outage', fault({ status: 503, message: 'Unicorn' }), /#128: 503 Unicorn/],
    ['a connection that breaks', fault({ kind: 'reset' }), /#128: no answer \(.+\)/],
    ['a list that fails', fault({ operation: 'issues/list-comments', status: 502 }), /#128: 502/],
  ])('%s is told in a sentence', async (_what, what, message) => {
    fake.fail(what)
    await expect(client().upsertComment(comment, noHurry())).rejects.toThrow(message)
    expect(fake.violations).toEqual([])
  })

  it('a limit on asking who we are does not make a second comment', async () => {
    fake.addComment(128, MONA, `${marker}\nfirst`)
    const message = 'You have exceeded a secondary rate limit'
    fake.fail({ operation: 'users/get-authenticated', kind: 'status', status: 403, message })
    await expect(client('personal-token').upsertComment(comment, noHurry())).rejects.toThrow(/403 .*rate limit/)
    expect(fake.comments).toHaveLength(1)
  })

  it('a wrong token is told as one', async () => {
    await expect(client('wrong').upsertComment(comment, noHurry())).rejects.toThrow(
      /401 Bad credentials.*`github-token`/,
    )
  })

  it('a pull request that is not there hints at the permission', async () => {
    await expect(client().upsertComment({ ...comment, pullRequest: 999 }, noHurry())).rejects.toThrow(
      /#999: 404 Not Found/,
    )
  })

  it('a server that is not there is told as no answer', async () => {
    await fake.close()
    await expect(client().upsertComment(comment, noHurry())).rejects.toThrow(/no answer \(.*ECONNREFUSED.*\)/)
  })

  it.each([
    ['an error', fault({ status: 502, times: 1 })],
    ['a broken connection', fault({ kind: 'reset', times: 1 })],
    ['a comment that was made though the answer was lost', fault({ kind: 'lost-answer', times: 1 })],
  ])('after %s it tries once more, and there is one comment', async (_what, what) => {
    fake.fail(what)
    await client().upsertComment(comment, noHurry())
    expect(fake.comments).toMatchObject([{ body: second }])
    expect(fake.violations).toEqual([])
  })

  it.each(['issues/list-comments', 'issues/create-comment', 'issues/update-comment', 'users/get-authenticated'])(
    'when %s hangs, the signal ends it',
    async (operation) => {
      if (operation !== 'issues/create-comment') fake.addComment(128, ACTIONS_BOT, `${marker}\nfirst`)
      fake.fail({ operation, kind: 'hang' })
      const reason = new Error('time is up')
      const stop = new AbortController()
      const result = client().upsertComment(comment, stop.signal)
      const until = Date.now() + 10_000
      const path = { 'users/get-authenticated': 'GET /user', 'issues/list-comments': 'GET /repos' }[operation] ?? 'P'
      while (!fake.requests.some((request) => request.startsWith(path)) && Date.now() < until) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      stop.abort(reason)
      await expect(result).rejects.toBe(reason)
    },
  )

  it('the signal also ends the pause before the second try', async () => {
    fake.fail(fault({ operation: 'issues/list-comments', status: 500 }))
    const started = performance.now()
    await expect(client().upsertComment(comment, AbortSignal.timeout(300))).rejects.toThrow(/aborted due to timeout/)
    expect(performance.now() - started).toBeLessThan(900)
  })
})

describe('the fake GitHub', () => {
  const headers = { authorization: 'token job-token', 'user-agent': 'test' }
  const ask = async (path: string, init: RequestInit = {}): Promise<number> =>
    (await fetch(`${fake.url}${path}`, { headers, ...init })).status

  it.each([
    ['a body that is no object', '/repos/acme/shop/issues/128/comments', { method: 'POST', body: '"x"' }, 422],
    ['a body without the field', '/repos/acme/shop/issues/128/comments', { method: 'POST', body: '{}' }, 422],
    ['a field of the wrong type', '/repos/acme/shop/issues/128/comments', { method: 'POST', body: '{"body":1}' }, 422],
    [
      'a field that does not exist',
      '/repos/acme/shop/issues/128/comments',
      { method: 'POST', body: '{"body":"x","bdoy":1}' },
      422,
    ],
    [
      'a comment that is too long',
      '/repos/acme/shop/issues/128/comments',
      { method: 'POST', body: JSON.stringify({ body: 'x'.repeat(65_537) }) },
      422,
    ],
    ['an empty comment', '/repos/acme/shop/issues/128/comments', { method: 'POST', body: '{"body":" "}' }, 422],
    ['broken JSON', '/repos/acme/shop/issues/128/comments', { method: 'POST', body: '{' }, 400],
    ['a parameter that is no number', '/repos/acme/shop/issues/x/comments', {}, 422],
    ['a parameter that does not exist', '/repos/acme/shop/issues/128/comments?perpage=5', {}, 422],
    ['an address that does not exist', '/repos/acme/shop/isues', {}, 404],
    ['an operation it does not have', '/repos/acme/shop/labels', {}, 404],
  ])('records %s', async (_what, path, init, status) => {
    expect(await ask(path, init)).toBe(status)
    expect(fake.violations).toHaveLength(1)
  })

  it('takes good requests without a word', async () => {
    expect(await ask('/repos/acme/shop/issues/128/comments?per_page=100&page=1')).toBe(200)
    expect(await ask('/repos/acme/shop/issues/128/comments', { method: 'POST', body: '{"body":"x"}' })).toBe(201)
    expect(await ask('/user')).toBe(403)
    expect(await ask('/user', { headers: { ...headers, authorization: 'token personal-token' } })).toBe(200)
    expect(fake.violations).toEqual([])
  })

  it('tells what it holds, and takes faults, over HTTP too', async () => {
    const body = JSON.stringify({ operation: 'users/get-authenticated', kind: 'status', status: 500 })
    expect(await ask('/_fake/faults', { method: 'POST', body })).toBe(204)
    expect(await ask('/user')).toBe(500)
    const state: unknown = await (await fetch(`${fake.url}/_fake/state`)).json()
    expect(state).toEqual({ comments: [], deployments: [], requests: ['GET /user'], violations: [] })
  })
})
