import { parseChoice } from './parse.ts'
import type { InputReader } from './reader.ts'
import { readMaxUnavailable, type Strategy } from './strategy.ts'

const ROLLBACK_STRATEGY_TYPES = ['as-written', 'max-unavailable', 'fast'] as const
export type RollbackStrategyType = (typeof ROLLBACK_STRATEGY_TYPES)[number]

/** How the bad pods make way for the old ones when a release is taken back. */
export interface RollbackStrategy {
  readonly type: RollbackStrategyType
  /** With `max-unavailable`: pods, or a percentage of the replicas such as `25%`. Absent: the workload's own. */
  readonly maxUnavailable?: number | string
}

/** Reads `rollback-strategy` and, where `strategy` has no use for it, `max-unavailable`. */
export function readRollbackStrategy(
  reader: InputReader<'rollback-strategy' | 'max-surge' | 'max-unavailable'>,
  strategy: Strategy,
): RollbackStrategy {
  const type = reader.value('rollback-strategy', (text) => parseChoice(text, ROLLBACK_STRATEGY_TYPES), 'as-written')
  if (type !== 'max-unavailable') return { type }
  const maxUnavailable = strategy.type === 'rolling' ? strategy.maxUnavailable : readMaxUnavailable(reader)
  return { type, ...(maxUnavailable !== undefined && { maxUnavailable }) }
}
