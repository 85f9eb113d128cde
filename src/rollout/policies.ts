/** Namespaces, autoscalers and budgets: they are what they should be once applied, and their status is worth telling. */
import type { HorizontalPodAutoscaler, Namespace, PodDisruptionBudget } from '../manifest/kinds.ts'
import { counted } from '../report/format.ts'
import { are } from './counting.ts'
import { conditionOf, saidBy } from './conditions.ts'
import type { Status } from './state.ts'

export function namespaceStatus({ status }: Namespace): Status {
  if (status?.phase === 'Terminating') {
    return { state: 'failed', reason: 'Deleted', message: 'is being deleted: nothing can be created in it' }
  }
  return { state: 'healthy', message: 'is Active' }
}

/**
 * FailedGetResourceMetric and its like mend themselves, for instance when new pods have been measured for the first time;
 * until then the autoscaler leaves the replicas alone.
 */
export function autoscalerStatus(autoscaler: HorizontalPodAutoscaler): Status {
  const { spec } = autoscaler
  const target = `${spec?.scaleTargetRef.kind} ${spec?.scaleTargetRef.name}`
  const trouble = ['AbleToScale', 'ScalingActive']
    .map((type) => conditionOf(autoscaler, type))
    .find((condition) => condition?.status === 'False')
  const message = `keeps ${target} between ${spec?.minReplicas ?? 1} and ${spec?.maxReplicas} replicas`
  return { state: 'healthy', message: trouble ? `${message}; it cannot scale now: ${saidBy(trouble)}` : message }
}

export function budgetStatus({ status }: PodDisruptionBudget): Status {
  const healthy = status?.currentHealthy ?? 0
  const expected = status?.expectedPods ?? 0
  const allowed = counted(status?.disruptionsAllowed ?? 0, 'disruption')
  return { state: 'healthy', message: `allows ${allowed}: ${healthy} of ${expected} ${are(expected, 'pod')} healthy` }
}
