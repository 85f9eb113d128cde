import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { createGitHub } from '../../../src/adapters/github/github.ts'
import type { PullRequest } from '../../../src/ports.ts'
import { type FakeGitHub, REPOSITORY_ID, startFakeGitHub } from '../../fakes/github.ts'

const HEAD = 'a1'.repeat(20)

let fake: FakeGitHub

beforeEach(async () => {
  fake = await startFakeGitHub()
})

afterEach(async () => {
  await fake.close()
})

const read = (number: number, signal = AbortSignal.timeout(20_000)): Promise<PullRequest> =>
  createGitHub({ token: 'job-token', apiUrl: fake.url, repository: 'acme/shop' }).pullRequest(number, signal)

it.each(['open', 'closed'] as const)('reads a pull request that is %s', async (state) => {
  fake.setPullRequest(7, { state, headSha: HEAD })
  expect(await read(7)).toEqual({ state, headSha: HEAD, repositoryId: REPOSITORY_ID })
  expect(fake.violations).toEqual([])
})

it('asks again where that may help', async () => {
  fake.setPullRequest(7, { state: 'open', headSha: HEAD })
  fake.fail({ operation: 'pulls/get', kind: 'status', status: 502, times: 1 })
  expect(await read(7)).toMatchObject({ state: 'open' })
  expect(fake.requests).toHaveLength(2)
})

it.each([401, 403, 404, 429, 500])('says what GitHub has said: %s', async (status) => {
  fake.fail({ operation: 'pulls/get', kind: 'status', status, message: 'not now' })
  await expect(read(128)).rejects.toThrow(`GitHub did not tell of pull request #128: ${status} not now`)
})

it('throws for a number that is no pull request', async () => {
  await expect(read(9)).rejects.toThrow('#9: 404')
})

it('stops with its signal', async () => {
  fake.fail({ operation: 'pulls/get', kind: 'hang' })
  await expect(read(128, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
})
