import type { WorkflowRun } from './act.ts'

/** A run of a workflow that goes on while the test does something else. */
export interface StartedRun {
  /** Waits for a line with this text. Throws with the whole log when the run ends without one. */
  prints(text: string): Promise<void>
  readonly ended: Promise<WorkflowRun>
}

export function startRun(run: (onPrint: (line: string) => void) => Promise<WorkflowRun>): StartedRun {
  const lines: string[] = []
  const looking = new Set<() => void>()
  const ended = run((line) => {
    lines.push(line)
    for (const look of looking) look()
  })
  // It may be awaited late.
  ended.catch(() => undefined)

  async function prints(text: string): Promise<void> {
    const found = new Promise<void>((resolve) => {
      const look = () => {
        if (!lines.some((line) => line.includes(text))) return
        looking.delete(look)
        resolve()
      }
      looking.add(look)
      look()
    })
    const missed = ended.then(({ log }) => {
      throw new Error(`the run ended without printing "${text}":\n${log}`)
    })
    await Promise.race([found, missed])
  }

  return { prints, ended }
}
