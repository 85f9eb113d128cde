import type { Clock } from '../ports.ts'
import type { TimelineEntry } from '../report/report.ts'

type Phase = TimelineEntry['phase']

/** What happened when, for the report. */
export interface Journal {
  /** Notes what happens from now on under this phase. */
  enter(phase: Phase): void
  note(text: string): void
  readonly entries: readonly TimelineEntry[]
  readonly startedAt: Date
  /** Since the journal was opened. */
  seconds(): number
}

export function openJournal(clock: Clock): Journal {
  const started = clock.now()
  const entries: TimelineEntry[] = []
  let phase: Phase = 'prepare'
  const seconds = () => Math.round((clock.now() - started) / 100) / 10
  return {
    enter(next) {
      phase = next
    },
    note(text) {
      entries.push({ seconds: seconds(), phase, text })
    },
    entries,
    startedAt: clock.date(),
    seconds,
  }
}
