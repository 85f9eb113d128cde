import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'

const LOOK_EVERY_MS = 100

/** Follows the most memory (resident set, in MB) that a process has had, until it ends. Linux only. */
export function peakMemory(child: ChildProcess, tell: (megabytes: number) => void): void {
  const timer = setInterval(() => {
    const status = readStatus(child.pid)
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(status)?.[1]
    if (kilobytes !== undefined) tell(Number(kilobytes) / 1000)
  }, LOOK_EVERY_MS)
  child.once('exit', () => clearInterval(timer))
}

/** Empty when the process has just ended. */
function readStatus(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}
