import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readKubeconfigs } from '../../../src/adapters/kube/kubeconfig-files.ts'
import { chooseContext, type KubeconfigText } from '../../../src/adapters/kube/kubeconfig.ts'
import { RejectedError } from '../../../src/errors.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rollsafe-kubeconfig-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

interface Named {
  readonly name: string
}
const cluster = (name: string, server = `https://${name}`) => ({ name, cluster: { server } })
const user = (name: string, token = `token-of-${name}`) => ({ name, user: { token } })
const context = (name: string, more: object = {}) => ({ name, context: { cluster: name, user: name, ...more } })
const config = (
  current: string,
  parts: { contexts?: Named[]; clusters?: Named[]; users?: Named[] },
  folder = '/f',
): KubeconfigText => ({
  text: JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': current, ...parts }),
  name: `${folder}/config`,
  folder,
})
const whole = (name: string, folder?: string) =>
  config(name, { contexts: [context(name)], clusters: [cluster(name)], users: [user(name)] }, folder)

function problemsOf(body: () => unknown): readonly string[] {
  try {
    body()
  } catch (error) {
    if (error instanceof RejectedError) return error.problems.map(({ message, hint }) => `${message}; ${hint}`)
    throw error
  }
  return []
}

describe('of several contexts', () => {
  const two = config('a', {
    contexts: [context('a'), context('b', { namespace: 'shop' })],
    clusters: [cluster('a'), cluster('b')],
    users: [user('a'), user('b')],
  })

  it('the current one is taken', () => expect(chooseContext([two], undefined)).toMatchObject({ name: 'a' }))

  it('the one that is asked for is taken, with its namespace', () => {
    expect(chooseContext([two], 'b')).toMatchObject({
      name: 'b',
      namespace: 'shop',
      cluster: { server: 'https://b' },
      user: { token: 'token-of-b' },
    })
  })

  it.each<[string, KubeconfigText[], string | undefined, RegExp]>([
    [
      'none is current',
      [config('', { contexts: [context('a'), context('b')] })],
      undefined,
      /no current-context; .*"a", "b"/,
    ],
    [
      'the current one is missing',
      [config('x', { contexts: [context('a')] })],
      undefined,
      /current-context names "x".*it has "a"/,
    ],
    ['the wanted one is missing', [two], 'x', /the input context names "x".*it has "a", "b"/],
    [
      'its cluster is missing',
      [config('a', { contexts: [context('a')], users: [user('a')] })],
      undefined,
      /names the cluster "a"/,
    ],
    [
      'its user is missing',
      [config('a', { contexts: [context('a')], clusters: [cluster('a')] })],
      undefined,
      /names the user "a"/,
    ],
    [
      'its namespace is a path',
      [config('a', { contexts: [context('a', { namespace: '../x' })], clusters: [cluster('a')], users: [user('a')] })],
      undefined,
      /namespace of the context, "..\/x"/,
    ],
  ])('%s: refused', (_name, texts, wanted, message) => {
    expect(problemsOf(() => chooseContext(texts, wanted))).toEqual([expect.stringMatching(message)])
  })

  it('one may have no user', () => {
    const anonymous = config('a', {
      contexts: [{ ...context('a'), context: { cluster: 'a' } } as Named],
      clusters: [cluster('a')],
    })
    expect(chooseContext([anonymous], undefined)).toMatchObject({ user: {}, userName: '' })
  })
})

describe('of several files', () => {
  it('the first that has a name wins, with all of its fields, and with its folder', () => {
    const first = config('', { clusters: [cluster('a', 'https://first')], users: [{ ...user('x') }] }, '/first')
    const second = config(
      'a',
      { contexts: [context('a')], clusters: [cluster('a', 'https://second')], users: [user('a')] },
      '/second',
    )
    expect(chooseContext([first, second], undefined)).toMatchObject({
      cluster: { server: 'https://first' },
      clusterFolder: '/first',
      user: { token: 'token-of-a' },
      userFolder: '/second',
    })
  })

  it('an entry without content is an entry', () => {
    const first = config('', { users: [{ name: 'a', user: null } as Named] })
    expect(chooseContext([first, whole('a')], undefined).user).toEqual({})
  })

  it('the first current-context wins, and empty files add nothing', () => {
    const empty = { text: '', name: 'empty', folder: '/' }
    expect(chooseContext([empty, whole('a'), whole('b')], undefined)).toMatchObject({ name: 'a' })
  })
})

