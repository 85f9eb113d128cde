/**
 * The one model that every output is drawn from: log line, job summary, PR comment, annotations, step outputs and
 * `report.json` (whose schema is docs/report.schema.json). Plain JSON; times are ISO 8601 strings, durations seconds.
 * It holds text that came from the cluster as it came: the views make it safe for where it goes.
 */
import type { ReasonCode, SourcePosition } from '../errors.ts'
import type { ObjectRef } from '../manifest/object.ts'
import type { FieldChange } from '../plan/diff.ts'

export const OUTCOMES = [
  'deployed',
  'unchanged',
  'planned',
  'rolled-back',
  'rollback-failed',
  'failed',
  'rejected',
  'superseded',
  'unknown',
  'cancelled',
  'removed',
] as const
export type Outcome = (typeof OUTCOMES)[number]

export interface Report {
  /** Version of this shape. */
  readonly schema: 1
  readonly command: string
  readonly outcome: Outcome
  /** Absent when all went well. */
  readonly reason?: ReasonCode
  /** What happened and why, in one sentence on one line. */
  readonly message: string
  /** What to do next; absent when all went well. */
  readonly hint?: string
  readonly release: string
  readonly namespace: string
  /** Host and port of the API server; absent when the run ended before a cluster was known. */
  readonly server?: string
  readonly revision?: number
  readonly previousRevision?: number
  /** Whether the cluster is different now from what it was before the run; of a plan, whether a deploy would change it. */
  readonly changed: boolean
  /** The GitHub environment in which the release is a deployment; absent when none was asked for. */
  readonly environment?: string
  /** Where people reach the release; only when it is good and has such a place. */
  readonly url?: string
  readonly startedAt: string
  readonly times: Times
  readonly durationSeconds: number
  readonly run?: RunFacts
  /** What was wrong with the inputs or manifests; only for `rejected`. */
  readonly problems: readonly ReportedProblem[]
  readonly objects: readonly ObjectReport[]
  readonly workloads: readonly WorkloadReport[]
  readonly timeline: readonly TimelineEntry[]
  /** In order; the first began with the run. Absent when nobody kept a journal. */
  readonly phases?: readonly PhaseStart[]
  readonly failures: readonly FailureReport[]
  readonly rollback?: RollbackReport
  /** What a deploy would do; only for the command `plan`. */
  readonly plan?: PlanReport
  /** Things that went wrong without changing the outcome, for instance a comment that GitHub refused. */
  readonly warnings: readonly string[]
}

/** When what happened, as the four key metrics of software delivery (https://dora.dev/guides/dora-metrics/) need it. */
export interface Times {
  /** When the commit was made; absent where the event does not tell. */
  readonly commit?: string
  readonly started: string
  readonly ended: string
  /** When the release was found to be bad. */
  readonly detected?: string
  /** When the version before, or the one that somebody went back to, was healthy again. */
  readonly recovered?: string
}

/** Where the run comes from, as GitHub's environment tells it. */
export interface RunFacts {
  readonly repository: string
  readonly sha: string
  readonly ref: string
  readonly actor: string
  readonly event: string
  readonly url: string
  /** GitHub counts runs upwards over all repositories: of two runs, the one with the larger number is newer. */
  readonly id: number
  /** 1, and one more each time that somebody runs it again. */
  readonly attempt: number
  readonly pullRequest?: number
  /**
   * Whose commit the run is about, where that is not the repository itself: the full name of a fork, or empty when it is not known.
   */
  readonly fork?: string
}

export interface ReportedProblem {
  readonly code: ReasonCode
  readonly message: string
  readonly hint: string
  readonly at?: SourcePosition
  /** Several lines of YAML that mend it, for somebody to apply. */
  readonly paste?: string
}

/** What this run did to one object of the release, the rollback left aside. */
export interface ObjectReport extends ObjectRef {
  readonly change: 'created' | 'updated' | 'recreated' | 'unchanged' | 'ran' | 'pruned' | 'not-reached'
}

