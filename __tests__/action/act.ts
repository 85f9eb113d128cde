/**
 * Runs workflow files as GitHub's runner would, by act (https://nektosact.com): each step a process of its own on this
 * machine, no container engine and no network. act tells what happens as lines of JSON; this turns them into steps.
 */
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { buildTool } from '../../testbed/build.ts'

const PROGRAM = join(await buildTool('act', (line) => process.stderr.write(`testbed: ${line}\n`)), 'act')

/** Longer than any workflow here takes; then act is asked to end, which ends its steps too. */
const LIMIT_MS = 150_000

export interface ActOptions {
  /** Path of the workflow file. */
  readonly workflow: string
  readonly event: string
  /** The file with the event's payload. */
  readonly eventFile: string
  /** What `actions/checkout` gives. */
  readonly checkout: string
  /** An empty folder for all that act keeps. */
  readonly home: string
  /** A YAML file with the secrets. */
  readonly secretFile: string
  readonly vars?: Readonly<Record<string, string>>
  /** For the workflow's steps. */
  readonly env?: Readonly<Record<string, string>>
  /** Folders that stand for `owner/repository@ref`. */
  readonly actions: Readonly<Record<string, string>>
  readonly matrix?: Readonly<Record<string, string>>
  /** Called with each line that a step prints. */
  readonly onPrint?: (line: string) => void
  /** Programs that a GitHub runner has and this machine may not, as folders for the PATH. */
  readonly path?: readonly string[]
}

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice'
  readonly title: string
  readonly message: string
}

export interface StepRun {
  readonly result: 'success' | 'failure'
  /** What it printed, workflow commands left out. `at` is when, in milliseconds, as is `endedAt`. */
  readonly printed: readonly { readonly text: string; readonly at: number }[]
  readonly endedAt: number
  readonly annotations: readonly Annotation[]
  readonly outputs: Readonly<Record<string, string>>
  /** What it added to the job summary. */
  readonly summary: string
}

export interface WorkflowRun {
  readonly exitCode: number
  /** Undefined when no job ran. */
  readonly jobResult: 'success' | 'failure' | undefined
  /** The steps that ran, by the name that a log shows. */
  readonly steps: Readonly<Record<string, StepRun>>
  /** All that act said, for messages. */
  readonly log: string
}

export async function runAct(options: ActOptions): Promise<WorkflowRun> {
  const child = spawn(PROGRAM, argumentsOf(options), {
    cwd: options.checkout,
    // Nothing else of this machine's environment: act hands its own on to the steps.
    env: {
      PATH: [dirname(process.execPath), ...(options.path ?? []), '/usr/bin', '/bin'].join(':'),
      HOME: options.home,
      XDG_CACHE_HOME: join(options.home, 'cache'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve(code ?? -1))
  })
  const limit = setTimeout(() => child.kill('SIGINT'), LIMIT_MS)
  const reader = new LogReader(options.onPrint)
  child.stderr.setEncoding('utf8').on('data', (text: string) => reader.note(text))
  for await (const line of createInterface(child.stdout)) reader.read(line, performance.now())
  const exitCode = await exited
  clearTimeout(limit)
  return reader.result(exitCode)
}

function argumentsOf(options: ActOptions): string[] {
  const repeated = (flag: string, pairs: Readonly<Record<string, string>> = {}, between = '=') =>
    Object.entries(pairs).flatMap(([name, value]) => [flag, `${name}${between}${value}`])
  return [
    options.event,
    '--workflows',
    options.workflow,
    '--eventpath',
    options.eventFile,
    '--secret-file',
    options.secretFile,
    '--platform',
    'ubuntu-latest=-self-hosted',
    '--action-cache-path',
    join(options.home, 'actions'),
    '--no-cache-server',
    '--json',
    ...repeated('--var', options.vars),
    ...repeated('--env', options.env),
    ...repeated('--local-repository', options.actions),
    ...repeated('--matrix', options.matrix, ':'),
  ]
}

/** A line of act's log: only what is read here. */
interface LogEntry {
  readonly msg?: string
  readonly step?: string
  /** `Pre`, `Main` or `Post`. */
  readonly stage?: string
  readonly stepResult?: 'success' | 'failure' | 'skipped'
  readonly jobResult?: 'success' | 'failure'
  readonly raw_output?: boolean
  readonly command?: string
  readonly name?: string
  readonly arg?: string
  readonly content?: string
  readonly kvPairs?: Readonly<Record<string, string>>
}

interface StepSoFar {
  /** Undefined for one that was skipped. */
  result: 'success' | 'failure' | undefined
  printed: { text: string; at: number }[]
  endedAt: number
  annotations: Annotation[]
  outputs: Record<string, string>
  summary: string
}

class LogReader {
  readonly #steps: Record<string, StepSoFar> = {}
  readonly #log: string[] = []
  readonly #onPrint: (line: string) => void
  #jobResult: 'success' | 'failure' | undefined

  constructor(onPrint: (line: string) => void = () => undefined) {
    this.#onPrint = onPrint
  }

  note(text: string): void {
    this.#log.push(text)
  }

  read(line: string, at: number): void {
    const entry = JSON.parse(line) as LogEntry
    this.#log.push(entry.msg ?? line)
    this.#jobResult = entry.jobResult ?? this.#jobResult
    if (entry.step === undefined) return
    // As GitHub's log calls them.
    const name = entry.stage === 'Post' ? `Post ${entry.step}` : entry.step
    const step = (this.#steps[name] ??= {
      result: undefined,
      printed: [],
      endedAt: 0,
      annotations: [],
      outputs: {},
      summary: '',
    })
    if (entry.raw_output) {
      const text = (entry.msg ?? '').trimEnd()
      step.printed.push({ text, at })
      this.#onPrint(text)
    }
    if (entry.stepResult === 'success' || entry.stepResult === 'failure') {
      step.result = entry.stepResult
      step.endedAt = at
    }
    switch (entry.command) {
      case 'error':
      case 'warning':
      case 'notice':
        step.annotations.push({
          level: entry.command,
          title: entry.kvPairs?.['title'] ?? '',
          message: entry.arg?.trimEnd() ?? '',
        })
        break
      case 'set-output':
        step.outputs[entry.name ?? ''] = entry.arg ?? ''
        break
      case 'summary':
        step.summary += entry.content ?? ''
        break
      default:
    }
  }

  result(exitCode: number): WorkflowRun {
    const ran = Object.entries(this.#steps).flatMap(([name, { result, ...step }]): [string, StepRun][] =>
      result === undefined ? [] : [[name, { ...step, result }]],
    )
    return { exitCode, jobResult: this.#jobResult, steps: Object.fromEntries(ran), log: this.#log.join('\n') }
  }
}
