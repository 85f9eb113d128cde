import type { Clock } from '../ports.ts'
import type { PhaseStart, TimelineEntry } from '../report/report.ts'

type Phase = TimelineEntry['phase']

/** What happened when, for the report. */
export interface Journal {
  /** Notes what happens from now on under this phase. */
  enter(phase: Phase): void
  note(text: string): void
  readonly entries: readonly TimelineEntry[]
  /** Never the same one twice in a row. */
  readonly phases: readonly PhaseStart[]
  readonly startedAt: Date
  /** Since the journal was opened, at a moment of the clock: now, unless another one is given. */
  seconds(at?: number): number
}

export function openJournal(clock: Clock): Journal {
  const started = clock.now()
  const entries: TimelineEntry[] = []
  let phase: Phase = 'prepare'
  const phases: PhaseStart[] = [{ phase, seconds: 0 }]
  const seconds = (at = clock.now()) => Math.round((at - started) / 100) / 10
  return {
    enter(next) {
      if (next !== phase) phases.push({ phase: next, seconds: seconds() })
      phase = next
    },
    note(text) {
      entries.push({ seconds: seconds(), phase, text })
    },
    entries,
    phases,
    startedAt: clock.date(),
    seconds,
  }
}
