import { describe, expect, it } from '@jest/globals'
import { decideSweep, type SweepCandidate } from '../../src/plan/sweep.ts'

const NOW = Date.parse('2030-01-10T00:00:00Z')
const HOUR = 3_600_000

const preview = (pullRequest: number, more: Partial<SweepCandidate> = {}): SweepCandidate => ({
  name: `shop-pr-${pullRequest}`,
  pullRequest,
  isOpen: true,
  expiresAt: NOW + pullRequest * HOUR,
  createdAt: NOW - 100 * HOUR,
  ...more,
})

/** The numbers of those that go. */
const gone = (candidates: readonly SweepCandidate[], most = 20) =>
  decideSweep(candidates, { most, now: NOW })
    .filter(({ because }) => because !== undefined)
    .map(({ name }) => name)

describe('a sweep', () => {
  it.each<[string, SweepCandidate[], number, string[]]>([
    ['nothing', [], 20, []],
    ['one that is wanted', [preview(1)], 20, []],
    ['a closed pull request', [preview(1), preview(2, { isOpen: false })], 20, ['shop-pr-2']],
    ['one that is over, to the millisecond', [preview(1, { expiresAt: NOW }), preview(2)], 20, ['shop-pr-1']],
    ['one that tells no end', [preview(1, { expiresAt: undefined })], 20, []],
    ['too many', [preview(3), preview(1), preview(2)], 2, ['shop-pr-1']],
    [
      'too many, but for those that go anyway',
      [preview(1, { isOpen: false }), preview(2), preview(3)],
      2,
      ['shop-pr-1'],
    ],
    ['too many of one end', [preview(2, { expiresAt: NOW + 1 }), preview(1, { expiresAt: NOW + 1 })], 1, ['shop-pr-1']],
  ])('%s', (_name, candidates, most, names) => {
    expect(gone(candidates, most)).toEqual(names)
  })

  it('says why', () => {
    const candidates = [preview(1, { isOpen: false }), preview(2, { expiresAt: NOW - HOUR }), preview(3), preview(4)]
    expect(decideSweep(candidates, { most: 1, now: NOW }).map(({ because }) => because)).toEqual([
      'is of pull request #1, which is closed',
      'was over at 2030-01-09T23:00:00.000Z',
      'is one of the oldest, and 1 may stay (max-previews)',
      undefined,
    ])
  })
})
