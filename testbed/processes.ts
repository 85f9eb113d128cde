/** The processes of one cluster, found by the files in which their ids were written down. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from './lock.ts'

/** By name, as in `kube-apiserver.pid`. Ids that now belong to another program are left out. */
export function processesOf(pidFolder: string, clusterFolder: string): Map<string, number> {
  const found = new Map<string, number>()
  if (!existsSync(pidFolder)) return found
  for (const file of readdirSync(pidFolder)) {
    const pid = Number(readFileSync(join(pidFolder, file), 'utf8'))
    // Every process of a cluster is given paths in the cluster's folder, which no other program has reason to name.
    if (pid > 1 && isAlive(pid) && commandOf(pid).includes(clusterFolder)) found.set(file.replace(/\.pid$/, ''), pid)
  }
  return found
}

/** Kills, without a chance to tidy up. */
export function kill(pids: Iterable<number>): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

/** The command line, or nothing when the process is gone. */
function commandOf(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  } catch {
    return ''
  }
}
