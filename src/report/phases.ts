/**
 * Which part of the run took how long, as a picture that GitHub draws from Mermaid. Only numbers and words of our own are in
 * it, never a text of the cluster: no name can become a directive or a link there.
 * https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/creating-diagrams
 */
import { fence, type Section } from './markdown.ts'
import { durationOf } from './format.ts'
import type { PhaseStart, Report } from './report.ts'

const PHASE_WORDS: Readonly<Record<PhaseStart['phase'], string>> = {
  prepare: 'Prepare',
  apply: 'Apply',
  follow: 'Follow',
  diagnose: 'Find the cause',
  'roll-back': 'Roll back',
  report: 'Report',
}

/** Of the bars in the picture of phases: Mermaid's own words for their colours. */
const PHASE_TAGS: Readonly<Record<PhaseStart['phase'], string>> = {
  prepare: 'done, ',
  apply: '',
  follow: 'active, ',
  diagnose: '',
  'roll-back': 'crit, ',
  report: 'done, ',
}

interface Span {
  readonly phase: PhaseStart['phase']
  readonly from: number
  readonly to: number
}

/** Which part of the run took how long, in words and as a picture. Nothing for a run that never got to write. */
export function phasesSection({ phases = [], durationSeconds }: Report): Section[] {
  const spans = phases.map(({ phase, seconds }, index): Span => ({
    phase,
    from: seconds,
    to: Math.max(seconds, phases[index + 1]?.seconds ?? durationSeconds),
  }))
  if (spans.length < 2) return []
  const words = spans.map(({ phase, from, to }) => `${PHASE_WORDS[phase]} ${shortly(to - from)}`).join(' → ')
  const markdown = `### How it went\n\n${words}.\n\n${fence(ganttOf(spans, durationSeconds), { language: 'mermaid' })}`
  return [{ name: 'course of the run', rank: 6, markdown }]
}

/** Some phases take less than a second, and are not nothing. */
function shortly(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : durationOf(seconds)
}

/** Ticks that are not more than ten. */
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]

/**
 * The start of the run is midnight of a day on which no zone changes its clocks: Mermaid reads and writes local times, so that
 * every reader sees the time since the start.
 */
function ganttOf(spans: readonly Span[], seconds: number): string {
  const tick = TICKS.find((one) => seconds / one <= 10) ?? 7200
  return [
    '---',
    'config:',
    '  gantt:',
    '    useWidth: 900',
    '    leftPadding: 12',
    '---',
    'gantt',
    '  dateFormat YYYY-MM-DDTHH:mm:ss.SSS',
    `  axisFormat ${seconds < 3600 ? '%M:%S' : '%H:%M:%S'}`,
    `  tickInterval ${tick}second`,
    '  todayMarker off',
    ...spans.map(
      ({ phase, from, to }) => `  ${PHASE_WORDS[phase]} :${PHASE_TAGS[phase]}${momentOf(from)}, ${momentOf(to)}`,
    ),
  ].join('\n')
}

function momentOf(seconds: number): string {
  return new Date(Date.UTC(2001, 0, 1) + Math.round(seconds * 1000)).toISOString().slice(0, -1)
}
