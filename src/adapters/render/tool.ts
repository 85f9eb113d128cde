/** Renderers of the runner, run so that they can read the checkout and do nothing else. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, isAbsolute, join, relative } from 'node:path'
import { messageOf, type Problem, type ReasonCode, RejectedError } from '../../errors.ts'
import { isInside } from '../inside.ts'
import { findProgram, type ProcessResult, runProcess } from '../process.ts'
import { MAX_FILE_BYTES } from './limits.ts'

/** What a renderer may use of the runner. */
export interface ToolBox {
  /** The PATH of the runner. */
  readonly searchPath: string
  /** For each program. */
  readonly timeoutMs: number
}

export interface ToolPlace extends ToolBox {
  /** The real path of the workspace. */
  readonly root: string
  readonly signal?: AbortSignal | undefined
}

export interface Tool {
  readonly name: string
  readonly path: string
}

const MOST_OF_MESSAGE = 2000
/** Nobody listens there: what a tool would fetch over HTTP fails at once. */
const NO_PROXY_AT_ALL = 'http://127.0.0.1:9'

/** The first of these programs that is on the PATH. Throws RejectedError when there is none, or only in the checkout. */
export async function findTool(
  names: readonly [string, ...string[]],
  input: string,
  hint: string,
  { searchPath, root }: ToolPlace,
): Promise<Tool> {
  let inCheckout: string | undefined
  for (const name of names) {
    const found = await findProgram(name, { path: searchPath, workspace: root })
    if (found && 'path' in found) return { name, path: found.path }
    inCheckout ??= found?.inCheckout
  }
  const named = names.join(' or ')
  const fault =
    inCheckout === undefined
      ? `needs ${named}, which is not on the PATH of this runner`
      : `needs ${named}, and the only one on the PATH is in the checkout, which no program is run from: ${relative(root, inCheckout)}`
  throw rejected('InvalidInput', `the input ${input} ${fault}`, hint)
}

/**
 * Runs a renderer and returns what it printed. It gets nothing of the environment but the PATH, and a home of its own that is
 * removed afterwards. Throws RejectedError, with what it said, when it fails.
 */
export async function runTool(tool: Tool, args: readonly string[], what: string, place: ToolPlace): Promise<string> {
  const { root, timeoutMs, signal } = place
  const home = await mkdtemp(join(tmpdir(), 'rollsafe-render-'))
  try {
    const env = await environment(home, place)
    const options = { env, cwd: root, timeoutMs, maxOutputBytes: MAX_FILE_BYTES, signal }
    const result = await runProcess(tool.path, args, options).catch((error: unknown) => {
      signal?.throwIfAborted()
      throw rejected('InvalidInput', `${tool.name} cannot be started: ${messageOf(error)}`, 'Install it anew.')
    })
    if (result.stopped === undefined && result.exitCode === 0) return result.stdout
    throw failure(result, tool, what, place)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

async function environment(home: string, { searchPath, root }: ToolPlace): Promise<Record<string, string>> {
  const folders = {
    HOME: 'home',
    TMPDIR: 'tmp',
    XDG_CACHE_HOME: 'cache',
    XDG_CONFIG_HOME: 'config',
    XDG_DATA_HOME: 'data',
  }
  const helms = {
    HELM_CACHE_HOME: 'cache',
    HELM_CONFIG_HOME: 'config',
    HELM_DATA_HOME: 'data',
    HELM_PLUGINS: 'plugins',
  }
  const own = Object.entries({ ...folders, ...helms }).map(([name, folder]) => [name, join(home, folder)] as const)
  for (const [, folder] of own) await mkdir(folder, { recursive: true })
  const path = searchPath.split(delimiter).filter((folder) => isAbsolute(folder) && !isInside(root, folder))
  return {
    PATH: path.join(delimiter),
    ...Object.fromEntries(own),
    HTTP_PROXY: NO_PROXY_AT_ALL,
    HTTPS_PROXY: NO_PROXY_AT_ALL,
    // Of git, which kustomize would start for a remote base.
    GIT_ALLOW_PROTOCOL: 'none',
  }
}

function failure(
  { stopped, stderr, exitCode }: ProcessResult,
  { name }: Tool,
  what: string,
  { root, timeoutMs }: ToolPlace,
): RejectedError {
  if (stopped === 'timeout') {
    const hint = 'Render it in a step before this one, and list the result as manifests.'
    return rejected('InvalidInput', `${name} did not render ${what} within ${timeoutMs / 1000} s`, hint)
  }
  if (stopped === 'output') {
    return rejected('InvalidInput', `${name} printed more than 10 MiB for ${what}`, 'Split it into several releases.')
  }
  const said = essenceOf(stderr, root) || `it ended with ${exitCode === null ? 'a signal' : `exit code ${exitCode}`}`
  return rejected('InvalidManifest', `${name} cannot render ${what}: ${said}`, hintFor(said))
}

/** What a tool said about its failure, in one line: without warnings, advice on its own flags, and the path of the checkout. */
function essenceOf(stderr: string, root: string): string {
  const noise = /^(?:# ?warning:|warning:|level=|time=|\d{4}\/\d\d\/\d\d |use --debug flag)/i
  const lines = stderr.split('\n').flatMap((line) => line.trim() || [])
  const useful = lines.filter((line) => !noise.test(line))
  const first = useful.findIndex((line) => /^error:/i.test(line))
  const said = useful.slice(Math.max(0, first)).join(' ')
  return said
    .replace(/^error:\s*/i, '')
    .replaceAll(`${root}/`, '')
    .slice(0, MOST_OF_MESSAGE)
}

function hintFor(said: string): string {
  if (said.includes('missing in charts/ directory') || said.includes('helm dependency'))
    return 'Run "helm dependency build" for the chart in a step before this one, or commit its charts/ folder: nothing is fetched here.'
  return 'Mend it, and run the same command on your own machine to see that it works.'
}

function rejected(code: ReasonCode, message: string, hint: string): RejectedError {
  const problem: Problem = { code, message, hint }
  return new RejectedError([problem])
}
