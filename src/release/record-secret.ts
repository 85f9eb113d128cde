/**
 * A record as Secrets: a head, and parts when one Secret cannot hold it. The name of a part carries the digest of the whole, so
 * that a part is never changed, only made and deleted: an update makes the new parts, turns the head over to them in one
 * write, and deletes the old ones. Killed in between, it leaves the old record or the new one, never a mixture.
 */
import { messageOf } from '../errors.ts'
import { isObject, type KubeObject, type ObjectRef } from '../manifest/object.ts'
import { gunzip, gzip, joined } from './compression.ts'
import { readRecord, type RecordIdentity, unreadable } from './read-record.ts'
import { RECORD_STATUSES, type RecordStatus, type ReleaseRecord } from './record.ts'

export const RECORD_TYPE = 'rollsafe.dev/revision.v1'
export const RECORD_OF_LABEL = 'rollsafe.dev/record-of'
const REVISION_LABEL = 'rollsafe.dev/record-revision'
const STATUS_LABEL = 'rollsafe.dev/record-status'
const PART_LABEL = 'rollsafe.dev/record-part'
const PARTS_ANNOTATION = 'rollsafe.dev/record-parts'
const DIGEST_ANNOTATION = 'rollsafe.dev/record-sha256'

/** The API server refuses Secrets above 1 MiB of data (MaxSecretSize), and etcd requests above 1.5 MiB. */
const CHUNK_BYTES = 900 * 1024
/** What a run is willing to hold in memory. */
const MOST_JSON_BYTES = 64 * 1024 * 1024
/** Enough for that much JSON, if gzip finds nothing to save in it. */
const MOST_PARTS = Math.ceil((MOST_JSON_BYTES * 1.01) / CHUNK_BYTES)
const LONGEST_ANNOTATION = 1000
const DIGEST_IN_NAMES = 16

/** What a revision's Secret tells without its data. */
export interface RecordHead extends RecordIdentity {
  readonly status: RecordStatus
  readonly uid: string
  readonly resourceVersion: string
  /** The Secrets with the rest of the record, and those that an interrupted update left behind; filled by `list`. */
  readonly parts: readonly RecordPart[]
}

export interface RecordPart {
  readonly revision: number
  readonly name: string
  readonly uid: string
}

export interface RecordSecrets {
  readonly head: KubeObject
  /** In order; mostly there are none. */
  readonly parts: readonly KubeObject[]
}

/**
 * The Secrets that hold a record. Throws RecordError when it could not be read back, as then it must not be written: the run
 * that needs it would find out too late.
 */
export async function secretsOf(record: ReleaseRecord): Promise<RecordSecrets> {
  const json = JSON.stringify(record)
  if (new Blob([json]).size > MOST_JSON_BYTES) throw unreadable(record, `it is larger than ${MOST_JSON_BYTES} bytes`)
  readRecord(json, record)
  const bytes = await gzip(json)
  const digest = await sha256(bytes)
  const count = Math.max(1, Math.ceil(bytes.length / CHUNK_BYTES))
  const chunks = Array.from({ length: count }, (_, at) => bytes.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES))
  const secret = (name: string, labels: Record<string, string>, annotations: Record<string, string>, at: number) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: record.namespace, labels: { ...labelsOf(record), ...labels }, annotations },
    type: RECORD_TYPE,
    data: { record: toBase64(chunks[at] ?? new Uint8Array()) },
  })
  const annotations = {
    [PARTS_ANNOTATION]: String(count - 1),
    [DIGEST_ANNOTATION]: digest,
    ...annotationsForPeople(record),
  }
  return {
    head: secret(recordName(record), { [STATUS_LABEL]: record.status }, annotations, 0),
    parts: partNames(record, count - 1, digest).map((name, index) => ({
      ...secret(name, { [PART_LABEL]: String(index + 1) }, {}, index + 1),
      immutable: true,
    })),
  }
}

/** Undefined for what is not the head of a record. Metadata is enough, so the type of the Secret is not looked at. */
export function headOf({ apiVersion, kind, metadata }: KubeObject): RecordHead | undefined {
  const { name, namespace, uid, resourceVersion } = metadata
  const labels = metadata.labels ?? {}
  const release = labels[RECORD_OF_LABEL]
  const revision = revisionIn(labels)
  const status = RECORD_STATUSES.find((one) => one === labels[STATUS_LABEL])
  if (apiVersion !== 'v1' || kind !== 'Secret' || release === undefined || !revision || !status) return undefined
  if (namespace === undefined || uid === undefined || resourceVersion === undefined) return undefined
  if (name !== recordName({ release, revision })) return undefined
  return { release, namespace, revision, status, uid, resourceVersion, parts: [] }
}

/** Undefined for what is not a part of a record. */
export function partOf({ apiVersion, kind, metadata }: KubeObject): RecordPart | undefined {
  const { name, uid } = metadata
  const labels = metadata.labels ?? {}
  const release = labels[RECORD_OF_LABEL]
  const revision = revisionIn(labels)
  const index = labels[PART_LABEL]
  if (apiVersion !== 'v1' || kind !== 'Secret' || release === undefined || !revision) return undefined
  if (uid === undefined || index === undefined) return undefined
  const isOurs = name.startsWith(`${recordName({ release, revision })}.part${index}.`)
  return isOurs ? { revision, name, uid } : undefined
}

