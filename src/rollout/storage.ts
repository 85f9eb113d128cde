import type { PersistentVolumeClaim } from '../manifest/kinds.ts'
import type { Status } from './state.ts'

/**
 * A claim whose class says WaitForFirstConsumer is Pending until a pod uses it, which may be never in this release
 * (https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode). When a pod needs a claim that cannot
 * be bound, the pod says so.
 */
export function claimStatus({ spec, status }: PersistentVolumeClaim): Status {
  switch (status?.phase) {
    case 'Lost':
      return {
        state: 'failed',
        // What the scheduler says of a pod that uses it.
        reason: 'Unschedulable',
        message: `is Lost: its volume ${spec?.volumeName ?? ''} no longer exists, so pods that use it cannot start`,
      }
    case 'Bound':
      return { state: 'healthy', message: `is bound to ${spec?.volumeName ?? 'its volume'}` }
    default:
      return { state: 'healthy', message: 'is Pending: it may be bound when its first pod comes' }
  }
}
