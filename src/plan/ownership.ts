/**
 * Who owns which fields, and whose fields Rollsafe may take
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts).
 */
import type { StatusCause } from '../errors.ts'
import { isObject, type KubeObject, type ManagedFieldsEntry } from '../manifest/object.ts'
import { difference, type FieldSet, isEmpty, NO_FIELDS, readFieldSet, select, union } from './field-set.ts'
import { isEqual } from './json.ts'

const MANAGER = 'rollsafe'

/**
 * Managers whose fields become Rollsafe's when it first applies an object, so that a field the manifest no longer has goes
 * away: client-side `kubectl apply` and `kubectl create` wrote down what a manifest said, as Rollsafe does now, and
 * Rollsafe's own updates are the exact repairs of a rollback.
 */
const ADOPTED_MANAGERS = ['kubectl-client-side-apply', 'kubectl-create', MANAGER]

/** Kept where it is, and with its owner: `kubectl apply` needs it if somebody goes back to that. */
const LAST_APPLIED: FieldSet = {
  'f:metadata': { 'f:annotations': { 'f:kubectl.kubernetes.io/last-applied-configuration': {} } },
}

/** Whether Rollsafe wrote it, in whatever way. */
export function isRollsafes(entry: ManagedFieldsEntry): boolean {
  return entry.manager === MANAGER
}

function isOurs(entry: ManagedFieldsEntry): boolean {
  return entry.manager === MANAGER && entry.operation === 'Apply' && isMainResource(entry)
}

function isAdopted(entry: ManagedFieldsEntry): boolean {
  return entry.operation === 'Update' && ADOPTED_MANAGERS.includes(entry.manager ?? '') && isMainResource(entry)
}

/** Not through a subresource, such as `status` or `scale`. */
export function isMainResource(entry: ManagedFieldsEntry): boolean {
  return entry.subresource === undefined || entry.subresource === ''
}

function fieldsOf(object: KubeObject, isWanted: (entry: ManagedFieldsEntry) => boolean): FieldSet {
  return (object.metadata.managedFields ?? [])
    .filter(isWanted)
    .map((entry) => readFieldSet(entry.fieldsV1))
    .reduce(union, NO_FIELDS)
}

/** What Rollsafe applied. */
export function ourFields(object: KubeObject): FieldSet {
  return fieldsOf(object, isOurs)
}

/** What Rollsafe applied or would adopt. */
export function ourOrAdoptedFields(object: KubeObject): FieldSet {
  return union(ourFields(object), difference(fieldsOf(object, isAdopted), LAST_APPLIED))
}

/** What everybody else owns. */
export function othersFields(object: KubeObject): FieldSet {
  return fieldsOf(object, (entry) => !isOurs(entry) && !isAdopted(entry))
}

/** What Rollsafe would have to apply to own just these fields of an object, with the values that they have in it. */
export function bodyOf(object: KubeObject, fields: FieldSet): KubeObject {
  const { apiVersion, kind, metadata } = object
  const { name, namespace } = metadata
  const body = select(object, fields, othersFields(object))
  const selected = isObject(body) ? body : {}
  const chosen = isObject(selected['metadata']) ? selected['metadata'] : {}
  return {
    ...selected,
    apiVersion,
    kind,
    metadata: { ...chosen, name, ...(namespace !== undefined && { namespace }) },
  }
}

/**
 * Whether applying `desired` over `live` is certain to change nothing, without asking the API server: Rollsafe owns just the fields
 * that are in it, and they have just these values. Where a value was rewritten by the server (`1000m` as `1`), or a default or a
 * webhook may have a say, this does not know, and a dry-run tells.
 */
export function isAsApplied(desired: KubeObject, live: KubeObject): boolean {
  const own = (live.metadata.managedFields ?? []).filter(isOurs)
  const isSameVersion = own.every(({ apiVersion }) => apiVersion === desired.apiVersion)
  return own.length > 0 && isSameVersion && isEqual(bodyOf(live, ourFields(live)), desired)
}

/**
 * The list of owners with adopted fields moved to Rollsafe, and `leftovers` made its own too; undefined when there is nothing
 * to do. `kubectl apply --server-side` does the same with its own (client-go, util/csaupgrade); a server-side apply alone
 * does not, and the old owner would keep alive every field that is later taken out of the manifest.
 */
