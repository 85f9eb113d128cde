import { messageOf } from '../errors.ts'
import type { Clock, Notifier } from '../ports.ts'
import type { Report } from '../report/report.ts'

const MILLISECONDS_TO_BEGIN = 9000

/** Tells all notifiers of a run, each in its own order and beside the others. Nobody waits for them but the end of the step. */
export interface Herald {
  /** A release is about to write for the first time. Returns at once and never throws; told again, it does nothing. */
  begin(): void
  /** How the run has ended. One promise for each notifier, which throws when that one could not be told of begin or end. */
  end(report: Report, signal: AbortSignal): readonly { readonly name: string; readonly told: Promise<void> }[]
}

export function createHerald(notifiers: readonly Notifier[], clock: Clock): Herald {
  let begun: Map<Notifier, Promise<unknown>> | undefined

  async function beginOne(notifier: Notifier): Promise<unknown> {
    const deadline = new AbortController()
    const done = new AbortController()
    void clock.sleep(MILLISECONDS_TO_BEGIN, done.signal).then(() => deadline.abort(new Error('no answer in time')))
    try {
      await notifier.begin?.(deadline.signal)
      return undefined
    } catch (error) {
      return error
    } finally {
      done.abort()
    }
  }

  async function endOne(notifier: Notifier, report: Report, signal: AbortSignal): Promise<void> {
    const failure = await begun?.get(notifier)
    // Who has missed the beginning may still be told the end.
    await notifier.end(report, signal)
    if (failure !== undefined) throw new Error(`the beginning: ${messageOf(failure)}`, { cause: failure })
  }

  return {
    begin() {
      begun ??= new Map(notifiers.map((notifier) => [notifier, beginOne(notifier)]))
    },
    end: (report, signal) =>
      notifiers.map((notifier) => ({ name: notifier.name, told: endOne(notifier, report, signal) })),
  }
}
