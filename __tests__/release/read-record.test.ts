import { describe, expect, it } from '@jest/globals'
import { readRecord, RecordError } from '../../src/release/read-record.ts'
import { RECORD_STATUSES, type ReleaseRecord } from '../../src/release/record.ts'
import { RELEASE_LABEL } from '../../src/plan/desired.ts'
import { configMap, releaseRecord } from './records.ts'

const EXPECTED = { release: 'shop', namespace: 'shop', revision: 3 }
const read = (record: unknown) => readRecord(JSON.stringify(record), EXPECTED)
const settings = configMap('settings')
const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'settings' }

const START = 'the record of revision 3 of release shop cannot be used: '

/** What is said to be wrong, behind the words that every RecordError begins with. */
function faultOf(json: string): string {
  try {
    readRecord(json, EXPECTED)
  } catch (error) {
    if (error instanceof RecordError && error.message.startsWith(START)) return error.message.slice(START.length)
    throw error
  }
  return 'it can be read'
}

const withMetadata = (more: object) => ({ ...settings, metadata: { ...settings.metadata, ...more } })
const withObject = (object: unknown) => ({ ...releaseRecord(), objects: [{ object }] })
const withWrite = (write: unknown) => ({ ...releaseRecord(), writes: [write] })
const withBy = (more: object) => ({ ...releaseRecord(), by: { ...releaseRecord().by, ...more } })

