import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createExecLogin, type ExecLoginOptions } from '../../../src/adapters/kube/exec-login.ts'
import type { ExecPlugin } from '../../../src/adapters/kube/exec-plugin.ts'
import { createHttpClient } from '../../../src/adapters/kube/http.ts'
import type { Login } from '../../../src/adapters/kube/login.ts'
import { accessTo, json, startFakeApiServer, status } from '../../fakes/api-server.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rollsafe-exec-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

const API_VERSION = 'client.authentication.k8s.io/v1'
const secret = () => randomBytes(16).toString('hex')

interface Plugin {
  readonly login: Login
  readonly hidden: readonly string[]
  /** How often it has run. */
  runs(): Promise<number>
  /** What it was started with, the last time. */
  seen(): Promise<{ env: Record<string, string>; args: string[]; cwd: string }>
  /** What it prints from now on. */
  prints(status: object, answer?: object): Promise<void>
  readonly folder: string
}

/** A login command that notes how it was started, and then does what the script says; `print()` prints the answer. */
async function pluginThat(
  script: string,
  options: Partial<ExecLoginOptions> = {},
  more: Partial<ExecPlugin> = {},
): Promise<Plugin> {
  const folder = await mkdtemp(join(root, 'plugin-'))
  const path = join(folder, 'aws')
  const files = { runs: join(folder, 'runs'), seen: join(folder, 'seen'), answer: join(folder, 'answer') }
  await writeFile(files.runs, '')
  await writeFile(
    path,
    `#!${process.execPath}
const fs = require('node:fs')
fs.appendFileSync(${JSON.stringify(files.runs)}, 'x')
fs.writeFileSync(${JSON.stringify(files.seen)}, JSON.stringify({ env: process.env, args: process.argv.slice(2), cwd: process.cwd() }))
const print = () => process.stdout.write(fs.readFileSync(${JSON.stringify(files.answer)}))
${script}
`,
  )
  await chmod(path, 0o755)
  const hidden: string[] = []
  const plugin: ExecPlugin = {
    name: 'aws',
    path,
    args: ['eks', 'get-token'],
    env: {},
    apiVersion: API_VERSION,
    wantsCluster: false,
    ...more,
  }
  const login = createExecLogin(plugin, {
    env: { PATH: process.env['PATH'] },
    workspace: join(folder, 'checkout'),
    cluster: { server: 'https://api.example.com' },
    mask: (text) => hidden.push(text),
    ...options,
  })
  return {
    login,
    hidden,
    folder,
    runs: async () => (await readFile(files.runs, 'utf8')).length,
    seen: async () => JSON.parse(await readFile(files.seen, 'utf8')) as Awaited<ReturnType<Plugin['seen']>>,
    prints: (of, answer = { kind: 'ExecCredential', apiVersion: API_VERSION }) =>
      writeFile(files.answer, JSON.stringify({ ...answer, status: of })),
  }
}

const failureOf = (login: Login) =>
  login.credentials().then(
    () => undefined,
    (error: unknown) => error,
  )

