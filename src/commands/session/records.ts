/** The records of one release in the cluster: what was deployed, and what a rollback goes back to. */
import { ClusterError } from '../../errors.ts'
import { type KubeObject, type ObjectRef, refOf } from '../../manifest/object.ts'
import type { Cluster } from '../../ports.ts'
import { unreadable } from '../../release/read-record.ts'
import {
  headOf,
  isSameSecret,
  partOf,
  partsOf,
  RECORD_OF_LABEL,
  recordFrom,
  type RecordHead,
  recordName,
  type RecordPart,
  secretsOf,
} from '../../release/record-secret.ts'
import type { ReleaseRecord } from '../../release/record.ts'
import { mapLimited } from '../concurrency.ts'

/** Throws ClusterError, and RecordError for a record that cannot be read, or could not be read back if it were written. */
export interface Records {
  /** All revisions, the oldest first. One request, and none of the contents. */
  list(): Promise<RecordHead[]>
  /** One request, and one for each part. */
  read(head: RecordHead): Promise<ReleaseRecord>
  /** Throws a ClusterError 409 when there is such a revision already. */
  create(record: ReleaseRecord): Promise<void>
  /**
   * Replaces the record of a revision that was listed, read or created here before; throws a ClusterError 409 when somebody
   * else has written it since.
   */
  update(record: ReleaseRecord): Promise<void>
  /** Deletes these revisions, unless others bear their names by now. */
  remove(heads: readonly RecordHead[]): Promise<void>
}

/** What is known of a revision's Secrets, so that writing to them needs no further reading. */
interface Seen {
  /** Absent when only parts were seen: what a run left that was killed before it made the head. */
  readonly resourceVersion?: string | undefined
  readonly parts: readonly RecordPart[]
}

export function openRecords(cluster: Cluster, place: { namespace: string; release: string }): Records {
  const { namespace, release } = place
  const seen = new Map<number, Seen>()

  /** Sends a Secret. Where the answer is lost, the Secret itself tells whether it arrived. */
  async function sent(secret: KubeObject, send: () => Promise<KubeObject>, mayExist = false): Promise<KubeObject> {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error
      if (!error.isUnreachable && !(mayExist && error.status === 409)) throw error
      const found = await cluster.get(refOf(secret))
      if (found && isSameSecret(found, secret)) return found
      throw error
    }
  }

  /** Makes the parts that are not there yet. Their names tell their contents, so one that is there is the right one. */
  async function createParts(parts: readonly KubeObject[], revision: number): Promise<RecordPart[]> {
    const known = seen.get(revision)?.parts ?? []
    return mapLimited(parts, async (part) => {
      const { name } = part.metadata
      const before = known.find((one) => one.name === name)
      if (before) return before
      const { metadata } = await sent(part, () => cluster.create(part), true)
      return { revision, name, uid: metadata.uid ?? '' }
    })
  }

  const deletePart = ({ name, uid }: RecordPart) => cluster.delete(refTo(name), uid)
  const refTo = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'Secret', namespace, name })

  /** Writes parts, then the head that turns to them, then deletes the parts that no head needs any more. */
  async function write(record: ReleaseRecord, send: (head: KubeObject) => Promise<KubeObject>): Promise<void> {
    if (record.release !== release || record.namespace !== namespace)
      throw new Error('this is another release’s record')
    const { revision } = record
    const secrets = await secretsOf(record)
    const parts = await createParts(secrets.parts, revision)
    const { metadata } = await sent(secrets.head, () => send(secrets.head))
    const names = parts.map(({ name }) => name)
    const surplus = (seen.get(revision)?.parts ?? []).filter(({ name }) => !names.includes(name))
    seen.set(revision, { resourceVersion: metadata.resourceVersion, parts: [...parts, ...surplus] })
    try {
      await mapLimited(surplus, deletePart)
      seen.set(revision, { resourceVersion: metadata.resourceVersion, parts })
    } catch (error) {
      // The record is written; what is left over takes room until the revision is written or removed the next time.
      if (!(error instanceof ClusterError)) throw error
    }
  }

  return {
    async list() {
      const labelSelector = `${RECORD_OF_LABEL}=${release}`
      const { objects } = await cluster.list({
        apiVersion: 'v1',
        kind: 'Secret',
        namespace,
        labelSelector,
        metadataOnly: true,
      })
      const parts = Map.groupBy(
        objects.flatMap((object) => partOf(object) ?? []),
        ({ revision }) => revision,
      )
      const heads = objects
        .flatMap((object) => headOf(object) ?? [])
        .map((head) => ({ ...head, parts: parts.get(head.revision) ?? [] }))
      for (const [revision, ofRevision] of parts) seen.set(revision, { parts: ofRevision })
      for (const head of heads) seen.set(head.revision, head)
      return heads.toSorted((one, other) => one.revision - other.revision)
    },

    async read(head) {
      const of = { release, namespace, revision: head.revision }
      const secret = await cluster.get(refTo(recordName(of)))
      if (!secret) throw unreadable(of, 'it is no longer there')
      const parts = await mapLimited(partsOf(secret, of), (ref) => cluster.get(ref))
      const record = await recordFrom(secret, parts, of)
      const known = seen.get(head.revision)?.parts ?? head.parts
      seen.set(head.revision, { resourceVersion: secret.metadata.resourceVersion, parts: known })
      return record
    },

    create: (record) => write(record, (head) => cluster.create(head)),

    async update(record) {
      const { resourceVersion } = seen.get(record.revision) ?? {}
      if (resourceVersion === undefined)
        throw new Error(`${recordName(record)} has not been read, so it cannot be updated`)
      await write(record, (head) => cluster.replace({ ...head, metadata: { ...head.metadata, resourceVersion } }))
    },

    async remove(heads) {
      await mapLimited(heads, async ({ revision, uid, parts }) => {
        const all = new Map([...parts, ...(seen.get(revision)?.parts ?? [])].map((part) => [part.uid, part]))
        // The head goes last: as long as it is there, the next run finds the revision and removes the rest.
        await Promise.all([...all.values()].map(deletePart))
        await cluster.delete(refTo(recordName({ release, revision })), uid)
        seen.delete(revision)
      })
    },
  }
}
