import type { ChildProcess } from 'node:child_process'
import { readFile } from 'node:fs/promises'

const LOOK_EVERY_MS = 100

/** Follows the most memory (resident set, in MB) that a process has had, until it ends. Linux only. */
export function peakMemory(child: ChildProcess, tell: (megabytes: number) => void): void {
  const timer = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(status)?.[1]
    if (kilobytes !== undefined) tell(Number(kilobytes) / 1000)
  }, LOOK_EVERY_MS)
  child.once('exit', () => clearInterval(timer))
}
