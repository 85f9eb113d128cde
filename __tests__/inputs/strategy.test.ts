import { describe, expect, it } from '@jest/globals'
import type { Problem } from '../../src/errors.ts'
import { InputReader } from '../../src/inputs/reader.ts'
import { readStrategy, type Strategy } from '../../src/inputs/strategy.ts'

/** Reads `strategy`, `max-surge` and `max-unavailable`, given in this order. */
function read(type: string, surge = '', unavailable = ''): { strategy: Strategy; problems: readonly Problem[] } {
  const given: Record<string, string> = { strategy: type, 'max-surge': surge, 'max-unavailable': unavailable }
  const defaults = {
    strategy: 'as-written',
    'rollback-strategy': 'as-written',
    'max-surge': '',
    'max-unavailable': '',
  }
  const reader = new InputReader({ input: (name) => given[name] ?? '' }, defaults)
  return { strategy: readStrategy(reader), problems: reader.problems }
}

it.each<[string, string, string, Strategy]>([
  ['', '', '', { type: 'as-written' }],
  ['rolling', '', '', { type: 'rolling' }],
  ['rolling', '2', '', { type: 'rolling', maxSurge: 2 }],
  ['rolling', '0', '', { type: 'rolling', maxSurge: 0 }],
  ['rolling', '', '0', { type: 'rolling', maxUnavailable: 0 }],
  ['rolling', '0', '1', { type: 'rolling', maxSurge: 0, maxUnavailable: 1 }],
  ['rolling', '150%', '100%', { type: 'rolling', maxSurge: '150%', maxUnavailable: '100%' }],
  [' rolling\n', ' 1 ', '\t', { type: 'rolling', maxSurge: 1 }],
  ['sequential', '', '', { type: 'sequential' }],
  ['parallel', '', '', { type: 'parallel' }],
  ['recreate', '', '', { type: 'recreate' }],
])('%j, max-surge %j, max-unavailable %j', (type, surge, unavailable, strategy) => {
  expect(read(type, surge, unavailable)).toEqual({ strategy, problems: [] })
})

describe('problems', () => {
  it.each<[string, string, string, string, string]>([
    [
      '',
      '1',
      '',
      'max-surge is "1", but the strategy is as-written, which leaves all workloads',
      'Set strategy: rolling',
    ],
    ['as-written', '', '1', 'max-unavailable is "1", but the strategy is as-written', 'Set strategy: rolling'],
    [
      'sequential',
      '2',
      '',
      'the strategy is sequential, which always replaces one pod',
      'to use max-surge, or leave it out',
    ],
    ['parallel', '', '10%', 'the strategy is parallel, which always starts all new pods', 'to use max-unavailable'],
    ['recreate', 'x', '', 'the strategy is recreate, which always removes all old pods', 'to use max-surge'],
    ['rolling', 'x', '', 'max-surge is "x", which is neither', 'percentage such as 25%'],
    ['rolling', '-1', '', 'max-surge is "-1"', 'whole number'],
    ['rolling', '', '101%', 'max-unavailable is "101%", which is more than 100%', 'at most 100%'],
    ['rolling', '0', '0', 'max-unavailable is 0 and so is max-surge', 'Set max-surge to 1 or more'],
    ['rolling', '0%', '0', 'max-unavailable is 0 and so is max-surge', 'or max-unavailable to 1 or more'],
    ['Rolling', '', '', 'strategy is "Rolling"', 'as-written, rolling, sequential, parallel or recreate'],
    ['x', '1', '', 'strategy is "x"', 'as-written, rolling'],
  ])('%j, max-surge %j, max-unavailable %j', (type, surge, unavailable, message, hint) => {
    const { problems } = read(type, surge, unavailable)
    expect(problems).toEqual([
      { code: 'InvalidInput', message: expect.stringContaining(message), hint: expect.stringContaining(hint) },
    ])
    expect(problems[0]?.message).toMatch(/^the input /)
  })

  it('are told for both numbers', () => {
    expect(read('parallel', '1', '1').problems).toHaveLength(2)
    expect(read('x', 'y', 'z').problems).toHaveLength(3)
  })
})
