import { describe, expect, it } from '@jest/globals'
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../../src/manifest/object.ts'
import { adoptFields, mayTake, readConflicts } from '../../src/plan/ownership.ts'
import { exactRepair, restoringApply } from '../../src/rollback/restore.ts'

const owner = (manager: string, operation: string, fieldsV1: JsonObject, subresource = ''): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion: 'v1',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...(subresource !== '' && { subresource }),
})
const ours = (fields: JsonObject) => owner('rollsafe', 'Apply', fields)

function settings(
  data: Record<string, string>,
  managedFields: ManagedFieldsEntry[],
  labels?: Record<string, string>,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'shop', uid: 'u', ...(labels && { labels }), managedFields },
    data,
  }
}

const META = { name: 'settings', namespace: 'shop' }
const set = (...keys: string[]): JsonObject => ({ 'f:data': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) })

describe('what is applied to undo a write', () => {
  it('is what we had applied before', () => {
    const before = settings({ a: '1', b: '1' }, [ours(set('a', 'b'))])
    const after = settings({ a: '2', c: '2' }, [ours(set('a', 'c'))])
    expect(restoringApply({ before, after }, after)).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: META,
      data: { a: '1', b: '1' },
    })
  })

  it('holds what client-side kubectl apply had set, as we adopted it, but not its annotation', () => {
    const fields = {
      ...set('a'),
      'f:metadata': { 'f:annotations': { 'f:kubectl.kubernetes.io/last-applied-configuration': {} } },
    }
    const before = settings({ a: '1' }, [owner('kubectl-client-side-apply', 'Update', fields)])
    const after = settings({ a: '2' }, [ours(set('a'))])
    expect(restoringApply({ before, after }, after)).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: META,
      data: { a: '1' },
    })
  })

  it('holds no count that the API server keeps, whoever is called its owner', () => {
    const template = { 'f:spec': { 'f:template': { 'f:spec': { 'f:priorityClassName': {} } } } }
    const counted = { 'f:metadata': { 'f:annotations': { 'f:deprecated.daemonset.template.generation': {} } } }
    const daemonSet = (priorityClassName: string, generation: string, entry: ManagedFieldsEntry): KubeObject => ({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: {
        name: 'agent',
        annotations: { 'deprecated.daemonset.template.generation': generation },
        managedFields: [entry],
      },
      spec: { template: { spec: { priorityClassName } } },
    })
    const before = daemonSet('low', '1', owner('kubectl-client-side-apply', 'Update', { ...template, ...counted }))
    const after = daemonSet('high', '2', ours(template))
    const restored = daemonSet('low', '3', ours(template))
    expect(restoringApply({ before, after }, after)).toEqual({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent' },
      spec: { template: { spec: { priorityClassName: 'low' } } },
    })
    expect(exactRepair({ before, after }, after, restored)).toBeUndefined()
  })

  it('holds what was set by hand and our write replaced, but nothing else that is not ours', () => {
    const before = settings({ a: 'hand', b: 'hand' }, [owner('kubectl-edit', 'Update', set('a', 'b'))])
    const after = settings({ a: '2', b: 'hand' }, [ours(set('a')), owner('kubectl-edit', 'Update', set('b'))])
    expect(restoringApply({ before, after }, after)).toMatchObject({ data: { a: 'hand' } })
  })

  it('holds a value that nobody owned and our write replaced', () => {
    const before = settings({ a: 'default' }, [])
    const after = settings({ a: '2' }, [ours(set('a'))])
    expect(restoringApply({ before, after }, after)).toMatchObject({ data: { a: 'default' } })
  })

  it('leaves to others what they have taken since', () => {
    const before = settings({ a: '1', b: '1' }, [ours(set('a', 'b'))])
    const after = settings({ a: '2', b: '2' }, [ours(set('a', 'b'))])
    const current = settings({ a: '2', b: 'theirs' }, [ours(set('a')), owner('kubectl-edit', 'Update', set('b'))])
    expect(restoringApply({ before, after }, current)).toMatchObject({ data: { a: '1' } })
    expect(restoringApply({ before, after }, current)['data']).not.toHaveProperty('b')
  })

  it('is everything we had, when the object is gone', () => {
    const before = settings({ a: '1' }, [ours(set('a'))])
    expect(restoringApply({ before, after: before }, undefined)).toMatchObject({ data: { a: '1' } })
  })

  it('is nothing, to give up our fields, when nothing of it was ours', () => {
    const before = settings({ a: '1' }, [owner('helm', 'Apply', set('a'))])
    const after = settings({ a: '1' }, [owner('helm', 'Apply', set('a')), ours(set('a'))])
    expect(restoringApply({ before, after }, after)).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: META })
  })
})

