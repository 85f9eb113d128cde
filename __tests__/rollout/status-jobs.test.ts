import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { statusWhenGone } from '../../src/rollout/jobs.ts'
import type { Status } from '../../src/rollout/state.ts'
import { statusOf } from '../../src/rollout/status.ts'
import { deployment } from './objects.ts'

const job = (status: object, spec: object = { completions: 1 }, metadata: object = {}): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'migrate', namespace: 'shop', ...metadata },
  spec,
  status,
})
const condition = (type: string, message = '', reason = '') => ({ type, status: 'True', reason, message })
const COMPLETE = { succeeded: 1, conditions: [condition('SuccessCriteriaMet'), condition('Complete')] }
const BACKOFF = 'Job has reached the specified backoff limit'
const FAILED = { failed: 7, conditions: [condition('FailureTarget', BACKOFF), condition('Failed', BACKOFF)] }

describe('a Job', () => {
  it.each<[string, KubeObject, Status['state'], string]>([
    ['not seen by its controller', job({}), 'progressing', '0 of 1 pod succeeded'],
    ['started is not done', job({ active: 1 }), 'progressing', '0 of 1 pod succeeded'],
    ['half done', job({ succeeded: 1 }, { completions: 2 }), 'progressing', '1 of 2 pods succeeded'],
    [
      'tried again',
      job({ failed: 2, active: 1 }, { backoffLimit: 4 }),
      'progressing',
      '0 of 1 pod succeeded, 2 failed (backoffLimit 4)',
    ],
    [
      'tried again, by default six times',
      job({ failed: 1 }),
      'progressing',
      '0 of 1 pod succeeded, 1 failed (backoffLimit 6)',
    ],
    [
      'about to be complete',
      job({ succeeded: 1, conditions: [condition('SuccessCriteriaMet')] }),
      'progressing',
      '1 of 1 pod succeeded',
    ],
    ['complete', job(COMPLETE), 'healthy', 'is complete: 1 of 1 pod succeeded'],
    [
      'complete by policy, with fewer',
      job(COMPLETE, { completions: 3 }),
      'healthy',
      'is complete: 1 of 3 pods succeeded',
    ],
    ['workers at a queue', job({ succeeded: 2 }, { parallelism: 3 }), 'progressing', '2 pods succeeded'],
    ['failed', job(FAILED), 'failed', `has failed: ${BACKOFF}`],
    [
      'about to fail, which is never taken back',
      job({ failed: 1, conditions: [condition('FailureTarget', '', 'PodFailurePolicy')] }),
      'failed',
      'has failed: PodFailurePolicy',
    ],
    [
      'a condition that is not True',
      job({ conditions: [{ type: 'Failed', status: 'False' }] }),
      'progressing',
      '0 of 1 pod succeeded',
    ],
    [
      'suspended',
      job({ conditions: [condition('Suspended')] }, { suspend: true }),
      'healthy',
      'is suspended: it runs when spec.suspend is set to false',
    ],
    [
      'complete before it was suspended',
      job(COMPLETE, { suspend: true }),
      'healthy',
      'is complete: 1 of 1 pod succeeded',
    ],
    // The TTL controller deletes in the foreground, so the object is seen on its way out.
    [
      'complete and being cleaned up',
      job(COMPLETE, {}, { deletionTimestamp: 't' }),
      'healthy',
      'is complete: 1 of 1 pod succeeded',
    ],
    ['failed and being cleaned up', job(FAILED, {}, { deletionTimestamp: 't' }), 'failed', `has failed: ${BACKOFF}`],
    [
      'deleted while it runs',
      job({ active: 1 }, { ttlSecondsAfterFinished: 60 }, { deletionTimestamp: 't' }),
      'failed',
      'is being deleted by somebody else',
    ],
  ])('%s', (_name, object, state, message) => {
    expect(statusOf(object, { generation: 0 })).toMatchObject({ state, message })
  })
})

describe('an object that is gone', () => {
  const DELETED = { state: 'failed', reason: 'Deleted', message: 'was deleted by somebody else' } as const
  const TTL = { ttlSecondsAfterFinished: 0 }

  it.each<[string, KubeObject | undefined, boolean, Status]>([
    ['that was never seen', undefined, false, DELETED],
    ['a Deployment', deployment('web', { updated: 3, available: 3 }), true, DELETED],
    ['a complete Job', job(COMPLETE), true, { state: 'healthy', message: 'is complete: 1 of 1 pod succeeded' }],
    [
      'a failed Job',
      job(FAILED, TTL),
      true,
      { state: 'failed', reason: 'JobFailed', message: `has failed: ${BACKOFF}` },
    ],
    ['a Job that ran, without a TTL', job({ active: 1 }), false, DELETED],
    ['a Job that ran, deleted before our eyes', job({ active: 1 }, TTL), true, DELETED],
    ['a Job that ran and was being deleted', job({ active: 1 }, TTL, { deletionTimestamp: 't' }), false, DELETED],
    [
      'a Job whose end nobody saw',
      job({ active: 1 }, TTL),
      false,
      {
        state: 'healthy',
        message: 'was cleaned up (ttlSecondsAfterFinished 0) before its end was seen; no pod had failed',
      },
    ],
    [
      'a Job whose end nobody saw, but a failure',
      job({ active: 1, failed: 1 }, { ttlSecondsAfterFinished: 5 }),
      false,
      {
        state: 'failed',
        reason: 'JobFailed',
        message:
          'was cleaned up (ttlSecondsAfterFinished 5) before its end was seen, and 1 pod had failed; raise ttlSecondsAfterFinished to know',
      },
    ],
    [
      'a Job whose end nobody saw, but enough successes',
      job({ failed: 1, succeeded: 1 }, TTL),
      false,
      {
        state: 'healthy',
        message: 'was cleaned up (ttlSecondsAfterFinished 0) before its end was seen; 1 pod had succeeded',
      },
    ],
  ])('%s', (_name, object, isFinal, expected) => {
    expect(statusWhenGone(object, isFinal)).toEqual(expected)
  })
})

describe('a CronJob', () => {
  const cron = (spec: object): KubeObject => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'report' },
    spec,
  })

  it.each([
    [{ schedule: '0 3 * * *' }, 'runs at 0 3 * * *'],
    [{ schedule: '0 3 * * *', suspend: true }, 'is suspended: no Job is started'],
  ])('%j', (spec, message) => {
    expect(statusOf(cron(spec), { generation: 0 })).toEqual({ state: 'healthy', message })
  })
})
