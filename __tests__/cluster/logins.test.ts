/** The ways to the API server and to be known there: proxies, certificates, tokens that are renewed, login commands, impersonation. */
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startConnectProxy } from '../fakes/connect-proxy.ts'
import { changedKubeconfig, type Config, createLogin } from './login.ts'
import { app } from './manifests.ts'
import { createCheckout, type RunOptions, type RunResult } from './rollsafe.ts'
import { type TestNamespace, testbed, withNamespace } from './testbed.ts'

/** A name that only the proxy of the test can resolve: the machine itself is never reached through the proxy of the environment. */
const FAR_AWAY = 'api.rollsafe.invalid'
const HOSTS = { [FAR_AWAY]: '127.0.0.1' }
const RIGHTS = ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete']
const KINDS = 'configmaps,services,deployments.apps,replicasets.apps,pods,events'

/** Moves the API server behind the name, for which its certificate is not meant. */
function farAway({ clusters: [{ cluster }] }: Config): void {
  const { port } = new URL(String(cluster['server']))
  Object.assign(cluster, { server: `https://${FAR_AWAY}:${port}`, 'tls-server-name': 'localhost' })
}

async function deploy(
  { name }: TestNamespace,
  inputs: Readonly<Record<string, string>>,
  options: RunOptions = {},
): Promise<RunResult> {
  await using checkout = await createCheckout({ 'k8s/app.yaml': app() })
  return await checkout.run({ namespace: name, ...inputs }, options)
}

const DEPLOYED = { exitCode: 0, outputs: { outcome: 'deployed' } }
const everythingIn = (result: RunResult) => JSON.stringify(result)

describe('a proxy', () => {
  it('of the environment takes every connection, of requests and of watches, with the client certificate inside', () =>
    withNamespace('proxy', async (namespace) => {
      await using proxy = await startConnectProxy({ hosts: HOSTS })
      const { kubeconfig } = await changedKubeconfig(farAway)
      const result = await deploy(namespace, { kubeconfig }, { env: { HTTPS_PROXY: proxy.url } })
      expect(result).toMatchObject(DEPLOYED)
      expect(proxy.tunnels.length).toBeGreaterThan(1)
      expect(new Set(proxy.tunnels.map((target) => target.replace(/:\d+$/, '')))).toEqual(new Set([FAR_AWAY]))
    }))

  it('is not used for what NO_PROXY names, nor for the machine itself', () =>
    withNamespace('noproxy', async (namespace) => {
      await using proxy = await startConnectProxy({ hosts: HOSTS })
      const { kubeconfig } = await changedKubeconfig(farAway)
      const env = { HTTPS_PROXY: proxy.url, NO_PROXY: '10.0.0.0/8,.rollsafe.invalid' }
      const direct = await deploy(namespace, { kubeconfig }, { env })
      expect(direct).toMatchObject({ outputs: { outcome: 'rejected', reason: 'ClusterUnreachable' } })
      expect(direct.outputs['message']).toMatch(/api\.rollsafe\.invalid:\d+ has a host name that cannot be resolved/)
      expect(await deploy(namespace, {}, { env: { HTTPS_PROXY: proxy.url } })).toMatchObject(DEPLOYED)
      expect(proxy.tunnels).toEqual([])
    }))

  it('of the kubeconfig is told a name and a password, and nobody else is', () =>
    withNamespace('proxyurl', async (namespace) => {
      const password = randomBytes(12).toString('hex')
      const authorization = `Basic ${Buffer.from(`me:${password}`).toString('base64')}`
      await using proxy = await startConnectProxy({ hosts: HOSTS, authorization })
      const through = (userinfo: string) =>
        changedKubeconfig((config) => {
          farAway(config)
          config.clusters[0].cluster['proxy-url'] = `http://${userinfo}@127.0.0.1:${proxy.port}`
        })
      const good = await deploy(namespace, await through(`me:${password}`))
      expect(good).toMatchObject(DEPLOYED)
      expect(new Set(proxy.headers.map((headers) => headers['proxy-authorization']))).toEqual(new Set([authorization]))

      const wrong = randomBytes(12).toString('hex')
      const bad = await deploy(namespace, await through(`me:${wrong}`))
      expect(bad).toMatchObject({ outputs: { outcome: 'rejected', reason: 'ClusterUnreachable' } })
      expect(bad.outputs['message']).toMatch(
        /the proxy http:\/\/127\.0\.0\.1:\d+ answered 407 when asked to connect to https:\/\/api\.rollsafe\.invalid/,
      )
      for (const secret of [password, wrong, authorization.slice('Basic '.length)])
        expect(everythingIn(good) + everythingIn(bad)).not.toContain(secret)
    }))

  it('by https is told from an impostor, whatever is allowed with the server', () =>
    withNamespace('tlsproxy', async (namespace) => {
      const decoded = (text: unknown) => Buffer.from(String(text), 'base64').toString('utf8')
      const tls = { cert: '', key: '' }
      const through = (url: string, changes: Record<string, unknown> = {}) =>
        changedKubeconfig((config) => {
          const [{ user }] = config.users
          // The testbed's one certificate is for 127.0.0.1, too.
          Object.assign(tls, {
            cert: decoded(user['client-certificate-data']),
            key: decoded(user['client-key-data']),
          })
          farAway(config)
          Object.assign(config.clusters[0].cluster, { 'proxy-url': url }, changes)
        })
      await through('')
      await using proxy = await startConnectProxy({ hosts: HOSTS, tls })
      expect(await deploy(namespace, await through(proxy.url))).toMatchObject(DEPLOYED)
      expect(proxy.tunnels.length).toBeGreaterThan(1)

      const before = proxy.tunnels.length
      const unchecked = { 'certificate-authority-data': '', 'insecure-skip-tls-verify': true }
      const inputs = { ...(await through(proxy.url, unchecked)), 'allow-insecure': 'true' }
      const refused = await deploy(namespace, inputs)
      expect(refused).toMatchObject({ outputs: { outcome: 'rejected', reason: 'ClusterUnreachable' } })
      expect(refused.outputs['message']).toMatch(/the proxy https:\/\/127\.0\.0\.1:\d+ shows a certificate that/)
      expect(proxy.tunnels).toHaveLength(before)
    }))
})

