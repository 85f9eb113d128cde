import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type AccessOptions, openAccess } from '../../../src/adapters/kube/access.ts'
import type { KubeconfigContext } from '../../../src/adapters/kube/kubeconfig.ts'
import { RejectedError } from '../../../src/errors.ts'

let root: string
let workspace: string
/** A folder outside of the checkout, with a kubeconfig in it. */
let folder: string
let bin: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rollsafe-access-'))
  workspace = join(root, 'checkout')
  folder = join(root, 'config')
  bin = join(root, 'bin')
  for (const path of [workspace, folder, bin]) await mkdir(path)
  await writeFile(join(workspace, 'ca.crt'), PEM)
  await symlink(join(workspace, 'ca.crt'), join(folder, 'linked.crt'))
  for (const path of [join(bin, 'aws'), join(workspace, 'doctl')]) {
    await writeFile(path, '#!/bin/sh\n')
    await chmod(path, 0o755)
  }
})
afterAll(() => rm(root, { recursive: true, force: true }))

const pem = (what: string) => `-----BEGIN ${what}-----\n${randomBytes(30).toString('base64')}\n-----END ${what}-----\n`
const PEM = pem('CERTIFICATE')
const KEY = pem('PRIVATE KEY')
const base64 = (text: string) => Buffer.from(text).toString('base64')
const SERVER = 'https://api.example.com:6443'
const secret = () => randomBytes(12).toString('hex')

interface Given {
  readonly cluster?: object
  readonly user?: object
  readonly options?: Partial<AccessOptions>
  /** Absent: as if the kubeconfig came from the folder; null: from the input. */
  readonly from?: null
}

function open({ cluster = {}, user = {}, options = {}, from }: Given) {
  const hidden: string[] = []
  const warnings: string[] = []
  const home = from === null ? undefined : folder
  const context: KubeconfigContext = {
    name: 'here',
    cluster: { server: SERVER, ...cluster },
    user: { ...user },
    userName: 'me',
    clusterFolder: home,
    userFolder: home,
  }
  const access = openAccess(context, {
    allowInsecure: false,
    mask: (text) => hidden.push(text),
    warn: (text) => warnings.push(text),
    env: { PATH: bin },
    workspace,
    ...options,
  })
  return { access, hidden, warnings }
}

async function refusals(given: Given): Promise<string[]> {
  const error: unknown = await open(given).access.catch((thrown: unknown) => thrown)
  if (!(error instanceof RejectedError)) return []
  expect(error.problems).toEqual(
    error.problems.map((problem) => ({ ...problem, code: 'InvalidInput', hint: expect.stringMatching(/./) })),
  )
  return error.problems.map(({ message }) => message)
}

