import { describe, expect, it } from '@jest/globals'
import { openJournal } from '../../src/commands/journal.ts'
import { earlyEndReport, supersededReport } from '../../src/commands/early-end.ts'
import { HealError } from '../../src/commands/session/heal.ts'
import { LockLostError } from '../../src/commands/session/lock.ts'
import { CancelledError, ClusterError, type Problem, RejectedError } from '../../src/errors.ts'
import { renderLog } from '../../src/report/log.ts'
import type { Report } from '../../src/report/report.ts'
import { renderSummary } from '../../src/report/summary.ts'
import { createMemoryCluster } from '../fakes/memory-cluster.ts'
import { releaseRecord } from '../release/records.ts'
import { createRun } from './runs.ts'

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

it('a sweep that was rejected is about no namespace', () => {
  const { run } = createRun(createMemoryCluster())
  const inputs = { ...run.inputs, sweep: { repositoryId: 4711, mostPreviews: 20 } }
  expect(earlyEndReport(new RejectedError([PROBLEM]), { ...run, inputs })).toMatchObject({ namespace: '' })
})

describe('a run that ended before its release began', () => {
  const cluster = createMemoryCluster()
  const { run } = createRun(cluster)
  const rollback = {
    outcome: 'rollback-failed' as const,
    message: 'ConfigMap shop/a could not be restored: forbidden',
    seconds: 1,
    steps: [],
    commands: ['kubectl get configmap/a --namespace shop -o yaml'],
  }

  it.each<[string, Error, Partial<Report>]>([
    ['cancelled', new CancelledError('SIGINT'), { outcome: 'cancelled', reason: 'Cancelled', changed: false }],
    [
      'without its lock',
      new LockLostError('another run has the lock'),
      { outcome: 'superseded', changed: false, message: 'nothing was deployed: another run has the lock' },
    ],
    [
      'over what it could not take back',
      new HealError(releaseRecord({ revision: 4, status: 'pending' }), rollback),
      { outcome: 'rollback-failed', reason: 'Cancelled', changed: true, revision: 4, rollback },
    ],
    ['rejected', new RejectedError([PROBLEM]), { outcome: 'rejected', problems: [PROBLEM], message: PROBLEM.message }],
  ])('%s, is reported', (_name, error, expected) => {
    expect(earlyEndReport(error, run)).toMatchObject({
      ...expected,
      release: 'shop',
      namespace: 'shop',
      server: 'memory',
    })
  })

  it.each<[string, unknown]>([
    ['a defect', new TypeError('undefined is not a function')],
    ['what the API server says in the middle of nowhere', new ClusterError('no', { status: 500, request: 'get' })],
    ['what is no error', 'text'],
  ])('is a defect of Rollsafe with %s', (_name, error) => {
    expect(earlyEndReport(error, run)).toBeUndefined()
  })

  it('because a newer one was there is superseded', () => {
    expect(supersededReport(run, 'a newer run has deployed commit abc')).toMatchObject({
      outcome: 'superseded',
      message: 'a newer run has deployed commit abc',
      namespace: 'shop',
      changed: false,
    })
    expect(supersededReport({ journal: openJournal(clock) }, 'too late').namespace).toBe('')
  })
})
