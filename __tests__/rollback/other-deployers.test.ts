import { describe, expect, it } from '@jest/globals'
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../../src/manifest/object.ts'
import { isMadeAnew, otherDeployers } from '../../src/rollback/other-deployers.ts'

const entry = (
  manager: string | undefined,
  fieldsV1: JsonObject,
  more: Partial<ManagedFieldsEntry> = {},
): ManagedFieldsEntry => ({
  ...(manager !== undefined && { manager }),
  operation: 'Update',
  apiVersion: 'v1',
  time: '2030-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
})
const set = (...keys: string[]): JsonObject => ({ 'f:data': Object.fromEntries(keys.map((key) => [`f:${key}`, {}])) })
const ours = (...keys: string[]) => entry('rollsafe', set(...keys), { operation: 'Apply' })

function settings(data: object, managedFields: ManagedFieldsEntry[], release?: string): KubeObject {
  const labels = release === undefined ? {} : { labels: { 'rollsafe.dev/release': release } }
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'shop', uid: 'u', ...labels, managedFields },
    data,
  }
}
const AFTER = settings({ a: '2', b: '2' }, [ours('a', 'b')], 'shop')

describe('who has changed what our write had set', () => {
  it.each<[string, KubeObject, KubeObject, string[]]>([
    ['nobody', AFTER, AFTER, []],
    [
      'somebody by hand',
      AFTER,
      settings({ a: '3', b: '2' }, [ours('b'), entry('kubectl-edit', set('a'))], 'shop'),
      ['kubectl-edit'],
    ],
    [
      'two of them, each named once',
      AFTER,
      settings(
        { a: '3', b: '3' },
        [entry('helm', set('a'), { operation: 'Apply' }), entry('helm', set('b')), entry('kubectl-set', set('b'))],
        'shop',
      ),
      ['helm', 'kubectl-set'],
    ],
    ['one without a name', AFTER, settings({ a: '3', b: '2' }, [ours('b'), entry(undefined, set('a'))]), ['unknown']],
    [
      'nobody, when somebody has applied the same value beside us',
      AFTER,
      settings({ a: '2', b: '2' }, [ours('a', 'b'), entry('other-team', set('a'), { operation: 'Apply' })], 'shop'),
      [],
    ],
    [
      'nobody, when something was added that we have not',
      AFTER,
      settings({ a: '2', b: '2', c: '3' }, [ours('a', 'b'), entry('kubectl-edit', set('c'))], 'shop'),
      [],
    ],
    [
      'not the one who changed something else',
      AFTER,
      settings({ a: '3', b: '2', c: '3' }, [entry('one', set('a')), entry('two', set('c'))], 'shop'),
      ['one'],
    ],
    [
      'nobody, when another run of ours has written it again',
      AFTER,
      settings({ a: '3', b: '3' }, [ours('a', 'b')], 'shop'),
      [],
    ],
    [
      'not an owner from before our write, who has changed nothing since',
      settings({ a: '2' }, [ours('a'), entry('helm', set('a'), { operation: 'Apply' })]),
      settings({ a: '3' }, [entry('helm', set('a'), { operation: 'Apply' }), entry('kubectl-edit', set('a'))]),
      ['kubectl-edit'],
    ],
    [
      'but one from before who has written it since',
      settings({ a: '2' }, [ours('a'), entry('helm', set('a'), { operation: 'Apply' })]),
      settings({ a: '3' }, [entry('helm', set('a'), { operation: 'Apply', time: '2030-01-01T00:00:09Z' })]),
      ['helm'],
    ],
    [
      'not who writes a subresource',
      AFTER,
      settings({ a: '3', b: '2' }, [ours('b'), entry('controller', set('a'), { subresource: 'status' })]),
      [],
    ],
    ['another release of ours', AFTER, settings({ a: '2', b: '2' }, [ours('a', 'b')], 'other'), ['the release other']],
    ['nobody, when the label alone was taken off', AFTER, settings({ a: '2', b: '2' }, [ours('a', 'b')]), []],
    ['nobody, when a field that we had set was taken away', AFTER, settings({ b: '2' }, [ours('b')], 'shop'), []],
    ['nobody, when we know nothing of our fields', settings({ a: '2' }, []), settings({ a: '3' }, []), []],
  ])('%s', (_name, after, current, names) => {
    expect(otherDeployers(after, current)).toEqual(names)
  })

  it('sees one that owns all of what we have a part of, and one that has a part of what we own', () => {
    const whole = (fields: JsonObject, value: string) => ({ ...settings({ a: value }, [entry('tool', fields)]) })
    const wide = settings({ a: '2' }, [entry('rollsafe', { 'f:data': {} }, { operation: 'Apply' })])
    expect(otherDeployers(settings({ a: '2' }, [ours('a')]), whole({ 'f:data': {} }, '3'))).toEqual(['tool'])
    expect(otherDeployers(wide, whole(set('a'), '3'))).toEqual(['tool'])
  })

  it('does not count replicas, whoever sets them', () => {
    const fields = { 'f:spec': { 'f:replicas': {} } }
    const web = (replicas: number, managedFields: ManagedFieldsEntry[]): KubeObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', managedFields },
      spec: { replicas },
    })
    const after = web(2, [entry('rollsafe', fields, { operation: 'Apply' })])
    expect(otherDeployers(after, web(5, [entry('hpa', fields, { subresource: 'scale' })]))).toEqual([])
    expect(otherDeployers(after, web(5, [entry('kubectl-edit', fields)]))).toEqual([])
  })
})

describe('an object under the same name', () => {
  const before = settings({ a: '1' }, [])
  const anew = (managers: ManagedFieldsEntry[]) => {
    const object = settings({ a: '1' }, managers)
    return { ...object, metadata: { ...object.metadata, uid: 'other' } }
  }
  it.each<[string, KubeObject, boolean]>([
    ['is the same with the same UID', settings({ a: '9' }, [entry('kubectl-edit', set('a'))]), false],
    ['is somebody else’s with another one', anew([entry('kubectl-create', set('a'))]), true],
    ['is ours when we have made it anew', anew([entry('rollsafe', set('a'))]), false],
    ['is somebody else’s without owners', anew([]), true],
  ])('%s', (_name, current, isAnew) => {
    expect(isMadeAnew(before, current)).toBe(isAnew)
  })

  it('has to be the same name', () => {
    const other = { ...before, metadata: { ...before.metadata, name: 'other' } }
    expect(() => isMadeAnew(before, other)).toThrow('two different objects')
  })
})
