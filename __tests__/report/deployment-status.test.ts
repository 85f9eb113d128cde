import { describe, expect, it } from '@jest/globals'
import { deploymentEnd, shortDescription } from '../../src/report/deployment-status.ts'
import { HOSTILE } from '../fixtures/hostile.ts'
import { everyOutcome, rolledBack } from '../fixtures/reports/reports.ts'

describe('the end of a deployment', () => {
  it.each(everyOutcome.map((report) => [report.outcome, report] as const))('of %s', (outcome, report) => {
    const { state, description } = deploymentEnd({ ...report, command: 'deploy' })
    const isBad = ['rolled-back', 'rollback-failed', 'failed'].includes(outcome)
    const isStopped = ['rejected', 'unknown', 'cancelled'].includes(outcome)
    const isGood = ['deployed', 'unchanged'].includes(outcome)
    expect(state).toBe(isBad ? 'failure' : isStopped ? 'error' : isGood ? 'success' : 'inactive')
    expect(description.length).toBeLessThanOrEqual(140)
  })

  it('brings the one before back only when all went back, by itself', () => {
    const rollback = rolledBack.rollback
    if (!rollback) throw new Error('the fixture has a rollback')
    const isTakenBack = (more: object): boolean => deploymentEnd({ ...rolledBack, ...more }).isTakenBack
    expect(isTakenBack({})).toBe(true)
    expect(isTakenBack({ outcome: 'cancelled' })).toBe(true)
    expect(isTakenBack({ outcome: 'superseded' })).toBe(false)
    expect(isTakenBack({ command: 'rollback' })).toBe(false)
    expect(isTakenBack({ rollback: { ...rollback, goesOn: true } })).toBe(false)
    expect(isTakenBack({ rollback: { ...rollback, outcome: 'rollback-failed' } })).toBe(false)
    expect(isTakenBack({ rollback: undefined })).toBe(false)
  })
})

describe('a short description', () => {
  it('is cut at a word', () => {
    const text = 'word '.repeat(40)
    const short = shortDescription(text)
    expect(short).toMatch(/word…$/)
    expect(short.length).toBeLessThanOrEqual(140)
  })

  it('is cut anywhere in one long word, but not through a character', () => {
    expect(shortDescription('x'.repeat(200))).toBe(`${'x'.repeat(139)}…`)
    expect(shortDescription(`x${'😀'.repeat(100)}`)).toBe(`x${'😀'.repeat(69)}…`)
  })

  it('is left as it is when it fits', () => {
    expect(shortDescription('x'.repeat(140))).toBe('x'.repeat(140))
  })

  it.each(Object.entries(HOSTILE))('has one line whatever it is of: %s', (_name, text) => {
    const short = shortDescription(text)
    expect(short).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
    expect(short.length).toBeLessThanOrEqual(140)
  })
})
