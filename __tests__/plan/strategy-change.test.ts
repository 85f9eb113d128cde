import { describe, expect, it } from '@jest/globals'
import type { KubeObject, ManagedFieldsEntry } from '../../src/manifest/object.ts'
import { leftoverFields, withNewStrategy, withOldStrategy } from '../../src/plan/strategy-change.ts'

const object = (kind: string, spec: object, managedFields: ManagedFieldsEntry[] = []): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'web', managedFields },
  spec: { replicas: 3, ...spec },
})
const ROLLING = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } }
const LIVE = object('Deployment', { strategy: ROLLING })

describe('a Deployment that becomes Recreate', () => {
  const desired = object('Deployment', { strategy: { type: 'Recreate' }, paused: true })

  it('has numbers to be taken over first', () => {
    expect(leftoverFields(desired, LIVE)).toEqual({
      'f:spec': { 'f:strategy': { 'f:rollingUpdate': { 'f:maxSurge': {}, 'f:maxUnavailable': {} } } },
    })
  })

  it('is tried with the old strategy, and the answer gets the new one', () => {
    const sent = withOldStrategy(desired, LIVE)
    expect(sent).toEqual(object('Deployment', { strategy: ROLLING, paused: true }))
    expect(withNewStrategy(sent, desired, LIVE)).toEqual(desired)
  })
})

it.each(['StatefulSet', 'DaemonSet'])('a %s that becomes OnDelete has a leftover, too', (kind) => {
  const live = object(kind, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } } })
  expect(leftoverFields(object(kind, { updateStrategy: { type: 'OnDelete' } }), live)).toEqual({
    'f:spec': { 'f:updateStrategy': { 'f:rollingUpdate': { 'f:maxUnavailable': {} } } },
  })
})

describe('there is nothing to do', () => {
  const managed = (manager: string, operation: string): ManagedFieldsEntry[] => [
    { manager, operation, fieldsV1: { 'f:spec': { 'f:strategy': { 'f:rollingUpdate': { 'f:maxSurge': {} } } } } },
  ]
  const recreate = object('Deployment', { strategy: { type: 'Recreate' } })
  it.each<[string, KubeObject, KubeObject, boolean]>([
    ['when it was Recreate before', recreate, recreate, false],
    ['when it stays rolling', LIVE, LIVE, false],
    ['when the manifest says nothing', object('Deployment', {}), LIVE, false],
    [
      'when the manifest gives numbers beside it, which is an error',
      { ...recreate, spec: { strategy: { ...ROLLING, type: 'Recreate' } } },
      LIVE,
      false,
    ],
    ['for another kind', { ...recreate, kind: 'Job' }, { ...LIVE, kind: 'Job' }, false],
    [
      'when another manager owns the numbers',
      recreate,
      object('Deployment', { strategy: ROLLING }, managed('helm', 'Apply')),
      false,
    ],
    [
      'but not when Rollsafe does',
      recreate,
      object('Deployment', { strategy: ROLLING }, managed('rollsafe', 'Apply')),
      true,
    ],
    [
      'but not when kubectl create did',
      recreate,
      object('Deployment', { strategy: ROLLING }, managed('kubectl-create', 'Update')),
      true,
    ],
  ])('%s', (_name, desired, live, isChange) => {
    expect(Object.keys(leftoverFields(desired, live))).toHaveLength(isChange ? 1 : 0)
    if (isChange) return
    expect(withOldStrategy(desired, live)).toBe(desired)
    expect(withNewStrategy(desired, desired, live)).toBe(desired)
  })
})
