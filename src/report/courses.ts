/**
 * The pods of a workload over time, as a picture that GitHub draws from Mermaid, and in words for who has no pictures. As in
 * phases.ts, no text of the cluster is in the picture: the name of the workload stands above it.
 */
import { details, fence, type Section } from './markdown.ts'
import { counted, durationOf, nameOf } from './format.ts'
import type { PodRange, PodSample, Report, WorkloadReport } from './report.ts'

/** How much a page draws. */
export interface CourseDetail {
  /** Workloads whose pods are drawn. */
  readonly courses: number
}

/** The pods of each workload over time, with what was planned; a picture for those whose pods changed. */
export function coursesSection(report: Report, { courses }: CourseDetail): Section[] {
  const drawn = report.workloads.filter(({ course = [] }) => hasChanged(course))
  const rollback = report.phases?.find(({ phase }) => phase === 'roll-back')?.seconds
  const sections = drawn.slice(0, courses).map((workload, index): Section => {
    const name = nameOf(workload, report.namespace)
    const body = `${wordsOf(workload, rollback)}\n\n${pictureOf(workload, report, rollback)}`
    return {
      name: 'pods over time',
      rank: 6,
      markdown: details(`Pods of ${name} over time`, body, { open: index < 3 }),
    }
  })
  const leftOut = drawn.length - sections.length
  if (leftOut <= 0) return sections
  const markdown = `_The pods of ${counted(leftOut, 'more workload')} are not drawn._`
  return [...sections, { name: 'pods over time', rank: 6, markdown }]
}

function hasChanged([first, ...rest]: readonly PodSample[]): boolean {
  return (
    first !== undefined && rest.some(({ available, total }) => available !== first.available || total !== first.total)
  )
}

/** The part of a course from `from` on until `to`, in seconds, with what it began with. */
function partOf(course: readonly PodSample[], from: number, to: number): PodSample[] {
  return course.filter(({ seconds }, index) => seconds < to && (course[index + 1]?.seconds ?? Infinity) > from)
}

function rangeIn(part: readonly PodSample[]): { available: number; total: number } {
  return {
    available: Math.min(...part.map(({ available }) => available)),
    total: Math.max(0, ...part.map(({ total }) => total ?? 0)),
  }
}

/** What the picture shows, for who cannot see it. */
function wordsOf({ course = [], bounds, pods }: WorkloadReport, rollback: number | undefined): string {
  const of = pods ? ` of ${pods.wanted}` : ''
  const say = (part: readonly PodSample[], planned: PodRange | undefined): string => {
    const { available, total } = rangeIn(part)
    const plan = (count: number | undefined) => (count === undefined ? '' : ` (planned: ${count})`)
    const most = total === 0 ? '' : `, at most ${total}${plan(planned?.mostTotal)} in all`
    return `at least ${available}${of}${plan(planned?.leastAvailable)} available${most}`
  }
  const rollout = partOf(course, -Infinity, rollback ?? Infinity)
  const back = rollback === undefined ? [] : partOf(course, rollback, Infinity)
  const lines = [
    ...(rollout.length > 0 ? [`Rollout: ${say(rollout, bounds?.planned)}.`] : []),
    ...(rollback !== undefined && back.length > 0
      ? [`Rollback, shaded, after ${durationOf(rollback)}: ${say(back, bounds?.back)}.`]
      : []),
  ]
  return lines.join('<br>')
}

/** Points of a line; Mermaid spreads them evenly. */
const POINTS = 60
/** Seen on a light and on a dark page. The shade is laid over itself. */
const SHADE = '#8b949e14'
const LINES = {
  most: { colour: '#a371f7', square: '🟪', words: 'planned at most' },
  least: { colour: '#d29922', square: '🟧', words: 'planned at least' },
  total: { colour: '#388bfd', square: '🟦', words: 'in all' },
  available: { colour: '#2da44e', square: '🟩', words: 'available' },
} as const

/** From the first sample to the end of the run. A point has the fewest available and the most in all of its time. */
function pictureOf({ course = [], bounds }: WorkloadReport, report: Report, rollback = Infinity): string {
  const from = course[0]?.seconds ?? 0
  const to = Math.max(report.durationSeconds, (course.at(-1)?.seconds ?? 0) + 1)
  const step = (to - from) / (POINTS - 1)
  const times = Array.from({ length: POINTS }, (_, index) => from + index * step)
  const points = times.map((time) => rangeIn(partOf(course, time - step / 2, time + step / 2)))
  const planned = times.map((time) => (time < rollback ? bounds?.planned : (bounds?.back ?? bounds?.planned)))
  // What is drawn last lies on top.
  const series = [
    ...seriesOf(
      'most',
      planned.map((range) => range?.mostTotal),
    ),
    ...seriesOf(
      'least',
      planned.map((range) => range?.leastAvailable),
    ),
    ...seriesOf(
      'total',
      points.map(({ total }) => (total === 0 ? undefined : total)),
    ),
    ...seriesOf(
      'available',
      points.map(({ available }) => available),
    ),
  ]
  const top = Math.max(...series.flatMap(({ values }) => values)) + 1
  const shade = rollback < to ? times.map((time) => (time < rollback ? 0 : top)) : undefined
  const [unit, divisor] = to > 600 ? ['minutes', 60] : ['seconds', 1]
  const chart = [
    '---',
    'config:',
    '  xyChart:',
    '    height: 320',
    '  themeVariables:',
    '    xyChart:',
    '      backgroundColor: "#00000000"',
    `      plotColorPalette: "${[...(shade ? [SHADE] : []), ...series.map(({ colour }) => colour)].join(', ')}"`,
    '---',
    'xychart-beta',
    `  x-axis "${unit} since the start" ${numeral(from / divisor)} --> ${numeral(to / divisor)}`,
    `  y-axis "pods" 0 --> ${numeral(top)}`,
    ...(shade ? [`  bar [${shade.map(numeral).join(', ')}]`] : []),
    ...series.map(({ values }) => `  line [${values.map(numeral).join(', ')}]`),
  ].join('\n')
  const legend = series.toReversed().map(({ square, words }) => `${square} ${words}`)
  return `${fence(chart, { language: 'mermaid' })}\n\n<sub>${legend.join(' · ')}</sub>`
}

/** A line of the picture; none when a point of it is not known, as Mermaid draws no gaps. */
function seriesOf(name: keyof typeof LINES, values: readonly (number | undefined)[]) {
  const known = values.filter((value) => value !== undefined)
  return known.length === values.length ? [{ ...LINES[name], values: known }] : []
}

/** Never in the form with an exponent, which Mermaid does not read. */
function numeral(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '')
}
