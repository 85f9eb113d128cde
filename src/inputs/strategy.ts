import { parseChoice, parseIntOrPercent, type Parsed } from './parse.ts'
import type { InputReader } from './reader.ts'

const STRATEGY_TYPES = ['as-written', 'rolling', 'sequential', 'parallel', 'recreate'] as const
export type StrategyType = (typeof STRATEGY_TYPES)[number]

/** How old pods make way for new ones. The two numbers are pods, or a percentage of the replicas such as `25%`. */
export interface Strategy {
  readonly type: StrategyType
  readonly maxSurge?: number | string
  readonly maxUnavailable?: number | string
}

type Bound = 'max-surge' | 'max-unavailable'

/** Why the strategies that have no room for numbers have none, to follow their name. */
const WHY_NO_BOUNDS: Record<Exclude<StrategyType, 'rolling'>, string> = {
  'as-written': 'leaves all workloads as their manifests say',
  sequential: 'always replaces one pod at a time, with none missing',
  parallel: 'always starts all new pods at once, with none missing',
  recreate: 'always removes all old pods before it starts new ones',
}

/** Reads `strategy`, `max-surge` and `max-unavailable`, and notes what is wrong with them in the reader. */
export function readStrategy(reader: InputReader<'strategy' | 'rollback-strategy' | Bound>): Strategy {
  const type = reader.value<StrategyType | undefined>(
    'strategy',
    (text) => parseChoice(text, STRATEGY_TYPES),
    undefined,
  )
  if (type !== undefined && type !== 'rolling') {
    refuseBound(reader, 'max-surge', type)
    // On the way back the bound may be wanted all the same: readRollbackStrategy reads it.
    if (reader.text('rollback-strategy') !== 'max-unavailable') refuseBound(reader, 'max-unavailable', type)
    return { type }
  }
  const maxSurge = readBound(reader, 'max-surge', (text) => parseIntOrPercent(text))
  const maxUnavailable = readMaxUnavailable(reader)
  if (isZero(maxSurge) && isZero(maxUnavailable)) {
    const hint =
      'Set max-surge to 1 or more to keep all pods available, or max-unavailable to 1 or more to get by without extra pods.'
    reader.refuse('max-unavailable', 'is 0 and so is max-surge, so that no pod could ever be replaced', hint)
  }
  return {
    type: 'rolling',
    ...(maxSurge !== undefined && { maxSurge }),
    ...(maxUnavailable !== undefined && { maxUnavailable }),
  }
}

/** Undefined when it is not given. The API server refuses more than 100% for max-unavailable, and takes it for max-surge. */
export function readMaxUnavailable(reader: InputReader<Bound>): number | string | undefined {
  return readBound(reader, 'max-unavailable', (text) => parseIntOrPercent(text, 100))
}

function readBound(
  reader: InputReader<Bound>,
  name: Bound,
  parse: (text: string) => Parsed<number | string | undefined>,
): number | string | undefined {
  return reader.text(name) === '' ? undefined : reader.value(name, parse, undefined)
}

function refuseBound(reader: InputReader<Bound>, name: Bound, type: Exclude<StrategyType, 'rolling'>): void {
  const text = reader.text(name)
  if (text === '') return
  reader.refuse(
    name,
    `is "${text}", but the strategy is ${type}, which ${WHY_NO_BOUNDS[type]}`,
    `Set strategy: rolling to use ${name}, or leave it out.`,
  )
}

function isZero(bound: number | string | undefined): boolean {
  return bound === 0 || bound === '0%'
}
