/**
 * The record of one revision of a release, as it is kept in the cluster: what a rollback goes back to, what a later run finds
 * when this one is killed, and the history that people ask for. Plain JSON; times are ISO 8601 strings.
 */
import type { ReasonCode } from '../errors.ts'
import type { KubeObject } from '../manifest/object.ts'
import type { Write } from '../rollback/write.ts'

export const RECORD_STATUSES = ['pending', 'good', 'bad', 'rolled-back', 'superseded'] as const
/**
 * `pending`: a run is at work on it, or was killed while it was. `good`: it was healthy and stayed so. `bad`: it was not, or
 * nobody knows, and it was left in place. `rolled-back`: what came before is in place again. `superseded`: it was taken
 * back but for what another deployer had changed, which is theirs now.
 */
export type RecordStatus = (typeof RECORD_STATUSES)[number]

export interface ReleaseRecord {
  /** Version of this shape. */
  readonly schema: 1
  readonly release: string
  /** Where objects of the release go that name no namespace, and where the record is. */
  readonly namespace: string
  /** From 1. */
  readonly revision: number
  readonly status: RecordStatus
  /** Absent while it is pending, and when all went well. */
  readonly reason?: ReasonCode
  /** What became of it, in one line; empty while it is pending. */
  readonly message: string
  readonly startedAt: string
  readonly endedAt?: string
  /** Absent when the run was not on GitHub. */
  readonly by?: Provenance
  /** The revision whose objects these are, when somebody went back to it. */
  readonly copyOf?: number
  /** Every object of the release, in the order in which it is applied: the inventory. */
  readonly objects: readonly RecordedObject[]
  /**
   * What the run is about to do, or has done, to the cluster, oldest first: for whoever has to take it back. Kept for as long
   * as that may happen, while the status is `pending` or `bad`; empty otherwise.
   */
  readonly writes: readonly Write[]
}

/** Who deployed what, and where to read more. */
export interface Provenance {
  readonly repository: string
  readonly sha: string
  readonly ref: string
  readonly actor: string
  readonly url: string
  /** GITHUB_RUN_ID: GitHub counts runs upwards over all repositories. */
  readonly id: number
  /** GITHUB_RUN_ATTEMPT. */
  readonly attempt: number
}

export interface RecordedObject {
  /** As it was applied, but for the bookkeeping annotations (`stamped` in plan/desired.ts). */
  readonly object: KubeObject
  /** Absent while the object has not been made yet. */
  readonly uid?: string
}
