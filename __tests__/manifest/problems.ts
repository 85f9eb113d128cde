import { RejectedError, type Problem } from '../../src/errors.ts'

/** The problems that something is rejected for; fails when it is not rejected, or fails in another way. */
export function problemsOf(act: () => unknown): readonly Problem[] {
  try {
    act()
  } catch (error) {
    if (error instanceof RejectedError) return error.problems
    throw error
  }
  throw new Error('it was not rejected')
}

/** The same for something that takes time. */
export async function problemsOfAsync(act: () => Promise<unknown>): Promise<readonly Problem[]> {
  try {
    await act()
  } catch (error) {
    if (error instanceof RejectedError) return error.problems
    throw error
  }
  throw new Error('it was not rejected')
}
