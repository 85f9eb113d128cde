import { ClusterError, messageOf, type ReasonCode } from '../../errors.ts'
import { keyOf, type KubeObject, refOf } from '../../manifest/object.ts'
import type { Change } from '../../plan/change.ts'
import { outdated } from '../../release/history.ts'
import type { Provenance, RecordedObject, RecordStatus, ReleaseRecord } from '../../release/record.ts'
import type { RunFacts } from '../../report/report.ts'
import type { Write } from '../../rollback/write.ts'
import { writeOf, type Written } from '../apply/apply.ts'
import { inTime } from './in-time.ts'
import type { Prepared } from '../prepare/prepare.ts'
import type { Session } from './session.ts'
import { closeEarlier, rememberRemade } from '../undo/undo-basis.ts'

const MS_WITHOUT_CLUSTER = 10_000

/** How a release ended, for its record. */
export interface RecordedEnd {
  readonly status: Exclude<RecordStatus, 'pending'>
  readonly reason?: ReasonCode
  readonly message: string
}

/** The record of a release that has begun. */
export interface Recording {
  /**
   * Writes down how it ended, also of `earlier` revisions that were taken back with it, and what had to be made anew then. Returns
   * a warning when that could not be: the release itself is what it is.
   */
  close(
    end: RecordedEnd,
    written: readonly Written[],
    earlier?: readonly ReleaseRecord[],
    remade?: ReadonlyMap<string, string>,
  ): Promise<string[]>
  /** Takes the record away again: nothing was written. */
  drop(): Promise<string[]>
}

/** Writes down what is going to be done, before the first write, so that whoever comes after a killed run can take it back. */
export async function beginRecord(prepared: Prepared, session: Session, copyOf?: number): Promise<Recording> {
  const { run, records, heads } = session
  const { historyLimit } = run.inputs
  const record: ReleaseRecord = {
    schema: 1,
    release: run.inputs.release,
    namespace: prepared.namespace,
    revision: prepared.revision,
    status: 'pending',
    message: '',
    startedAt: run.journal.startedAt.toISOString(),
    ...(run.inputs.run && { by: provenanceOf(run.inputs.run) }),
    ...(copyOf !== undefined && { copyOf }),
    objects: recordedObjects(prepared.changes, []),
    writes: plannedWrites(prepared, session),
  }
  await records.create(record)

  const guarded = async (what: string, body: () => Promise<void>): Promise<string[]> => {
    try {
      await body()
      return []
    } catch (error) {
      // It has gone with the namespace that this release had made, and that was taken back.
      if (session.madeNamespace && error instanceof ClusterError && [403, 404].includes(error.status)) return []
      return [`the record of revision ${record.revision} could not be ${what}: ${messageOf(error)}`]
    }
  }
  /** Where the cluster cannot be reached at the end, it will most likely not be back in a minute: nobody waits for that. */
  const patient = (end: RecordedEnd, body: Promise<void>): Promise<void> =>
    end.reason === 'ClusterUnreachable'
      ? inTime(body, MS_WITHOUT_CLUSTER, run.clock, 'the cluster cannot be reached')
      : body
  return {
    close: (end, written, earlier = [], remade = new Map()) =>
      guarded('closed, so the next run takes this release back first', async () => {
        const closed: ReleaseRecord = {
          ...record,
          ...end,
          endedAt: run.clock.date().toISOString(),
          objects: recordedObjects(prepared.changes, written),
          // What was never reached is not to be taken back, and what was is known better now.
          writes: end.status === 'bad' ? written.map(writeOf).map(withoutStatuses) : [],
        }
        await rememberRemade(remade, heads, records)
        await patient(end, records.update(closed))
        if (end.status !== 'bad') await closeEarlier(earlier, records)
        await records.remove(outdated(heads, historyLimit, { revision: record.revision, status: end.status }))
      }),
    drop: () =>
      guarded('removed', async () => {
        const head = (await records.list()).find(({ revision }) => revision === record.revision)
        if (head) await records.remove([head])
      }),
  }
}

/** A release that was good without a write: what is in place is what was asked for, and now it is known to be healthy. */
export async function recordAsGood(prepared: Prepared, session: Session): Promise<string[]> {
  const { inPlace, records, run } = session
  if (inPlace?.status === 'good') return []
  const end = { status: 'good', message: 'was found healthy' } as const
  try {
    if (!inPlace || !isTheSame(inPlace, prepared.changes))
      return await (await beginRecord(prepared, session)).close(end, [])
    const { reason: _reason, ...kept } = inPlace
    // As they are now: somebody may have changed the manifests and the cluster alike.
    const objects = recordedObjects(prepared.changes, [])
    await records.update({ ...kept, ...end, endedAt: run.clock.date().toISOString(), objects, writes: [] })
    return []
  } catch (error) {
    return [`what is in place could not be recorded as good: ${messageOf(error)}`]
  }
}

function isTheSame(record: ReleaseRecord, changes: readonly Change[]): boolean {
  const keys = new Set(record.objects.map(({ object }) => keyOf(refOf(object))))
  return keys.size === changes.length && changes.every(({ manifest }) => keys.has(keyOf(refOf(manifest.object))))
}

function recordedObjects(changes: readonly Change[], written: readonly Written[]): RecordedObject[] {
  const after = new Map(written.flatMap((one) => (one.after ? [[keyOf(refOf(one.after)), one.after] as const] : [])))
  return changes.map((change): RecordedObject => {
    const { object } = change.manifest
    const live =
      after.get(keyOf(refOf(object))) ??
      (change.type === 'update' || change.type === 'unchanged' ? change.live : undefined)
    const uid = live?.metadata.uid
    return { object, ...(uid !== undefined && { uid }) }
  })
}

function plannedWrites({ changes, prune }: Prepared, { madeNamespace }: Session): Write[] {
  return [
    ...changes.flatMap((change): Write[] => {
      const ref = refOf(change.manifest.object)
      switch (change.type) {
        case 'create':
          // What a dry-run answers about a new object has a UID that nothing will ever have.
          return [
            madeNamespace && keyOf(refOf(madeNamespace)) === keyOf(ref)
              ? { type: 'create', ref, after: madeNamespace }
              : { type: 'create', ref },
          ]
        case 'update':
          return [{ type: 'update', ref, before: withoutStatus(change.live), after: withoutStatus(change.expected) }]
        case 'recreate':
          return [{ type: 'recreate', ref, before: withoutStatus(change.live) }]
        case 'run':
          return [{ type: 'run', ref }]
        case 'unchanged':
          return []
      }
    }),
    ...prune.deletions.map(({ ref, live }): Write => ({ type: 'prune', ref, before: withoutStatus(live) })),
  ]
}

function withoutStatuses({ before, after, ...write }: Write): Write {
  return {
    ...write,
    ...(before && { before: withoutStatus(before) }),
    ...(after && { after: withoutStatus(after) }),
  }
}

function withoutStatus(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = object
  return rest
}

function provenanceOf({ repository, sha, ref, actor, url, id, attempt }: RunFacts): Provenance {
  return { repository, sha, ref, actor, url, id, attempt }
}
