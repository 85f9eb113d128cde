/** Builders for pods, events and ReplicaSets as the API server sends them, for table tests. */
import type { KubeEvent, Pod, ReplicaSet } from '../../src/manifest/kinds.ts'

export const IMAGE = 'registry.example/shop/web:v2'

type Spec = NonNullable<Pod['spec']>
export type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]

export function containerStatus(facts: Partial<ContainerStatus>): ContainerStatus {
  return { name: 'app', image: IMAGE, imageID: '', ready: false, restartCount: 0, ...facts }
}

export interface PodParts {
  readonly metadata?: Partial<Pod['metadata']>
  readonly spec?: Partial<Spec>
  readonly status?: Partial<NonNullable<Pod['status']>>
  /** Status of the container `app`. */
  readonly app?: Partial<ContainerStatus>
}

export function pod({ metadata = {}, spec = {}, status = {}, app }: PodParts): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', namespace: 'shop', uid: 'uid-web-1', ...metadata },
    spec: { containers: [{ name: 'app', image: IMAGE }], ...spec },
    status: { phase: 'Pending', ...(app && { containerStatuses: [containerStatus(app)] }), ...status },
  }
}

export function waiting(reason: string, message?: string, more: Partial<ContainerStatus> = {}): Pod {
  return pod({ app: { state: { waiting: { reason, ...(message !== undefined && { message }) } }, ...more } })
}

type Ended = { exitCode: number; reason?: string; message?: string }

export function ended(terminated: Ended, restartCount = 0, spec: Partial<Spec> = {}): Pod {
  return pod({ app: { state: { terminated }, restartCount }, spec })
}

/** Between two runs, as the kubelet shows it from the second bad end on. */
export function backingOff(terminated: Ended, restartCount = 1): Pod {
  const message = 'back-off 10s restarting failed container=app pod=web-1_shop(uid-web-1)'
  return waiting('CrashLoopBackOff', message, { restartCount, lastState: { terminated } })
}

/** Runs, and is not ready. */
export function running(more: Partial<ContainerStatus> = {}, spec: Partial<Spec> = {}): Pod {
  return pod({ app: { state: { running: {} }, started: true, ...more }, spec, status: { phase: 'Running' } })
}

export function ready(restartCount = 0): Pod {
  const conditions = [{ type: 'Ready', status: 'True' }]
  return pod({ app: { ready: true, restartCount, state: { running: {} } }, status: { phase: 'Running', conditions } })
}

export function unschedulable(message: string, spec: Partial<Spec> = {}, reason = 'Unschedulable'): Pod {
  return pod({ spec, status: { conditions: [{ type: 'PodScheduled', status: 'False', reason, message }] } })
}

export function event(reason: string, message: string, more: Partial<KubeEvent> = {}): KubeEvent {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'event', namespace: 'shop' },
    involvedObject: { kind: 'Pod', name: 'web-1', uid: 'uid-web-1', fieldPath: 'spec.containers{app}' },
    type: 'Warning',
    reason,
    message,
    lastTimestamp: '2026-01-01T09:00:00Z',
    ...more,
  }
}

export function failedCreate(kind: string, message: string, more: Partial<KubeEvent> = {}): KubeEvent {
  return event('FailedCreate', message, { involvedObject: { kind, name: 'web', uid: 'uid-web' }, ...more })
}

export function replicaSet(message: string, reason = 'FailedCreate'): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web-5d9', namespace: 'shop', uid: 'uid-web-5d9' },
    status: { replicas: 0, conditions: [{ type: 'ReplicaFailure', status: 'True', reason, message }] },
  }
}
