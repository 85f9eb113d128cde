/** Imported by a test file, gives each of its tests a GitHub of its own, and fails those that ask what GitHub would refuse. */
import { afterEach, beforeEach } from '@jest/globals'
import { startFakeGitHub, type FakeGitHub } from '../../fakes/github.ts'

/** That of the test that runs now. */
export let fake: FakeGitHub

beforeEach(async () => {
  fake = await startFakeGitHub()
})

afterEach(async () => {
  const { violations } = fake
  await fake.close()
  if (violations.length > 0) throw new Error(violations.join('; '))
})

export const noHurry = (): AbortSignal => AbortSignal.timeout(20_000)
