import { expect, it } from '@jest/globals'
import { openJournal } from '../../src/commands/journal.ts'
import { earlyEndReport } from '../../src/commands/early-end.ts'
import { type Problem, RejectedError } from '../../src/errors.ts'
import { renderLog } from '../../src/report/log.ts'
import { renderSummary } from '../../src/report/summary.ts'

const PROBLEM: Problem = { code: 'InvalidInput', message: 'the input release is not given', hint: 'Set it.' }
const clock = { now: () => 0, date: () => new Date(0), sleep: () => Promise.resolve() }

it('a run that ended before it knew its own name says no empty one', () => {
  const report = earlyEndReport(new RejectedError([PROBLEM, PROBLEM]), { journal: openJournal(clock) })
  expect(report).toMatchObject({
    outcome: 'rejected',
    reason: 'InvalidInput',
    message: 'the input release is not given; and 1 more problem',
    hint: 'Set it.',
    changed: false,
  })
  if (!report) throw new Error('no report')
  expect(renderLog(report)[0]).toBe('⛔ Rejected, after 0 s')
  expect(renderSummary(report).split('\n')[0]).toBe('## ⛔ Rejected')
})
