import { describe, expect, it } from '@jest/globals'
import type { KubeObject, Manifest } from '../../src/manifest/object.ts'
import { changeOf } from '../../src/plan/change.ts'
import {
  belongsTo,
  labelled,
  locate,
  problemsOf,
  revisionOf,
  stamped,
  stampedAsBefore,
} from '../../src/plan/desired.ts'
import { providedNamespaces, providedTypes } from '../../src/plan/provided.ts'
import type { ResourceType } from '../../src/ports.ts'

const AT = { file: 'k8s/app.yaml', line: 1 }
const NAMESPACED: ResourceType = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  verbs: ['get', 'patch'],
}
const CLUSTER: ResourceType = { ...NAMESPACED, namespaced: false }

const manifest = (metadata: object, more: object = {}): Manifest => ({
  at: AT,
  object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', ...metadata }, ...more },
})
const workload = (annotations?: Record<string, string>): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', ...(annotations && { annotations }) },
})
const BOOKS = { revision: 7, changeCause: 'because' }

describe('an object', () => {
  it.each<[string, object, ResourceType, object]>([
    ['goes to the default namespace', {}, NAMESPACED, { name: 'settings', namespace: 'shop' }],
    ['keeps its own namespace', { namespace: 'other' }, NAMESPACED, { name: 'settings', namespace: 'other' }],
    ['has none when its kind has none', { namespace: 'other' }, CLUSTER, { name: 'settings' }],
    [
      'loses what an export brought along',
      { uid: 'u', resourceVersion: '1', generation: 2, creationTimestamp: null, managedFields: [], labels: { a: 'b' } },
      NAMESPACED,
      { name: 'settings', namespace: 'shop', labels: { a: 'b' } },
    ],
    [
      'loses maps that say nothing',
      { annotations: {}, labels: null },
      NAMESPACED,
      { name: 'settings', namespace: 'shop' },
    ],
  ])('%s', (_name, metadata, type, expected) => {
    expect(locate(manifest(metadata, { status: {}, data: { a: '1' } }), type, 'shop').object).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: { a: '1' },
      metadata: expected,
    })
  })

  it('is a Secret with all its values in data, where they can be read again', () => {
    const secret: Manifest = {
      at: AT,
      object: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's' },
        data: { a: 'YQ==', b: 'Yg==' },
        stringData: { b: 'new', c: 'grün' },
      },
    }
    const { object } = locate(secret, NAMESPACED, 'shop')
    expect(object).not.toHaveProperty('stringData')
    expect(object['data']).toEqual({ a: 'YQ==', b: 'bmV3', c: Buffer.from('grün').toString('base64') })
  })

  it('of a kind that nobody may apply is refused', () => {
    expect(problemsOf(manifest({}), NAMESPACED)).toEqual([])
    expect(problemsOf(manifest({}), { ...NAMESPACED, verbs: ['create'] })).toMatchObject([
      { code: 'InvalidManifest', at: AT },
    ])
  })

  it('is labelled, beside the labels it has', () => {
    const { object } = manifest({ namespace: 'shop', labels: { a: 'b' } })
    expect(labelled(object, { release: 'web', namespace: 'shop' }).metadata.labels).toEqual({
      a: 'b',
      'rollsafe.dev/release': 'web',
    })
  })

  it('is labelled with the namespace of its release, where it is not in it', () => {
    const release = { release: 'web', namespace: 'shop' }
    const elsewhere = labelled(manifest({ namespace: 'other' }).object, release)
    expect(elsewhere.metadata.labels).toEqual({
      'rollsafe.dev/release': 'web',
      'rollsafe.dev/release-namespace': 'shop',
    })
    expect(belongsTo(elsewhere, release)).toBe(true)
    // A release of the same name may be in that other namespace.
    expect(belongsTo(elsewhere, { release: 'web', namespace: 'other' })).toBe(false)
    expect(
      belongsTo(labelled(manifest({ namespace: 'other' }).object, { release: 'web', namespace: 'other' }), release),
    ).toBe(false)
    expect(belongsTo(undefined, release)).toBe(false)
  })
})

describe('the bookkeeping', () => {
  it('is only on kinds with revisions, and gives way to the manifest', () => {
    expect(stamped(workload(), BOOKS).metadata.annotations).toEqual({
      'rollsafe.dev/revision': '7',
      'kubernetes.io/change-cause': 'because',
    })
    expect(stamped(workload({ 'kubernetes.io/change-cause': 'mine' }), BOOKS).metadata.annotations).toMatchObject({
      'kubernetes.io/change-cause': 'mine',
    })
    expect(stamped(manifest({}).object, BOOKS).metadata.annotations).toBeUndefined()
  })

  it('is no difference in itself', () => {
    const live = stamped(workload(), { revision: 3, changeCause: 'before' })
    expect(stampedAsBefore(workload(), live)).toEqual(live)
    expect(stampedAsBefore(workload(), workload())).toEqual(workload())
    expect(stampedAsBefore(workload(), undefined)).toEqual(workload())
  })

  it.each([
    ['3', 3],
    ['0', 0],
    ['-1', 0],
    ['x', 0],
    ['99999999999', 0],
  ])('revision %s is read as %d', (text, expected) => {
    expect(revisionOf(workload({ 'rollsafe.dev/revision': text }))).toBe(expected)
  })
})

describe('the change', () => {
  const live = (data: object, metadata: object = {}): KubeObject => ({
    ...manifest({ resourceVersion: '5', managedFields: [], ...metadata }, { data, status: { a: 1 } }).object,
  })

  it.each<[string, KubeObject | undefined, KubeObject, string]>([
    ['nothing there', undefined, live({ a: '1' }), 'create'],
    ['the same', live({ a: '1', b: '2' }), live({ b: '2', a: '1' }), 'unchanged'],
    [
      'the same but for what the server keeps',
      live({ a: '1' }),
      live({ a: '1' }, { resourceVersion: '6', generation: 9, managedFields: [{ manager: 'x' }] }),
      'unchanged',
    ],
    ['another value', live({ a: '1' }), live({ a: '2' }), 'update'],
    ['another label', live({}), live({}, { labels: { a: 'b' } }), 'update'],
    ['one field less', live({ a: '1' }), live({}), 'update'],
  ])('%s', (_name, before, expected, type) => {
    expect(changeOf(manifest({}), before, expected).type).toBe(type)
  })
})

it('a release brings namespaces and kinds along', () => {
  const definition: Manifest = {
    at: AT,
    object: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.example.dev' },
      spec: {
        group: 'example.dev',
        scope: 'Cluster',
        names: { kind: 'Thing', plural: 'things' },
        versions: [
          { name: 'v1', served: true },
          { name: 'v1alpha1', served: false },
        ],
      },
    },
  }
  expect(providedTypes([definition, manifest({})])).toMatchObject([
    { apiVersion: 'example.dev/v1', kind: 'Thing', plural: 'things', namespaced: false },
  ])
  expect(providedTypes([{ at: AT, object: { ...definition.object, spec: 'nonsense' } }])).toEqual([])
  expect(
    providedNamespaces([
      { at: AT, object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } } },
      definition,
    ]),
  ).toEqual(new Set(['new']))
})
