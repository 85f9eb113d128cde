import { setFlagsFromString } from 'node:v8'
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
 * Keeps the space for short-lived objects at its first size. V8 would let it grow to 128 MB while events stream in, although
 * what lives is 20 MB; collecting more often takes no measurable time here (bench/scale.ts).
 */
export function keepMemorySmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