describe('impersonation', () => {
  const as = (more: Record<string, unknown>) => changedKubeconfig((config) => Object.assign(config.users[0].user, more))

  it('deploys as the one who is named, with no other rights', () =>
    withNamespace('as', async (namespace) => {
      const { name, kubectl } = namespace
      const account = `system:serviceaccount:${name}:deployer`
      await kubectl(['create', 'serviceaccount', 'deployer'])
      const refused = await deploy(namespace, await as({ as: account }))
      expect(refused).toMatchObject({ outputs: { outcome: 'rejected', reason: 'Forbidden' } })

      await kubectl(['delete', 'serviceaccount', 'deployer'])
      await createLogin(namespace, RIGHTS, KINDS)
      expect(await deploy(namespace, await as({ as: account }))).toMatchObject(DEPLOYED)
      const seen = await impersonated(name)
      expect(new Set(seen.map(({ username }) => username))).toEqual(new Set([account]))
    }))

  it('sends groups, the UID and extra fields', () =>
    withNamespace('asgroups', async (namespace) => {
      const { name, kubectl } = namespace
      const groups = [`${name}-team`, 'other team']
      for (const role of ['deployer', 'records']) {
        const [verbs, resources] =
          role === 'deployer' ? [RIGHTS, KINDS] : [RIGHTS, 'secrets,leases.coordination.k8s.io']
        await kubectl(['create', 'role', role, `--verb=${verbs.join(',')}`, `--resource=${resources}`])
        await kubectl(['create', 'rolebinding', role, `--role=${role}`, `--group=${name}-team`])
      }
      const login = await as({
        as: 'zoë',
        'as-uid': 'u-1',
        'as-groups': groups,
        'as-user-extra': { 'example.com/scopes': ['a', 'b'] },
      })
      expect(await deploy(namespace, login)).toMatchObject(DEPLOYED)
      const [first] = await impersonated(name)
      expect(first).toMatchObject({ username: 'zoë', uid: 'u-1', extra: { 'example.com/scopes': ['a', 'b'] } })
      expect(first?.groups).toEqual(expect.arrayContaining(groups))
    }))
})

