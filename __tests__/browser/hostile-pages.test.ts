/** What hostile text does on our pages in a real browser: nothing but stand there. */
import { beforeAll, describe, expect, it } from '@jest/globals'
import { cut, stripControls } from '../../src/redact.ts'
import { renderComment } from '../../src/report/comment.ts'
import type { Report } from '../../src/report/report.ts'
import { renderSummary } from '../../src/report/summary.ts'
import { HOSTILE } from '../fixtures/hostile.ts'
import { reportSaying } from '../fixtures/reports/hostile.ts'
import { rollbackFailed } from '../fixtures/reports/reports.ts'
import { type Shown, visit, type Visit } from './browser.ts'

/** A browser may have to be unpacked first. */
const MILLISECONDS_TO_VISIT = 600_000

const VIEWS = { summary: renderSummary, comment: (report: Report) => renderComment(report) }

/** Where a text stands: in pods, events and logs only, so that a long one is sure to be on the page, or in every field. */
const PLACES = {
  'in the evidence': (text: string): Report => ({ ...rollbackFailed, failures: reportSaying(text).failures }),
  everywhere: reportSaying,
}

const CASES = Object.entries({ 'a plain word': 'x', ...HOSTILE }).flatMap(([name, text]) =>
  Object.entries(VIEWS).flatMap(([view, render]) =>
    Object.entries(PLACES).map(([place, report]) => ({ name, text, view, render, place, report })),
  ),
)
const inEvidence = CASES.filter(({ place }) => place === 'in the evidence')
/** Pages of long texts leave out some of them. */
const complete = CASES.filter(({ place, text }) => place === 'everywhere' && text.length < 1000)
const tooLong = CASES.filter(({ place, text }) => place === 'everywhere' && text.length >= 1000)

/** A text as it is to be seen in a place of one line. */
const line = (text: string, longest: number): string =>
  cut(stripControls(text).trim(), longest).trim().replaceAll(/\s+/gu, ' ')
const inCode = (text: string): string => line(text, 300)
const inProse = (text: string): string => line(text, 1000)
const inLog = (text: string): string =>
  stripControls(text)
    .replace(/\n+$/, '')
    .split('\n')
    .map((one) => `${cut(one, 2000)}\n`)
    .join('')

