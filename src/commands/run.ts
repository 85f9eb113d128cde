import type { Inputs } from '../inputs/inputs.ts'
import type { Clock, Cluster, GitHub, Registry, Renderer, Runner, Web } from '../ports.ts'
import type { Journal } from './journal.ts'

/** One run of the action: what was asked, everything it needs of the outside world, and its memory for the report. */
export interface Run {
  readonly inputs: Inputs
  readonly cluster: Cluster
  readonly runner: Runner
  readonly renderer: Renderer
  readonly registry: Registry
  readonly web: Web
  readonly clock: Clock
  /** Absent without a token, or outside GitHub. */
  readonly github?: GitHub
  readonly journal: Journal
  /** Tells others that a release begins to write. */
  readonly announce: () => void
  /** Tells this run from all others, as the holder of a lock. The post step of a job has the same as its main step. */
  readonly holder: string
  readonly signals: Signals
}

export interface Signals {
  /** Aborts with a CancelledError when somebody cancels the run: nothing new is begun, what was written is taken back. */
  readonly cancelled: AbortSignal
  /** Aborts when the process is about to be killed: what is going on is left as it is, and told. */
  readonly ending: AbortSignal
}
