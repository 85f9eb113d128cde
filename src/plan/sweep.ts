/** Which previews of a repository nobody needs any more. */

export interface SweepCandidate {
  readonly name: string
  readonly pullRequest: number
  readonly isOpen: boolean
  /** Milliseconds since 1970; undefined when the namespace does not tell, and then it never ends by itself. */
  readonly expiresAt: number | undefined
  /** Milliseconds since 1970. */
  readonly createdAt: number
}

export interface SweepDecision {
  readonly name: string
  /** A clause that goes on from the preview's name; absent for one that stays. */
  readonly because?: string
}

/**
 * Previews of closed pull requests go, and those that are over; of the rest, as many as there are too many, the one that was longest
 * without a deploy first. In the order of `candidates`.
 */
export function decideSweep(
  candidates: readonly SweepCandidate[],
  { most, now }: { most: number; now: number },
): SweepDecision[] {
  const reasons = new Map<string, string>()
  for (const { name, pullRequest, isOpen, expiresAt } of candidates) {
    if (!isOpen) reasons.set(name, `is of pull request #${pullRequest}, which is closed`)
    else if (expiresAt !== undefined && expiresAt <= now)
      reasons.set(name, `was over at ${new Date(expiresAt).toISOString()}`)
  }
  const staying = candidates.filter(({ name }) => !reasons.has(name)).toSorted(oldestFirst)
  for (const { name } of staying.slice(0, Math.max(0, staying.length - most)))
    reasons.set(name, `is one of the oldest, and ${most} may stay (max-previews)`)
  return candidates.map(({ name }) => {
    const because = reasons.get(name)
    return { name, ...(because !== undefined && { because }) }
  })
}

/** Each deploy puts the end off, so the end tells when the last one was. */
function oldestFirst(one: SweepCandidate, other: SweepCandidate): number {
  const age = (candidate: SweepCandidate) => candidate.expiresAt ?? candidate.createdAt
  return age(one) - age(other) || one.createdAt - other.createdAt || (one.name < other.name ? -1 : 1)
}
