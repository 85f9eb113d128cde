import { describe, expect, it } from '@jest/globals'
import type { KubeObject, ObjectMeta } from '../../src/manifest/object.ts'
import { leftBehind, listed, pruneDecision } from '../../src/release/inventory.ts'

const LABEL = { 'rollsafe.dev/release': 'shop' }
const object = (kind: string, name: string, metadata: Partial<ObjectMeta> = {}, apiVersion = 'v1'): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'shop', labels: LABEL, ...metadata },
})
const recorded = (one: KubeObject, uid?: string) => ({ object: one, ...(uid !== undefined && { uid }) })
const settings = (metadata: Partial<ObjectMeta> = {}) => object('ConfigMap', 'settings', metadata)

const RELEASE = { release: 'shop', namespace: 'shop' }

describe('what a release no longer has', () => {
  const names = (before: KubeObject[], desired: KubeObject[]) =>
    leftBehind(
      before.map((one) => recorded(one)),
      desired,
    ).map(({ object: one }) => one.metadata.name)

  it.each<[string, KubeObject[], KubeObject[], string[]]>([
    ['is what is gone from the manifests', [settings(), object('Secret', 'keys')], [settings()], ['keys']],
    ['is everything without manifests', [settings()], [], ['settings']],
    ['is nothing without a record', [], [settings()], []],
    [
      'is not the same object in a newer version',
      [object('CronJob', 'a', {}, 'batch/v1beta1')],
      [object('CronJob', 'a', {}, 'batch/v1')],
      [],
    ],
    [
      'is the object of another group',
      [object('Ingress', 'a', {}, 'extensions/v1beta1')],
      [object('Ingress', 'a', {}, 'networking.k8s.io/v1')],
      ['a'],
    ],
    ['is the object in another namespace', [settings()], [settings({ namespace: 'other' })], ['settings']],
    ['is the object of another kind', [settings()], [object('Secret', 'settings')], ['settings']],
    [
      'is not the Job of a hook',
      [object('Job', 'migrate', { annotations: { 'rollsafe.dev/hook': 'pre-deploy' } }, 'batch/v1')],
      [],
      [],
    ],
    ['is a Job that is no hook', [object('Job', 'once', {}, 'batch/v1')], [], ['once']],
  ])('%s', (_name, before, desired, expected) => {
    expect(names(before, desired)).toEqual(expected)
  })
})

describe('what is left behind', () => {
  const cluster = (kind: string, name: string, apiVersion = 'v1') => {
    const { namespace: _namespace, ...metadata } = object(kind, name).metadata
    return { apiVersion, kind, metadata }
  }
  const keep = (why: string) => ({ type: 'keep', why: expect.stringContaining(why) })

  it.each<[string, KubeObject, string | undefined, KubeObject | undefined, unknown]>([
    ['is gone when it is not there', settings(), 'u', undefined, { type: 'gone' }],
    ['is gone when it is going', settings(), 'u', settings({ uid: 'u', deletionTimestamp: 'now' }), { type: 'gone' }],
    [
      'stays when it was made anew',
      settings(),
      'u',
      settings({ uid: 'other' }),
      keep('somebody else has made it anew'),
    ],
    ['stays when nobody knows which it was', settings(), undefined, settings({ uid: 'u' }), keep('made it anew')],
    ['stays when it has no UID', settings(), undefined, settings(), keep('made it anew')],
    [
      'stays without the label',
      settings(),
      'u',
      settings({ uid: 'u', labels: {} }),
      keep('no longer has the label of the release shop'),
    ],
    [
      'stays with the label of another release',
      settings(),
      'u',
      settings({ uid: 'u', labels: { 'rollsafe.dev/release': 'other' } }),
      keep('no longer has the label'),
    ],
    [
      'stays when somebody has asked for it in the cluster',
      settings(),
      'u',
      settings({ uid: 'u', annotations: { 'rollsafe.dev/prune': 'keep' } }),
      keep('its annotation rollsafe.dev/prune says'),
    ],
    // Taking the annotation off in the cluster is not asking for the deletion.
    [
      'stays when the manifest has asked for it',
      settings({ annotations: { 'rollsafe.dev/prune': 'keep' } }),
      'u',
      settings({ uid: 'u' }),
      keep('its annotation rollsafe.dev/prune says'),
    ],
    [
      'stays when Helm would not delete it',
      settings(),
      'u',
      settings({ uid: 'u', annotations: { 'helm.sh/resource-policy': 'Keep' } }),
      keep('its annotation helm.sh/resource-policy says'),
    ],
    [
      'stays as a Namespace, and is named',
      cluster('Namespace', 'shop'),
      'u',
      { ...cluster('Namespace', 'shop'), metadata: { ...cluster('Namespace', 'shop').metadata, uid: 'u' } },
      keep('kubectl delete namespace shop'),
    ],
    [
      'stays as a claim, with where it is',
      object('PersistentVolumeClaim', 'data'),
      'u',
      object('PersistentVolumeClaim', 'data', { uid: 'u' }),
      keep('kubectl delete persistentvolumeclaim data --namespace shop'),
    ],
    [
      'stays as a definition',
      cluster('CustomResourceDefinition', 'things.example.dev', 'apiextensions.k8s.io/v1'),
      'u',
      cluster('CustomResourceDefinition', 'things.example.dev', 'apiextensions.k8s.io/v1'),
      keep('never pruned'),
    ],
    [
      'stays as a volume',
      cluster('PersistentVolume', 'pv'),
      'u',
      cluster('PersistentVolume', 'pv'),
      keep('never pruned'),
    ],
  ])('%s', (_name, one, uid, live, decision) => {
    expect(pruneDecision(recorded(one, uid), live, RELEASE)).toEqual(decision)
  })

  it.each<[string, KubeObject]>([
    ['the object that the release made', settings({ uid: 'u' })],
    ['one with another value of the annotation', settings({ uid: 'u', annotations: { 'rollsafe.dev/prune': 'yes' } })],
    ['a kind of somebody’s own that is called like one that stays', object('Namespace', 'a', { uid: 'u' }, 'x.dev/v1')],
  ])('is deleted: %s', (_name, live) => {
    expect(pruneDecision(recorded(live, 'u'), live, RELEASE)).toEqual({ type: 'delete', live })
  })
})

it('is listed in one line, however much it is', () => {
  const all = Array.from({ length: 7 }, (_, index) => recorded(object('ConfigMap', `c${index}`)))
  expect(listed(all.slice(0, 2))).toBe('ConfigMap shop/c0, ConfigMap shop/c1')
  expect(listed(all, 2)).toBe('ConfigMap shop/c0, ConfigMap shop/c1 and 5 more')
  expect(listed(all.slice(0, 5))).not.toContain('more')
  expect(listed([])).toBe('')
})
