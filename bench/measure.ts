/** Figures for people: medians of several runs, and what one is as a share of another. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2
}

/** `median 123 (min 100, max 150) ms` */
export function describeRuns(values: readonly number[], unit: string, digits = 0): string {
  const [mid, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    value.toFixed(digits),
  )
  return `median ${mid} (min ${least}, max ${most}) ${unit}`
}

export async function timed(body: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await body()
  return performance.now() - started
}