export interface WorkloadReport extends ObjectRef {
  /** Where this run left it. */
  readonly state: 'healthy' | 'progressing' | 'failed' | 'restored' | 'removed' | 'unknown'
  /** In kubectl's words: `2 of 3 updated replicas are available`. */
  readonly message: string
  readonly images: readonly ImageChange[]
  /** Pods that are available and wanted, where the kind has such a thing. */
  readonly pods?: { readonly available: number; readonly wanted: number }
  /**
   * Fewest pods available and most in all, as planned before the rollout and as seen during it; `back` is what was to be expected
   * of the rollback, where there was one by the workload's own strategy.
   */
  readonly bounds?: { readonly planned: PodRange; readonly seen?: PodRange; readonly back?: PodRange }
  /** From its write to healthy or failed. */
  readonly seconds?: number
  /** Its pods over the rollout and the rollback, a sample for each change, the oldest first. */
  readonly course?: readonly PodSample[]
}

/** Pods at one moment, and until the next sample. */
export interface PodSample {
  /** Since the start of the run. */
  readonly seconds: number
  readonly available: number
  /** Absent where it is not known. */
  readonly total?: number
}

export interface PodRange {
  readonly leastAvailable: number
  /** Absent where it is not known. */
  readonly mostTotal?: number
}

/** A container's image before and after; `from` is absent for a new container, and equal to `to` when it stayed. */
export interface ImageChange {
  readonly container: string
  readonly from?: string
  readonly to: string
}

export interface TimelineEntry {
  /** Since the start of the run. */
  readonly seconds: number
  readonly phase: 'prepare' | 'apply' | 'follow' | 'diagnose' | 'roll-back' | 'report'
  readonly text: string
}

/** When a part of the run began. It went on until the next one did. */
export interface PhaseStart {
  readonly phase: TimelineEntry['phase']
  /** Since the start of the run. */
  readonly seconds: number
}

/** Why one workload is bad, with what was found before anything was undone. */
export interface FailureReport {
  readonly workload: ObjectRef
  readonly reason: ReasonCode
  readonly message: string
  /** The manifest it came from. */
  readonly at?: SourcePosition
  readonly pods: readonly PodEvidence[]
  /** Of the workload and of what it owns, oldest first. */
  readonly events: readonly EventEvidence[]
}

export interface PodEvidence {
  readonly name: string
  readonly node?: string
  /** `ImagePullBackOff`, `Unschedulable` … as kubectl's STATUS column would say. */
  readonly status: string
  /** The cluster's own words. */
  readonly message: string
  readonly containers: readonly ContainerEvidence[]
}

export interface ContainerEvidence {
  readonly name: string
  readonly image: string
  readonly state: string
  readonly message: string
  readonly restarts: number
  /** The tail of the log of the run that failed; absent when there was none or it could not be read. */
  readonly log?: string
}

export interface EventEvidence {
  /** ISO 8601; empty when the event carries no time. */
  readonly at: string
  readonly type: string
  readonly reason: string
  /** `Pod/web-5d9c-abcde`. */
  readonly object: string
  readonly message: string
  readonly count: number
}

export interface RollbackReport {
  readonly outcome: 'rolled-back' | 'rollback-failed'
  /** The process was ended before the rollback was: the post step of the job goes on with it, or else the next run. */
  readonly goesOn?: boolean
  /** What runs again is on record, and was never seen healthy. */
  readonly isDoubtful?: boolean
  /** Bad revisions that were in place before this run, and that were taken back too, to get to the last good one. */
  readonly beyond?: readonly number[]
  readonly message: string
  readonly seconds: number
  readonly steps: readonly RollbackStepReport[]
  /** What a person would type to finish by hand; empty unless the rollback failed. */
  readonly commands: readonly string[]
}

export interface RollbackStepReport extends ObjectRef {
  /** `left-alone` is what belongs to somebody else by now; `kept` what stays as its own annotation says. */
  readonly step: 'restored' | 'deleted' | 'already-as-before' | 'left-alone' | 'kept' | 'failed'
  readonly message: string
}

export interface PlanReport {
  readonly objects: readonly PlannedObject[]
}

/** What a deploy would do to one object. */
export interface PlannedObject extends ObjectRef {
  readonly action: 'create' | 'update' | 'recreate' | 'run' | 'prune' | 'keep' | 'unchanged' | 'refused'
  /** What differs between what is there and what was asked for; secrets are hidden. Empty for `unchanged`. */
  readonly fields: readonly FieldChange[]
  /** Fewest pods available and most in all on the way, of a workload whose pods are replaced. */
  readonly bounds?: PodRange
  /** Why it is recreated, refused or kept, or whether its pods are replaced: one sentence. */
  readonly note?: string
}
