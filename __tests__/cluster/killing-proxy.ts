/**
 * Stands between a run and the API server: counts the requests in the order in which they arrive, holds them up, and strikes the
 * run right after the API server has answered one of them. The run reaches it by plain http on the loopback.
 */
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, request as forward, type RequestOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { load } from 'js-yaml'
import { testbed } from './testbed.ts'

/** A request of the run. */
export interface Passing {
  /** From 1, in the order of arrival. */
  readonly nth: number
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Whether it changes something: no read, no dry-run, and no question about rights, which is a POST, too. */
  readonly isWrite: boolean
}

export interface Strike {
  /** The request after which it happens; only the first that it is true of. */
  at(passing: Passing): boolean
  /** Whether the run still gets the answer: never, before it is struck, or right after. */
  readonly answer: 'lost' | 'before' | 'after'
  /** What arrives after that request: is never forwarded, or waits until the run was struck. */
  readonly later: 'dropped' | 'held'
  /** Kills or stops the run. */
  strike(passing: Passing): void
}

export interface ProxyOptions {
  /** Logs in at the API server with this token, and not as the testbed's administrator. */
  readonly token?: string
  readonly strike?: Strike
  /** How long a request is held up before it is forwarded. */
  readonly delayMs?: (passing: Passing) => number
}

export interface Proxy extends AsyncDisposable {
  /** Inputs that make a run use it. */
  readonly inputs: Readonly<Record<string, string>>
  /** So far, in the order of arrival. */
  readonly passed: readonly Passing[]
}

interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }]
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }]
}

export async function openProxy({ token, strike, delayMs }: ProxyOptions = {}): Promise<Proxy> {
  const config = load(await readFile(testbed().kubeconfig, 'utf8')) as Kubeconfig
  const [{ cluster }] = config.clusters
  const [{ user }] = config.users
  const decoded = (text = '') => Buffer.from(text, 'base64').toString('utf8')
  const upstream = new URL(cluster['server'] ?? '')
  const agent = new Agent({
    keepAlive: true,
    ca: decoded(cluster['certificate-authority-data']),
    ...(token === undefined && {
      cert: decoded(user['client-certificate-data']),
      key: decoded(user['client-key-data']),
    }),
  })
  const passed: Passing[] = []
  let target: Passing | undefined
  const struck = Promise.withResolvers<void>()

  const server = createServer((from, to) => {
    pass(from, to).catch((error: unknown) => to.destroy(error instanceof Error ? error : new Error(String(error))))
  })

  async function pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/' } = from
    const isWrite = method !== 'GET' && !/dryRun=All|\/selfsubject/.test(path)
    const passing: Passing = { nth: passed.length + 1, method, path, isWrite }
    passed.push(passing)
    const isLater = target !== undefined
    if (!target && strike?.at(passing)) target = passing
    if (isLater) {
      if (strike?.later === 'dropped') return void to.destroy()
      await struck.promise
    }
    const pause = delayMs?.(passing) ?? 0
    if (pause > 0) await sleep(pause)
    const answer = await answerTo(from, to)
    const isTarget = passing === target
    if (isTarget && strike && strike.answer !== 'before') hit(passing)
    if (isTarget && strike?.answer === 'lost') {
      answer.destroy()
      to.destroy()
      return
    }
    to.writeHead(answer.statusCode ?? 502, answer.headers)
    if (isTarget && strike?.answer === 'before') {
      if (isStream(path)) to.flushHeaders()
      else to.once('finish', () => hit(passing))
      if (isStream(path)) hit(passing)
    }
    answer.on('error', () => to.destroy())
    answer.pipe(to)
  }

  function hit(passing: Passing): void {
    strike?.strike(passing)
    struck.resolve()
  }

  /** Also when the run dies meanwhile, as a request that has left a machine is not called back. */
  function answerTo(from: IncomingMessage, to: ServerResponse): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const { host: _host, connection: _connection, ...headers } = from.headers
    const options: RequestOptions = {
      hostname: upstream.hostname,
      port: upstream.port,
      agent,
      method: from.method,
      path: from.url,
      headers,
    }
    const sent = forward(options, resolve).once('error', reject)
    from.on('error', reject).pipe(sent)
    to.once('close', () => {
      if (isStream(from.url ?? '')) sent.destroy()
    })
    return promise
  }

  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'proxy',
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
    clusters: [{ name: 'proxy', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'proxy', user: token === undefined ? {} : { token } }],
  }
  return {
    inputs: { kubeconfig: JSON.stringify(kubeconfig), 'allow-insecure': 'true' },
    passed,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done))
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

/** An answer without an end: a watch, or a log that is followed. */
function isStream(path: string): boolean {
  return /[?&](?:watch|follow)=true/.test(path)
}
