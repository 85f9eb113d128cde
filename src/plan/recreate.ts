/** Whether an object may be deleted and made anew, because a field that cannot change is to change. */
import type { Problem } from '../errors.ts'
import { describe, groupKindOf, isObject, type KubeObject, type Manifest, refOf } from '../manifest/object.ts'

const RECREATE_ANNOTATION = 'rollsafe.dev/recreate'
const IF_IMMUTABLE = 'if-immutable'

/** Deleting one of these deletes what people keep in it, and making it again brings none of that back. */
const HOLDERS = [
  'Namespace',
  'CustomResourceDefinition.apiextensions.k8s.io',
  'PersistentVolumeClaim',
  'PersistentVolume',
]

/** Whether the object holds what would be lost with it, so that only a person may delete it. */
export function isHolder(object: { readonly apiVersion: string; readonly kind: string }): boolean {
  return HOLDERS.includes(groupKindOf(object))
}

/** What is wrong with the annotation that allows an object to be recreated. */
export function recreateProblems({ object, at }: Manifest): Problem[] {
  const text = object.metadata.annotations?.[RECREATE_ANNOTATION]
  if (text === undefined) return []
  const problem = (message: string, hint: string): Problem[] => [
    { code: 'InvalidManifest', message: `${describe(refOf(object))}: ${message}`, hint, at },
  ]
  if (text !== IF_IMMUTABLE)
    return problem(`the annotation ${RECREATE_ANNOTATION} is ${JSON.stringify(text)}`, `write ${IF_IMMUTABLE}`)
  if (isHolder(object)) {
    const loss = `the annotation ${RECREATE_ANNOTATION} is on a ${object.kind}, with which all that is in it would be deleted`
    return problem(loss, 'remove the annotation; when it has to be made anew, save what is in it and do that by hand')
  }
  return []
}

export type Recreation =
  /** A clause that goes on from the object's name. */
  { readonly isAllowed: true; readonly why: string } | { readonly isAllowed: false; readonly hint: string }

/** Whether an object may come to be made anew, for what its manifest says. */
export function mayBeRecreated(object: KubeObject): boolean {
  return groupKindOf(object) === 'Job.batch' || object.metadata.annotations?.[RECREATE_ANNOTATION] === IF_IMMUTABLE
}

/** What to do about a field that cannot change. */
export function immutableHint(desired: KubeObject, live: KubeObject): string {
  const recreation = recreationOf(desired, live)
  return recreation.isAllowed ? KEEP_OR_BY_HAND : recreation.hint
}

/** Whether two Services like this one cannot be there at once, because it names an address of its own. */
export function asksForAddresses(object: KubeObject): boolean {
  const { spec } = object
  if (groupKindOf(object) !== 'Service' || !isObject(spec)) return false
  const { clusterIP, clusterIPs } = spec
  const isAddress = (value: unknown) => typeof value === 'string' && value !== '' && value !== 'None'
  const ports = Array.isArray(spec['ports']) ? spec['ports'].filter(isObject) : []
  const isIn = Array.isArray(clusterIPs) && clusterIPs.some(isAddress)
  return isAddress(clusterIP) || isIn || ports.some(({ nodePort }) => nodePort !== undefined)
}

/**
 * Whether `desired`, which changes a field of `live` that cannot change, may take its place. A Job with a fixed name always may: it
 * can be run in another version in no other way. Anything else has to say so itself, as pods and addresses are gone meanwhile.
 */
export function recreationOf(desired: KubeObject, live: KubeObject): Recreation {
  if (groupKindOf(desired) === 'Job.batch')
    return { isAllowed: true, why: 'a Job cannot be changed, so it is replaced' }
  if (isHolder(desired)) return { isAllowed: false, hint: KEEP_OR_BY_HAND }
  if (deletesItsClaims(live)) {
    const hint = `${KEEP_OR_BY_HAND}: its persistentVolumeClaimRetentionPolicy would delete its claims with it`
    return { isAllowed: false, hint }
  }
  if (desired.metadata.annotations?.[RECREATE_ANNOTATION] !== IF_IMMUTABLE) return { isAllowed: false, hint: ANNOTATE }
  return { isAllowed: true, why: `a field that cannot change is to change, and ${RECREATE_ANNOTATION} allows it` }
}

const KEEP_OR_BY_HAND = 'keep the old value, or save what is in it and make it anew by hand'
const ANNOTATE = `keep the old value, or set the annotation ${RECREATE_ANNOTATION}: ${IF_IMMUTABLE} on the object to have it deleted and made anew, during which it is not there`

/** https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention */
function deletesItsClaims({ apiVersion, kind, spec }: KubeObject): boolean {
  if (groupKindOf({ apiVersion, kind }) !== 'StatefulSet.apps' || !isObject(spec)) return false
  const policy = spec['persistentVolumeClaimRetentionPolicy']
  return isObject(policy) && policy['whenDeleted'] === 'Delete'
}
