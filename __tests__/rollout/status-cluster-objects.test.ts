import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Status } from '../../src/rollout/state.ts'
import { statusOf } from '../../src/rollout/status.ts'

const make = (apiVersion: string, kind: string, spec: object, status: object): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'one' },
  spec,
  status,
})
const condition = (type: string, status: string, message = '', reason = '') => ({ type, status, reason, message })

describe('a PersistentVolumeClaim', () => {
  it.each<[string, Status]>([
    ['Pending', { state: 'healthy', message: 'is Pending: it may be bound when its first pod comes' }],
    ['Bound', { state: 'healthy', message: 'is bound to pvc-1' }],
    [
      'Lost',
      {
        state: 'failed',
        reason: 'Unschedulable',
        message: 'is Lost: its volume pvc-1 no longer exists, so pods that use it cannot start',
      },
    ],
  ])('%s', (phase, expected) => {
    const claim = make('v1', 'PersistentVolumeClaim', { volumeName: 'pvc-1' }, { phase })
    expect(statusOf(claim, { generation: 0 })).toEqual(expected)
  })
})

describe('a Namespace', () => {
  it.each<[string, Status]>([
    ['Active', { state: 'healthy', message: 'is Active' }],
    ['Terminating', { state: 'failed', reason: 'Deleted', message: 'is being deleted: nothing can be created in it' }],
  ])('%s', (phase, expected) => {
    expect(statusOf(make('v1', 'Namespace', {}, { phase }), { generation: 0 })).toEqual(expected)
  })
})

describe('a CustomResourceDefinition', () => {
  const versions = [
    { name: 'v1', served: true },
    { name: 'v1beta1', served: true },
    { name: 'v1alpha1', served: false },
  ]
  const accepted = condition('NamesAccepted', 'True')

  it.each<[string, object[], Status]>([
    ['just made', [], { state: 'progressing', message: 'is not established yet' }],
    [
      'installing',
      [accepted, condition('Established', 'False', '', 'Installing')],
      { state: 'progressing', message: 'is not established yet' },
    ],
    [
      'established',
      [accepted, condition('Established', 'True')],
      { state: 'healthy', message: 'is established and serves v1, v1beta1' },
    ],
    [
      'with names that are taken',
      [
        condition('NamesAccepted', 'False', '"ct" is already in use', 'ShortNamesConflict'),
        condition('Established', 'False'),
      ],
      { state: 'failed', reason: 'Conflict', message: 'its names are taken: "ct" is already in use' },
    ],
  ])('%s', (_name, conditions, expected) => {
    const crd = make('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { versions }, { conditions })
    expect(statusOf(crd, { generation: 1 })).toEqual(expected)
  })
})

describe('an APIService', () => {
  it.each<[string, object[], Status]>([
    ['just made', [], { state: 'progressing', message: 'is not available yet' }],
    [
      'whose pods do not answer, which may change',
      [condition('Available', 'False', 'failing or missing response', 'FailedDiscoveryCheck')],
      { state: 'progressing', message: 'is not available: failing or missing response' },
    ],
    ['available', [condition('Available', 'True')], { state: 'healthy', message: 'is available' }],
  ])('%s', (_name, conditions, expected) => {
    const service = make('apiregistration.k8s.io/v1', 'APIService', {}, { conditions })
    expect(statusOf(service, { generation: 0 })).toEqual(expected)
  })
})

describe('a HorizontalPodAutoscaler', () => {
  const spec = { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas: 2, maxReplicas: 5 }

  it.each([
    ['at work', spec, [condition('ScalingActive', 'True')], 'keeps Deployment web between 2 and 5 replicas'],
    ['by default from one', { ...spec, minReplicas: undefined }, [], 'keeps Deployment web between 1 and 5 replicas'],
    [
      'without metrics, which may come',
      spec,
      [condition('AbleToScale', 'True'), condition('ScalingActive', 'False', 'no metrics.', 'FailedGetResourceMetric')],
      'keeps Deployment web between 2 and 5 replicas; it cannot scale now: no metrics',
    ],
    [
      'without its target',
      spec,
      [condition('AbleToScale', 'False', 'the target is not there', 'FailedGetScale')],
      'keeps Deployment web between 2 and 5 replicas; it cannot scale now: the target is not there',
    ],
  ])('%s never holds up a release', (_name, written, conditions, message) => {
    const autoscaler = make('autoscaling/v2', 'HorizontalPodAutoscaler', written, { conditions })
    expect(statusOf(autoscaler, { generation: 1 })).toEqual({ state: 'healthy', message })
  })
})

describe('a PodDisruptionBudget', () => {
  it.each([
    [{ disruptionsAllowed: 1, currentHealthy: 2, expectedPods: 2 }, 'allows 1 disruption: 2 of 2 pods are healthy'],
    [{ disruptionsAllowed: 0, currentHealthy: 0, expectedPods: 1 }, 'allows 0 disruptions: 0 of 1 pod is healthy'],
    [{}, 'allows 0 disruptions: 0 of 0 pods are healthy'],
  ])('%j never holds up a release', (status, message) => {
    expect(statusOf(make('policy/v1', 'PodDisruptionBudget', {}, status), { generation: 1 })).toEqual({
      state: 'healthy',
      message,
    })
  })
})
