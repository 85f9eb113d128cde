import type { Problem } from '../errors.ts'
import { describe, groupKindOf, isObject, type KubeObject, type Manifest, refOf } from '../manifest/object.ts'
import type { ResourceType } from '../ports.ts'

export const RELEASE_LABEL = 'rollsafe.dev/release'
/** On objects outside of the namespace of their release: releases of one name may be in several namespaces. */
const RELEASE_NAMESPACE_LABEL = 'rollsafe.dev/release-namespace'
const REVISION_ANNOTATION = 'rollsafe.dev/revision'
/** kubectl shows it in `kubectl rollout history`. */
const CHANGE_CAUSE_ANNOTATION = 'kubernetes.io/change-cause'

/** What the server keeps for itself. A manifest has it when it was exported from a cluster, and none of it can be applied. */
const OF_THE_SERVER = ['creationTimestamp', 'generation', 'managedFields', 'resourceVersion', 'selfLink', 'uid']

/**
 * Puts an object where it belongs: what its kind's scope is, the server says, never the manifest. A namespace on a
 * cluster-scoped object means nothing, and Helm charts like to have it.
 */
export function locate(manifest: Manifest, type: ResourceType, defaultNamespace: string): Manifest {
  const { status: _status, ...object } = manifest.object
  const { namespace, name, ...written } = manifest.object.metadata
  const metadata = Object.fromEntries(
    Object.entries(written).filter(([field, value]) => !OF_THE_SERVER.includes(field) && !saysNothing(value)),
  )
  const place = type.namespaced ? { name, namespace: namespace ?? defaultNamespace } : { name }
  return { ...manifest, object: withoutStringData({ ...object, metadata: { ...metadata, ...place } }) }
}

/** `annotations: {}`, as charts write it: the server keeps nothing of it, so it would look like a difference for ever. */
function saysNothing(value: unknown): boolean {
  return value === null || (isObject(value) && Object.keys(value).length === 0)
}

/**
 * A Secret's stringData is write-only: the server moves it into data, but goes on to call stringData the owner's field. What
 * is never there to be read can neither be compared nor restored, so it is moved here.
 * https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data
 */
function withoutStringData(object: KubeObject): KubeObject {
  const { stringData, ...secret } = object
  if (groupKindOf(object) !== 'Secret' || !isObject(stringData)) return object
  const encoded = Object.entries(stringData).map(([key, value]) => [key, toBase64(String(value))])
  const data = isObject(secret['data']) ? secret['data'] : {}
  return { ...secret, data: { ...data, ...Object.fromEntries(encoded) } }
}

/** Base64 of the UTF-8 bytes of a text. */
function toBase64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''))
}

/** What is wrong with a manifest, seen from where it will be sent. */
export function problemsOf(manifest: Manifest, type: ResourceType): Problem[] {
  if (type.verbs.includes('patch')) return []
  const { object, at } = manifest
  const message = `${describe(refOf(object))}: the cluster does not let anybody apply objects of this kind`
  return [{ code: 'InvalidManifest', message, hint: 'take it out of the manifests', at }]
}

/** What tells one release from all others in a cluster. */
export interface ReleaseIdentity {
  readonly release: string
  /** Where its lock and its records are, and objects that name no namespace. */
  readonly namespace: string
}

/** The labels go on the object only: in a pod template they would restart pods. */
export function labelled(object: KubeObject, { release, namespace }: ReleaseIdentity): KubeObject {
  const isOutside = object.metadata.namespace !== namespace
  const own = { [RELEASE_LABEL]: release, ...(isOutside && { [RELEASE_NAMESPACE_LABEL]: namespace }) }
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...own } } }
}

/** The release that a live object says it belongs to, for comparing and for people; undefined when it names none. */
export function releaseOf({ metadata }: KubeObject): ReleaseIdentity | undefined {
  const release = metadata.labels?.[RELEASE_LABEL]
  const namespace = metadata.labels?.[RELEASE_NAMESPACE_LABEL] ?? metadata.namespace ?? ''
  return release === undefined ? undefined : { release, namespace }
}

/** Whether a live object says that it belongs to just this release. */
export function belongsTo(object: KubeObject | undefined, { release, namespace }: ReleaseIdentity): boolean {
  const owner = object && releaseOf(object)
  return owner?.release === release && owner.namespace === namespace
}

export interface Bookkeeping {
  readonly revision: number
  readonly changeCause: string
}

const CONTROLLED_WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet']

/** Kinds that get the bookkeeping annotations: those with a revision history of their own. */
function isRevisioned(object: KubeObject): boolean {
  return object.apiVersion === 'apps/v1' && CONTROLLED_WORKLOADS.includes(object.kind)
}

/** The object as it is written when it changes anyway. */
export function stamped(object: KubeObject, { revision, changeCause }: Bookkeeping): KubeObject {
  if (!isRevisioned(object)) return object
  return annotated(object, { [REVISION_ANNOTATION]: String(revision), [CHANGE_CAUSE_ANNOTATION]: changeCause })
}

/** The object as it is compared: with the annotations it got when it last changed, so that they are no difference. */
export function stampedAsBefore(object: KubeObject, live: KubeObject | undefined): KubeObject {
  if (!isRevisioned(object) || !live) return object
  const before = live.metadata.annotations ?? {}
  if (before[REVISION_ANNOTATION] === undefined) return object
  const kept = [REVISION_ANNOTATION, CHANGE_CAUSE_ANNOTATION].flatMap((name) =>
    before[name] === undefined ? [] : [[name, before[name]]],
  )
  return annotated(object, Object.fromEntries(kept))
}

function annotated(object: KubeObject, annotations: Record<string, string>): KubeObject {
  // An annotation of the user's own manifest wins.
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, ...object.metadata.annotations } },
  }
}

/** The revision that a live object carries; 0 when it carries none. */
export function revisionOf(object: KubeObject): number {
  const text = object.metadata.annotations?.[REVISION_ANNOTATION] ?? ''
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0
}
