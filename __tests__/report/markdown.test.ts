import { describe, expect, it } from '@jest/globals'
import { assemble, bytesOf, code, details, fence, html, link, prose, table } from '../../src/report/markdown.ts'
import { stripControls } from '../../src/redact.ts'
import { pageOf, visible } from '../fakes/page.ts'
import { HOSTILE } from '../fixtures/hostile.ts'
import { randomFrom } from '../fixtures/random.ts'

const section = (name: string, rank: number, size: number) => ({ name, rank, markdown: name.repeat(size) })

const oneLine = (text: string): string => stripControls(text).trim().replaceAll(/\s+/g, ' ')
const short = Object.entries(HOSTILE).filter(([, text]) => text.length < 200)

/** What the fuzz puts its text together from: everything that means something in Markdown. */
const PARTS = [
  Array.from('`*_~[]()<>!#+-=|\\&@$:"\'.1a \n'),
  'http:// www.x <b> &lt; &#64; `` ``` $$ -->'.split(' '),
].flat()

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

describe('prose', () => {
  it.each(short)('shows exactly what came: %s', (_name, text) => {
    expect(visible(prose(text))).toBe(oneLine(text))
  })

  it.each(Object.entries(HOSTILE))('has no element but code: %s', (_name, text) => {
    const page = pageOf(`start ${prose(text)} end`)
    expect(page.elements.filter((element) => element !== 'code')).toEqual(['p'])
    expect(page.prose).not.toMatch(/@\w|#\d|:\/\/|www\.|\bGH-\d|[\da-f]{40}|:tada:|\$/)
  })

  it.each(short)('begins no block: %s', (_name, text) => {
    expect(pageOf(prose(text)).elements.filter((element) => element !== 'code')).toEqual(['p'])
  })

  it.each([
    ['plain words stay plain', 'plain words stay plain'],
    ['Back-off pulling image "reg.example/a_b:1"', 'Back-off pulling image "reg.example/a\\_b:1"'],
    ['failed: "https://reg.example/v2/": 401', 'failed: "`https://reg.example/v2/`": 401'],
    ['image web@sha256:abc (old)', 'image `web@sha256:abc` (old)'],
    ['at 02:58:41', 'at 02:58:41'],
    ['a < b > c & d', 'a &lt; b &gt; c &amp; d'],
  ])('%j is written %j', (text, markdown) => {
    expect(prose(text)).toBe(markdown)
  })

  it(`shows exactly what came, whatever comes (FUZZ_SEED=${seed})`, () => {
    const random = randomFrom(seed)
    for (let round = 0; round < 5000; round += 1) {
      const text = Array.from({ length: 1 + random.below(12) }, () => random.of(PARTS)).join('')
      for (const [name, write] of [
        ['prose', prose],
        ['code', code],
      ] as const) {
        const markdown = write(text)
        const shown = {
          text,
          markdown,
          seen: visible(markdown),
          elements: pageOf(markdown).elements.filter((one) => one !== 'code'),
        }
        const wanted = oneLine(text) === '' && name === 'code' ? '–' : oneLine(text)
        expect(shown).toEqual({ text, markdown, seen: wanted, elements: markdown === '' ? [] : ['p'] })
      }
    }
  })
})

describe('code', () => {
  it.each(short.filter(([, text]) => oneLine(text) !== ''))(
    'shows exactly what came, in a code span: %s',
    (_name, text) => {
      const markdown = code(text)
      expect(visible(markdown)).toBe(oneLine(text))
      expect(pageOf(markdown)).toMatchObject({ elements: ['p', 'code'], prose: expect.stringMatching(/^\s*$/) })
    },
  )

  it('says that there is nothing', () => {
    expect(code(' \u200b ')).toBe('–')
  })

  it('says of a long text how much of it is left out', () => {
    expect(code('x'.repeat(100_000))).toBe(`\`${'x'.repeat(300)}… (99700 more characters)\``)
  })
})

describe('html', () => {
  it.each(Object.entries(HOSTILE))('has no element but code: %s', (_name, text) => {
    const page = pageOf(`<details><summary>${html(text)}</summary>\n\nbody\n\n</details>`)
    expect(page.elements.filter((element) => element !== 'code')).toEqual(['details', 'summary', 'p'])
    expect(page.prose).not.toMatch(/@\w|#\d|:\/\/|www\./)
  })
})

describe('fence', () => {
  it.each(Object.entries(HOSTILE))('holds everything in one block: %s', (_name, text) => {
    const page = pageOf(`before\n\n${fence(text)}\n\nafter`)
    expect(page.elements).toEqual(['p', 'pre', 'code'])
    expect(page.prose.split(/\s+/).filter((word) => word !== '')).toEqual(['before', 'after'])
  })

  it('keeps the last lines when there is no room, and counts the others', () => {
    const markdown = fence('one\ntwo\nthree\nfour\n', { characters: 10 })
    expect(markdown).toBe('_2 earlier lines left out._\n\n```text\nthree\nfour\n```')
  })

  it('shows at least the last line, cut', () => {
    expect(fence(`one\n${'x'.repeat(5000)}`, { characters: 10 })).toMatch(
      /^_1 earlier lines left out._\n\n```text\nx{2000}… \(3000 more characters\)\n```$/,
    )
  })
})

describe('link', () => {
  it.each([
    ['https://github.com/a/b', '[x](https://github.com/a/b)'],
    ['https://github.com/a/b) evil [y](z', '[x](https://github.com/a/b%29%20evil%20[y]%28z)'],
    ['javascript:alert(1)', 'x'],
    ['data:text/html,x', 'x'],
    ['no address', 'x'],
    ['', 'x'],
  ])('to %j', (address, markdown) => {
    expect(link('x', address)).toBe(markdown)
  })
})

describe('table', () => {
  it.each(Object.entries(HOSTILE))('keeps its columns: %s', (_name, text) => {
    const row = [code(text), prose(text), 'end']
    const page = pageOf(table(['a', 'b', 'c'], [row, row]))
    expect(page.tables).toEqual([[3, 3, 3]])
    // Cells that are too many are dropped without a word, so that the number alone tells little.
    expect(page.html.match(/<td>end<\/td>/g)).toHaveLength(2)
  })

  it('counts the rows it leaves out', () => {
    expect(table(['a'], [['1'], ['2'], ['3']], { rows: 1 })).toBe('| a |\n| --- |\n| 1 |\n\n_2 more left out._')
  })
})

describe('assemble', () => {
  it('keeps the order, and everything when there is room', () => {
    expect(assemble([section('a', 2, 1), section('b', 1, 1)], 'end', 1000, bytesOf)).toBe('a\n\nb\n\nend')
  })

  it('leaves out the least important, whole, and says so', () => {
    const page = assemble([section('a', 2, 300), section('b', 1, 300), section('c', 0, 10)], 'end', 600, bytesOf)
    expect(page).toBe(
      `${'b'.repeat(300)}\n\n${'c'.repeat(10)}\n\n_Left out, because GitHub limits the size of this page: a. The JSON report has everything._\n\n\nend`,
    )
    expect(bytesOf(page)).toBeLessThanOrEqual(600)
  })
})

describe('details', () => {
  it('shows Markdown inside', () => {
    expect(pageOf(details('a <b> @c', '**x**', { open: true })).html).toContain(
      '<details open><summary>a &lt;b&gt; <code>@c</code></summary>',
    )
  })
})
