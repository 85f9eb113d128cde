import { describe, expect, it } from '@jest/globals'
import type { Manifest } from '../../src/manifest/object.ts'
import { inOrder, phaseOf } from '../../src/manifest/order.ts'
import { randomFrom } from '../fixtures/random.ts'

const KINDS = {
  Namespace: 'v1',
  CustomResourceDefinition: 'apiextensions.k8s.io/v1',
  PriorityClass: 'scheduling.k8s.io/v1',
  ResourceQuota: 'v1',
  NetworkPolicy: 'networking.k8s.io/v1',
  ServiceAccount: 'v1',
  Role: 'rbac.authorization.k8s.io/v1',
  RoleBinding: 'rbac.authorization.k8s.io/v1',
  ConfigMap: 'v1',
  Secret: 'v1',
  PersistentVolumeClaim: 'v1',
  Service: 'v1',
  PodDisruptionBudget: 'policy/v1',
  Certificate: 'cert-manager.io/v1',
  Deployment: 'apps/v1',
  Job: 'batch/v1',
  Ingress: 'networking.k8s.io/v1',
  HTTPRoute: 'gateway.networking.k8s.io/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  APIService: 'apiregistration.k8s.io/v1',
  ValidatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
} as const
type Kind = keyof typeof KINDS

const manifest = (kind: Kind, line: number): Manifest => ({
  object: { apiVersion: KINDS[kind], kind, metadata: { name: `n${line}` } },
  at: { file: 'a.yaml', line },
})
const phase = (kind: Kind) => phaseOf({ apiVersion: KINDS[kind], kind })

describe('phaseOf', () => {
  it.each<[Kind, Kind]>([
    ['Namespace', 'ServiceAccount'],
    ['CustomResourceDefinition', 'Certificate'],
    ['PriorityClass', 'Deployment'],
    ['ResourceQuota', 'Deployment'],
    ['NetworkPolicy', 'Deployment'],
    ['Role', 'RoleBinding'],
    ['ServiceAccount', 'RoleBinding'],
    ['RoleBinding', 'Deployment'],
    ['ConfigMap', 'Deployment'],
    ['Secret', 'Job'],
    ['PersistentVolumeClaim', 'Deployment'],
    ['Service', 'Deployment'],
    ['PodDisruptionBudget', 'Deployment'],
    ['Certificate', 'Deployment'],
    ['Deployment', 'Ingress'],
    ['Deployment', 'HTTPRoute'],
    ['Deployment', 'HorizontalPodAutoscaler'],
    ['Ingress', 'ValidatingWebhookConfiguration'],
    ['HorizontalPodAutoscaler', 'APIService'],
  ])('%s comes before %s', (first, second) => {
    expect(phase(first)).toBeLessThan(phase(second))
  })

  it('goes by the group, not only by the kind', () => {
    expect(phaseOf({ apiVersion: 'serving.knative.dev/v1', kind: 'Service' })).toBe(phase('Certificate'))
    expect(phaseOf({ apiVersion: 'extensions.example.com/v1', kind: 'Deployment' })).toBe(phase('Certificate'))
  })

  it('does not go by the version', () => {
    expect(phaseOf({ apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler' })).toBe(
      phase('HorizontalPodAutoscaler'),
    )
  })
})

describe('inOrder', () => {
  it('sorts by phase and keeps the order of the files inside one', () => {
    const seed = Math.floor(Date.now() % 2 ** 31)
    const random = randomFrom(seed)
    for (let round = 0; round < 50; round++) {
      const given = Array.from({ length: 60 }, (_, line) => manifest(random.of(Object.keys(KINDS) as Kind[]), line))
      const keys = inOrder(given).map(({ object, at }) => phaseOf(object) * 1000 + at.line)
      expect({ seed, keys }).toEqual({ seed, keys: keys.toSorted((a, b) => a - b) })
      expect(given.map(({ at }) => at.line)).toEqual(given.map((_, line) => line))
    }
  })
})
