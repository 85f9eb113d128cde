/**
 * Replicas that an autoscaler owns are never written. An autoscaler changes them through the `scale` subresource
 * (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#horizontalpodautoscaler-api-object), and that is
 * what `managedFields` tell; before it has changed anything, the autoscaler in the same manifests tells.
 */
import { groupKindOf, isObject, keyOf, type KubeObject, refOf } from '../manifest/object.ts'
import { type FieldSet, readFieldSet } from './field-set.ts'
import { type FieldConflict, ourOrAdoptedFields } from './ownership.ts'

const REPLICAS = 'f:replicas'

/** Keys of the workloads that autoscalers in these manifests scale: HorizontalPodAutoscalers and KEDA's ScaledObjects. */
export function scaledByManifests(objects: readonly KubeObject[]): Set<string> {
  return new Set(objects.flatMap((object) => scaleTargetOf(object) ?? []))
}

function scaleTargetOf(object: KubeObject): string | undefined {
  const isAutoscaler = ['HorizontalPodAutoscaler.autoscaling', 'ScaledObject.keda.sh'].includes(groupKindOf(object))
  const target = isAutoscaler && isObject(object['spec']) ? object['spec']['scaleTargetRef'] : undefined
  if (!isObject(target) || typeof target['name'] !== 'string') return undefined
  const { apiVersion = 'apps/v1', kind = 'Deployment', name } = target
  const { namespace } = object.metadata
  return keyOf({
    apiVersion: String(apiVersion),
    kind: String(kind),
    name,
    ...(namespace !== undefined && { namespace }),
  })
}

/**
 * Whether something else than a person sets the replicas of a live object. `kubectl scale` goes the same way as an autoscaler,
 * but what was set by hand gives way to the manifest (mayTake in ownership.ts).
 */
function isAutoscaled(live: KubeObject): boolean {
  return (live.metadata.managedFields ?? []).some(
    ({ manager = '', subresource, fieldsV1 }) =>
      subresource === 'scale' && !isKubectl(manager) && hasReplicas(readFieldSet(fieldsV1)),
  )
}

function isKubectl(manager: string): boolean {
  return manager === 'kubectl' || manager.startsWith('kubectl-')
}

function hasReplicas(fields: FieldSet): boolean {
  return fields['f:spec']?.[REPLICAS] !== undefined
}

/**
 * The object as it may be applied beside an autoscaler: without `replicas` when that field is not Rollsafe's; with the number
 * that is there when it is. Leaving out a field that nobody else owns would set it back to its default of 1
 * (kubernetes/kubernetes#25238). `scaled` are the keys that `scaledByManifests` found.
 */
export function withLiveReplicas(
  desired: KubeObject,
  live: KubeObject | undefined,
  scaled: ReadonlySet<string>,
): KubeObject {
  const { spec } = desired
  if (!live || !isObject(spec) || !('replicas' in spec)) return desired
  if (!isAutoscaled(live) && !scaled.has(keyOf(refOf(desired)))) return desired
  const current = isObject(live['spec']) ? live['spec']['replicas'] : undefined
  return hasReplicas(ourOrAdoptedFields(live)) && current !== undefined
    ? { ...desired, spec: { ...spec, replicas: current } }
    : withoutReplicas(desired)
}

/** Whether a conflict is about replicas that an autoscaler has changed. */
export function isAutoscalers({ field, subresource, manager }: FieldConflict): boolean {
  return field === '.spec.replicas' && subresource === 'scale' && !isKubectl(manager)
}

/** Also for an apply that finds out late that an autoscaler has taken the field. */
export function withoutReplicas(object: KubeObject): KubeObject {
  if (!isObject(object['spec'])) return object
  const { replicas: _replicas, ...spec } = object['spec']
  return { ...object, spec }
}
