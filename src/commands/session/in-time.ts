import type { Clock } from '../../ports.ts'

/** The promise, or an error when it has not settled after `ms`. What it was doing then goes on until its connection is closed. */
export async function inTime<T>(promise: Promise<T>, ms: number, clock: Clock, message: string): Promise<T> {
  const settled = new AbortController()
  const timeOut = async (): Promise<never> => {
    await clock.sleep(ms, settled.signal)
    // When the promise was first, nobody hears this any more.
    throw new Error(message)
  }
  try {
    return await Promise.race([promise, timeOut()])
  } finally {
    settled.abort()
  }
}
