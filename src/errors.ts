/**
 * The failures Rollsafe expects, as data: a stable code, one sentence for the cause, and a hint that says what to do.
 * Anything else that is thrown is a bug and is reported as one, with its stack.
 */

/** Stable codes; each has a heading in docs/troubleshooting.md. */
export const REASON_CODES = [
  'InvalidInput',
  'InvalidManifest',
  'ImageNotMatched',
  'Forbidden',
  'Fenced',
  'Conflict',
  'Immutable',
  'Locked',
  'ImagePull',
  'CrashLoop',
  'OutOfMemory',
  'ContainerConfig',
  'StartFailed',
  'Unschedulable',
  'ProbeFailed',
  'QuotaOrAdmission',
  'ProgressDeadlineExceeded',
  'JobFailed',
  'Timeout',
  'Deleted',
  'GateFailed',
  'Unstable',
  'ClusterUnreachable',
  'Cancelled',
] as const

export type ReasonCode = (typeof REASON_CODES)[number]

/** A place in a file of the checkout, as an annotation on a pull request needs it. */
export interface SourcePosition {
  /** Path relative to the workspace. */
  readonly file: string
  /** 1-based. */
  readonly line: number
}

/** One thing that is wrong, and what to do about it. */
export interface Problem {
  readonly code: ReasonCode
  /** One sentence, without a full stop at the end, that names the thing and what is wrong with it. */
  readonly message: string
  /** What to do about it. */
  readonly hint: string
  readonly at?: SourcePosition
  /** Several lines of YAML that mend it, for somebody to apply. */
  readonly paste?: string
}

/**
 * The release cannot be started as asked: nothing has been written to the cluster. Holds every problem that was found,
 * not only the first, so that one run is enough to mend them all.
 */
export class RejectedError extends Error {
  override readonly name = 'RejectedError'
  readonly problems: readonly [Problem, ...Problem[]]

  constructor(problems: readonly [Problem, ...Problem[]]) {
    super(problems.map((problem) => problem.message).join('; '))
    this.problems = problems
  }
}

/** Throws one RejectedError for all problems, if there are any. */
export function rejectIfAny(problems: readonly Problem[]): void {
  const [first, ...rest] = problems
  if (first) throw new RejectedError([first, ...rest])
}

/** Somebody cancelled the run. Thrown by what stops in the middle because of it. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError'
  /** `SIGINT` or `SIGTERM`. */
  readonly signal: string

  constructor(signal: string) {
    super(`the run was cancelled (${signal})`)
    this.signal = signal
  }
}

/** One entry of `details.causes` of a Kubernetes Status, for instance a field that another manager owns. */
export interface StatusCause {
  readonly reason: string
  readonly message: string
  readonly field: string
}

export interface ClusterErrorFacts {
  /** HTTP status; 0 when no answer came at all. */
  readonly status: number
  /** What was asked, for people: `patch deployments.apps web in namespace shop`. */
  readonly request: string
  /** `reason` of the Status, or the system's error code when no answer came. */
  readonly reason?: string
  /** `details.kind` of the Status: the resource that the failure is about. */
  readonly kind?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterMs?: number
  readonly cause?: unknown
}

/**
 * A request to the API server that did not succeed, after the retries it deserved
 * (https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#response-status-kind).
 */
export class ClusterError extends Error {
  override readonly name = 'ClusterError'
  readonly status: number
  readonly request: string
  readonly reason: string
  readonly kind: string
  readonly causes: readonly StatusCause[]
  readonly retryAfterMs: number | undefined

  constructor(message: string, facts: ClusterErrorFacts) {
    super(message, { cause: facts.cause })
    this.status = facts.status
    this.request = facts.request
    this.reason = facts.reason ?? ''
    this.kind = facts.kind ?? ''
    this.causes = facts.causes ?? []
    this.retryAfterMs = facts.retryAfterMs
  }

  /** Server-side apply answers an unknown field with 500, without a reason. */
  get isSchemaError(): boolean {
    return this.status === 500 && this.message.includes('failed to create typed patch object')
  }

  /** The network or the server failed, which says nothing about the release. */
  get isUnreachable(): boolean {
    return this.status === 0 || this.status === 429 || (this.status >= 500 && !this.isSchemaError)
  }
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string')
    return error.message
  return String(error)
}
