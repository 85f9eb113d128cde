import { describe, expect, it } from '@jest/globals'
import type { Written } from '../../src/commands/apply/apply.ts'
import type { CarriedOut } from '../../src/commands/carry-out.ts'
import { deployReport } from '../../src/commands/deploy-report.ts'
import type { Prepared } from '../../src/commands/prepare/prepare.ts'
import type { RolledBack } from '../../src/commands/undo/roll-back.ts'
import type { Session } from '../../src/commands/session/session.ts'
import { CancelledError } from '../../src/errors.ts'
import { refOf } from '../../src/manifest/object.ts'
import type { Change } from '../../src/plan/change.ts'
import type { FailureReport, Report, RollbackReport, RollbackStepReport } from '../../src/report/report.ts'
import type { Ending } from '../../src/rollback/decide.ts'
import { startTracking } from '../../src/rollout/tracker.ts'
import { createMemoryCluster } from '../fakes/memory-cluster.ts'
import { releaseRecord } from '../release/records.ts'
import { createRun, HELD, recordsOf, settings } from './runs.ts'

const at = { file: 'k8s/app.yaml', line: 7 }
const OBJECT = settings('settings', { version: '2' })
const CHANGE: Change = {
  type: 'update',
  manifest: { object: OBJECT, at },
  live: settings('settings', { version: '1' }),
  expected: OBJECT,
}
const ref = refOf(OBJECT)
const WRITTEN: Written = { change: CHANGE, after: OBJECT }
const FAILURE: FailureReport = { workload: ref, reason: 'CrashLoop', message: 'it crashes', pods: [], events: [] }

const BAD: Ending = { type: 'bad', failures: [{ ref, reason: 'CrashLoop', message: 'it crashes' }] }
const GOOD: Ending = { type: 'good' }

function rolledBack(
  more: Partial<RollbackReport> = {},
  leftAlone: RollbackStepReport[] = [],
  interruption?: Error,
): RolledBack {
  const report: RollbackReport = {
    outcome: 'rolled-back',
    message: 'Everything is as it was before the release',
    seconds: 1,
    steps: [],
    commands: [],
    ...more,
  }
  return {
    report,
    leftAlone,
    ...(interruption && { interruption }),
    state: startTracking([], 0),
    remade: new Map(),
  }
}

function reportOf(
  carriedOut: Partial<CarriedOut> & Pick<CarriedOut, 'ending'>,
  {
    isByHand = false,
    written = [WRITTEN],
    previous = 3,
  }: { isByHand?: boolean; written?: Written[]; previous?: number } = {},
): Report {
  const cluster = createMemoryCluster()
  const { run } = createRun(cluster, isByHand ? { command: 'rollback' } : {})
  const session: Session = {
    run,
    lock: HELD,
    records: recordsOf(cluster),
    heads: [],
    leftInPlace: [],
    lastGood: releaseRecord({ revision: 2 }),
    stop: run.signals.cancelled,
    warnings: ['from the session'],
    close: () => Promise.resolve(),
  }
  const prepared: Prepared = {
    namespace: 'shop',
    changes: [CHANGE],
    prune: { deletions: [], kept: [], left: [], problems: [] },
    revision: 4,
    previousRevision: previous,
    forecast: { bounds: new Map(), warnings: ['from the forecast'], nodes: [] },
  }
  return deployReport(
    prepared,
    { rolledOut: { written }, failures: [], pruned: [], warnings: ['from the release'], ...carriedOut },
    session,
  )
}

const failed = { outcome: 'rollback-failed' as const, message: 'The previous revision is back, but it is not healthy' }
const left: RollbackStepReport = { ...ref, step: 'left-alone', message: 'was changed by helm' }