describe('a login', () => {
  it('by a token', async () => {
    const token = secret()
    const { access, hidden } = open({ user: { token } })
    expect(await (await access).credentials()).toEqual({ authorization: `Bearer ${token}` })
    expect(hidden).toEqual([token])
  })

  it('by a name and a password', async () => {
    const password = secret()
    const { access, hidden } = open({ user: { username: 'me', password } })
    const basic = base64(`me:${password}`)
    expect(await (await access).credentials()).toEqual({ authorization: `Basic ${basic}` })
    expect(hidden).toEqual([password, basic])
  })

  it('by a certificate, beside a token', async () => {
    const token = secret()
    const { access, hidden } = open({
      user: { token, 'client-certificate-data': base64(PEM), 'client-key-data': base64(KEY) },
    })
    expect(await (await access).credentials()).toEqual({
      authorization: `Bearer ${token}`,
      certificate: { cert: PEM, key: KEY },
    })
    expect(hidden).toEqual([token, KEY])
  })

  it('by files beside the kubeconfig', async () => {
    for (const [name, text] of Object.entries({ 'ca.pem': PEM, 'me.pem': PEM, 'me.key': KEY, token: 'from-a-file\n' }))
      await writeFile(join(folder, name), text)
    const { access } = open({
      cluster: { 'certificate-authority': 'ca.pem' },
      user: {
        'client-certificate': './me.pem',
        'client-key': join(folder, 'me.key'),
        tokenFile: 'token',
        token: 'old',
      },
    })
    const { tls, credentials } = await access
    expect(tls).toEqual({ rejectUnauthorized: true, ca: PEM })
    expect(await credentials()).toEqual({
      authorization: 'Bearer from-a-file',
      certificate: { cert: PEM, key: KEY },
    })
  })

  it('by nothing', async () => {
    expect(await (await open({}).access).credentials()).toEqual({})
  })

  it('reads a token again when the server refuses it, and hides the new one', async () => {
    const [first, second] = [secret(), secret()]
    const tokenFile = join(folder, 'renewed')
    await writeFile(tokenFile, first)
    const { access, hidden } = open({ user: { tokenFile } })
    const login = await access
    const refused = await login.credentials()
    expect(await login.refresh(refused)).toBe(false)
    await writeFile(tokenFile, `${second}\n`)
    expect(await login.refresh(refused)).toBe(true)
    expect(await login.credentials()).toEqual({ authorization: `Bearer ${second}` })
    expect(hidden).toEqual(expect.arrayContaining([first, second]))
  })
})

