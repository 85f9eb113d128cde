import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import {
  deadlineConditionTime,
  isFollowed,
  progressDeadlineSeconds,
  progressMark,
  statusOf,
} from '../../src/rollout/status.ts'
import { deployment } from './objects.ts'

const NEW = { generation: 0 }
const of = (apiVersion: string, kind: string, more: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'web' },
  ...more,
})

const FOLLOWED = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['apps/v1', 'ReplicaSet'],
  ['v1', 'ReplicationController'],
  ['v1', 'Pod'],
  ['batch/v1', 'Job'],
  ['gateway.networking.k8s.io/v1', 'Gateway'],
  ['gateway.networking.k8s.io/v1', 'HTTPRoute'],
  ['gateway.networking.k8s.io/v1', 'GRPCRoute'],
  ['gateway.networking.k8s.io/v1alpha2', 'TCPRoute'],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ['apiregistration.k8s.io/v1', 'APIService'],
  // Custom resources, also those whose group looks like one of Kubernetes' own.
  ['cert-manager.io/v1', 'Certificate'],
  ['snapshot.storage.k8s.io/v1', 'VolumeSnapshot'],
  ['serving.knative.dev/v1', 'Service'],
  ['constructor/v1', 'constructor'],
] as const

const NOT_FOLLOWED = [
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['v1', 'Service'],
  ['v1', 'ServiceAccount'],
  ['v1', 'Namespace'],
  ['v1', 'PersistentVolumeClaim'],
  ['v1', 'PersistentVolume'],
  ['v1', 'ResourceQuota'],
  ['v1', 'toString'],
  ['batch/v1', 'CronJob'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
  ['storage.k8s.io/v1', 'StorageClass'],
  ['autoscaling/v1', 'HorizontalPodAutoscaler'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
  ['gateway.networking.k8s.io/v1beta1', 'ReferenceGrant'],
] as const

describe('which kinds take time', () => {
  it.each(FOLLOWED)('%s %s', (apiVersion, kind) => expect(isFollowed({ apiVersion, kind })).toBe(true))

  it.each(NOT_FOLLOWED)('not %s %s, which is healthy once applied', (apiVersion, kind) => {
    expect(isFollowed({ apiVersion, kind })).toBe(false)
    expect(statusOf(of(apiVersion, kind), NEW).state).toBe('healthy')
  })

  it('can be asked of an object and of a reference', () => {
    expect(isFollowed(deployment('web'))).toBe(true)
    expect(isFollowed({ apiVersion: 'apps/v1', kind: 'Deployment' })).toBe(true)
  })
})

describe('a status that is nonsense', () => {
  // A custom resource may hold anything, and a table must not throw on it.
  it.each([...FOLLOWED, ...NOT_FOLLOWED])('%s %s', (apiVersion, kind) => {
    for (const status of [undefined, null, 'ready', 7, [], { conditions: 'none' }, { conditions: [null, 1, {}] }]) {
      expect(statusOf(of(apiVersion, kind, { status }), NEW).message).not.toBe('')
    }
  })
})

describe('rollsafe.dev/ignore-health', () => {
  const broken = (value: string) => {
    const object = deployment('web', { progressing: { reason: 'ProgressDeadlineExceeded', at: 't' } })
    return { ...object, metadata: { ...object.metadata, annotations: { 'rollsafe.dev/ignore-health': value } } }
  }

  it('makes an object healthy as soon as it is applied', () => {
    expect(statusOf(broken('true'), { generation: 2 })).toEqual({
      state: 'healthy',
      message: 'is applied; its health is ignored (rollsafe.dev/ignore-health)',
    })
  })

  it.each(['false', '', 'yes'])('means nothing with the value %j', (value) => {
    expect(statusOf(broken(value), { generation: 2 }).state).toBe('failed')
  })
})

describe('an object on its way out', () => {
  it('has failed, even when its health is ignored', () => {
    const object = deployment('web', { updated: 3, available: 3, deleting: true })
    const ignored = { ...object.metadata, annotations: { 'rollsafe.dev/ignore-health': 'true' } }
    for (const metadata of [object.metadata, ignored]) {
      expect(statusOf({ ...object, metadata }, { generation: 2 })).toEqual({
        state: 'failed',
        reason: 'Deleted',
        message: 'is being deleted by somebody else',
      })
    }
  })
})

describe('the progress deadline', () => {
  it.each([
    [undefined, 600],
    [20, 20],
    [2 ** 31 - 1, undefined],
  ])('%s means %s', (written, expected) => {
    const object = deployment('web')
    object['spec'] = written === undefined ? {} : { progressDeadlineSeconds: written }
    expect(progressDeadlineSeconds(object)).toBe(expected)
  })

  it.each([...FOLLOWED, ...NOT_FOLLOWED].filter(([, kind]) => kind !== 'Deployment'))('%s %s has none', (api, kind) => {
    expect(progressDeadlineSeconds(of(api, kind, { spec: { progressDeadlineSeconds: 5 } }))).toBeUndefined()
  })

  it('once missed is known again by its time', () => {
    expect(
      deadlineConditionTime(deployment('web', { progressing: { reason: 'ProgressDeadlineExceeded', at: 't1' } })),
    ).toBe('t1')
    expect(
      deadlineConditionTime(deployment('web', { progressing: { reason: 'ReplicaSetUpdated', at: 't1' } })),
    ).toBeUndefined()
    expect(deadlineConditionTime(deployment('web'))).toBeUndefined()
    expect(deadlineConditionTime(of('apps/v1', 'StatefulSet'))).toBeUndefined()
    expect(deadlineConditionTime(undefined)).toBeUndefined()
  })

  it('counts from the last progress, which a mark shows', () => {
    const mark = (facts: Parameters<typeof deployment>[1]) => progressMark(deployment('web', facts))
    const now = { updated: 1, total: 4, available: 3 }
    expect(mark(now)).toBe(mark({ ...now, progressing: { reason: 'ReplicaSetUpdated', at: 't9' } }))
    for (const ahead of [{ updated: 2 }, { total: 3 }, { available: 4 }, { observed: 3 }, { generation: 3 }]) {
      expect(mark({ ...now, ...ahead })).not.toBe(mark(now))
    }
  })
})
