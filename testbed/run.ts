/** Runs programs to their end. */
import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly cwd?: string
  /** Added to this process' own environment. */
  readonly env?: Record<string, string>
  /** For the program's standard input, which is empty otherwise. */
  readonly input?: string
  /** After so long the program is ended, which counts as a failure; without it, it may take its time. */
  readonly milliseconds?: number
  /** Called with the id of the process as soon as it runs. */
  readonly onStart?: (pid: number) => void
}

/** Returns what the program printed on standard output. Throws when it ends with another code than 0, with what it said. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: 'pipe',
      timeout: options.milliseconds,
    })
    let out = ''
    let log = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
    // A program that ends without reading its input closes the pipe; its exit code says what there is to say.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input ?? '')
    if (child.pid !== undefined) options.onStart?.(child.pid)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(out)
      const tail = `${log}${out}`.trim().split('\n').slice(-30).join('\n')
      reject(new Error(`${[program, ...args].join(' ')} ended with ${signal ?? `code ${code}`}:\n${tail}`))
    })
  })
}
