/** The name that is most like a misspelt one, if any is like it: another case, another ending, or a few letters off. */
export function nearestName(wanted: string, names: readonly string[]): string | undefined {
  const tolerance = Math.max(1, Math.floor(wanted.length / 4))
  const ranked = names
    .map((name) => ({ name, distance: distanceBetween(normal(wanted), normal(name)) }))
    .filter(({ distance }) => distance <= tolerance)
    .toSorted((one, other) => one.distance - other.distance)
  return ranked[0]?.name
}

function normal(name: string): string {
  return name.toLowerCase().replace(/\.yml$/, '.yaml')
}

/** How many letters must be added, left out or changed (Levenshtein). */
function distanceBetween(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const changed = (previous[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1)
      current.push(Math.min(changed, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}
