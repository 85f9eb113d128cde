/** How many pods a workload had over time, kept short however long a rollout takes. */

export interface Moment {
  /** Milliseconds on the clock of the tracker. */
  readonly at: number
  readonly available: number
  /** Absent where it is not known. */
  readonly total?: number
}

/** A moment for each change, the oldest first; the pods stay as they are until the next one. */
export type Course = readonly Moment[]

/** More than a picture can show. */
export const MOST_MOMENTS = 60

/**
 * The course with one more observation. When it gets too long, the moment that lasted the shortest goes, but never the first or the
 * last, the fewest available or the most in all: those are what people look for.
 */
export function withSample(course: Course | undefined, moment: Moment): Course {
  const known = course ?? []
  const last = known.at(-1)
  if (last && last.available === moment.available && last.total === moment.total) return known
  const longer = [...known, moment]
  return longer.length <= MOST_MOMENTS ? longer : longer.toSpliced(leastMissed(longer), 1)
}

function leastMissed(course: Course): number {
  const fewest = Math.min(...course.map(({ available }) => available))
  const most = Math.max(...course.map(({ total }) => total ?? 0))
  const kept = [
    0,
    course.findIndex(({ available }) => available === fewest),
    course.findIndex(({ total }) => total === most),
  ]
  const candidates = course.flatMap((one, index) => {
    const next = course[index + 1]
    return next && !kept.includes(index) ? [{ index, lasted: next.at - one.at }] : []
  })
  return candidates.reduce((least, one) => (one.lasted < least.lasted ? one : least)).index
}
