import { describe, expect, it } from '@jest/globals'
import { formatQuantity, parseQuantity } from '../../src/plan/quantity.ts'

describe('parseQuantity', () => {
  // What apimachinery 0.37.2 makes of them, rounded up to thousandths.
  it.each<[unknown, bigint]>([
    ['0', 0n],
    ['00', 0n],
    ['100m', 100n],
    ['0.5', 500n],
    ['.5', 500n],
    ['5.', 5000n],
    ['1Gi', 1073741824000n],
    ['1.5Gi', 1610612736000n],
    ['0.1Ki', 102400n],
    ['0.0001Ki', 103n],
    ['128974848', 128974848000n],
    ['129e6', 129000000000n],
    ['129M', 129000000000n],
    ['128974848000m', 128974848000n],
    ['123Mi', 128974848000n],
    ['1e3', 1000000n],
    ['1E3', 1000000n],
    ['1E', 1000000000000000000000n],
    ['1e-3', 1n],
    ['1e+3', 1000000n],
    ['500u', 1n],
    ['1n', 1n],
    ['1500u', 2n],
    ['1e-10', 1n],
    ['-5', -5000n],
    ['+5', 5000n],
    ['-1.5Ki', -1536000n],
    ['-500u', -1n],
    ['1Ei', 1152921504606846976000n],
    ['9Ei', 9223372036854775807000n],
    ['100E', 100000000000000000000000n],
    ['12345678901234567890', 12345678901234567890000n],
    ['0m', 0n],
    ['00.50', 500n],
    [2, 2000n],
    [0.5, 500n],
    [1e21, 1000000000000000000000000n],
  ])('%j', (text, amount) => {
    expect(parseQuantity(text)).toBe(amount)
  })

  it.each<[unknown]>([
    [''],
    ['m'],
    ['Ki'],
    ['.'],
    ['-'],
    ['1.2.3'],
    ['1mm'],
    ['1mi'],
    ['1ki'],
    ['1K'],
    ['1 Gi'],
    [' 1'],
    ['1\n'],
    ['1e'],
    ['1e1.5'],
    ['1e1000000000'],
    ['9'.repeat(65)],
    ['0x10'],
    ['1,5'],
    ['one'],
    ['١'],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [null],
    [undefined],
    [true],
    [{}],
  ])('%j is none', (text) => {
    expect(parseQuantity(text)).toBeUndefined()
  })
})

describe('formatQuantity', () => {
  it.each([
    ['2', 'cpu', '2'],
    ['1.5', 'requests.cpu', '1500m'],
    ['1u', 'limits.cpu', '1m'],
    ['3', 'pods', '3'],
    ['0', 'memory', '0'],
    ['1', 'memory', '1'],
    ['1023', 'memory', '1023'],
    ['1024', 'memory', '1Ki'],
    ['1.5Gi', 'requests.memory', '1.5Gi'],
    ['1500Mi', 'limits.memory', '1.46Gi'],
    ['123Mi', 'memory', '123Mi'],
    ['1G', 'requests.ephemeral-storage', '953.67Mi'],
    ['2.004Gi', 'memory', '2Gi'],
    ['2.05Gi', 'memory', '2.05Gi'],
    ['4Mi', 'requests.hugepages-2Mi', '4Mi'],
    ['2Ei', 'memory', '2Ei'],
    ['-2Gi', 'memory', '-2Gi'],
    ['-1500m', 'cpu', '-1500m'],
  ])('%s of %s is %s', (text, resource, shown) => {
    expect(formatQuantity(parseQuantity(text) ?? -1n, resource)).toBe(shown)
  })

  it.each(['1', '999', '1023', '1Ki', '7Mi', '1023Mi', '5Gi', '640Gi', '3Ti'])(
    '%s is read as what it was written from',
    (text) => {
      const amount = parseQuantity(text) ?? -1n
      expect(parseQuantity(formatQuantity(amount, 'memory'))).toBe(amount)
      expect(parseQuantity(formatQuantity(amount, 'cpu'))).toBe(amount)
    },
  )
})
