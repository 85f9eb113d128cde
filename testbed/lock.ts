/** A lock between processes, as a file that holds the holder's process id. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Runs `body` while no other process holds the lock. A lock whose holder is gone is taken over. */
export async function withLock<T>(path: string, onWait: () => void, body: () => Promise<T>): Promise<T> {
  for (let waited = false; !take(path); await sleep(500)) {
    if (!waited) onWait()
    waited = true
  }
  try {
    return await body()
  } finally {
    rmSync(path, { force: true })
  }
}

function take(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    if (!holderLives(path)) rmSync(path, { force: true })
    return false
  }
}

function holderLives(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'))
    // The file is empty for the moment between its creation and the writing of the process id.
    return pid === 0 || isAlive(pid)
  } catch {
    return false
  }
}

/** Whether a process with that id exists, this user's or another's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
