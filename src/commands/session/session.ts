import { ClusterError, messageOf, RejectedError } from '../../errors.ts'
import { describe, keyOf, type KubeObject, type Manifest, refOf } from '../../manifest/object.ts'
import { problemFrom } from '../../plan/rejections.ts'
import { badSince, inPlace, lastGood, pendingOf } from '../../release/history.ts'
import { RecordError } from '../../release/read-record.ts'
import type { RecordedObject, ReleaseRecord } from '../../release/record.ts'
import type { RecordHead } from '../../release/record-secret.ts'
import { heal } from './heal.ts'
import { type HeldRelease, holdRelease } from './hold-release.ts'
import type { Records } from './records.ts'
import type { Rendered } from '../prepare/render.ts'
import type { Run } from '../run.ts'

/** A release that this run alone may change, and what its records tell. */
export interface Session extends HeldRelease {
  /** By revision, oldest first. */
  readonly heads: readonly RecordHead[]
  /** What the cluster runs: the newest revision that was not taken back. Absent when there is none. */
  readonly inPlace?: ReleaseRecord
  /** Absent when no revision was ever good. */
  readonly lastGood?: ReleaseRecord
  /** What was left in place since the last good revision and before `inPlace`, oldest first. */
  readonly leftInPlace: readonly ReleaseRecord[]
  /** The namespace of the release, which this run has made because its manifests have it. */
  readonly madeNamespace?: KubeObject
  /** Aborts when nothing new may be begun: the run is cancelled, or another one has taken the lock. */
  readonly stop: AbortSignal
  /** Whole sentences about what was found and mended. */
  readonly warnings: readonly string[]
  /** Gives the lock back. */
  close(): Promise<void>
}

/** What the post step of the job has to know: enough to find the record, and nothing secret. */
export const SESSION_STATE = 'session'

/**
 * Takes the lock of the release, waiting for another run if need be, takes back what a run that was killed has left half
 * done, and reads the records. Throws RejectedError.
 */
export async function openSession({ namespace, desired }: Rendered, run: Run): Promise<Session> {
  const { inputs, runner, signals } = run
  let madeNamespace: KubeObject | undefined
  try {
    madeNamespace = await makeNamespace(namespace, desired, run)
    runner.saveState(SESSION_STATE, JSON.stringify({ namespace, holder: run.holder }))
    const held = await holdRelease(namespace, inputs.lockTimeoutSeconds, run)
    const { lock, records } = held
    const close = () => lock.release()
    try {
      const stop = AbortSignal.any([signals.cancelled, lock.lost])
      const warned: string[] = []
      let heads = await records.list()
      for (let pending = pendingOf(heads); pending; pending = pendingOf(heads)) {
        const healed = await heal({ pending, heads, records, lock }, held.run)
        warned.push(...healed.warnings)
        // As if this run had made it: it is taken back with what this release is about to make.
        if (healed.madeNamespace && namespaceIn(desired, namespace)) madeNamespace ??= healed.madeNamespace
        heads = await records.list()
      }
      const known = await readKnown(records, heads)
      for (const warning of known.warnings) runner.info(`warning: ${warning}`)
      return {
        ...known,
        warnings: [...warned, ...known.warnings],
        ...held,
        heads,
        stop,
        close,
        ...(madeNamespace && { madeNamespace }),
      }
    } catch (error) {
      await close()
      throw error
    }
  } catch (error) {
    await leaveNamespace({ run, ...(madeNamespace && { madeNamespace }) })
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the records of the release')])
    throw error
  }
}

type Known = Pick<Session, 'inPlace' | 'lastGood' | 'leftInPlace' | 'warnings'>

/** The records that matter. One that cannot be read is as if it were not there, and is named. */
async function readKnown(records: Records, heads: readonly RecordHead[]): Promise<Known> {
  const warnings: string[] = []
  const read = async (head: RecordHead | undefined): Promise<ReleaseRecord | undefined> => {
    if (!head) return undefined
    try {
      return await records.read(head)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      warnings.push(`the record of revision ${head.revision} is not used: ${error.message}`)
      return undefined
    }
  }
  const current = inPlace(heads)
  const good = lastGood(heads)
  const place = await read(current)
  const last = good?.revision === current?.revision ? place : await read(good)
  const before = badSince(heads).filter((head) => head !== current)
  const left = await Promise.all(before.map(read))
  const leftInPlace = left.filter((record) => record !== undefined)
  return { ...(place && { inPlace: place }), ...(last && { lastGood: last }), leftInPlace, warnings }
}

/**
 * Makes the namespace of the release when its manifests have it and it is not there: the lock and the record need it. It is the
 * one write without a record; a run that ends before the release begins takes it back (`leaveNamespace`).
 */
async function makeNamespace(
  name: string,
  desired: readonly Manifest[],
  { cluster, runner }: Run,
): Promise<KubeObject | undefined> {
  const manifest = namespaceIn(desired, name)
  if (!manifest || (await cluster.get(refOf(manifest.object)))) return undefined
  const made = await cluster.apply(manifest.object)
  runner.info(`${describe(refOf(made))} created, for the lock and the record of the release`)
  return made
}

/** What the release has in the cluster: of the last good revision, and of bad ones that were left in place since. */
export function inventoryOf({ inPlace: place, lastGood: good, leftInPlace }: Known): RecordedObject[] {
  const all = [good, ...leftInPlace, place].flatMap((record) => record?.objects ?? [])
  return [...new Map(all.map((recorded) => [keyOf(refOf(recorded.object)), recorded])).values()]
}

function namespaceIn(desired: readonly Manifest[], name: string): Manifest | undefined {
  return desired.find(
    ({ object }) => object.apiVersion === 'v1' && object.kind === 'Namespace' && object.metadata.name === name,
  )
}

/** For a release that was rejected before it began. A namespace that cannot be deleted is named, and is empty. */
export async function leaveNamespace({ madeNamespace, run }: Pick<Session, 'madeNamespace' | 'run'>): Promise<void> {
  if (!madeNamespace) return
  try {
    await run.cluster.delete(refOf(madeNamespace), madeNamespace.metadata.uid ?? '')
    run.runner.info(`${describe(refOf(madeNamespace))} deleted again`)
  } catch (error) {
    run.runner.info(`${describe(refOf(madeNamespace))} stays, and is empty: it cannot be deleted: ${messageOf(error)}`)
  }
}
