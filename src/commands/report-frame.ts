import type { Inputs } from '../inputs/inputs.ts'
import type { Report } from '../report/report.ts'
import type { Journal } from './journal.ts'

type Frame = Pick<
  Report,
  | 'schema'
  | 'command'
  | 'release'
  | 'startedAt'
  | 'times'
  | 'durationSeconds'
  | 'run'
  | 'environment'
  | 'timeline'
  | 'phases'
  | 'warnings'
  | 'problems'
  | 'objects'
  | 'workloads'
  | 'failures'
>

/** What every report has, whatever the run came to. */
export function reportFrame({
  inputs,
  journal,
}: {
  readonly inputs: Inputs | undefined
  readonly journal: Journal
}): Frame {
  return {
    schema: 1,
    command: inputs?.command ?? 'deploy',
    release: inputs?.release ?? '',
    startedAt: journal.startedAt.toISOString(),
    times: { ...(inputs?.committedAt !== undefined && { commit: inputs.committedAt }), ...journal.times() },
    durationSeconds: journal.seconds(),
    ...(inputs?.run && { run: inputs.run }),
    // That of a sweep is the template of many.
    ...(inputs?.deployment !== undefined && !inputs.sweep && { environment: inputs.deployment }),
    timeline: journal.entries,
    phases: journal.phases,
    warnings: [],
    problems: [],
    objects: [],
    workloads: [],
    failures: [],
  }
}
