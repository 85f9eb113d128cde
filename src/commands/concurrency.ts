/** As many as the connections to the API server: more would only wait in line for one. */
const AT_ONCE = 8

/**
 * Runs `body` for every item, a few at a time; results in the order of the items. After a failure nothing new is begun,
 * what has begun is finished, and the first failure is thrown.
 */
export async function mapLimited<Item, Result>(
  items: readonly Item[],
  body: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const failures: unknown[] = []
  const waiting = [...items.entries()].toReversed()
  async function work() {
    for (let entry = waiting.pop(); entry !== undefined && failures.length === 0; entry = waiting.pop()) {
      const [index, item] = entry
      try {
        results[index] = await body(item)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work))
  if (failures.length > 0) throw failures[0]
  return results
}
