import { guardedCluster } from './guarded-cluster.ts'
import { discreetRecords } from '../keep-secrets.ts'
import { acquireLock, type Lock } from './lock.ts'
import { openRecords, type Records } from './records.ts'
import type { Run } from '../run.ts'

/** A release while this run alone may change it. */
export interface HeldRelease {
  readonly lock: Lock
  /** The run, whose writes wait for the lock. */
  readonly run: Run
  readonly records: Records
}

/** Takes the lock of the release, waiting for another run for so long. Throws RejectedError. The caller gives the lock back. */
export async function holdRelease(namespace: string, waitSeconds: number, run: Run): Promise<HeldRelease> {
  const { inputs, cluster, clock, runner, holder, signals } = run
  const { release, run: facts } = inputs
  const request = { namespace, release, holder, waitSeconds, signal: signals.cancelled, ...(facts && { run: facts }) }
  const lock = await acquireLock(request, { cluster, clock, runner })
  const locked: Run = { ...run, cluster: guardedCluster(cluster, lock) }
  return { lock, run: locked, records: discreetRecords(openRecords(locked.cluster, { namespace, release }), runner) }
}
