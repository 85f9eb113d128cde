import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { conditionsIn, saidBy } from '../../src/rollout/conditions.ts'
import type { Status } from '../../src/rollout/state.ts'
import { statusOf } from '../../src/rollout/status.ts'

const certificate = (status: unknown, metadata: object = { generation: 2 }): KubeObject => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  status,
})
const is = (type: string, status = 'True', more: object = {}) => ({
  type,
  status,
  reason: '',
  message: type.toLowerCase(),
  ...more,
})
const OBSERVING: Status = { state: 'progressing', message: 'waiting for the spec update to be observed' }
const APPLIED: Status = { state: 'healthy', message: 'is applied', isAssumed: true }

describe('a custom resource', () => {
  it.each<[string, KubeObject, Status]>([
    ['without a status', certificate(undefined), APPLIED],
    ['without conditions', certificate({ phase: 'Running' }), APPLIED],
    ['with conditions that mean nothing to us', certificate({ conditions: [is('Synced')] }), APPLIED],
    ['not observed', certificate({ observedGeneration: 1, conditions: [is('Ready')] }), OBSERVING],
    ['not observed since our write', certificate({ observedGeneration: 1 }, { generation: 1 }), OBSERVING],
    ['not observed, told as text', certificate({ observedGeneration: '1', conditions: [is('Ready')] }), OBSERVING],
    [
      'observed, told as text',
      certificate({ observedGeneration: '2', conditions: [is('Ready')] }),
      { state: 'healthy', message: 'is ready' },
    ],
    ['a generation that is none', certificate({ observedGeneration: 'latest' }), APPLIED],
    [
      'ready',
      certificate({ observedGeneration: 2, conditions: [is('Ready')] }),
      { state: 'healthy', message: 'is ready' },
    ],
    [
      'ready, but nobody says for which spec',
      certificate({ conditions: [is('Ready')] }),
      { state: 'healthy', message: 'is ready', isAssumed: true },
    ],
    [
      'ready for an older spec',
      certificate({ conditions: [is('Ready', 'True', { observedGeneration: 1 })] }),
      OBSERVING,
    ],
    [
      'ready for our spec, by the condition alone',
      certificate({ conditions: [is('Ready', 'True', { observedGeneration: 2 })] }),
      { state: 'healthy', message: 'is ready' },
    ],
    [
      'not ready',
      certificate({
        observedGeneration: 2,
        conditions: [is('Ready', 'False', { message: 'Waiting for\n the issuer.' })],
      }),
      { state: 'progressing', message: 'is not ready: Waiting for the issuer' },
    ],
    [
      'not known to be ready',
      certificate({ observedGeneration: 2, conditions: [is('Ready', 'Unknown', { message: '', reason: 'Checking' })] }),
      { state: 'progressing', message: 'is not ready: Checking' },
    ],
    [
      'reconciling, although it was ready',
      certificate({ observedGeneration: 2, conditions: [is('Ready'), is('Reconciling')] }),
      { state: 'progressing', message: 'is reconciling: reconciling' },
    ],
    [
      'stalled, which its controller does not mend',
      certificate({
        observedGeneration: 2,
        conditions: [is('Reconciling'), is('Stalled', 'True', { message: 'bad key' })],
      }),
      { state: 'failed', reason: 'ProgressDeadlineExceeded', message: 'is stalled: bad key' },
    ],
    ['stalled before our write', certificate({ observedGeneration: 1, conditions: [is('Stalled')] }), OBSERVING],
    [
      'no longer stalled',
      certificate({ observedGeneration: 2, conditions: [is('Stalled', 'False'), is('Ready')] }),
      { state: 'healthy', message: 'is ready' },
    ],
    [
      'on its way out',
      certificate({ conditions: [is('Ready')] }, { deletionTimestamp: 't' }),
      { state: 'failed', reason: 'Deleted', message: 'is being deleted by somebody else' },
    ],
  ])('%s', (_name, object, expected) => {
    expect(statusOf(object, { generation: 2 })).toEqual(expected)
  })
})

describe('conditions', () => {
  it('are read from whatever is there', () => {
    const list = [
      { type: 'Ready', status: 'True', observedGeneration: 3, lastUpdateTime: 't' },
      'Ready',
      { type: 1 },
      null,
    ]
    expect(conditionsIn(list)).toEqual([
      { type: 'Ready', status: 'True', reason: '', message: '', observedGeneration: 3, lastUpdateTime: 't' },
    ])
    expect(conditionsIn({ type: 'Ready' })).toEqual([])
  })

  it.each([
    [{ reason: 'Waiting', message: 'for\n\tthe  issuer. ' }, 'for the issuer'],
    [{ reason: 'Waiting', message: ' ' }, 'Waiting'],
    [{ reason: '', message: '' }, 'no reason given'],
  ])('%j says: %s', (condition, words) => expect(saidBy(condition)).toBe(words))
})
