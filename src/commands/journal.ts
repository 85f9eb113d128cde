import type { Clock } from '../ports.ts'
import type { PhaseStart, TimelineEntry, Times } from '../report/report.ts'

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
  /** Notes that now is the moment that the release was found to be bad, or that the old one was healthy again. */
  mark(moment: 'detected' | 'recovered'): void
  /** Until now. */
  times(): Times
  /** Since the journal was opened, at a moment of the clock: now, unless another one is given. */
  seconds(at?: number): number
}

export function openJournal(clock: Clock): Journal {
  const started = clock.now()
  const entries: TimelineEntry[] = []
  let phase: Phase = 'prepare'
  const phases: PhaseStart[] = [{ phase, seconds: 0 }]
  const seconds = (at = clock.now()) => Math.round((at - started) / 100) / 10
  const startedAt = clock.date()
  const marks: { detected?: string; recovered?: string } = {}
  // By the clock that never jumps, so that no moment is before another that came first.
  const time = () => new Date(startedAt.getTime() + Math.round(clock.now() - started)).toISOString()
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
    startedAt,
    mark(moment) {
      marks[moment] = time()
    },
    times: () => ({ started: startedAt.toISOString(), ended: time(), ...marks }),
    seconds,
  }
}
