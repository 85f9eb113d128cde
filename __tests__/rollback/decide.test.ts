import { expect, it } from '@jest/globals'
import type { ReasonCode } from '../../src/errors.ts'
import { type Ending, type RollbackPolicy, shouldUndo } from '../../src/rollback/decide.ts'

const DEFAULTS: RollbackPolicy = { rollback: 'auto', onDelete: 'restore', onCancel: 'rollback', onUnknown: 'leave' }
const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }
const bad = (first: ReasonCode, ...more: ReasonCode[]): Ending => {
  const failure = (reason: ReasonCode) => ({ ref, reason, message: '' })
  return { type: 'bad', failures: [failure(first), ...more.map(failure)] }
}
const unknown: Ending = { type: 'unknown', why: 'the API server did not answer' }

it.each<[string, Ending, Partial<RollbackPolicy>, boolean]>([
  ['a good release', { type: 'good' }, { onUnknown: 'rollback' }, false],
  [
    'a release that another run has taken',
    { type: 'lost', why: 'another run has the lock' },
    { onUnknown: 'rollback' },
    false,
  ],
  [
    'a release that another deployer has changed',
    { type: 'overtaken', why: 'by helm' },
    { onUnknown: 'rollback' },
    false,
  ],
  ['a bad release', bad('CrashLoop'), {}, true],
  ['a bad release, with rollback: off', bad('CrashLoop'), { rollback: 'off' }, false],
  ['a write that was refused', { type: 'refused' }, {}, true],
  ['a write that was refused, with rollback: off', { type: 'refused' }, { rollback: 'off' }, false],
  ['an unknown end', unknown, {}, false],
  ['an unknown end, when asked to', unknown, { onUnknown: 'rollback' }, true],
  ['an unknown end, with rollback: off', unknown, { onUnknown: 'rollback', rollback: 'off' }, false],
  ['a cancelled run', { type: 'cancelled' }, {}, true],
  ['a cancelled run that is to be left', { type: 'cancelled' }, { onCancel: 'leave' }, false],
  ['a cancelled run, with rollback: off', { type: 'cancelled' }, { rollback: 'off' }, false],
  ['a deleted workload', bad('Deleted'), {}, true],
  ['a deleted workload, with on-delete: fail', bad('Deleted'), { onDelete: 'fail' }, false],
  ['two deleted workloads, with on-delete: fail', bad('Deleted', 'Deleted'), { onDelete: 'fail' }, false],
  // The release is bad whatever was deleted beside it.
  ['a deleted and a bad workload, with on-delete: fail', bad('Deleted', 'OutOfMemory'), { onDelete: 'fail' }, true],
  ['a deleted workload, with rollback: off', bad('Deleted'), { rollback: 'off' }, false],
])('%s', (_name, ending, policy, isUndone) => {
  expect(shouldUndo(ending, { ...DEFAULTS, ...policy })).toBe(isUndone)
})
