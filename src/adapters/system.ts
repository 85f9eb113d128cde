import { setFlagsFromString } from 'node:v8'
import { CancelledError } from '../errors.ts'
import type { Clock } from '../ports.ts'

/** Resolves after `ms`, or as soon as the signal aborts; never throws. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const timer = setTimeout(wake, ms)
    function wake() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    signal?.addEventListener('abort', wake, { once: true })
  })
}

export function createClock(): Clock {
  return { now: () => performance.now(), date: () => new Date(), sleep }
}

/**
 * Turns the signals that end a process into signals of ours. A workflow runner that cancels a job sends SIGINT, 7.5 s later
 * SIGTERM, and 2.5 s after that it kills the process: the first signal asks to stop, the second announces the end
 * (https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation).
 */
export function cancellation(): { readonly cancelled: AbortSignal; readonly ending: AbortSignal } {
  const cancelled = new AbortController()
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const error = new CancelledError(signal)
      if (cancelled.signal.aborted) ending.abort(error)
      else cancelled.abort(error)
    })
  }
  return { cancelled: cancelled.signal, ending: ending.signal }
}

/**
 * Keeps the space for short-lived objects at its first size. V8 would let it grow to 128 MB while events stream in, although
 * what lives is 20 MB; collecting more often takes no measurable time here (bench/scale.ts).
 */
export function keepMemorySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
