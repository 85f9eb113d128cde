/** What troubles a pod, as one fact that can be kept, compared and told. */
import type { ReasonCode } from '../errors.ts'

export interface Trouble {
  readonly reason: ReasonCode
  /** One sentence without a full stop that names the pod and its container, and what the cluster says. */
  readonly message: string
  readonly container?: string
  readonly gravity: Gravity
  /** Of that container. */
  readonly restarts: number
  /** How often that container has ended badly: once more than `restarts` while it is down, 0 when it never ran. */
  readonly failedRuns: number
}

/**
 * `fatal` cannot heal without a new release. `lasting` may heal, and is only proved bad when it stays or repeats. `passing`
 * is what a healthy pod goes through too: it explains a missed deadline and proves nothing before it.
 */
export type Gravity = 'fatal' | 'lasting' | 'passing'

const RANKS: Readonly<Record<Gravity, number>> = { fatal: 0, lasting: 1, passing: 2 }

/** The gravest comes first; of equals, the order stays. */
export function byGravity(a: { readonly gravity: Gravity }, b: { readonly gravity: Gravity }): number {
  return RANKS[a.gravity] - RANKS[b.gravity]
}
