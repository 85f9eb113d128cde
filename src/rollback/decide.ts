import type { Verdict } from '../rollout/verdict.ts'

/** How the rollout of a release ended. */
export type Ending =
  | Exclude<Verdict, { type: 'wait' }>
  /** The API server refused a write in the middle. */
  | { readonly type: 'refused' }
  /** Somebody cancelled the run. */
  | { readonly type: 'cancelled' }
  /** The lock is lost, and with it the release. */
  | { readonly type: 'lost'; readonly why: string }
  /** All is healthy, but another deployer has changed what was written: that is not this release any more. */
  | { readonly type: 'overtaken'; readonly why: string }

export interface RollbackPolicy {
  readonly rollback: 'auto' | 'off'
  readonly onDelete: 'restore' | 'fail'
  readonly onCancel: 'rollback' | 'leave'
  readonly onUnknown: 'leave' | 'rollback'
}

/** Whether to take back what was written. Trouble with our own network is no evidence, so `unknown` has its own input. */
export function shouldUndo(ending: Ending, policy: RollbackPolicy): boolean {
  switch (ending.type) {
    case 'good':
    case 'lost':
    case 'overtaken':
      return false
    case 'refused':
      return policy.rollback === 'auto'
    case 'bad': {
      const isDeletion = ending.failures.every(({ reason }) => reason === 'Deleted')
      return policy.rollback === 'auto' && !(isDeletion && policy.onDelete === 'fail')
    }
    case 'unknown':
      return policy.rollback === 'auto' && policy.onUnknown === 'rollback'
    case 'cancelled':
      return policy.rollback === 'auto' && policy.onCancel === 'rollback'
  }
}