/** Where the rest of a record is, by its head. Throws RecordError when the head does not say. */
export function partsOf(secret: KubeObject, of: RecordIdentity): ObjectRef[] {
  const { digest, parts } = contentsOf(secret, of)
  const { namespace } = of
  return partNames(of, parts, digest).map((name) => ({ apiVersion: 'v1', kind: 'Secret', namespace, name }))
}

/**
 * The record out of its Secrets. Throws RecordError when they are not exactly what was written together: the digest is of all
 * the bytes, so a head with the parts of another version is never read as something else.
 */
export async function recordFrom(
  secret: KubeObject,
  parts: readonly (KubeObject | undefined)[],
  of: RecordIdentity,
): Promise<ReleaseRecord> {
  const { digest } = contentsOf(secret, of)
  const chunks = [secret, ...parts].map((one, index) => {
    if (!one) throw unreadable(of, `its part ${index} is missing`)
    return dataOf(one, of)
  })
  const bytes = joined(chunks)
  if ((await sha256(bytes)) !== digest) throw unreadable(of, 'its contents are not those that its checksum is of')
  const json = await gunzip(bytes, MOST_JSON_BYTES).catch((error: unknown) => {
    throw unreadable(of, `it cannot be unpacked (${messageOf(error)})`)
  })
  const record = readRecord(json, of)
  const isTold = headOf(secret)?.status === record.status
  if (!isTold) throw unreadable(of, 'its label tells another status than its contents')
  return record
}

/** Whether a Secret in the cluster is the one that was sent. */
export function isSameSecret(found: KubeObject, sent: KubeObject): boolean {
  const digestIn = ({ metadata }: KubeObject) => metadata.annotations?.[DIGEST_ANNOTATION]
  const dataIn = ({ data }: KubeObject) => (isObject(data) ? data['record'] : undefined)
  return found['type'] === sent['type'] && digestIn(found) === digestIn(sent) && dataIn(found) === dataIn(sent)
}

export function recordName({ release, revision }: Pick<RecordIdentity, 'release' | 'revision'>): string {
  return `rollsafe.${release}.v${revision}`
}

function partNames(of: RecordIdentity, count: number, digest: string): string[] {
  const end = digest.slice(0, DIGEST_IN_NAMES)
  return Array.from({ length: count }, (_, index) => `${recordName(of)}.part${index + 1}.${end}`)
}

/** Not the label of the release's objects: those are listed by it, and a record is none of them. */
function labelsOf({ release, revision }: ReleaseRecord): Record<string, string> {
  return {
    'app.kubernetes.io/managed-by': 'rollsafe',
    [RECORD_OF_LABEL]: release,
    [REVISION_LABEL]: String(revision),
  }
}

/** For `kubectl describe`. Nothing reads them. */
function annotationsForPeople({ by, startedAt, message }: ReleaseRecord): Record<string, string> {
  const told = { 'started-at': startedAt, message, sha: by?.sha, actor: by?.actor, 'run-url': by?.url }
  return Object.fromEntries(
    Object.entries(told).flatMap(([name, text = '']) =>
      text === '' ? [] : [[`rollsafe.dev/${name}`, text.slice(0, LONGEST_ANNOTATION).toWellFormed()]],
    ),
  )
}

function revisionIn(labels: Record<string, string>): number | undefined {
  const text = labels[REVISION_LABEL] ?? ''
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined
}

function contentsOf({ metadata }: KubeObject, of: RecordIdentity): { digest: string; parts: number } {
  const digest = metadata.annotations?.[DIGEST_ANNOTATION] ?? ''
  const parts = metadata.annotations?.[PARTS_ANNOTATION] ?? ''
  const isSound = /^[0-9a-f]{64}$/.test(digest) && /^(?:0|[1-9]\d?)$/.test(parts) && Number(parts) <= MOST_PARTS
  if (!isSound) throw unreadable(of, 'its Secret does not say how many parts there are and what their checksum is')
  return { digest, parts: Number(parts) }
}

function dataOf(secret: KubeObject, of: RecordIdentity): Uint8Array {
  const { type, data, metadata } = secret
  const text = isObject(data) ? data['record'] : undefined
  if (type !== RECORD_TYPE) throw unreadable(of, `the Secret ${metadata.name} is not of the type ${RECORD_TYPE}`)
  if (typeof text !== 'string') throw unreadable(of, `the Secret ${metadata.name} holds no record`)
  try {
    return fromBase64(text)
  } catch {
    throw unreadable(of, `the Secret ${metadata.name} is not base64`)
  }
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** In pieces, as a function takes only so many arguments. */
const PIECE = 0x8000

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += PIECE) binary += String.fromCharCode(...bytes.subarray(at, at + PIECE))
  return btoa(binary)
}

/** A loop, as a callback for each byte takes ten times as long. Throws when the text is not base64. */
function fromBase64(text: string): Uint8Array {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at)
  return bytes
}
