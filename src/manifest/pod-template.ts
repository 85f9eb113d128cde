import { groupKindOf, groupOf, isObject, type KubeObject } from './object.ts'

/** Where the kinds of Kubernetes keep the pods that they make: the path to what holds `metadata` and `spec` of a pod. */
const TEMPLATE_PATHS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Pod', []],
  ['PodTemplate', ['template']],
  ['ReplicationController', ['spec', 'template']],
  ['Deployment', ['spec', 'template']],
  ['ReplicaSet', ['spec', 'template']],
  ['StatefulSet', ['spec', 'template']],
  ['DaemonSet', ['spec', 'template']],
  ['Job', ['spec', 'template']],
  ['CronJob', ['spec', 'jobTemplate', 'spec', 'template']],
])
const GROUPS_OF_KUBERNETES: ReadonlySet<string> = new Set(['', 'apps', 'batch'])

/** Custom kinds that keep it elsewhere than the others do. */
const CUSTOM_TEMPLATE_PATHS: ReadonlyMap<string, readonly string[]> = new Map([
  // https://keda.sh/docs/latest/reference/scaledjob-spec/
  ['ScaledJob.keda.sh', ['spec', 'jobTargetRef', 'template']],
  // https://knative.dev/docs/serving/reference/serving-api/
  ['Revision.serving.knative.dev', []],
])
const USUAL_TEMPLATE_PATH = ['spec', 'template']

/** A pod template inside an object: the live parts of it, to read or to change. */
export interface PodTemplatePart {
  /** From the object to the template. */
  readonly path: readonly string[]
  readonly metadata: Record<string, unknown>
  readonly spec: Record<string, unknown>
}

/**
 * The pod template of a workload; undefined for an object without one. Custom kinds (an Argo Rollout, a Knative Service)
 * have one when there are containers at `spec.template.spec`, which is where nearly all of them keep it.
 */
export function podTemplateOf(object: KubeObject): PodTemplatePart | undefined {
  const isBuiltIn = GROUPS_OF_KUBERNETES.has(groupOf(object.apiVersion))
  const path = isBuiltIn
    ? TEMPLATE_PATHS.get(object.kind)
    : (CUSTOM_TEMPLATE_PATHS.get(groupKindOf(object)) ?? USUAL_TEMPLATE_PATH)
  if (!path) return undefined
  let template: unknown = object
  for (const field of path) template = isObject(template) ? template[field] : undefined
  if (!isObject(template) || !isObject(template['spec'])) return undefined
  const { metadata, spec } = template
  if (!isBuiltIn && !Array.isArray(spec['containers'])) return undefined
  return { path, metadata: isObject(metadata) ? metadata : {}, spec }
}

/** The fields of a pod's spec that are lists of containers. */
export const CONTAINER_FIELDS = ['initContainers', 'containers', 'ephemeralContainers'] as const

/** The items of a list of objects, each with its index; none when it is no such list. */
export function objectsIn(list: unknown): { readonly index: number; readonly item: Record<string, unknown> }[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((item: unknown, index) => (isObject(item) ? [{ index, item }] : []))
}