/** What GitHub would make a link, a notification, a picture or a formula of, wherever it is no code. */
const ALIVE = /(?:^|[^\w`/])@\w|#\d|:\/\/|www\.|\bGH-\d|[\da-f]{40}|:tada:|\$/

let pages: Visit
beforeAll(async () => {
  pages = await visit(CASES.map(({ text, render, report }) => render(report(text))))
}, MILLISECONDS_TO_VISIT)

type Case = Pick<(typeof CASES)[number], 'name' | 'view' | 'place'>

function shown({ name, view, place }: Case): Shown {
  const index = CASES.findIndex((one) => one.name === name && one.view === view && one.place === place)
  const page = pages.cases[index]
  if (!page) throw new Error(`there is no ${view} with ${name} ${place}`)
  return page
}

const tableOf = (page: Shown, first: string) => page.tables.find(([header]) => header?.[0] === first)

const withoutLinks = (page: Shown) => page.attributes.filter((attribute) => !attribute.startsWith('a href='))

describe('all pages together', () => {
  it('execute nothing, and ask for nothing', () => {
    expect(pages.executed).toEqual([])
    expect(pages.requested).toEqual([])
    expect(pages.hosts.filter((host) => host.includes('evil.example'))).toEqual([])
  })

  it('stand each in its own place', () => {
    expect(pages.cases).toHaveLength(CASES.length)
    expect(pages.cases.filter(({ isWhole }) => !isWhole)).toEqual([])
    expect(pages.strays).toBe(0)
  })
})

describe.each(inEvidence)('the $view with $name in the evidence', (one) => {
  const code = inCode(one.text)
  const prose = inProse(one.text)

  it('shows the pods as they are called', () => {
    expect(tableOf(shown(one), 'Pod')).toEqual([
      ['Pod', 'Container', 'State', 'Restarts', 'Message'],
      [`${code}\non ${code}`, code, code, '3', prose],
      ['', code, code, '0', prose],
      [code, '–', code, '–', prose],
    ])
  })

  it('shows the events as they came', () => {
    expect(tableOf(shown(one), 'Time (UTC)')).toEqual([
      ['Time (UTC)', 'Event', 'Object', 'Message'],
      [code, code, code, prose],
      [code, code, code, prose],
      [code, `${code} × 6`, code, prose],
    ])
  })

  it('shows the log line by line', () => {
    const log = { title: inProse(`Log of ${one.text}, container ${one.text}`), text: inLog(one.text) }
    expect(shown(one).blocks.filter(({ title }) => title.startsWith('Log of '))).toEqual([log, log])
  })
})

describe.each(complete)('the $view with $name everywhere', (one) => {
  const code = inCode(one.text)
  const prose = inProse(one.text)

  it('shows problems and images', () => {
    expect(tableOf(shown(one), 'Reason')?.[1]).toEqual(['Conflict', inCode(`${one.text}:3`), prose, prose])
    expect(tableOf(shown(one), 'Workload')?.map((cells) => cells[2])).toEqual([
      'Image: before → this release',
      `${code}, as before`,
      `${code}, as before`,
    ])
  })

  it('shows warnings, the branch, who pushed, and the address', () => {
    const words = shown(one).text.replaceAll(/\s+/g, ' ')
    for (const phrase of [`⚠️ Warnings ${prose}`, `ref ${code} · by ${code}`, `Where is it? ${code}`])
      expect(words).toContain(phrase)
  })
})

describe.each([...inEvidence, ...complete])('the $view with $name $place', (one) => {
  it('is built as with a plain word', () => {
    const plain = shown({ ...one, name: 'a plain word' })
    expect(shown(one).outline).toBe(plain.outline)
    expect(new Set(shown(one).elements)).toEqual(new Set(plain.elements))
    expect(withoutLinks(shown(one))).toEqual(withoutLinks(plain))
  })
})

describe.each(CASES)('the $view with $name $place', (one) => {
  it('leads to the run and its commit only, and calls nobody', () => {
    const ours = /^a href=https:\/\/github\.com\/acme\/shop\/(?:actions\/runs\/9137551234$|commit\/)/
    const links = shown(one).attributes.filter((attribute) => attribute.startsWith('a '))
    expect(links.filter((attribute) => !ours.test(attribute))).toEqual([])
    expect(shown(one).prose).not.toMatch(ALIVE)
  })
})

describe.each(tooLong)('the $view with $name everywhere', (one) => {
  it('has nothing that a plain one has not, and says what is left out', () => {
    const plain = shown({ ...one, name: 'a plain word' })
    expect(new Set([...plain.elements, ...shown(one).elements])).toEqual(new Set(plain.elements))
    expect(shown(one).text).toMatch(/… \(\d+ more characters\)/)
  })
})

describe('a page that shows the same texts as they are', () => {
  it(
    'would be found out',
    async () => {
      const open = ['<details>\n\nopen', 'a</section>b', '<!-- open']
      const raw = await visit([...Object.values(HOSTILE).filter((text) => text.length < 1000), ...open])
      expect(raw.executed).toEqual(['alert(1)', 'alert(1)'])
      expect(raw.requested).toEqual(['https://evil.example/x.png', 'https://evil.example/pixel.png'])
      expect(raw.hosts).toContain('evil.example:443')
      expect(raw.strays).toBe(1)
      expect(raw.cases.slice(-open.length).map(({ isWhole }) => isWhole)).toEqual([false, false, false])
      const elements = raw.cases.flatMap((one) => one.elements)
      expect(elements).toEqual(expect.arrayContaining(['script', 'img', 'h1', 'b', 'blockquote']))
      expect(raw.cases.flatMap(({ attributes }) => attributes)).toContain('a href=javascript:alert(1)')
      expect(raw.cases.filter(({ prose }) => ALIVE.test(prose)).length).toBeGreaterThan(8)
    },
    MILLISECONDS_TO_VISIT,
  )
})
