/**
 * Reads the record of a revision, which is untrusted: whoever may write Secrets in the namespace could have made it, and a
 * rollback applies what it says with the rights of the deployer. What is wrong anywhere makes all of it unreadable. That
 * the objects lie inside the release's fences is for the caller to ask, as with manifests.
 */
import { REASON_CODES } from '../errors.ts'
import { describe, isObject, keyOf, type KubeObject, type ObjectRef, refOf } from '../manifest/object.ts'
import { RELEASE_LABEL } from '../plan/desired.ts'
import type { Write } from '../rollback/write.ts'
import { type Provenance, RECORD_STATUSES, type RecordedObject, type ReleaseRecord } from './record.ts'

/** Which revision is meant. */
export interface RecordIdentity {
  readonly release: string
  readonly namespace: string
  readonly revision: number
}

/** A record cannot be read, or must not be believed. The message is one sentence without a full stop. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
}

/** Names the revision, and says in words without a full stop what is wrong with its record. */
export function unreadable(
  { release, revision }: Pick<RecordIdentity, 'release' | 'revision'>,
  fault: string,
): RecordError {
  return new RecordError(`the record of revision ${revision} of release ${release} cannot be used: ${fault}`)
}

type Fields = Readonly<Record<string, unknown>>

const MOST_OBJECTS = 10_000
/** Every object may be written, and as many pruned. */
const MOST_WRITES = 2 * MOST_OBJECTS
/** The schemas of CustomResourceDefinitions go deepest, to about 100. */
const DEEPEST = 500

/** The record, made of what this version knows: other fields are left out. Throws RecordError. */
export function readRecord(json: string, expected: RecordIdentity): ReleaseRecord {
  try {
    const record = fieldsOf(parse(json), 'it')
    checkKeys(record, '', 0)
    check(record['schema'] === 1, 'it was written by another version of Rollsafe: its schema is not 1')
    for (const field of ['release', 'namespace', 'revision'] as const) {
      check(record[field] === expected[field], `its ${field} is not ${JSON.stringify(expected[field])}`)
    }
    const { release, namespace, revision } = expected
    const status = RECORD_STATUSES.find((one) => one === record['status'])
    check(status !== undefined, 'its status is none that there is')
    const reason = optional(record['reason'], (value) => textOf(value, 'reason'))
    const known = REASON_CODES.find((code) => code === reason)
    const endedAt = optional(record['endedAt'], (value) => timeOf(value, 'endedAt'))
    const by = optional(record['by'], provenanceOf)
    const copyOf = optional(record['copyOf'], (value) => numberOf(value, 'copyOf', 1))
    return {
      schema: 1,
      release,
      namespace,
      revision: numberOf(revision, 'revision', 1),
      status,
      // A later version may know more reasons; that is no reason not to go back.
      ...(known !== undefined && { reason: known }),
      message: textOf(record['message'], 'message'),
      startedAt: timeOf(record['startedAt'], 'startedAt'),
      ...(endedAt !== undefined && { endedAt }),
      ...(by !== undefined && { by }),
      ...(copyOf !== undefined && { copyOf }),
      objects: objectsOf(record['objects'], release),
      writes: listOf(record['writes'], 'writes', MOST_WRITES).map(writeOf),
    }
  } catch (error) {
    throw error instanceof Fault ? unreadable(expected, error.message) : error
  }
}

class Fault extends Error {}

function check(isRight: boolean, fault: string): asserts isRight {
  if (!isRight) throw new Fault(fault)
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // Not the parser's own message: it quotes the text, which may hold secrets.
    throw new Fault('it is not JSON')
  }
}

/** Maps whose keys are the users' own: there, such a name with a text behind it is only a name. */
const TEXT_MAPS = ['data', 'binaryData', 'stringData', 'labels', 'annotations']

/**
 * JSON.parse makes fields of its own of these names, and whoever copies them by assignment changes the prototype instead.
 * The rule for `constructor` is secure-json-parse's: alone it does no harm, and is a name like others in a schema.
 */
function checkKeys(value: unknown, parent: string, depth: number): void {
  check(depth <= DEEPEST, 'it is nested too deep')
  if (Array.isArray(value)) for (const item of value) checkKeys(item, '', depth + 1)
  if (!isObject(value)) return
  for (const [key, child] of Object.entries(value)) {
    const isName = TEXT_MAPS.includes(parent) && typeof child === 'string'
    const isTrap = key === 'constructor' && isObject(child) && Object.hasOwn(child, 'prototype')
    check((key !== '__proto__' && !isTrap) || isName, `it has a field ${key} that could change how objects behave`)
    checkKeys(child, key, depth + 1)
  }
}

function objectsOf(value: unknown, release: string): RecordedObject[] {
  const keys = new Set<string>()
  return listOf(value, 'objects', MOST_OBJECTS).map((item, index) => {
    const place = `objects[${index}]`
    const fields = fieldsOf(item, place)
    const object = objectOf(fields['object'], `${place}.object`)
    const key = keyOf(refOf(object))
    check(!keys.has(key), `it has ${describe(refOf(object))} twice`)
    keys.add(key)
    const owner = object.metadata.labels?.[RELEASE_LABEL]
    check(owner === release, `${describe(refOf(object))} does not carry the label ${RELEASE_LABEL}: ${release}`)
    const uid = optional(fields['uid'], (text) => filledOf(text, `${place}.uid`))
    return { object, ...(uid !== undefined && { uid }) }
  })
}

