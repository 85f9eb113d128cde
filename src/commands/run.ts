import type { Inputs } from '../inputs/inputs.ts'
import type { Clock, Cluster, GitHub, Renderer, Runner } from '../ports.ts'
import type { Journal } from './journal.ts'

/** One run of the action: what was asked, everything it needs of the outside world, and its memory for the report. */
export interface Run {
  readonly inputs: Inputs
  readonly cluster: Cluster
  readonly runner: Runner
  readonly renderer: Renderer
  readonly clock: Clock
  /** Absent without a token, or outside GitHub. */
  readonly github?: GitHub
  readonly journal: Journal
}
