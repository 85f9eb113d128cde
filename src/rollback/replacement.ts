import type { RollbackStrategy } from '../inputs/rollback-strategy.ts'
import { scaledValue } from '../plan/int-or-percent.ts'
import type { PodFacts } from '../rollout/pod-facts.ts'

/** What to do about the pods of a workload that was restored. */
export interface Replacement {
  /** To delete now, each only if it still has this UID. */
  readonly delete: readonly PodFacts[]
  /** Not done: the rollback must not be called good yet, whatever the workload's status says. */
  readonly isDone: boolean
  /** What is deleted and why, or what is waited for; without a full stop. */
  readonly note?: string
}

export const DONE: Replacement = { delete: [], isDone: true }

/** How many pods may be missing at once; at least one, as none could be replaced otherwise. */
export function boundOf({ type, maxUnavailable }: RollbackStrategy, total: number, rounding: 'up' | 'down'): number {
  return type === 'fast' ? Infinity : Math.max(1, scaledValue(maxUnavailable, total, rounding))
}

export function namesOf(pods: readonly PodFacts[]): string {
  return `${pods.length === 1 ? 'pod' : 'pods'} ${pods.map(({ name }) => name).join(', ')}`
}
