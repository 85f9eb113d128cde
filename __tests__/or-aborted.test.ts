import { expect, it } from '@jest/globals'
import { orAborted } from '../src/or-aborted.ts'

const NEVER = new Promise<never>(() => undefined)

it('is the promise, with a signal or without', async () => {
  expect(await orAborted(Promise.resolve(1), undefined)).toBe(1)
  expect(await orAborted(Promise.resolve(1), new AbortController().signal)).toBe(1)
  await expect(orAborted(Promise.reject(new Error('lost')), new AbortController().signal)).rejects.toThrow('lost')
})

it('is the reason of the signal, before and after it aborts', async () => {
  const abort = new AbortController()
  const waiting = orAborted(NEVER, abort.signal)
  const reason = new Error('time is up')
  abort.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  await expect(orAborted(NEVER, abort.signal)).rejects.toBe(reason)
  // Nobody hears of what fails then, and nothing is left unheard.
  await expect(orAborted(Promise.reject(new Error('late')), abort.signal)).rejects.toBe(reason)
})
