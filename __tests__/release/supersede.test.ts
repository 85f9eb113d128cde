import { expect, it } from '@jest/globals'
import { isSuperseded, type RunIdentity } from '../../src/release/supersede.ts'

const run = (id: number, sha: string, more: Partial<RunIdentity> = {}): RunIdentity => ({
  repository: 'acme/shop',
  id,
  sha,
  attempt: 1,
  ...more,
})

it.each<[string, RunIdentity | undefined, RunIdentity | undefined, boolean]>([
  ['an older run with another commit is', run(1, 'a'), run(2, 'b'), true],
  ['a newer run is not', run(2, 'b'), run(1, 'a'), false],
  ['the same run is not', run(1, 'a'), run(1, 'a'), false],
  ['an older run with the same commit is not', run(1, 'a'), run(2, 'a'), false],
  ['a run that was started again is not', run(1, 'a', { attempt: 2 }), run(2, 'b'), false],
  ['an older run is, whatever attempt has deployed', run(1, 'a'), run(2, 'b', { attempt: 3 }), true],
  ['a run of another repository is not', run(1, 'a', { repository: 'acme/other' }), run(2, 'b'), false],
  ['a run without a number is not', run(0, 'a'), run(2, 'b'), false],
  ['nothing is by a run without a number', run(1, 'a'), run(0, 'b'), false],
  ['a run outside of GitHub is not', undefined, run(2, 'b'), false],
  ['nothing is by a run outside of GitHub', run(1, 'a'), undefined, false],
])('%s superseded', (_name, ours, inPlace, expected) => {
  expect(isSuperseded(ours, inPlace)).toBe(expected)
})