describe('a text that is no kubeconfig', () => {
  const secret = randomBytes(8).toString('hex')
  const ten = (text: string) => Array.from({ length: 10 }, () => text).join(', ')
  const bomb = Array.from({ length: 12 }, (_, level) => `a${level + 1}: &a${level + 1} [${ten(`*a${level}`)}]`).join(
    '\n',
  )
  it.each<[string, string, RegExp]>([
    ['broken YAML', `clusters: [\n${secret}: [`, /^the input kubeconfig cannot be read as YAML \(line \d\); /],
    ['a bomb of aliases', `clusters: []\na0: &a0 [${secret}]\n${bomb}`, /cannot be read as YAML/],
    ['depth', `clusters: ${'['.repeat(200)}${secret}${']'.repeat(200)}`, /cannot be read as YAML/],
    ['__proto__', `clusters: []\n__proto__:\n  users: [${secret}]`, /cannot be read as YAML \(line 2\)/],
    ['two documents', `clusters: []\n---\nclusters: [${secret}]`, /more than one document/],
    ['something else', `apiVersion: v1\nkind: Secret\ndata: {a: ${secret}}`, /is not a kubeconfig/],
    ['nothing', '', /is not a kubeconfig/],
    ['a list', `[${secret}]`, /is not a kubeconfig/],
  ])('%s: refused without its content', (_name, text, message) => {
    const told = problemsOf(() => chooseContext([{ text, name: 'the input kubeconfig' }], undefined))
    expect(told).toEqual([expect.stringMatching(message)])
    expect(told[0]).not.toContain(secret)
  })

  it('is read as kubectl reads YAML', () => {
    const text = `
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: a}}]
clusters:
- name: a
  cluster: {server: "https://a", insecure-skip-tls-verify: yes}
`
    expect(chooseContext([{ text, name: 'x' }], undefined).cluster).toMatchObject({ 'insecure-skip-tls-verify': true })
  })
})

describe('the files of KUBECONFIG', () => {
  it('that do not exist are left out, and one that is named twice is read once', async () => {
    const path = join(root, 'config')
    await writeFile(path, 'clusters: []')
    const expected = [{ text: 'clusters: []', name: path, folder: root }]
    expect(await readKubeconfigs({ paths: [join(root, 'missing'), path, path] })).toEqual(expected)
  })

  it.each<[string, () => Promise<string[]>, RegExp]>([
    [
      'none exists',
      async () => [join(root, 'one'), join(root, 'two')],
      /^there is no file \S+one, \S+two, which the variable/,
    ],
    ['one is a directory', async () => [root], /is not a file/],
    ['one never ends', async () => ['/dev/zero'], /is not a file/],
    ['one is too large', async () => [await written('large', 'x'.repeat(10 * 1024 * 1024 + 1))], /larger than 10 MiB/],
  ])('%s: refused', async (_name, paths, message) => {
    await expect(readKubeconfigs({ paths: await paths() })).rejects.toThrow(message)
  })

  it('may lie in the checkout, where login actions write it', async () => {
    await mkdir(join(root, 'checkout'))
    const path = await written('checkout/gha-kubeconfig', 'clusters: []')
    expect(await readKubeconfigs({ paths: [path] })).toMatchObject([{ folder: join(root, 'checkout') }])
  })

  async function written(name: string, text: string): Promise<string> {
    await writeFile(join(root, name), text)
    return join(root, name)
  }
})
