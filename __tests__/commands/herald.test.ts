import { describe, expect, it } from '@jest/globals'
import { createHerald } from '../../src/commands/herald.ts'
import type { Clock, Notifier } from '../../src/ports.ts'
import { deployed } from '../fixtures/reports/reports.ts'

/** A clock on which the deadline never comes. */
const patient: Clock = {
  now: () => 0,
  date: () => new Date(0),
  sleep: (_ms, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
}
const hasty: Clock = { ...patient, sleep: () => Promise.resolve() }
const { signal } = new AbortController()

/** Ends of all notifiers: the error's message, or `told`. */
async function ends(herald: ReturnType<typeof createHerald>): Promise<string[]> {
  const all = herald.end(deployed, signal)
  return Promise.all(
    all.map(({ name, told }) =>
      told.then(
        () => `${name}: told`,
        (error: Error) => `${name}: ${error.message}`,
      ),
    ),
  )
}

describe('a herald', () => {
  it('tells each of its beginning before its end, and nobody twice', async () => {
    const heard: string[] = []
    const notifier = (name: string): Notifier => ({
      name,
      begin: async () => void heard.push(`${name} begins`),
      end: async ({ outcome }) => void heard.push(`${name}: ${outcome}`),
    })
    const herald = createHerald([notifier('one'), notifier('two')], patient)
    herald.begin()
    herald.begin()
    expect(await ends(herald)).toEqual(['one: told', 'two: told'])
    expect(heard.toSorted()).toEqual(['one begins', 'one: deployed', 'two begins', 'two: deployed'])
    expect(heard.indexOf('one begins')).toBeLessThan(heard.indexOf('one: deployed'))
  })

  it('tells the end of a run that never began to write', async () => {
    const heard: string[] = []
    const herald = createHerald(
      [{ name: 'one', begin: async () => void heard.push('begin'), end: async () => void heard.push('end') }],
      patient,
    )
    expect(await ends(herald)).toEqual(['one: told'])
    expect(heard).toEqual(['end'])
  })

  it('still tells the end to who has missed the beginning, and says so', async () => {
    const heard: string[] = []
    const refuses: Notifier = {
      name: 'one',
      begin: () => Promise.reject(new Error('503')),
      end: async () => void heard.push('end'),
    }
    const herald = createHerald([refuses], patient)
    herald.begin()
    expect(await ends(herald)).toEqual(['one: the beginning: 503'])
    expect(heard).toEqual(['end'])
  })

  it('gives up on a beginning that gets no answer', async () => {
    const silent: Notifier = {
      name: 'one',
      begin: (late) => new Promise((_, reject) => late.addEventListener('abort', () => reject(late.reason as Error))),
      end: () => Promise.resolve(),
    }
    const herald = createHerald([silent], hasty)
    herald.begin()
    expect(await ends(herald)).toEqual(['one: the beginning: no answer in time'])
  })
})
