import { describe, expect, it } from '@jest/globals'
import type { Fences } from '../../src/inputs/fences.ts'
import type { ObjectRef } from '../../src/manifest/object.ts'
import { fenceProblem, homeProblems, isBeyondRecord, whyOutside } from '../../src/plan/fences.ts'

const NONE: Fences = { clusterScoped: [] }
const WIDE: Fences = { namespaces: ['shop', 'jobs'], clusterScoped: ['ClusterRole', 'PriorityClass.scheduling.k8s.io'] }

const configMap = (namespace: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace })
const namespace = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'Namespace', name })
const clusterRole: ObjectRef = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'a' }
const priority: ObjectRef = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', name: 'a' }
const othersPriority: ObjectRef = { apiVersion: 'example.dev/v1', kind: 'PriorityClass', name: 'a' }
/** A kind of the same name as the core one, by somebody else. */
const othersNamespace: ObjectRef = { apiVersion: 'example.dev/v1', kind: 'Namespace', name: 'shop' }

describe('inside of the fences is', () => {
  it.each<[string, ObjectRef, Fences]>([
    ['the namespace of the release', configMap('shop'), NONE],
    ['its Namespace', namespace('shop'), NONE],
    ['another namespace that is listed', configMap('jobs'), WIDE],
    ['its Namespace, too', namespace('jobs'), WIDE],
    ['every Namespace, where the kind is listed', namespace('other'), { clusterScoped: ['Namespace'] }],
    ['a kind that is listed', clusterRole, WIDE],
    ['a kind that is listed with its group', priority, WIDE],
  ])('%s', (_what, ref, fences) => {
    expect(fenceProblem(ref, fences, 'shop')).toBeUndefined()
    expect(whyOutside(ref, fences, 'shop')).toBeUndefined()
  })
})

describe('outside is', () => {
  it.each<[string, ObjectRef, Fences, string, string]>([
    [
      'another namespace',
      configMap('jobs'),
      NONE,
      'ConfigMap jobs/a is in a namespace that is not allowed; allowed is shop',
      'set the input allowed-namespaces, with the lines shop and jobs',
    ],
    [
      'a namespace that is not listed',
      configMap('other'),
      WIDE,
      'ConfigMap other/a is in a namespace that is not allowed; allowed is shop, jobs',
      'add the line other to the input allowed-namespaces',
    ],
    [
      'its Namespace',
      namespace('other'),
      WIDE,
      'Namespace other is a namespace that is not allowed',
      'add the line other to the input allowed-namespaces; or add the line Namespace to the input allow-cluster-scoped, or take the object out of the manifests',
    ],
    [
      'every cluster-scoped kind',
      clusterRole,
      NONE,
      'ClusterRole a belongs to no namespace, and its kind is not allowed',
      'add the line ClusterRole.rbac.authorization.k8s.io to the input allow-cluster-scoped, or take the object out of the manifests',
    ],
    [
      'a kind of the same name in another group',
      othersPriority,
      WIDE,
      'PriorityClass a belongs to no namespace, and its kind is not allowed',
      'add the line PriorityClass.example.dev to the input allow-cluster-scoped, or take the object out of the manifests',
    ],
    [
      "somebody else's Namespace",
      othersNamespace,
      NONE,
      'Namespace shop belongs to no namespace, and its kind is not allowed',
      'add the line Namespace.example.dev to the input allow-cluster-scoped, or take the object out of the manifests',
    ],
  ])('%s', (_what, ref, fences, message, hint) => {
    const at = { file: 'k8s/a.yaml', line: 3 }
    expect(fenceProblem(ref, fences, 'shop', at)).toEqual({ code: 'Fenced', message, hint, at })
    expect(message).toContain(whyOutside(ref, fences, 'shop'))
  })

  it('the release itself, where its namespace is not listed: one problem, however many objects there are', () => {
    expect(homeProblems('shop', WIDE)).toEqual([])
    expect(homeProblems('shop', NONE)).toEqual([])
    expect(homeProblems('other', WIDE)).toEqual([
      {
        code: 'Fenced',
        message: 'the namespace of the release, other, is not among the allowed ones: shop, jobs',
        hint: 'add the line other to the input allowed-namespaces, or correct the input namespace',
      },
    ])
    expect(fenceProblem(configMap('other'), WIDE, 'other')).toBeUndefined()
    expect(whyOutside(configMap('other'), WIDE, 'other')).toContain('is in a namespace that is not allowed')
  })
})

describe('a record is not trusted with', () => {
  const release = { release: 'shop', namespace: 'shop' }
  const live = (labels: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'jobs', labels },
  })

  it.each([
    ['what is elsewhere and does not exist', configMap('jobs'), undefined, true],
    ["what is elsewhere and somebody else's", configMap('jobs'), live({}), true],
    [
      "what is elsewhere and another namespace's release of the same name has",
      configMap('jobs'),
      live({ 'rollsafe.dev/release': 'shop', 'rollsafe.dev/release-namespace': 'jobs' }),
      true,
    ],
    [
      "but with what is elsewhere and the release's",
      configMap('jobs'),
      live({ 'rollsafe.dev/release': 'shop', 'rollsafe.dev/release-namespace': 'shop' }),
      false,
    ],
    ['but with all of its own namespace', configMap('shop'), undefined, false],
  ])('%s', (_what, ref, object, isBeyond) => {
    expect(isBeyondRecord(ref, object, release)).toBe(isBeyond)
  })
})
