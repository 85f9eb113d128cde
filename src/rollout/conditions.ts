/**
 * `status.conditions`, in which most kinds say how they are
 * (https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties).
 */
import { isObject, type KubeObject } from '../manifest/object.ts'

export interface Condition {
  readonly type: string
  /** `True`, `False` or `Unknown`. */
  readonly status: string
  readonly reason: string
  readonly message: string
  /** The generation that it speaks of, where the controller says so. */
  readonly observedGeneration?: number
  readonly lastUpdateTime?: string
}

/** Reads a list of conditions. A custom resource may hold anything there, so what does not look like one is left out. */
export function conditionsIn(list: unknown): Condition[] {
  if (!Array.isArray(list)) return []
  return list.filter(isObject).flatMap((item): Condition[] => {
    const { type, status, observedGeneration, lastUpdateTime } = item
    if (typeof type !== 'string' || typeof status !== 'string') return []
    return [
      {
        type,
        status,
        reason: text(item['reason']),
        message: text(item['message']),
        ...(typeof observedGeneration === 'number' && { observedGeneration }),
        ...(typeof lastUpdateTime === 'string' && { lastUpdateTime }),
      },
    ]
  })
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  const { status } = object
  return conditionsIn(isObject(status) ? status['conditions'] : undefined).find((one) => one.type === type)
}

/** The condition, if it is True. */
export function trueCondition(object: KubeObject, type: string): Condition | undefined {
  const condition = conditionOf(object, type)
  return condition?.status === 'True' ? condition : undefined
}

/** What the controller says, on one line that can be part of a sentence. */
export function saidBy({ message, reason }: Pick<Condition, 'message' | 'reason'>): string {
  const words = message.trim() === '' ? reason : message
  const line = words.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '')
  return line === '' ? 'no reason given' : line
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
