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
