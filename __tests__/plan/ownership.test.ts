import { describe, expect, it } from '@jest/globals'
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../../src/manifest/object.ts'
import { isAsApplied, ownersAsBefore } from '../../src/plan/ownership.ts'

const entry = (manager: string, operation: string, keys: string[], more: Partial<ManagedFieldsEntry> = {}) => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  time: '2030-01-01T00:00:00Z',
  fieldsV1: { 'f:data': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) } as JsonObject,
  ...more,
})
const settings = (managedFields?: ManagedFieldsEntry[]): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', ...(managedFields && { managedFields }) },
})
const ours = (...keys: string[]) => entry('rollsafe', 'Apply', keys)
const KUBECTL = entry('kubectl-client-side-apply', 'Update', ['a', 'b'])

describe('the owners of an object whose first write by Rollsafe is taken back', () => {
  it.each<[string, ManagedFieldsEntry[], ManagedFieldsEntry[], ManagedFieldsEntry[]]>([
    ['are those that were before', [KUBECTL], [ours('a', 'b')], [KUBECTL]],
    ['are none when nobody was', [], [ours('a')], []],
    [
      'own what they did, also when a part was left to them',
      [KUBECTL],
      [ours('a'), entry('kubectl-client-side-apply', 'Update', ['b'])],
      [KUBECTL],
    ],
    [
      'keep what they have set since',
      [KUBECTL],
      [ours('a'), entry('kubectl-client-side-apply', 'Update', ['c'], { time: 'later' })],
      [entry('kubectl-client-side-apply', 'Update', ['a', 'b', 'c'], { time: 'later' })],
    ],
    [
      'are joined by who came since',
      [KUBECTL],
      [ours('a', 'b'), entry('kubectl-edit', 'Update', ['c'])],
      [KUBECTL, entry('kubectl-edit', 'Update', ['c'])],
    ],
    ['lose every trace of Rollsafe', [KUBECTL], [ours('a'), entry('rollsafe', 'Update', ['b'])], [KUBECTL]],
    [
      'are told apart by operation',
      [entry('helm', 'Update', ['a'])],
      [ours('a'), entry('helm', 'Apply', ['b'])],
      [entry('helm', 'Update', ['a']), entry('helm', 'Apply', ['b'])],
    ],
    [
      'are told apart by subresource, where none and an empty one are the same',
      [entry('tool', 'Update', ['a']), entry('tool', 'Update', ['s'], { subresource: 'status' })],
      [
        ours('a'),
        entry('tool', 'Update', ['t'], { subresource: 'status' }),
        entry('tool', 'Update', ['a'], { subresource: '' }),
      ],
      [
        entry('tool', 'Update', ['a'], { subresource: '' }),
        entry('tool', 'Update', ['s', 't'], { subresource: 'status' }),
      ],
    ],
    [
      'are told apart by the version they write in',
      [entry('tool', 'Update', ['a']), entry('tool', 'Update', ['b'], { apiVersion: 'v2' })],
      [ours('c'), entry('tool', 'Update', ['a']), entry('tool', 'Update', ['b'], { apiVersion: 'v2' })],
      [entry('tool', 'Update', ['a']), entry('tool', 'Update', ['b'], { apiVersion: 'v2' })],
    ],
  ])('%s', (_name, before, restored, owners) => {
    expect(ownersAsBefore(settings(before), settings(restored))).toEqual(owners)
  })

  it.each<[string, ManagedFieldsEntry]>([
    ['by an apply', ours('a')],
    ['by an update', entry('rollsafe', 'Update', ['a'])],
  ])('are left as they are when Rollsafe was there before, %s', (_name, one) => {
    expect(ownersAsBefore(settings([KUBECTL, one]), settings([ours('a')]))).toBeUndefined()
  })

  it('are those of an object that says nothing of owners', () => {
    expect(ownersAsBefore(settings(), settings([ours('a'), KUBECTL]))).toEqual([KUBECTL])
    expect(ownersAsBefore(settings([KUBECTL]), settings())).toEqual([KUBECTL])
  })
})

describe('an object that is applied again', () => {
  const desired: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
    spec: {
      replicas: 2,
      template: {
        spec: { containers: [{ name: 'app', image: 'web:1', ports: [{ containerPort: 80 }] }], volumes: [] },
      },
    },
  }
  const fieldsV1 = {
    'f:metadata': { 'f:labels': { 'f:app': {} } },
    'f:spec': {
      'f:replicas': {},
      'f:template': {
        'f:spec': {
          'f:containers': {
            'k:{"name":"app"}': {
              '.': {},
              'f:name': {},
              'f:image': {},
              'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
            },
          },
          'f:volumes': {},
        },
      },
    },
  } as JsonObject
  const applied = { manager: 'rollsafe', operation: 'Apply', apiVersion: 'apps/v1', fieldsType: 'FieldsV1', fieldsV1 }
  const container = {
    name: 'app',
    image: 'web:1',
    ports: [{ containerPort: 80, protocol: 'TCP' }],
    imagePullPolicy: 'Always',
  }
  const live = (more: { owners?: ManagedFieldsEntry[]; image?: string; volumes?: unknown[] } = {}): KubeObject => ({
    ...desired,
    metadata: { ...desired.metadata, uid: 'u', managedFields: more.owners ?? [applied] },
    spec: {
      replicas: 2,
      strategy: { type: 'RollingUpdate' },
      template: {
        spec: { containers: [{ ...container, image: more.image ?? 'web:1' }], volumes: more.volumes ?? [] },
      },
    },
  })
  const { 'f:spec': spec } = fieldsV1 as { 'f:spec': JsonObject }
  const { 'f:replicas': _replicas, ...withoutReplicas } = spec

  it.each<[string, KubeObject, KubeObject, boolean]>([
    ['is as applied beside defaults and what others own', desired, live(), true],
    [
      'is not known to be when nothing is Rollsafe’s',
      desired,
      live({ owners: [{ ...applied, manager: 'helm' }] }),
      false,
    ],
    ['is not when a value differs', desired, live({ image: 'web:2' }), false],
    ['is not when the manifest has a field more', { ...desired, data: {} }, live(), false],
    [
      'is not when the manifest has a field less',
      { ...desired, metadata: { name: 'web', namespace: 'shop' } },
      live(),
      false,
    ],
    [
      'is not when somebody else has taken a field',
      desired,
      live({ owners: [{ ...applied, fieldsV1: { ...fieldsV1, 'f:spec': withoutReplicas } }] }),
      false,
    ],
    [
      'is not known to be when it was applied in another version of its kind',
      desired,
      live({ owners: [{ ...applied, apiVersion: 'apps/v1beta2' }] }),
      false,
    ],
    [
      'is not known to be when a status is all that was applied',
      desired,
      live({ owners: [{ ...applied, subresource: 'status' }] }),
      false,
    ],
  ])('%s', (_name, wanted, there, expected) => {
    expect(isAsApplied(wanted, there)).toBe(expected)
  })
})
