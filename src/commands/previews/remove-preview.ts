import { ClusterError, RejectedError } from '../../errors.ts'
import { keyOf, type KubeObject, refOf } from '../../manifest/object.ts'
import { strangerProblem } from '../../plan/preview.ts'
import { problemFrom } from '../../plan/rejections.ts'
import type { ReleaseRecord } from '../../release/record.ts'
import { RecordError } from '../../release/read-record.ts'
import type { Run } from '../run.ts'
import { holdRelease } from '../session/hold-release.ts'
import type { Records } from '../session/records.ts'
import { waitUntilNamespaceIsGone } from './namespace-end.ts'

export type PreviewRemoval =
  | { readonly type: 'gone' }
  | { readonly type: 'removed' }
  /** A sentence without a full stop about what holds it. */
  | { readonly type: 'held'; readonly why: string; readonly isNew: boolean }

export interface RemovePreviewOptions {
  /** How long to wait for another run of the preview. */
  readonly waitSeconds: number
  /** Whether it is still to be deleted, asked while no other run can change it; why not, as a sentence. */
  readonly whyNot?: (live: KubeObject) => Promise<string | undefined> | string | undefined
}

/**
 * Deletes the namespace of a preview with all that is in it, if its labels say that it is the one meant, and a record of the release
 * in it knows it by its UID. Waits until it is gone, two minutes at most. Throws RejectedError when it must not be deleted.
 */
export async function removePreview(
  whose: { repositoryId: number; pullRequest: number; name: string },
  run: Run,
  { waitSeconds, whyNot }: RemovePreviewOptions,
): Promise<PreviewRemoval> {
  const { name } = whose
  const ref = { apiVersion: 'v1', kind: 'Namespace', name }
  // The lock and the records are those of the preview, whatever this run is about.
  const own: Run = { ...run, inputs: { ...run.inputs, release: name, namespace: name } }
  try {
    const found = await run.cluster.get(ref)
    if (!found) return { type: 'gone' }
    assertOurs(found, whose)
    if (found.metadata.deletionTimestamp !== undefined) return await ending(found, false, run)
    const { lock, records, run: locked } = await holdRelease(name, waitSeconds, own)
    try {
      const live = await run.cluster.get(ref)
      // The run that was waited for has taken it back.
      if (!live || live.metadata.uid !== found.metadata.uid) return { type: 'gone' }
      assertOurs(live, whose)
      if (live.metadata.deletionTimestamp !== undefined) return await ending(live, false, run)
      await assertRecorded(live, records)
      const reason = await whyNot?.(live)
      if (reason !== undefined) throw fenced(reason, 'nothing to do')
      const { uid = '', resourceVersion } = live.metadata
      // Not if it has been given to somebody else since.
      const only = resourceVersion === undefined ? uid : { uid, resourceVersion }
      if (!(await locked.cluster.delete(ref, only)))
        throw fenced(`Namespace ${name} was changed in the meantime`, 'run this again')
      run.runner.info(`Namespace ${name} is being deleted, with all that is in it`)
      return await ending(live, true, run)
    } finally {
      await lock.release()
    }
  } catch (error) {
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, `Namespace ${name}`)])
    throw error
  }
}

async function ending(namespace: KubeObject, isNew: boolean, run: Run): Promise<PreviewRemoval> {
  const why = await waitUntilNamespaceIsGone(namespace, run)
  if (why !== undefined) return { type: 'held', why, isNew }
  return isNew ? { type: 'removed' } : { type: 'gone' }
}

function assertOurs(live: KubeObject, whose: { repositoryId: number; pullRequest: number }): void {
  const problem = strangerProblem(live, whose)
  if (problem) throw new RejectedError([problem])
}

/** Labels can be copied onto any namespace; a UID that a record tells cannot. */
async function assertRecorded(live: KubeObject, records: Records): Promise<void> {
  const heads = await records.list()
  for (const head of heads.toReversed()) {
    try {
      if (knows(await records.read(head), live)) return
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
    }
  }
  const { name } = live.metadata
  throw fenced(
    `Namespace ${name} has the labels of a preview, but no record in it says that Rollsafe has made it`,
    `look at what is in it; to delete it: kubectl delete namespace ${name}`,
  )
}

function knows({ objects, writes }: ReleaseRecord, live: KubeObject): boolean {
  const key = keyOf(refOf(live))
  const { uid } = live.metadata
  return (
    objects.some((one) => keyOf(refOf(one.object)) === key && one.uid === uid) ||
    // Of a run that was killed, the record may know no more than what it was about to write.
    writes.some((write) => keyOf(write.ref) === key && write.after?.metadata.uid === uid)
  )
}

function fenced(message: string, hint: string): RejectedError {
  return new RejectedError([{ code: 'Fenced', message, hint }])
}
