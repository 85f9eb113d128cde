import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const DIST = resolve(import.meta.dirname, '../dist/index.js')

export interface ActionOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Called whenever something is printed, with all that was printed so far. */
  readonly onLog?: (log: string) => unknown
  readonly onStart?: (child: ChildProcess) => void
  /** The step is expected to fail. */
  readonly isRed?: boolean
}

/** Runs the built action with these inputs in a folder; returns its log. Throws with the log when it ends otherwise than expected. */
export async function runAction(
  folder: string,
  inputs: Readonly<Record<string, string>>,
  { env = {}, onLog, onStart, isRed = false }: ActionOptions = {},
): Promise<string> {
  const temp = await mkdtemp(join(tmpdir(), 'rollsafe-bench-'))
  try {
    const files = { GITHUB_OUTPUT: join(temp, 'output'), GITHUB_STEP_SUMMARY: join(temp, 'summary.md') }
    for (const file of Object.values(files)) await writeFile(file, '')
    const child = spawn(process.execPath, [DIST], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        GITHUB_WORKSPACE: folder,
        GITHUB_REPOSITORY: 'acme/shop',
        RUNNER_TEMP: temp,
        ...files,
        ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
        ...env,
      },
    })
    onStart?.(child)
    let log = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log += text
        onLog?.(log)
      })
    }
    const code = await new Promise((done) => child.on('close', done))
    if (code !== (isRed ? 1 : 0)) throw new Error(`the action ended with ${String(code)}:\n${log}`)
    return log
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}
