/** Programs of the runner, started without a shell and never for longer or louder than they were allowed. */
import { spawn } from 'node:child_process'
import { access, constants, realpath, stat } from 'node:fs/promises'
import { delimiter, isAbsolute, join } from 'node:path'
import { isInside } from './inside.ts'

export interface ProcessOptions {
  /** The whole environment of the process; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly timeoutMs: number
  /** Of standard output and, apart from that, of standard error. */
  readonly maxOutputBytes: number
  readonly signal?: AbortSignal | undefined
}

/** How a process ended that could be started. */
export interface ProcessResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  /** Untrusted, and may hold secrets: programs print what they were given when they fail. */
  readonly stderr: string
  /** What ended it, when that was not the program itself. */
  readonly stopped?: 'timeout' | 'output'
}

/**
 * Runs a program by its absolute path and waits for its end. It leads a process group of its own, which is killed as a whole when
 * the time or the room for output is used up, or the signal aborts; then the signal's reason is thrown. Throws the system's error
 * (`ENOENT`, `EACCES`) when it cannot be started.
 */
export async function runProcess(
  path: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<ProcessResult> {
  const { env, cwd, timeoutMs, maxOutputBytes, signal } = options
  signal?.throwIfAborted()
  const child = spawn(path, [...args], { env, cwd, detached: true, shell: false, stdio: ['ignore', 'pipe', 'pipe'] })
  let stopped: ProcessResult['stopped']
  const killGroup = () => {
    try {
      // The group, as the program may have started others.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  const stop = (why: NonNullable<ProcessResult['stopped']>) => {
    stopped ??= why
    killGroup()
  }
  const collect = (stream: NodeJS.ReadableStream) => {
    const chunks: Buffer[] = []
    let size = 0
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxOutputBytes) stop('output')
      else chunks.push(chunk)
    })
    return () => Buffer.concat(chunks).toString('utf8')
  }
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  const timer = setTimeout(() => stop('timeout'), timeoutMs)
  signal?.addEventListener('abort', killGroup, { once: true })
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve(code))
    })
    signal?.throwIfAborted()
    return { exitCode, stdout: stdout(), stderr: stderr(), ...(stopped && { stopped }) }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', killGroup)
    // What the program has left running in the background.
    killGroup()
  }
}

/** Where a program is; `inCheckout` when the only one of that name is in the checkout, whose files nobody has vouched for. */
export type FoundProgram = { readonly path: string } | { readonly inCheckout: string } | undefined

/**
 * Finds a program by its name on a PATH, or checks the absolute path of one. Relative entries of PATH and what is really inside
 * the workspace are passed over: a checkout must not bring its own kubectl.
 */
export async function findProgram(
  command: string,
  { path, workspace }: { readonly path: string; readonly workspace: string },
): Promise<FoundProgram> {
  const folders = path.split(delimiter).filter((folder) => isAbsolute(folder))
  const candidates = isAbsolute(command) ? [command] : folders.map((folder) => join(folder, command))
  const root = await realpath(workspace).catch(() => workspace)
  let inCheckout: string | undefined
  for (const candidate of candidates) {
    const real = await executableAt(candidate)
    if (real === undefined) continue
    if (!isInside(root, real) && !isInside(root, candidate)) return { path: candidate }
    inCheckout ??= candidate
  }
  return inCheckout === undefined ? undefined : { inCheckout }
}

/** The real path of an executable file; undefined when there is none. */
async function executableAt(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile() ? await realpath(path) : undefined
  } catch {
    return undefined
  }
}
