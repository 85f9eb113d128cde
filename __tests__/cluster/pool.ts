/** Many trials in a few places side by side, as a test file runs its tests one after the other. */

export interface Pool<Space> extends AsyncDisposable {
  /** Runs the trial when a place is free. The promise may be awaited late. */
  run<T>(trial: (space: Space) => Promise<T>): Promise<T>
}

export interface PoolOptions<Space> {
  /** How many trials at a time. */
  readonly width: number
  /** Places that there are already. */
  readonly first?: readonly Space[]
}

/** Opens places as they are needed. One in which a trial has failed is not used again. */
export function openPool<Space extends AsyncDisposable>(
  open: () => Promise<Space>,
  { width, first = [] }: PoolOptions<Space>,
): Pool<Space> {
  const all = new Set<Space>(first)
  const free = [...first]
  const waiting: (() => void)[] = []
  let working = 0

  async function inTurn(): Promise<void> {
    if (working === width) await new Promise<void>((done) => waiting.push(done))
    else working++
  }

  async function take(): Promise<Space> {
    const space = free.pop() ?? (await open())
    all.add(space)
    return space
  }

  async function trial<T>(body: (space: Space) => Promise<T>): Promise<T> {
    await inTurn()
    try {
      const space = await take()
      const result = await body(space)
      free.push(space)
      return result
    } finally {
      const next = waiting.shift()
      if (next) next()
      else working--
    }
  }

  return {
    run(body) {
      const result = trial(body)
      // Its test may not have begun yet.
      result.catch(() => undefined)
      return result
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...all].map((space) => space[Symbol.asyncDispose]()))
    },
  }
}