describe('keys with a meaning in JavaScript', () => {
  const data = (value: string) =>
    JSON.parse(`{"__proto__":"${value}","constructor":"${value}","a":"${value}"}`) as Record<string, string>
  const owned = [ours(set('__proto__', 'constructor', 'a'))]
  const full = (value: string) => settings(data(value), owned)
  const short = (value: string) => settings({ a: value }, [ours(set('a'))])

  it('come back, by what is applied and by the exact repair', () => {
    const applied = restoringApply({ before: full('1'), after: full('2') }, full('2'))
    expect(JSON.stringify(applied['data'])).toBe(JSON.stringify(data('1')))
    const repaired = exactRepair({ before: full('1'), after: short('2') }, short('2'), short('2'))
    expect(new Map(Object.entries(repaired?.['data'] ?? {}))).toEqual(new Map(Object.entries(data('1'))))
  })

  it('go again', () => {
    const repaired = exactRepair({ before: short('1'), after: full('2') }, full('2'), full('2'))
    expect(Object.keys(repaired?.['data'] ?? {})).toEqual(['a'])
  })
})

describe('the exact repair', () => {
  const before = settings({ a: '1' }, [ours(set('a'))])
  const after = settings({ a: '2', c: '2' }, [ours(set('a', 'c'))])

  it('is not needed when applying was enough', () => {
    expect(exactRepair({ before, after }, after, settings({ a: '1' }, [ours(set('a'))]))).toBeUndefined()
  })

  it('puts back what is still different, and touches nothing of others', () => {
    const stuck = settings({ a: '2', c: '2', theirs: 'x' }, [ours(set('a')), owner('other', 'Update', set('theirs'))])
    expect(exactRepair({ before, after }, stuck, stuck)).toMatchObject({ data: { a: '1', theirs: 'x' } })
  })

  it('takes a map away that the release made, unless others have put something into it', () => {
    const labels = { 'f:metadata': { 'f:labels': { 'f:rollsafe.dev/release': {} } } }
    const plain = settings({}, [])
    const labelled = settings({}, [ours(labels)], { 'rollsafe.dev/release': 'shop' })
    expect(exactRepair({ before: plain, after: labelled }, labelled, labelled)?.metadata).not.toHaveProperty('labels')
    const shared = settings({}, [ours(labels)], { 'rollsafe.dev/release': 'shop', team: 'a' })
    expect(exactRepair({ before: plain, after: labelled }, labelled, shared)?.metadata.labels).toEqual({ team: 'a' })
  })

  it('restores the order of a list', () => {
    const list = (args: string[], fields: JsonObject): KubeObject => ({
      apiVersion: 'example.dev/v1',
      kind: 'Thing',
      metadata: { ...META, managedFields: [ours(fields)] },
      spec: { args },
    })
    const fields = { 'f:spec': { 'f:args': {} } }
    const repaired = exactRepair(
      { before: list(['a', 'b'], fields), after: list(['b', 'a'], fields) },
      undefined,
      list(['b', 'a'], fields),
    )
    expect(repaired?.['spec']).toEqual({ args: ['a', 'b'] })
  })
})

describe('ownership', () => {
  it('moves what kubectl apply and kubectl create wrote down, and keeps the annotation with its owner', () => {
    const annotation = {
      'f:metadata': { 'f:annotations': { 'f:kubectl.kubernetes.io/last-applied-configuration': {} } },
    }
    const live = settings({ a: '1', b: '1' }, [
      owner('kubectl-client-side-apply', 'Update', { ...set('a'), ...annotation }),
      owner('kubectl-create', 'Update', set('b')),
      owner('kubectl-edit', 'Update', set('c')),
      owner('kube-controller-manager', 'Update', { 'f:status': {} }, 'status'),
    ])
    expect(adoptFields(live)?.map(({ manager, operation, fieldsV1 }) => [manager, operation, fieldsV1])).toEqual([
      ['kubectl-client-side-apply', 'Update', annotation],
      ['kubectl-edit', 'Update', set('c')],
      ['kube-controller-manager', 'Update', { 'f:status': {} }],
      ['rollsafe', 'Apply', { 'f:data': { 'f:a': {}, 'f:b': {} } }],
    ])
  })

  it('has nothing to move a second time', () => {
    const live = settings({ a: '1' }, [
      ours(set('a')),
      owner('kubectl-client-side-apply', 'Update', {
        'f:metadata': { 'f:annotations': { 'f:kubectl.kubernetes.io/last-applied-configuration': {} } },
      }),
    ])
    expect(adoptFields(live)).toBeUndefined()
  })

  it.each([
    ['kubectl-edit', true],
    ['kubectl-set', true],
    ['kubectl-client-side-apply', true],
    ['rollsafe', true],
    ['kubectl', true],
    ['helm', false],
    ['kube-controller-manager', false],
    ['argocd-controller', false],
    ['kubectlish', false],
  ])('%s may be taken from: %s', (manager, expected) => {
    expect(mayTake({ manager, field: '.data.a' }, settings({}, []))).toBe(expected)
  })

  it('does not take from kubectl apply --server-side', () => {
    expect(mayTake({ manager: 'kubectl', field: '.data.a' }, settings({}, [owner('kubectl', 'Apply', set('a'))]))).toBe(
      false,
    )
  })

  it('reads who owns what from the answer of the API server', () => {
    const cause = {
      reason: 'FieldManagerConflict',
      message: 'conflict with "helm" using apps/v1',
      field: '.spec.replicas',
    }
    expect(readConflicts([cause, { reason: 'Other', message: '', field: '' }])).toEqual([
      { manager: 'helm', field: '.spec.replicas' },
    ])
  })
})
