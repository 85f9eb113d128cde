import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { asksForAddresses, immutableHint, recreateProblems, recreationOf } from '../../src/plan/recreate.ts'

const ALLOWED = { 'rollsafe.dev/recreate': 'if-immutable' }

const object = (type: string, annotations: Record<string, string> = {}, spec: object = {}): KubeObject => {
  const [kind = '', apiVersion = 'v1'] = type.split(' ')
  return { apiVersion, kind, metadata: { name: 'web', namespace: 'shop', annotations }, spec }
}
const DEPLOYMENT = 'Deployment apps/v1'
const SET = 'StatefulSet apps/v1'

describe('an object of which a field is to change that cannot change', () => {
  it.each<[string, KubeObject, KubeObject, boolean]>([
    ['says nothing: no', object(DEPLOYMENT), object(DEPLOYMENT), false],
    ['allows it: yes', object(DEPLOYMENT, ALLOWED), object(DEPLOYMENT), true],
    ['allowed it only before: no', object(DEPLOYMENT), object(DEPLOYMENT, ALLOWED), false],
    ['a Job runs once, and has no other way: yes', object('Job batch/v1'), object('Job batch/v1'), true],
    ['a StatefulSet leaves its claims: yes', object(SET, ALLOWED), object(SET), true],
    [
      'a StatefulSet would take its claims with it: no',
      object(SET, ALLOWED),
      object(SET, {}, { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' } }),
      false,
    ],
    ['a claim holds data: no', object('PersistentVolumeClaim', ALLOWED), object('PersistentVolumeClaim'), false],
    ['a Namespace holds everything: no', object('Namespace', ALLOWED), object('Namespace'), false],
    [
      'a definition holds all resources of its kind: no',
      object('CustomResourceDefinition apiextensions.k8s.io/v1', ALLOWED),
      object('CustomResourceDefinition apiextensions.k8s.io/v1'),
      false,
    ],
  ])('%s', (_name, desired, live, isAllowed) => {
    expect(recreationOf(desired, live).isAllowed).toBe(isAllowed)
  })

  it('is told how to allow it, but for what would be lost', () => {
    expect(immutableHint(object(DEPLOYMENT), object(DEPLOYMENT))).toContain('rollsafe.dev/recreate: if-immutable')
    const claim = object('PersistentVolumeClaim')
    expect(immutableHint(claim, claim)).toBe('keep the old value, or save what is in it and make it anew by hand')
  })
})

describe('the annotation', () => {
  const at = { file: 'k8s/app.yaml', line: 3 }
  it.each([undefined, 'if-immutable'])('may be %s', (text) => {
    const annotations = text === undefined ? undefined : { 'rollsafe.dev/recreate': text }
    expect(recreateProblems({ object: object(DEPLOYMENT, annotations), at })).toEqual([])
  })

  it.each<[string, KubeObject, RegExp]>([
    ['has another value', object(DEPLOYMENT, { 'rollsafe.dev/recreate': 'true' }), /recreate is "true"/],
    ['is on what holds data', object('PersistentVolumeClaim', ALLOWED), /all that is in it would be deleted/],
  ])('is refused where it %s', (_name, manifest, message) => {
    const problems = recreateProblems({ object: manifest, at })
    expect(problems).toMatchObject([{ code: 'InvalidManifest', at, message: expect.stringMatching(message) }])
  })
})

describe('two Services of one kind side by side', () => {
  it.each<[object, boolean]>([
    [{}, false],
    [{ clusterIP: 'None', clusterIPs: ['None'] }, false],
    [{ clusterIP: '' }, false],
    [{ clusterIP: '10.0.0.7' }, true],
    [{ clusterIPs: ['10.0.0.7'] }, true],
    [{ ports: [{ port: 80 }, { port: 443, nodePort: 30_443 }] }, true],
    [{ ports: [{ port: 80 }] }, false],
  ])('%j', (spec, expected) => {
    expect(asksForAddresses(object('Service', {}, spec))).toBe(expected)
  })

  it('is a question about Services', () => {
    expect(asksForAddresses(object(DEPLOYMENT, {}, { clusterIP: '10.0.0.7' }))).toBe(false)
  })
})
