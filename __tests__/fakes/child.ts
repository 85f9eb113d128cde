/** Runs a module of this repository in a Node process of its own, for tests of what the process prints and leaves. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface ChildResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `script` is the text of a module; its imports are relative to the repository's root, written as `root/src/…`. */
export async function runScript(script: string, env: Record<string, string>): Promise<ChildResult> {
  const root = new URL('../../', import.meta.url).href
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script.replaceAll(`'root/`, `'${root}`)], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve))
  const [code, stdout, stderr] = await Promise.all([exited, text(child.stdout), text(child.stderr)])
  return { code, stdout, stderr }
}
