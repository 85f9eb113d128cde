import { describe, expect, it } from '@jest/globals'
import { isZeroBound, scaledValue } from '../../src/plan/int-or-percent.ts'

describe('scaledValue', () => {
  it.each<[unknown, number, number, number]>([
    [2, 10, 2, 2],
    [0, 10, 0, 0],
    ['25%', 3, 1, 0],
    ['25%', 4, 1, 1],
    ['25%', 10, 3, 2],
    ['34%', 3, 2, 1],
    ['33%', 100, 33, 33],
    ['100%', 7, 7, 7],
    ['150%', 3, 5, 4],
    ['25%', 0, 0, 0],
    ['0%', 10, 0, 0],
    ['025%', 4, 1, 1],
    ['7%', 100, 7, 7],
    ['3', 10, 0, 0],
    ['%', 10, 0, 0],
    ['-5%', 10, 0, 0],
    ['1.5%', 10, 0, 0],
    [undefined, 10, 0, 0],
    [null, 10, 0, 0],
  ])('%j of %d pods is %d rounded up and %d rounded down', (value, total, up, down) => {
    expect(scaledValue(value, total, 'up')).toBe(up)
    expect(scaledValue(value, total, 'down')).toBe(down)
  })
})

it.each<[unknown, boolean]>([
  [0, true],
  ['0%', true],
  ['00%', true],
  [1, false],
  ['10%', false],
  ['0', false],
  [undefined, false],
])('%j is zero: %j', (value, expected) => {
  expect(isZeroBound(value)).toBe(expected)
})
