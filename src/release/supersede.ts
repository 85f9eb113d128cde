import type { Provenance } from './record.ts'

/** Of a run: what tells it from others, and which is newer. */
export type RunIdentity = Pick<Provenance, 'repository' | 'sha' | 'id' | 'attempt'>

/**
 * Whether the revision in place was deployed by a newer run with another commit, while this one waited in a queue: deploying
 * would bring the older commit back over the newer one. GitHub numbers runs upwards, so the number tells which was started
 * first. A run that somebody has started again (attempt 2 and up) is a decision of now, and is never superseded: that is how
 * people go back to an older commit.
 */
export function isSuperseded(ours: RunIdentity | undefined, inPlace: RunIdentity | undefined): boolean {
  return (
    ours !== undefined &&
    inPlace !== undefined &&
    ours.repository === inPlace.repository &&
    ours.sha !== inPlace.sha &&
    ours.attempt <= 1 &&
    ours.id > 0 &&
    ours.id < inPlace.id
  )
}