interface Identity {
  readonly username: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** As whom requests of Rollsafe in this namespace were answered. */
async function impersonated(namespace: string): Promise<Identity[]> {
  const lines = (await readFile(testbed().auditLog, 'utf8')).split('\n')
  return lines
    .filter((line) => line.includes(`"namespace":"${namespace}"`) && line.includes('"impersonatedUser"'))
    .map((line) => (JSON.parse(line) as { impersonatedUser: Identity }).impersonatedUser)
}

describe('a login command', () => {
  /** Runs the body with an `aws` on PATH that prints what the expression says; it may count its runs in `run`. */
  async function withPlugin(
    expression: string,
    body: (options: RunOptions, runs: () => Promise<number>, exec: Readonly<Record<string, unknown>>) => Promise<void>,
  ): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'rollsafe-plugin-'))
    try {
      const counter = join(folder, 'runs')
      await writeFile(counter, '')
      await writeFile(
        join(folder, 'aws'),
        `#!${process.execPath}
const fs = require('node:fs')
fs.appendFileSync(${JSON.stringify(counter)}, 'x')
const run = fs.readFileSync(${JSON.stringify(counter)}, 'utf8').length
console.error('a line of its own, from run ' + run)
console.log(JSON.stringify({ kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status: ${expression} }))
`,
      )
      await chmod(join(folder, 'aws'), 0o755)
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: 'aws',
        args: ['eks', 'get-token', '--cluster-name', 'shop'],
        env: [{ name: 'AWS_PROFILE', value: 'shop' }],
        interactiveMode: 'Never',
      }
      const env = { PATH: [folder, process.env['PATH']].join(delimiter) }
      await body({ env }, async () => (await readFile(counter, 'utf8')).length, exec)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  it('logs in by a client certificate, with one run of the command', () =>
    withNamespace('execcert', async (namespace) => {
      let key = ''
      let status = {}
      const { kubeconfig } = await changedKubeconfig(({ users: [{ user }] }) => {
        const decoded = (field: string) => Buffer.from(String(user[field]), 'base64').toString('utf8')
        key = decoded('client-key-data')
        status = { clientCertificateData: decoded('client-certificate-data'), clientKeyData: key }
      })
      await withPlugin(JSON.stringify(status), async (options, runs, exec) => {
        const config = JSON.parse(kubeconfig) as Config
        config.users[0].user = { exec }
        const result = await deploy(namespace, { kubeconfig: JSON.stringify(config) }, options)
        expect(result).toMatchObject(DEPLOYED)
        expect(await runs()).toBe(1)
        const [, line = ''] = key.split('\n')
        expect(everythingIn(result)).not.toContain(line)
      })
    }))

  it('is run once more when the server refuses its token', () =>
    withNamespace('exec401', async (namespace) => {
      const { token } = await createLogin(namespace, RIGHTS, KINDS)
      const stale = randomBytes(24).toString('hex')
      const expression = `{ token: run === 1 ? ${JSON.stringify(stale)} : ${JSON.stringify(token)} }`
      await withPlugin(expression, async (options, runs, exec) => {
        const login = await changedKubeconfig((config) => (config.users[0].user = { exec }))
        const result = await deploy(namespace, login, options)
        expect(result).toMatchObject(DEPLOYED)
        expect(await runs()).toBe(2)
        for (const secret of [stale, token]) expect(everythingIn(result)).not.toContain(secret)
      })
    }))
})

describe('a token in a file', () => {
  it('is taken from beside the kubeconfig', () =>
    withNamespace('tokenfile', async (namespace) => {
      const { token } = await createLogin(namespace, RIGHTS, KINDS)
      const folder = await mkdtemp(join(tmpdir(), 'rollsafe-kubeconfig-'))
      try {
        await writeFile(join(folder, 'token'), `${token}\n`)
        const { kubeconfig } = await changedKubeconfig((config) => (config.users[0].user = { tokenFile: 'token' }))
        await writeFile(join(folder, 'config'), kubeconfig)
        const env = { KUBECONFIG: [join(folder, 'missing'), join(folder, 'config')].join(delimiter) }
        const result = await deploy(namespace, {}, { env })
        expect(result).toMatchObject(DEPLOYED)
        expect(everythingIn(result)).not.toContain(token)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    }))
})
