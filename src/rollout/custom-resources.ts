/**
 * Custom resources, by the conventions that their controllers share: observedGeneration, and the conditions Ready, Stalled
 * and Reconciling (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md).
 */
import { isObject, type KubeObject } from '../manifest/object.ts'
import { conditionOf, saidBy, trueCondition } from './conditions.ts'
import { type Expectation, OBSERVING, type Status } from './state.ts'

export function customResourceStatus(object: KubeObject, { generation }: Expectation): Status {
  const newest = Math.max(generation, object.metadata.generation ?? 0)
  const status = isObject(object['status']) ? object['status'] : {}
  const observed = generationIn(status['observedGeneration'])
  if (observed !== undefined && observed < newest) return { state: 'progressing', message: OBSERVING }

  const stalled = trueCondition(object, 'Stalled')
  if (stalled) {
    // The controller has given up: kstatus calls a Deployment's missed progress deadline by the same name.
    return { state: 'failed', reason: 'ProgressDeadlineExceeded', message: `is stalled: ${saidBy(stalled)}` }
  }
  const reconciling = trueCondition(object, 'Reconciling')
  if (reconciling) return { state: 'progressing', message: `is reconciling: ${saidBy(reconciling)}` }
  const ready = conditionOf(object, 'Ready')
  if (!ready) return { state: 'healthy', message: 'is applied', isAssumed: true }
  const speaksOf = ready.observedGeneration ?? observed
  if (speaksOf !== undefined && speaksOf < newest) return { state: 'progressing', message: OBSERVING }
  if (ready.status !== 'True') return { state: 'progressing', message: `is not ready: ${saidBy(ready)}` }
  // Without a generation, Ready may still speak of the spec before ours.
  return { state: 'healthy', message: 'is ready', ...(speaksOf === undefined && { isAssumed: true }) }
}

/** In the wild it is sometimes a string, as Go programs that do not use the API machinery write it. */
function generationIn(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return typeof number === 'number' ? number : undefined
}
