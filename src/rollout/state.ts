import type { ReasonCode } from '../errors.ts'

/** The status of one object. The message counts, in kubectl's words. */
export type Status =
  | { readonly state: 'progressing'; readonly message: string; readonly pods?: Pods }
  | { readonly state: 'healthy'; readonly message: string; readonly pods?: Pods }
  | { readonly state: 'failed'; readonly reason: ReasonCode; readonly message: string; readonly pods?: Pods }

export interface Pods {
  readonly available: number
  readonly wanted: number
}

/** What is known of an object from before it is judged. */
export interface Expectation {
  /** `metadata.generation` that our write resulted in: an older status does not speak of our release. */
  readonly generation: number
  /**
   * `lastUpdateTime` of a Progressing=False/ProgressDeadlineExceeded condition that was there before our write. The
   * controller leaves that condition alone until there is progress (pkg/controller/deployment/progress.go), so it can
   * stand beside an observedGeneration that is already ours.
   */
  readonly staleDeadline?: string
}