describe('readRecord', () => {
  it.each<[string, Partial<ReleaseRecord>]>([
    ['a good one', {}],
    ['a pending one of a killed run', { status: 'pending', message: '' }],
    ['a copy', { copyOf: 1 }],
    ['one with a reason', { status: 'rolled-back', reason: 'CrashLoop' }],
    ['one without objects', { objects: [] }],
    ['one of a run with an odd number', { by: { ...withBy({ id: 0, sha: '', ref: '' }).by } as never }],
    ['cluster-scoped objects', { objects: [{ object: withoutNamespace('ClusterRole', 'system:shop reader') }] }],
    ['annotations that are null, as in a manifest', { objects: [{ object: withMetadata({ annotations: null }) }] }],
    [
      'a ConfigMap whose key looks like a trap',
      { objects: [{ object: configMap('c', JSON.parse('{"__proto__":"x"}')) }] },
    ],
    [
      'a schema that has a property called constructor',
      { objects: [{ object: { ...settings, spec: { constructor: { type: 'string' }, prototype: {} } } }] },
    ],
    [
      'every kind of write',
      {
        status: 'bad',
        writes: [
          { type: 'create', ref, after: settings },
          { type: 'update', ref, before: settings, after: settings },
          { type: 'run', ref },
          { type: 'prune', ref, before: configMap('settings', {}, 'another release may have owned it') },
          { type: 'update', ref, before: { ...settings, metadata: ownedMetadata() } },
        ],
      },
    ],
  ])('reads %s', (_name, more) => {
    expect(read(releaseRecord(more))).toEqual(releaseRecord(more))
  })

  it.each(RECORD_STATUSES)('reads the status %s', (status) => {
    expect(read(releaseRecord({ status })).status).toBe(status)
  })

  it('leaves out what it does not know', () => {
    const record = { ...releaseRecord(), extra: 1, objects: [{ object: settings, extra: 1 }], reason: 'NewInVersion2' }
    const { objects, ...rest } = read({
      ...record,
      by: { ...record.by, extra: 1 },
      writes: [{ type: 'run', ref, extra: 1 }],
    })
    expect(JSON.stringify({ objects, ...rest })).not.toMatch(/extra|NewInVersion2/)
  })

  it.each<[string, unknown]>([
    ['its release is not "shop"', { ...releaseRecord(), release: 'other' }],
    ['its namespace is not "shop"', { ...releaseRecord(), namespace: 'kube-system' }],
    ['its revision is not 3', { ...releaseRecord(), revision: 2 }],
    ['its revision is not 3', { ...releaseRecord(), revision: '3' }],
    ['it was written by another version of Rollsafe: its schema is not 1', { ...releaseRecord(), schema: 2 }],
    ['it is not an object', []],
    ['it is not an object', null],
    ['its status is none that there is', { ...releaseRecord(), status: 'toString' }],
    ['message is not a text', { ...releaseRecord(), message: undefined }],
    ['reason is not a text', { ...releaseRecord(), reason: 7 }],
    ['startedAt is not an ISO 8601 time', { ...releaseRecord(), startedAt: 'yesterday' }],
    ['startedAt is not an ISO 8601 time', { ...releaseRecord(), startedAt: '2030-13-02T03:04:05Z' }],
    ['endedAt is not a text', { ...releaseRecord(), endedAt: 5 }],
    ['copyOf is not a whole number from 1', { ...releaseRecord(), copyOf: 0.5 }],
    ['by is not an object', { ...releaseRecord(), by: 'mona' }],
    ['by.url is no web address', withBy({ url: 'javascript:alert(1)' })],
    ['by.url is no web address', withBy({ url: 'acme' })],
    ['by.actor is not a text', withBy({ actor: {} })],
    ['by.id is not a whole number from 0', withBy({ id: 1e300 })],
    ['objects is not a list', { ...releaseRecord(), objects: { length: 1 } }],
    ['objects has more than 10000 items', { ...releaseRecord(), objects: Array(10_001).fill(0) }],
    ['writes has more than 20000 items', { ...releaseRecord(), writes: Array(20_001).fill(0) }],
    ['writes is not a list', { ...releaseRecord(), writes: undefined }],
    ['objects[0] is not an object', { ...releaseRecord(), objects: ['x'] }],
    ['objects[0].object is not an object', withObject([])],
    ['objects[0].uid is empty', { ...releaseRecord(), objects: [{ object: settings, uid: '' }] }],
    ['objects[0].object.apiVersion is no version of an API', withObject({ ...settings, apiVersion: 1 })],
    ['objects[0].object.apiVersion is no version of an API', withObject({ ...settings, apiVersion: '../v1' })],
    ['objects[0].object.apiVersion is no version of an API', withObject({ ...settings, apiVersion: 'a/b/v1' })],
    ['objects[0].object.kind is no kind', withObject({ ...settings, kind: '' })],
    ['objects[0].object.kind is no kind', withObject({ ...settings, kind: 'Pod\n::error::' })],
    ['objects[0].object.metadata is not an object', withObject({ ...settings, metadata: [] })],
    ['the name of objects[0].object is no name of an object', withObject(withMetadata({ name: undefined }))],
    ['the name of objects[0].object is no name of an object', withObject(withMetadata({ name: '..' }))],
    ['the name of objects[0].object is no name of an object', withObject(withMetadata({ name: 'a/../b' }))],
    ['the name of objects[0].object is no name of an object', withObject(withMetadata({ name: 'a%2fb' }))],
    ['the namespace of objects[0].object is no namespace', withObject(withMetadata({ namespace: '..' }))],
    ['the namespace of objects[0].object is no namespace', withObject(withMetadata({ namespace: null }))],
    ['objects[0].object.metadata.labels is not a map of texts', withObject(withMetadata({ labels: ['a'] }))],
    ['objects[0].object.metadata.labels is not a map of texts', withObject(withMetadata({ labels: { a: 1 } }))],
    [
      'objects[0].object.metadata.annotations is not a map of texts',
      withObject(withMetadata({ annotations: { a: {} } })),
    ],
    ['objects[0].object.metadata.uid is not a text', withObject(withMetadata({ uid: 1 }))],
    [
      'objects[0].object.metadata.generation is not a whole number from 0',
      withObject(withMetadata({ generation: '1' })),
    ],
    ['objects[0].object.metadata.managedFields is not a list', withObject(withMetadata({ managedFields: {} }))],
    ['objects[0].object.metadata.managedFields is malformed', withObject(withMetadata({ managedFields: ['x'] }))],
    ['objects[0].object has odd owners', withObject(withMetadata({ managedFields: [{ fieldsV1: { 'f:a': 1 } }] }))],
    [
      `ConfigMap shop/settings does not carry the label ${RELEASE_LABEL}: shop`,
      withObject(configMap('settings', {}, 'other')),
    ],
    [
      `ConfigMap shop/settings does not carry the label ${RELEASE_LABEL}: shop`,
      withObject(withMetadata({ labels: {} })),
    ],
    [
      'it has ConfigMap shop/settings twice',
      { ...releaseRecord(), objects: [{ object: settings }, { object: settings }] },
    ],
    [
      'it has Deployment shop/settings twice',
      {
        ...releaseRecord(),
        objects: ['apps/v1', 'apps/v1beta1'].map((apiVersion) => ({
          object: { ...settings, apiVersion, kind: 'Deployment' },
        })),
      },
    ],
    ['writes[0].type is none that there is', withWrite({ type: 'exec', ref })],
    ['writes[0].ref is not an object', withWrite({ type: 'create' })],
    ['the name of writes[0].ref is no name of an object', withWrite({ type: 'create', ref: { ...ref, name: '.' } })],
    ['writes[0].before is not an object', withWrite({ type: 'update', ref, before: 'x' })],
    [
      'writes[0].before is another object than ConfigMap shop/settings',
      withWrite({ type: 'update', ref, before: configMap('x') }),
    ],
    [
      'writes[0].after is another object than ConfigMap shop/settings',
      withWrite({ type: 'update', ref, after: { ...settings, kind: 'Secret' } }),
    ],
  ])('refuses: %s', (fault, record) => {
    expect(faultOf(JSON.stringify(record))).toBe(fault)
  })

  it.each<[string, string]>([
    ['', 'it is not JSON'],
    ['{"password":"hunter2"', 'it is not JSON'],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'it is not an object'],
    [`{"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'it is nested too deep'],
    [`{"deep":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`, 'it is nested too deep'],
    ['{"__proto__":{"schema":1}}', 'it has a field __proto__ that could change how objects behave'],
    ['{"a":{"constructor":{"prototype":{}}}}', 'it has a field constructor that could change how objects behave'],
    ['{"data":{"__proto__":{"a":1}}}', 'it has a field __proto__ that could change how objects behave'],
    ['{"labels":[{"__proto__":"a"}]}', 'it has a field __proto__ that could change how objects behave'],
  ])('refuses the text %.40s', (json, fault) => {
    expect(faultOf(json)).toBe(fault)
    expect(Object.prototype).not.toHaveProperty('schema')
  })

  it('takes no field from a prototype', () => {
    expect(faultOf('{}')).toBe('it was written by another version of Rollsafe: its schema is not 1')
    expect(faultOf(JSON.stringify(releaseRecord()).replace('"schema":1', '"__proto__":{"schema":1}'))).toMatch(
      '__proto__',
    )
  })

  it('survives any one field being something else', () => {
    const whole = releaseRecord({ status: 'bad', writes: [{ type: 'update', ref, before: settings, after: settings }] })
    for (const path of pathsOf(whole)) {
      for (const value of [null, [], {}, 'x', -1, true]) {
        const json = JSON.stringify(replaced(whole, path, value))
        // It can be read, or it is a RecordError: faultOf throws what else there may be.
        expect(typeof faultOf(json)).toBe('string')
      }
    }
  })
})

function withoutNamespace(kind: string, name: string) {
  const labels = { [RELEASE_LABEL]: 'shop' }
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name, labels } }
}

function ownedMetadata() {
  const fieldsV1 = { 'f:data': { '.': {}, 'f:colour': {} } }
  const managedFields = [{ manager: 'kubectl', operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1 }]
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }
  return { ...settings.metadata, uid: 'u', generation: 2, managedFields, ownerReferences: [owner], finalizers: ['a/b'] }
}

function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...path, key]))]
}

function replaced(value: unknown, [first, ...rest]: readonly string[], by: unknown): unknown {
  if (first === undefined) return by
  if (Array.isArray(value)) return value.map((item, at) => (String(at) === first ? replaced(item, rest, by) : item))
  const fields = value as Record<string, unknown>
  return { ...fields, [first]: replaced(fields[first], rest, by) }
}