describe('the outcome of a release', () => {
  it.each<[string, Partial<CarriedOut> & Pick<CarriedOut, 'ending'>, Written[], Partial<Report>]>([
    ['good', { ending: GOOD }, [WRITTEN], { outcome: 'deployed', changed: true, revision: 4, previousRevision: 3 }],
    ['good without a write', { ending: GOOD }, [], { outcome: 'unchanged', changed: false, revision: 3 }],
    [
      'good, and something pruned',
      { ending: GOOD, pruned: [ref] },
      [],
      { outcome: 'deployed', changed: true, revision: 4 },
    ],
    [
      'bad and taken back, to the last good one',
      { ending: BAD, failures: [FAILURE], rolledBack: rolledBack() },
      [WRITTEN],
      { outcome: 'rolled-back', reason: 'CrashLoop', changed: false, revision: 4, previousRevision: 2 },
    ],
    [
      'bad and left',
      { ending: BAD, failures: [FAILURE] },
      [WRITTEN],
      { outcome: 'failed', reason: 'CrashLoop', changed: true, revision: 4, previousRevision: 3 },
    ],
    [
      'bad without a write',
      { ending: BAD, failures: [FAILURE] },
      [],
      { outcome: 'failed', changed: false, revision: 3 },
    ],
    [
      'bad and not brought back',
      { ending: BAD, failures: [FAILURE], rolledBack: rolledBack(failed) },
      [WRITTEN],
      { outcome: 'rollback-failed', reason: 'CrashLoop', changed: true },
    ],
    [
      'bad and brought back but for what another deployer has changed',
      { ending: BAD, failures: [FAILURE], rolledBack: rolledBack({}, [left]) },
      [WRITTEN],
      { outcome: 'superseded', reason: 'CrashLoop' },
    ],
    [
      'not brought back is worse than what another deployer has changed',
      { ending: BAD, failures: [FAILURE], rolledBack: rolledBack(failed, [left]) },
      [WRITTEN],
      { outcome: 'rollback-failed' },
    ],
    [
      'unknown',
      { ending: { type: 'unknown', why: 'no answer' } },
      [WRITTEN],
      { outcome: 'unknown', reason: 'ClusterUnreachable', changed: true },
    ],
    [
      'lost to another run',
      { ending: { type: 'lost', why: 'another run has the lock' } },
      [WRITTEN],
      { outcome: 'superseded', changed: true },
    ],
    [
      'healthy, but not this release any more',
      { ending: { type: 'overtaken', why: 'Deployment shop/web was changed by helm' } },
      [WRITTEN],
      { outcome: 'superseded' },
    ],
    [
      'cancelled before a write',
      { ending: { type: 'cancelled' } },
      [],
      { outcome: 'cancelled', reason: 'Cancelled', changed: false },
    ],
    [
      'cancelled and taken back',
      { ending: { type: 'cancelled' }, rolledBack: rolledBack() },
      [WRITTEN],
      { outcome: 'cancelled', reason: 'Cancelled', changed: false },
    ],
    [
      'cancelled, and going back when the process ended',
      { ending: { type: 'cancelled' }, rolledBack: rolledBack(failed, [], new CancelledError('SIGTERM')) },
      [WRITTEN],
      { outcome: 'cancelled', reason: 'Cancelled', changed: true },
    ],
    [
      'cancelled, and not brought back',
      { ending: { type: 'cancelled' }, rolledBack: rolledBack(failed) },
      [WRITTEN],
      { outcome: 'rollback-failed', changed: true },
    ],
    ['cancelled and left', { ending: { type: 'cancelled' } }, [WRITTEN], { outcome: 'cancelled', changed: true }],
  ])('%s', (_name, carriedOut, written, expected) => {
    expect(reportOf(carriedOut, { written })).toMatchObject(expected)
  })

  const problem = { code: 'Forbidden' as const, message: 'may not', hint: 'ask' }
  it.each<[string, Written[], Partial<CarriedOut>, Report['outcome']]>([
    ['before the first one', [], {}, 'rejected'],
    ['and the others were taken back', [WRITTEN], { rolledBack: rolledBack() }, 'rolled-back'],
    ['and the others were left', [WRITTEN], {}, 'failed'],
  ])('after a write that was refused, %s', (_name, written, more, outcome) => {
    const report = reportOf({ ending: { type: 'refused' }, rolledOut: { written, problem }, ...more }, { written })
    expect(report).toMatchObject({ outcome, reason: 'Forbidden', message: 'may not', hint: 'ask' })
  })
})

describe('the outcome of a rollback by hand', () => {
  it.each<[string, Partial<CarriedOut> & Pick<CarriedOut, 'ending'>, Written[], Partial<Report>]>([
    ['good', { ending: GOOD }, [WRITTEN], { outcome: 'rolled-back', changed: true, revision: 4, previousRevision: 3 }],
    ['only something deleted', { ending: GOOD, pruned: [ref] }, [], { outcome: 'rolled-back', changed: true }],
    ['nothing to do', { ending: GOOD }, [], { outcome: 'unchanged', changed: false }],
    [
      'bad',
      { ending: BAD, failures: [FAILURE] },
      [WRITTEN],
      { outcome: 'rollback-failed', reason: 'CrashLoop', changed: true },
    ],
  ])('%s', (_name, carriedOut, written, expected) => {
    const report = reportOf(carriedOut, { isByHand: true, written })
    expect(report).toMatchObject(expected)
    expect(report.reason === undefined).toBe(expected.reason === undefined)
  })

  it('points at no line of a manifest, as it came from a record', () => {
    const carriedOut = { ending: BAD, failures: [FAILURE] }
    expect(reportOf(carriedOut).failures).toMatchObject([{ at }])
    expect(reportOf(carriedOut, { isByHand: true }).failures).not.toHaveProperty(['0', 'at'])
  })

  it('tells its steps like one that went by itself', () => {
    const { rollback } = reportOf({ ending: GOOD, pruned: [{ ...ref, name: 'late' }] }, { isByHand: true })
    expect(rollback?.steps.map(({ name, step }) => `${name} ${step}`)).toEqual(['settings restored', 'late deleted'])
    expect(rollback?.commands).toEqual([])
  })
})

describe('what a report says', () => {
  it('is both causes, when the old version is not back', () => {
    const { message, hint } = reportOf({ ending: BAD, failures: [FAILURE], rolledBack: rolledBack(failed) })
    expect(message).toBe(
      'ConfigMap shop/settings: it crashes; then: The previous revision is back, but it is not healthy',
    )
    expect(hint).toContain('finish the rollback by hand')
  })

  it('has the first failure as its headline, and counts the others', () => {
    const { message } = reportOf({ ending: BAD, failures: [FAILURE, FAILURE, FAILURE] })
    expect(message).toBe('ConfigMap shop/settings: it crashes; 2 more workloads failed')
  })

  it('is every warning, in the order in which it came up', () => {
    expect(reportOf({ ending: GOOD }).warnings).toEqual(['from the session', 'from the forecast', 'from the release'])
  })

  it('has no revision where there never was one and nothing was written', () => {
    const report = reportOf({ ending: { type: 'cancelled' } }, { written: [] })
    expect(report).toMatchObject({ revision: 3 })
    expect(report).not.toHaveProperty('previousRevision')
  })
})