export function adoptFields(live: KubeObject, leftovers: FieldSet = NO_FIELDS): ManagedFieldsEntry[] | undefined {
  const entries = live.metadata.managedFields ?? []
  const isNeeded = entries.some(
    (entry) => isAdopted(entry) && !isEmpty(difference(readFieldSet(entry.fieldsV1), LAST_APPLIED)),
  )
  if (!isNeeded && isEmpty(leftovers)) return undefined
  const others = entries.flatMap((entry) => {
    if (isOurs(entry)) return []
    if (!isAdopted(entry)) return [entry]
    const left = keepOnly(readFieldSet(entry.fieldsV1), LAST_APPLIED)
    return isEmpty(left) ? [] : [{ ...entry, fieldsV1: left }]
  })
  const first = entries.find((entry) => isOurs(entry) || isAdopted(entry))
  return [
    ...others,
    {
      manager: MANAGER,
      operation: 'Apply',
      apiVersion: first?.apiVersion ?? live.apiVersion,
      fieldsType: 'FieldsV1',
      fieldsV1: union(ourOrAdoptedFields(live), leftovers),
      ...(first?.time !== undefined && { time: first.time }),
    },
  ]
}

/**
 * The list of owners as it was before Rollsafe first wrote an object, for when that is taken back: Rollsafe owns nothing, and
 * everybody else owns again what they did, beside what they have set since. Undefined when Rollsafe had been there before.
 */
export function ownersAsBefore(before: KubeObject, restored: KubeObject): ManagedFieldsEntry[] | undefined {
  const owned = before.metadata.managedFields ?? []
  if (owned.some(isRollsafes)) return undefined
  const isSame = (a: ManagedFieldsEntry, b: ManagedFieldsEntry) =>
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.apiVersion === b.apiVersion &&
    (a.subresource ?? '') === (b.subresource ?? '')
  const now = (restored.metadata.managedFields ?? []).filter((entry) => !isRollsafes(entry))
  const kept = owned.map((entry) => {
    const since = now.find((other) => isSame(entry, other))
    if (!since) return entry
    const fields = union(readFieldSet(entry.fieldsV1), readFieldSet(since.fieldsV1))
    return { ...since, fieldsV1: fields }
  })
  return [...kept, ...now.filter((entry) => !owned.some((other) => isSame(entry, other)))]
}

function keepOnly(set: FieldSet, wanted: FieldSet): FieldSet {
  return difference(set, difference(set, wanted))
}

/** A field that another manager owns with another value. */
export interface FieldConflict {
  readonly manager: string
  /** As the server writes it: `.spec.template.spec.containers[name="app"].image`. */
  readonly field: string
  /** Through which the manager has set it: autoscalers write `scale`. */
  readonly subresource?: string
}

/** Reads the causes of a 409; empty when it is another kind of conflict. */
export function readConflicts(causes: readonly StatusCause[]): FieldConflict[] {
  return causes
    .filter((cause) => cause.reason === 'FieldManagerConflict')
    .map(({ message, field }) => {
      const subresource = /with subresource "([^"]*)"/.exec(message)?.[1]
      const manager = /conflict with "([^"]*)"/.exec(message)?.[1] ?? 'unknown'
      return { manager, field, ...(subresource !== undefined && { subresource }) }
    })
}

/**
 * Whether a field may be taken without asking. What a person set by hand with kubectl gives way to the manifest, as it does
 * with `kubectl apply`. A controller, Helm or another declarative tool would set it again, so those need `force-conflicts`;
 * so does `kubectl apply --server-side`, which calls itself `kubectl`, as some commands that change things by hand do.
 */
export function mayTake(conflict: FieldConflict, live: KubeObject | undefined): boolean {
  if (conflict.manager === MANAGER || conflict.manager.startsWith('kubectl-')) return true
  const entries = live?.metadata.managedFields ?? []
  return (
    conflict.manager === 'kubectl' &&
    !entries.some((entry) => entry.manager === 'kubectl' && entry.operation === 'Apply')
  )
}