describe('a login command', () => {
  it('is run once, however many wait for it, and what it gives is hidden before anybody has it', async () => {
    const token = secret()
    const plugin = await pluginThat('print()')
    await plugin.prints({ token })
    const all = await Promise.all(Array.from({ length: 20 }, () => plugin.login.credentials()))
    expect(new Set(all)).toEqual(new Set([{ authorization: `Bearer ${token}` }]))
    expect(plugin.hidden).toEqual([token])
    expect(await plugin.runs()).toBe(1)
  })

  it('gives a certificate and its key', async () => {
    const plugin = await pluginThat('print()')
    await plugin.prints({ clientCertificateData: 'cert', clientKeyData: 'the-key', token: 'and-a-token' })
    expect(await plugin.login.credentials()).toEqual({
      authorization: 'Bearer and-a-token',
      certificate: { cert: 'cert', key: 'the-key' },
    })
    expect(plugin.hidden).toEqual(['and-a-token', 'the-key'])
  })

  it('knows what it is for, and has the environment of the job but for what is not meant for it', async () => {
    const checkout = join(root, 'with-path', 'checkout')
    await mkdir(join(checkout, 'bin'), { recursive: true })
    const kept = {
      HOME: '/home/runner',
      AWS_ROLE_ARN: 'arn',
      AZURE_CLIENT_ID: 'id',
      LD_LIBRARY_PATH: '/opt/python/lib',
      ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.actions.example.com',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'oidc',
      GITHUB_REPOSITORY: 'acme/shop',
    }
    const withheld = {
      INPUT_KUBECONFIG: 'x',
      'INPUT_GITHUB-TOKEN': 'x',
      STATE_session: 'x',
      GITHUB_TOKEN: 'x',
      GH_TOKEN: 'x',
      ACTIONS_RUNTIME_TOKEN: 'x',
      GITHUB_ENV: 'x',
      GITHUB_PATH: 'x',
      GITHUB_OUTPUT: 'x',
      GITHUB_STATE: 'x',
      GITHUB_STEP_SUMMARY: 'x',
    }
    const plugin = await pluginThat(
      'print()',
      {
        workspace: checkout,
        env: {
          ...kept,
          ...withheld,
          PATH: [join(checkout, 'bin'), 'node_modules/.bin', '', '/usr/bin'].join(delimiter),
        },
      },
      { env: { AWS_PROFILE: 'prod' }, wantsCluster: true, args: ['eks', 'get-token', '$(id)', '; id'] },
    )
    await plugin.prints({ token: secret() })
    await plugin.login.credentials()
    const { env, args, cwd } = await plugin.seen()
    expect(args).toEqual(['eks', 'get-token', '$(id)', '; id'])
    expect(cwd).toBe('/')
    expect(env).toMatchObject({ ...kept, AWS_PROFILE: 'prod', PATH: '/usr/bin' })
    expect(Object.keys(env).filter((name) => Object.hasOwn(withheld, name))).toEqual([])
    expect(JSON.parse(env['KUBERNETES_EXEC_INFO'] ?? '')).toEqual({
      apiVersion: API_VERSION,
      kind: 'ExecCredential',
      spec: { interactive: false, cluster: { server: 'https://api.example.com' } },
    })
  })

  it('is not told of the cluster unless it wants to be', async () => {
    const plugin = await pluginThat('print()')
    await plugin.prints({ token: secret() })
    await plugin.login.credentials()
    const { env } = await plugin.seen()
    expect(JSON.parse(env['KUBERNETES_EXEC_INFO'] ?? '')).toMatchObject({ spec: { interactive: false } })
    expect(env['KUBERNETES_EXEC_INFO']).not.toContain('cluster')
  })

  it('is run again when less than a minute is left', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    const plugin = await pluginThat('print()', { now: () => now })
    await plugin.prints({ token: 'first-token', expirationTimestamp: '2026-01-01T00:15:00Z' })
    await plugin.login.credentials()
    now += 13 * 60_000
    await plugin.login.credentials()
    expect(await plugin.runs()).toBe(1)
    await plugin.prints({ token: 'second-token', expirationTimestamp: '2026-01-01T00:30:00Z' })
    now += 61_000
    expect(await plugin.login.credentials()).toEqual({ authorization: 'Bearer second-token' })
    expect(await plugin.runs()).toBe(2)
  })

  it('may fail to renew what still holds', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z')
    const plugin = await pluginThat('print()', { now: () => now })
    await plugin.prints({ token: 'first-token', expirationTimestamp: '2026-01-01T00:15:00Z' })
    const first = await plugin.login.credentials()
    await plugin.prints({})
    now += 14.5 * 60_000
    expect(await plugin.login.credentials()).toBe(first)
    now += 60_000
    await expect(plugin.login.credentials()).rejects.toMatchObject({ reason: 'LoginFailed' })
  })

  it('is run once more when the server refuses what it gave, for all requests together', async () => {
    const refusal = status(401, 'Unauthorized')
    await using server = await startFakeApiServer([refusal, refusal, refusal, json(200, { ok: true })])
    const plugin = await pluginThat('print()')
    await plugin.prints({ token: 'first-token' })
    await plugin.login.credentials()
    await plugin.prints({ token: 'second-token' })
    const http = createHttpClient(accessTo(server, plugin.login))
    const get = { method: 'GET', path: '/', what: 'get', repeatable: true } as const
    await Promise.all([http.json(get), http.json(get), http.stream(get).then((body) => body.json())])
    await http.close()
    expect(await plugin.runs()).toBe(2)
    expect(new Set(server.headers.slice(3).map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer second-token']),
    )
  })

  it('is not run a third time when the server refuses that too', async () => {
    await using server = await startFakeApiServer([status(401, 'Unauthorized')])
    const plugin = await pluginThat('print()')
    await plugin.prints({ token: secret() })
    const http = createHttpClient(accessTo(server, plugin.login))
    await expect(http.json({ method: 'GET', path: '/', what: 'get', repeatable: true })).rejects.toMatchObject({
      status: 401,
      message: 'Unauthorized',
    })
    await http.close()
    expect(await plugin.runs()).toBe(2)
  })

  it('is killed with its children when it does not answer', async () => {
    const plugin = await pluginThat(
      `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'inherit' })
       fs.writeFileSync(__dirname + '/child', String(child.pid))
       setInterval(() => 0, 1000)`,
      { timeoutMs: 1500 },
    )
    expect(await failureOf(plugin.login)).toMatchObject({
      status: 401,
      reason: 'LoginFailed',
      message: 'the login command aws did not answer within 1.5 s',
    })
    await ends(Number(await readFile(join(plugin.folder, 'child'), 'utf8')))
  })

  it('is killed when the run ends', async () => {
    const plugin = await pluginThat(
      "fs.writeFileSync(__dirname + '/pid', String(process.pid)); setInterval(() => 0, 1000)",
    )
    const failure = failureOf(plugin.login)
    const pid = await eventually(async () => Number((await readFile(join(plugin.folder, 'pid'), 'utf8')) || Number.NaN))
    plugin.login.end()
    expect(await failure).toMatchObject({ reason: 'LoginFailed' })
    await ends(pid)
  })

  it('goes on for the others when one stops waiting', async () => {
    const plugin = await pluginThat('setTimeout(print, 100)')
    await plugin.prints({ token: 'the-token' })
    const one = new AbortController()
    const stopped = plugin.login.credentials(one.signal)
    const other = plugin.login.credentials()
    one.abort(new Error('cancelled'))
    await expect(stopped).rejects.toThrow('cancelled')
    expect(await other).toEqual({ authorization: 'Bearer the-token' })
    expect(await plugin.runs()).toBe(1)
  })

  it('is not started for somebody who has stopped waiting', async () => {
    const plugin = await pluginThat('process.exitCode = 1')
    const cancelled = AbortSignal.abort(new Error('cancelled'))
    await expect(plugin.login.credentials(cancelled)).rejects.toThrow('cancelled')
    await expect(plugin.login.refresh({}, cancelled)).rejects.toThrow('cancelled')
    expect(await plugin.runs()).toBe(0)
  })

  it.each<[string, object | undefined, object | undefined, string]>([
    ['nothing', undefined, undefined, 'did not print JSON'],
    ['something else', {}, { kind: 'Status' }, 'did not print an ExecCredential'],
    [
      'another version',
      {},
      { kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1beta1' },
      `did not answer in ${API_VERSION}, which the kubeconfig asks for`,
    ],
    ['no credentials', {}, undefined, 'gave neither a token nor a certificate'],
    ['a certificate alone', { clientCertificateData: 'x' }, undefined, 'gave only one of a certificate and its key'],
    [
      'another header',
      { token: 'a\r\nimpersonate-group: system:masters' },
      undefined,
      'gave a token that no header can hold',
    ],
    [
      'an end that is none',
      { token: 'x', expirationTimestamp: 'soon' },
      undefined,
      'gave an expirationTimestamp that is no time',
    ],
  ])('that prints %s has failed', async (_name, of, answer, message) => {
    const plugin = await pluginThat(of === undefined ? '' : 'print()')
    if (of !== undefined) await plugin.prints(of, answer)
    expect(await failureOf(plugin.login)).toMatchObject({
      reason: 'LoginFailed',
      message: `the login command aws ${message}`,
    })
  })

  it('that fails is quoted without what could be a secret, and tried again by the next request', async () => {
    const token = secret()
    const plugin = await pluginThat(
      `if (fs.existsSync(__dirname + '/answer')) print()
       else { console.error('some lines\\nerror: the SSO session is over, token=${token} of 123456789012'); process.exitCode = 255 }`,
    )
    const failure = await failureOf(plugin.login)
    expect(failure).toMatchObject({ reason: 'LoginFailed' })
    expect(failure).toHaveProperty(
      'message',
      'the login command aws failed (exit code 255): error: the SSO session is over, token= *** of ***',
    )
    await plugin.prints({ token })
    expect(await plugin.login.credentials()).toEqual({ authorization: `Bearer ${token}` })
  })
})

async function eventually(read: () => Promise<number>): Promise<number> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(20)) {
    const value = await read().catch(() => Number.NaN)
    if (!Number.isNaN(value)) return value
  }
  throw new Error('it did not come')
}

async function ends(pid: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(20)) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
  }
  throw new Error(`process ${pid} still runs`)
}
