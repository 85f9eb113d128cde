import type { SourcePosition } from '../errors.ts'

/** What JSON can hold. Manifests stay plain JSON from the file to the request: nothing is dropped or converted on the way. */
export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [field: string]: Json
}

/** Any Kubernetes object, as the API server sends and takes it. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

/** The parts of `metadata` that Rollsafe reads. Times are RFC 3339 strings, as on the wire. */
export interface ObjectMeta {
  name: string
  namespace?: string
  generateName?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
}

/** Who set which fields. https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
export interface ManagedFieldsEntry {
  manager?: string
  operation?: string
  apiVersion?: string
  time?: string
  subresource?: string
  fieldsType?: string
  fieldsV1?: JsonObject
}

/** The address of an object. `namespace` is absent for cluster-scoped kinds. */
export interface ObjectRef {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

/** An object of the release, and where it was written down. */
export interface Manifest {
  readonly object: KubeObject
  readonly at: SourcePosition
}

export function refOf(object: KubeObject): ObjectRef {
  const { name, namespace } = object.metadata
  return { apiVersion: object.apiVersion, kind: object.kind, name, ...(namespace !== undefined && { namespace }) }
}

/** The API group: `apps` of `apps/v1`, empty for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : apiVersion.slice(0, slash)
}

/** `Deployment.apps`, or `Service` in the core group: the kind without its version, as versions of one kind are one object. */
export function groupKindOf(ref: { readonly apiVersion: string; readonly kind: string }): string {
  const group = groupOf(ref.apiVersion)
  return group === '' ? ref.kind : `${ref.kind}.${group}`
}

/** One string for one object, whatever version it is addressed in. Equal strings, same object. */
export function keyOf(ref: ObjectRef): string {
  return `${groupKindOf(ref)}/${ref.namespace ?? ''}/${ref.name}`
}

/** For people: `Deployment shop/web`, `Namespace shop`. */
export function describe(ref: ObjectRef): string {
  return ref.namespace === undefined ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`
}

/** True for a JSON object, not for null or an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
