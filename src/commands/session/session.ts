import { ClusterError, messageOf, RejectedError } from '../../errors.ts'
import { describe, type KubeObject, type Manifest, refOf } from '../../manifest/object.ts'
import { problemFrom } from '../../plan/rejections.ts'
import { pendingOf } from '../../release/history.ts'
import { heal } from './heal.ts'
import { type HeldRelease, holdRelease } from './hold-release.ts'
import { type KnownRelease, readKnown } from './known-release.ts'
import type { Rendered } from '../prepare/render.ts'
import type { Run } from '../run.ts'

/** A release that this run alone may change, and what its records tell. */
export interface Session extends HeldRelease, KnownRelease {
  /** The namespace of the release, which this run has made because its manifests have it. */
  readonly madeNamespace?: KubeObject
  /** Aborts when nothing new may be begun: the run is cancelled, or another one has taken the lock. */
  readonly stop: AbortSignal
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