describe('the server', () => {
  it('keeps its path, and not the slash behind it', async () => {
    expect(await open({ cluster: { server: `${SERVER}/k8s/clusters/c-1/` } }).access).toMatchObject({
      server: `${SERVER}/k8s/clusters/c-1`,
    })
  })

  it('is trusted by its certificate even if the environment says otherwise', async () => {
    const options = { env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' } }
    expect((await open({ options }).access).tls).toEqual({ rejectUnauthorized: true })
  })

  it('may be named otherwise in its certificate', async () => {
    const { access } = open({ cluster: { 'tls-server-name': 'kubernetes' } })
    expect((await access).tls).toMatchObject({ servername: 'kubernetes' })
  })

  it.each<[string, object, RegExp]>([
    ['plain http', { server: 'http://api.example.com' }, /plain http/],
    ['no check of the certificate', { 'insecure-skip-tls-verify': true }, /cannot be told from an impostor/],
  ])('is refused with %s, unless that is allowed, with a warning', async (_name, cluster, message) => {
    expect(await refusals({ cluster })).toEqual([expect.stringMatching(message)])
    const { access, warnings } = open({ cluster, options: { allowInsecure: true } })
    await access
    expect(warnings).toEqual([expect.stringMatching(message)])
  })

  it('is reached through the proxy of the kubeconfig, or of the environment', async () => {
    const env = { HTTPS_PROXY: 'http://proxy:3128' }
    expect((await open({ options: { env } }).access).proxy).toEqual({ url: 'http://proxy:3128' })
    const cluster = { 'proxy-url': 'https://other:8443' }
    expect((await open({ cluster, options: { env } }).access).proxy).toEqual({ url: 'https://other:8443' })
  })
})

describe('impersonation', () => {
  it('sends exactly who is acted as', async () => {
    const user = {
      as: 'zoë',
      'as-uid': 'u-1',
      'as-groups': ['dev', 'ops'],
      'as-user-extra': { 'example.com/scope': ['a', 'b'], 'pct%': ['c'], Ünder_score: ['d'] },
    }
    expect((await open({ user }).access).headers).toEqual({
      'impersonate-user': Buffer.from('zoë').toString('latin1'),
      'impersonate-uid': 'u-1',
      'impersonate-group': ['dev', 'ops'],
      'impersonate-extra-example.com%2Fscope': ['a', 'b'],
      'impersonate-extra-pct%25': ['c'],
      'impersonate-extra-%C3%9Cnder_score': ['d'],
    })
  })

  it.each<[string, object, RegExp]>([
    ['groups without a user', { 'as-groups': ['system:masters'] }, /without as$/],
    ['a line break', { as: 'me\r\nImpersonate-Group: system:masters' }, /control character/],
    ['a number', { as: 5 }, /as is not text/],
    ['groups that are no list', { as: 'me', 'as-groups': 'dev' }, /as-groups is not a list/],
    ['extra that is no mapping', { as: 'me', 'as-user-extra': ['dev'] }, /as-user-extra is not a mapping/],
  ])('is refused: %s', async (_name, user, message) => {
    expect(await refusals({ user })).toEqual([expect.stringMatching(message)])
  })
})

const exec = (more: object) => ({
  exec: {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: 'aws',
    args: ['--region', 'eu-west-1', 'eks', 'get-token', '--cluster-name', 'shop'],
    interactiveMode: 'IfAvailable',
    ...more,
  },
})

describe('what is refused', () => {
  it.each<[string, Given, RegExp]>([
    ['no server', { cluster: { server: '' } }, /not an https:\/\/ address/],
    [
      'credentials in the address',
      { cluster: { server: 'https://me:secret@api' } },
      /^kubeconfig: the address of the server api holds more/,
    ],
    [
      'an authority and no check',
      {
        cluster: { 'certificate-authority-data': base64(PEM), 'insecure-skip-tls-verify': true },
        options: { allowInsecure: true },
      },
      /contradict each other/,
    ],
    [
      'an authority twice',
      { cluster: { 'certificate-authority-data': base64(PEM), 'certificate-authority': 'ca.pem' } },
      /both given/,
    ],
    ['an authority that is none', { cluster: { 'certificate-authority-data': base64('x') } }, /nothing in PEM/],
    ['a missing file', { cluster: { 'certificate-authority': 'no.pem' } }, /cannot be read: ENOENT/],
    [
      'a relative path in the input',
      { cluster: { 'certificate-authority': 'ca.pem' }, from: null },
      /did not come from a file/,
    ],
    [
      'a link into the checkout',
      { cluster: { 'certificate-authority': 'linked.crt' } },
      /certificate-authority leads into the checkout/,
    ],
    ['a way into the checkout', { user: { tokenFile: '../checkout/ca.crt' } }, /tokenFile leads into the checkout/],
    ['the environment as a token', { user: { tokenFile: '/proc/self/environ' } }, /tokenFile is no ordinary file/],
    ['a device as a token', { user: { tokenFile: '/dev/zero' } }, /tokenFile is no ordinary file/],
    ['a directory as a token', { user: { tokenFile: '/' } }, /tokenFile is no ordinary file/],
    ['a token of two lines', { user: { token: 'a\nb' } }, /token is not one word/],
    ['a token and a password', { user: { token: 'a', username: 'me' } }, /by a token and by a password/],
    ['a token and a login command', { user: { token: 'a', ...exec({}) } }, /by a token and by a login command/],
    ['a key alone', { user: { 'client-key-data': base64(KEY) } }, /only one of client-certificate and client-key/],
    ['auth-provider', { user: { 'auth-provider': { name: 'gcp' } } }, /auth-provider runs commands/],
    ['insecure that is text', { cluster: { 'insecure-skip-tls-verify': 'yes' } }, /neither true nor false/],
    [
      'a shell',
      { user: exec({ command: '/bin/sh', args: ['-c', 'id'] }) },
      /"\/bin\/sh" is not one that Rollsafe runs/,
    ],
    ['a way to a known name', { user: exec({ command: './aws' }) }, /"\.\/aws" is not one/],
    ['no command', { user: { exec: {} } }, /the login command "" is not one/],
    ['a name of JavaScript', { user: exec({ command: 'constructor' }) }, /"constructor" is not one/],
    [
      'another command of a known program',
      { user: exec({ args: ['s3', 'cp', 'eks', 'get-token'] }) },
      /does not begin with "eks get-token"/,
    ],
    [
      'a command that only looks like it',
      { user: exec({ args: ['--region', 'eks', 'get-token'] }) },
      /does not begin with "eks get-token"/,
    ],
    [
      'an old protocol',
      { user: exec({ apiVersion: 'client.authentication.k8s.io/v1alpha1' }) },
      /speaks "client.authentication.k8s.io\/v1alpha1"/,
    ],
    ['questions', { user: exec({ interactiveMode: 'Always' }) }, /wants to ask somebody/],
    [
      'a program that is not there',
      { user: exec({ command: 'kubelogin', args: ['get-token'] }) },
      /"kubelogin" is not installed/,
    ],
    ...[
      'PATH',
      'LD_PRELOAD',
      'LD_LIBRARY_PATH',
      'NODE_OPTIONS',
      'PYTHONPATH',
      'BASH_ENV',
      'HOME',
      'AWS_PAGER',
      'CLOUDSDK_PYTHON',
      'GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES',
    ].map((name): [string, Given, RegExp] => [
      `the variable ${name}`,
      { user: exec({ env: [{ name, value: '/tmp' }] }) },
      /which a kubeconfig may not set/,
    ]),
    ['a variable without a name', { user: exec({ env: [{ value: 'x' }] }) }, /without a name/],
  ])('%s', async (_name, given, message) => {
    const told = await refusals(given)
    expect(told).toEqual([expect.stringMatching(message)])
    expect(told[0]).not.toMatch(/secret/)
  })

  it('what is in the checkout, as a program, as a variable, by an absolute path', async () => {
    const doctl = {
      command: join(workspace, 'doctl'),
      args: ['kubernetes', 'cluster', 'kubeconfig', 'exec-credential'],
    }
    expect(await refusals({ user: exec(doctl) })).toEqual([expect.stringMatching(/found only in the checkout/)])
    expect(
      await refusals({ user: exec({ ...doctl, command: 'doctl' }), options: { env: { PATH: workspace } } }),
    ).toEqual([expect.stringMatching(/found only in the checkout/)])
    for (const value of [
      join(workspace, 'aws'),
      join(workspace, 'aws').slice(1),
      `file://${workspace}/aws`,
      '~/aws',
      '$GITHUB_WORKSPACE/aws',
    ]) {
      const env = [{ name: 'AWS_CONFIG_FILE', value }]
      expect(await refusals({ user: exec({ env }) })).toEqual([
        expect.stringMatching(/AWS_CONFIG_FILE.*(?:into the checkout|expanded)/),
      ])
    }
    for (const arg of [join(workspace, 'x'), `--ca-bundle=${workspace}/x`, join(folder, 'linked.crt')]) {
      const args = ['eks', 'get-token', arg]
      expect(await refusals({ user: exec({ args }) })).toEqual([
        expect.stringMatching(/an argument .* into the checkout/),
      ])
    }
    const args = ['get-token', '--browser-command', 'sh']
    await writeFile(join(bin, 'kubelogin'), '')
    await chmod(join(bin, 'kubelogin'), 0o755)
    expect(await refusals({ user: exec({ command: 'kubelogin', args }) })).toEqual([
      expect.stringMatching(/--browser-command/),
    ])
    await rm(join(bin, 'kubelogin'))
  })

  it('all at once', async () => {
    const cluster = { server: 'http://a', 'proxy-url': 'socks5://p:1', 'certificate-authority': 'no.pem' }
    const told = await refusals({ cluster, user: { token: 'a b', as: 5, 'auth-provider': {} } })
    expect(told).toHaveLength(6)
  })

  it.each([
    [['eks', 'get-token']],
    [['--region=eu-west-1', '--no-verify-ssl', '--debug', 'eks', 'get-token', '--output', 'json']],
    [['--profile', 'prod', 'eks', 'get-token']],
  ])('but not %j', async (args) => {
    const env = [{ name: 'AWS_PROFILE', value: 'prod' }]
    expect(await refusals({ user: exec({ args, env }) })).toEqual([])
  })
})