const WRITE_TYPES = ['create', 'update', 'recreate', 'run', 'prune'] as const

function writeOf(item: unknown, index: number): Write {
  const place = `writes[${index}]`
  const fields = fieldsOf(item, place)
  const type = WRITE_TYPES.find((one) => one === fields['type'])
  check(type !== undefined, `${place}.type is none that there is`)
  const ref = addressOf(fieldsOf(fields['ref'], `${place}.ref`), fields['ref'], `${place}.ref`)
  const versionOf = (name: 'before' | 'after') =>
    optional(fields[name], (value) => {
      const object = objectOf(value, `${place}.${name}`)
      check(keyOf(refOf(object)) === keyOf(ref), `${place}.${name} is another object than ${describe(ref)}`)
      return object
    })
  const before = versionOf('before')
  const after = versionOf('after')
  return { type, ref, ...(before && { before }), ...(after && { after }) }
}

const API_VERSION = /^(?:[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const KIND = /^[A-Za-z]([-A-Za-z0-9]*[A-Za-z0-9])?$/
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/**
 * Names become parts of a URL, so they must be what the API server lets be one: neither `.` nor `..`, without `/` and `%`
 * (IsValidPathSegmentName in k8s.io/apimachinery/pkg/api/validation/path).
 */
function addressOf(type: Fields, metadata: unknown, place: string): ObjectRef {
  const { apiVersion, kind } = type
  const { name, namespace } = fieldsOf(metadata, `${place}.metadata`)
  check(typeof apiVersion === 'string' && API_VERSION.test(apiVersion), `${place}.apiVersion is no version of an API`)
  check(typeof kind === 'string' && KIND.test(kind), `${place}.kind is no kind`)
  const isSegment = typeof name === 'string' && name !== '' && name !== '.' && name !== '..' && !/[/%]/.test(name)
  check(isSegment, `the name of ${place} is no name of an object`)
  if (namespace === undefined) return { apiVersion, kind, name }
  check(typeof namespace === 'string' && DNS_LABEL.test(namespace), `the namespace of ${place} is no namespace`)
  return { apiVersion, kind, namespace, name }
}

const META_TEXTS = ['generateName', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp']

/** An object with sound metadata. What else is in it is checked by the API server when it is applied. */
function objectOf(value: unknown, place: string): KubeObject {
  const object = fieldsOf(value, place)
  addressOf(object, object['metadata'], place)
  const metadata = fieldsOf(object['metadata'], `${place}.metadata`)
  for (const field of ['labels', 'annotations']) {
    // As in a manifest, nothing behind `annotations:` is no annotations.
    const map = metadata[field] ?? {}
    const isTextMap = isObject(map) && Object.values(map).every((text) => typeof text === 'string')
    check(isTextMap, `${place}.metadata.${field} is not a map of texts`)
  }
  for (const field of META_TEXTS) optional(metadata[field], (text) => textOf(text, `${place}.metadata.${field}`))
  optional(metadata['generation'], (count) => numberOf(count, `${place}.metadata.generation`, 0))
  for (const field of ['finalizers', 'ownerReferences', 'managedFields']) {
    const list = listOf(metadata[field] ?? [], `${place}.metadata.${field}`, MOST_OBJECTS)
    const isItem = field === 'finalizers' ? (item: unknown) => typeof item === 'string' : isObject
    check(list.every(isItem), `${place}.metadata.${field} is malformed`)
    for (const entry of list) if (isObject(entry)) check(isFieldSet(entry['fieldsV1'] ?? {}), `${place} has odd owners`)
  }
  return value as KubeObject
}

/** A set of fields is nothing but maps in maps: https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
function isFieldSet(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isFieldSet)
}

function provenanceOf(value: unknown): Provenance {
  const by = fieldsOf(value, 'by')
  const url = textOf(by['url'], 'by.url')
  // It becomes a link in reports.
  check(URL.canParse(url) && ['https:', 'http:'].includes(new URL(url).protocol), 'by.url is no web address')
  return {
    repository: textOf(by['repository'], 'by.repository'),
    sha: textOf(by['sha'], 'by.sha'),
    ref: textOf(by['ref'], 'by.ref'),
    actor: textOf(by['actor'], 'by.actor'),
    url,
    id: numberOf(by['id'], 'by.id', 0),
    attempt: numberOf(by['attempt'], 'by.attempt', 0),
  }
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value)
}

function fieldsOf(value: unknown, place: string): Fields {
  check(isObject(value), `${place} is not an object`)
  return value
}

function listOf(value: unknown, place: string, most: number): unknown[] {
  check(Array.isArray(value), `${place} is not a list`)
  check(value.length <= most, `${place} has more than ${most} items`)
  return value
}

function textOf(value: unknown, place: string): string {
  check(typeof value === 'string', `${place} is not a text`)
  return value
}

function filledOf(value: unknown, place: string): string {
  check(textOf(value, place) !== '', `${place} is empty`)
  return textOf(value, place)
}

function numberOf(value: unknown, place: string, least: number): number {
  check(
    typeof value === 'number' && Number.isSafeInteger(value) && value >= least,
    `${place} is not a whole number from ${least}`,
  )
  return value
}

function timeOf(value: unknown, place: string): string {
  const text = textOf(value, place)
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text))
  check(isTime, `${place} is not an ISO 8601 time`)
  return text
}
