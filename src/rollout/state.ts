import type { ReasonCode } from '../errors.ts'

/** The status of one object. The message counts, in kubectl's words. */
export type Status =
  | { readonly state: 'progressing'; readonly message: string; readonly pods?: Pods }
  | {
      readonly state: 'healthy'
      readonly message: string
      readonly pods?: Pods
      /**
       * No controller has said anything about our release yet, and maybe none ever will. When one then says that it is at
       * work, the object did not become unstable: it was never known to be healthy.
       */
      readonly isAssumed?: true
    }
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
  /** Names of the nodes on which a DaemonSet wants a pod that cannot start now (notReadyNodes in nodes.ts). */
  readonly notReadyNodes?: readonly string[]
}

export const OBSERVING = 'waiting for the spec update to be observed'

interface Observable {
  readonly metadata: { readonly generation?: number }
  readonly status?: { readonly observedGeneration?: number }
}

/** A controller that has not seen our write yet still reports on the one before; a missing observedGeneration is 0. */
export function isObserved({ metadata, status }: Observable, { generation }: Expectation): boolean {
  return (status?.observedGeneration ?? 0) >= Math.max(generation, metadata.generation ?? 0)
}
