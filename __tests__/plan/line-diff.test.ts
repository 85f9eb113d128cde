import { describe, expect, it } from '@jest/globals'
import { diffLines, diffTexts, type DiffLine } from '../../src/plan/line-diff.ts'
import { randomFrom } from '../fixtures/random.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** One of the two texts again, from the other and what differs. */
function rebuilt(lines: readonly DiffLine[], from: readonly string[], sign: '-' | '+'): string[] {
  let next = 0
  return lines.flatMap(({ kind, text }) => {
    if (kind === sign) return [text]
    const count = kind === '@' ? Number.parseInt(text, 10) : 1
    next += count
    return kind === '@' || kind === ' ' ? from.slice(next - count, next) : []
  })
}

describe('diffTexts', () => {
  it.each([
    ['a line that changed', 'a\nb\nc\n', 'a\nx\nc\n', [' a', '-b', '+x', ' c']],
    ['a line that is new at the end', 'a\n', 'a\nb\n', [' a', '+b']],
    ['all of it', '', 'a\nb', ['+a', '+b']],
    ['a line break at the end', 'a\nb', 'a\nb\n', [' a', ' b', String.raw`-\ no line break at the end`]],
    ['an empty line', 'a\n', 'a\n\n', [' a', '+']],
    ['the end of each line', 'a\r\nb\n', 'a\nb\n', ['-a\r', '+a', ' b']],
    ['nothing', 'a\nb', 'a\nb', []],
  ])('shows %s', (_what, before, after, lines) => {
    expect(diffTexts(before, after).map(({ kind, text }) => `${kind}${text}`)).toEqual(lines)
  })

  it('keeps three lines around what differs, and counts the others', () => {
    const before = Array.from({ length: 30 }, (_, index) => `${index}`)
    const after = before.with(10, 'x').with(24, 'y')
    expect(
      diffLines(before, after)
        .map(({ kind, text }) => `${kind}${text}`)
        .join('|'),
    ).toBe(
      '@7 lines as before| 7| 8| 9|-10|+x| 11| 12| 13|@7 lines as before| 21| 22| 23|-24|+y| 25| 26| 27|@2 lines as before',
    )
  })

  it('shows texts that have nothing in common, and no end, one after the other', () => {
    const [before, after] = ['a', 'b'].map((word) => Array.from({ length: 5000 }, (_, index) => `${word}${index}`))
    const lines = diffLines(before ?? [], after ?? [])
    expect(lines).toHaveLength(10_000)
    expect(lines.findLastIndex(({ kind }) => kind === '-')).toBe(4999)
  })

  it(`tells both texts, whatever they are (FUZZ_SEED=${seed})`, () => {
    const random = randomFrom(seed)
    for (let round = 0; round < 3000; round += 1) {
      const [before = [], after = []] = [0, 1].map(() =>
        Array.from({ length: random.below(20) }, () => random.of(['a', 'b', 'c', ''])),
      )
      const lines = diffLines(before, after)
      const told = {
        seed,
        before,
        after,
        isEqual: before.join('\n') === after.join('\n') && before.length === after.length,
      }
      const wanted = told.isEqual ? [[], []] : [before, after]
      expect({ told, both: [rebuilt(lines, after, '-'), rebuilt(lines, before, '+')] }).toEqual({ told, both: wanted })
    }
  })
})
