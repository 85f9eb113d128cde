import { messageOf } from '../../errors.ts'
import { isObject } from '../../manifest/object.ts'
import { orAborted } from '../../or-aborted.ts'
import { type ProcessResult, runProcess } from '../process.ts'
import { EXEC_FOLDER, execEnvironment } from './exec-environment.ts'
import type { ExecPlugin, ExecSurroundings } from './exec-plugin.ts'
import { type Credentials, type Login, loginFailed } from './login.ts'
import { harmlessWords } from './harmless-words.ts'

const PLUGIN_TIMEOUT_MS = 30_000
const MAX_OUTPUT_BYTES = 256 * 1024
/** Renewed while they still hold, so that no request is on its way with credentials that end meanwhile. */
const RENEWED_BEFORE_END_MS = 60_000

export interface ExecLoginOptions extends ExecSurroundings {
  /** `spec.cluster` of the ExecCredential, for plugins that want it. */
  readonly cluster: object
  readonly mask: (secret: string) => void
  /** The wall clock, in milliseconds, as plugins name the moment when their credentials end. */
  readonly now?: () => number
  readonly timeoutMs?: number
}

interface Issued {
  readonly credentials: Credentials
  /** By the wall clock, in milliseconds. */
  readonly endsAt: number
}

/**
 * Login by an exec plugin: one process however many requests wait for it, run again when less than a minute is left, or when the
 * server has refused what it gave. Every credential is hidden from the log before anybody gets it.
 */
export function createExecLogin(plugin: ExecPlugin, options: ExecLoginOptions): Login {
  const { now = Date.now, timeoutMs = PLUGIN_TIMEOUT_MS } = options
  const ended = new AbortController()
  let issued: Issued | undefined
  let running: Promise<Issued> | undefined

  function run(): Promise<Issued> {
    running ??= runPlugin(plugin, options, timeoutMs, ended.signal)
      .then((fresh) => (issued = fresh))
      .finally(() => (running = undefined))
    return running
  }

  return {
    async credentials(signal) {
      signal?.throwIfAborted()
      if (issued && issued.endsAt - now() > RENEWED_BEFORE_END_MS) return issued.credentials
      try {
        return (await orAborted(run(), signal)).credentials
      } catch (error) {
        signal?.throwIfAborted()
        // Renewing has failed, but there is time left to try it again.
        if (issued && issued.endsAt > now()) return issued.credentials
        throw error
      }
    },
    async refresh(refused, signal) {
      signal?.throwIfAborted()
      // Of many requests that were refused together, the first renews for all.
      if (issued?.credentials === refused) await orAborted(run(), signal)
      return true
    },
    end: () => ended.abort(new Error('the run has ended')),
  }
}

async function runPlugin(
  plugin: ExecPlugin,
  { env, workspace, cluster, mask }: ExecLoginOptions,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Issued> {
  const { name, path, args, apiVersion } = plugin
  const spec = { interactive: false, ...(plugin.wantsCluster && { cluster }) }
  let result: ProcessResult
  try {
    result = await runProcess(path, args, {
      env: {
        ...(await execEnvironment(env, plugin.env, workspace)),
        KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: 'ExecCredential', spec }),
      },
      cwd: EXEC_FOLDER,
      timeoutMs,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      signal,
    })
  } catch (error) {
    throw loginFailed(`the login command ${name} cannot be run: ${messageOf(error)}`, error)
  }
  if (result.stopped === 'timeout') {
    throw loginFailed(`the login command ${name} did not answer within ${timeoutMs / 1000} s`)
  }
  if (result.stopped === 'output') throw loginFailed(`the login command ${name} printed more than 256 KiB`)
  if (result.exitCode !== 0) {
    const words = harmlessWords(result.stderr)
    throw loginFailed(
      `the login command ${name} failed (exit code ${result.exitCode ?? 'none'})${words === '' ? '' : `: ${words}`}`,
    )
  }
  const answer = readAnswer(result.stdout, apiVersion)
  if (typeof answer === 'string') throw loginFailed(`the login command ${name} ${answer}`)
  for (const secret of answer.secrets) mask(secret)
  return answer
}

/** What is wrong with it, if it is no ExecCredential that can be used. What was printed is not told: it may hold credentials. */
function readAnswer(stdout: string, apiVersion: string): (Issued & { readonly secrets: readonly string[] }) | string {
  let answer: unknown
  try {
    answer = JSON.parse(stdout)
  } catch {
    return 'did not print JSON'
  }
  if (!isObject(answer) || answer['kind'] !== 'ExecCredential') return 'did not print an ExecCredential'
  if (answer['apiVersion'] !== apiVersion) return `did not answer in ${apiVersion}, which the kubeconfig asks for`
  const status = isObject(answer['status']) ? answer['status'] : {}
  const text = (field: string) => (typeof status[field] === 'string' ? status[field] : '')
  const [token, cert, key] = [text('token'), text('clientCertificateData'), text('clientKeyData')]
  if ((cert === '') !== (key === '')) return 'gave only one of a certificate and its key'
  if (token === '' && cert === '') return 'gave neither a token nor a certificate'
  if (token !== '' && !isToken(token)) return 'gave a token that no header can hold'
  const end = text('expirationTimestamp')
  const endsAt = end === '' ? Number.POSITIVE_INFINITY : Date.parse(end)
  if (Number.isNaN(endsAt)) return 'gave an expirationTimestamp that is no time'
  return {
    credentials: {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(cert !== '' && { certificate: { cert, key } }),
    },
    endsAt,
    secrets: [token, key].filter((secret) => secret !== ''),
  }
}

/** One word of printable characters: all else could not be sent, or would be another header. */
export function isToken(text: string): boolean {
  return /^[\u0021-\u007E]+$/.test(text)
}
