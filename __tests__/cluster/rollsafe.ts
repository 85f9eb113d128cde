/** Runs Rollsafe as a user's workflow does: a process of its own, inputs in the environment, manifests in a checkout. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Report } from '../../src/report/report.ts'
import { kubeconfigIn, testbed } from './testbed.ts'

const ENTRY = resolve(import.meta.dirname, '../../src/index.ts')
/** A third of the time of a run on a busy machine is for reading the sources. */
const COMPILED = resolve(import.meta.dirname, '../../node_modules/.cache/rollsafe')

export interface RunResult {
  readonly exitCode: number
  readonly log: string
  readonly outputs: Readonly<Record<string, string>>
  readonly report: Report
  readonly summary: string
}

export interface RunOptions {
  /**
   * The ServiceAccount of the namespace, with the Role of docs/permissions.md, if not given; the administrator of the testbed for
   * what that Role is not for. It counts where no kubeconfig is given.
   */
  readonly login?: 'administrator'
  readonly env?: Readonly<Record<string, string>>
  /** Called whenever something is printed, with all that was printed so far. */
  readonly onLog?: (log: string) => unknown
}

/** A run that was perhaps killed: what it left behind. */
export interface Ended {
  /** Absent when it was killed. */
  readonly exitCode?: number
  readonly log: string
  readonly outputs: Readonly<Record<string, string>>
  /** What it has saved for the post step of the job. */
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
  readonly seconds: number
}

/** A run that goes on. */
export interface Started {
  signal(name: NodeJS.Signals): void
  readonly ended: Promise<Ended>
}

export interface Checkout extends AsyncDisposable {
  readonly folder: string
  write(path: string, text: string): Promise<void>
  /** Runs the action with these inputs. Unless given otherwise: everything in `k8s`, on the testbed, with a short soak. */
  run(inputs: Readonly<Record<string, string>>, options?: RunOptions): Promise<RunResult>
  /** The same for a run that is not left alone. */
  start(inputs: Readonly<Record<string, string>>, options?: RunOptions): Promise<Started>
}

/** A checkout with these files. Removed with `await using`. */
export async function createCheckout(files: Readonly<Record<string, string>> = {}): Promise<Checkout> {
  const root = await mkdtemp(join(tmpdir(), 'rollsafe-test-'))
  const folder = join(root, 'checkout')
  await mkdir(join(folder, 'k8s'), { recursive: true })
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  for (const [path, text] of Object.entries(files)) await write(path, text)
  return {
    folder,
    write,
    run: (inputs, options = {}) => run(root, folder, inputs, options),
    start: (inputs, options = {}) => start(root, folder, inputs, options),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
}

async function run(
  root: string,
  folder: string,
  inputs: Readonly<Record<string, string>>,
  options: RunOptions,
): Promise<RunResult> {
  const { exitCode = -1, log, outputs, summary } = await (await start(root, folder, inputs, options)).ended
  const reportPath = outputs['report']
  if (reportPath === undefined) throw new Error(`the run wrote no report:\n${log}`)
  return { exitCode, log, outputs, summary, report: JSON.parse(await readFile(reportPath, 'utf8')) as Report }
}

async function start(
  root: string,
  folder: string,
  inputs: Readonly<Record<string, string>>,
  { env = {}, login, onLog }: RunOptions,
): Promise<Started> {
  const temp = await mkdtemp(join(root, 'run-'))
  const files = {
    GITHUB_OUTPUT: join(temp, 'output'),
    GITHUB_STATE: join(temp, 'state'),
    GITHUB_STEP_SUMMARY: join(temp, 'summary.md'),
  }
  for (const file of Object.values(files)) await writeFile(file, '')
  const given = { manifests: 'k8s', 'stable-for': '1s', ...inputs }
  const kubeconfig = 'kubeconfig' in given || 'KUBECONFIG' in env ? {} : await kubeconfigFor(temp, given, login)
  const started = performance.now()
  const child = spawn(process.execPath, [ENTRY], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: temp,
      NODE_COMPILE_CACHE: COMPILED,
      ...kubeconfig,
      GITHUB_WORKSPACE: folder,
      GITHUB_REPOSITORY: 'acme/shop',
      RUNNER_TEMP: temp,
      ...files,
      ...Object.fromEntries(Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      ...env,
    },
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text
      onLog?.(log)
    })
  }
  const closed = new Promise<number | null>((done) => child.on('close', (code) => done(code)))
  const end = async (): Promise<Ended> => {
    const exitCode = await closed
    const seconds = (performance.now() - started) / 1000
    return {
      ...(exitCode !== null && { exitCode }),
      log,
      outputs: readOutputs(await readFile(files.GITHUB_OUTPUT, 'utf8')),
      state: readOutputs(await readFile(files.GITHUB_STATE, 'utf8')),
      summary: await readFile(files.GITHUB_STEP_SUMMARY, 'utf8'),
      seconds,
    }
  }
  return { signal: (name) => child.kill(name), ended: end() }
}

async function kubeconfigFor(
  folder: string,
  { namespace }: Readonly<Record<string, string>>,
  login: RunOptions['login'],
): Promise<{ KUBECONFIG: string }> {
  if (login === 'administrator') return { KUBECONFIG: testbed().kubeconfig }
  const path = join(folder, 'kubeconfig')
  await writeFile(path, await kubeconfigIn(namespace))
  return { KUBECONFIG: path }
}

/** `name<<delimiter`, the value, `delimiter`: the file format of step outputs and of saved state. */
export function readOutputs(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n?\2$/gm)].map(([, name, , value]) => [name, value]),
  )
}
