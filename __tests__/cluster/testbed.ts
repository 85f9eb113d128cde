/** The testbed as tests use it: the cluster of this run, and a namespace of one's own in it. */
import { jest } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { load } from 'js-yaml'
import { attachTestbed, type Testbed, type TestbedFacts } from '../../testbed/testbed.ts'
import { TESTBED_FACTS } from './global-setup.ts'
import { ACCOUNT, type Extra, extraFor, roleFor, serviceAccount } from './roles.ts'

// For every test that uses the testbed. Jest does not heed the testTimeout of one of several projects.
jest.setTimeout(120_000)

/** The cluster that global-setup.ts started. */
export function testbed(): Testbed {
  const facts = process.env[TESTBED_FACTS]
  if (!facts) throw new Error('There is no testbed. Run these tests with: npm test -- --selectProjects cluster action')
  return attachTestbed(JSON.parse(facts) as TestbedFacts)
}

export interface TestNamespace extends AsyncDisposable {
  readonly name: string
  /** kubectl in this namespace. Returns what it printed; throws with what it said when it fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>
  /** A kubeconfig for the ServiceAccount here, which may do what the Role of docs/permissions.md says, and no more. */
  kubeconfig(): Promise<string>
  /** The token in it. */
  token(): Promise<string>
  /** Gives that ServiceAccount what else the page has for a login. */
  grant(extra: Extra): Promise<void>
  /** An object as the API server has it. */
  get<T>(kind: string, name: string): Promise<T>
  /** Asks for the deletion of the namespace and does not wait for it. */
  remove(): Promise<void>
}

/** Those that this process has made, by name. */
const namespaces = new Map<string, TestNamespace>()

/** The kubeconfig with which runs log in that deploy to a namespace: by its documented Role, unless the test says otherwise. */
export async function kubeconfigIn(namespace: string | undefined): Promise<string> {
  const found = namespaces.get(namespace ?? '')
  if (!found) throw new Error(`no test has made the namespace ${namespace}: say login: 'administrator'`)
  return await found.kubeconfig()
}

/**
 * A new namespace in which pods can be created, with a ServiceAccount that holds the documented Role. The caller removes it:
 * `await using`, or `remove()`.
 */
export async function createNamespace(prefix: string, on: Testbed = testbed()): Promise<TestNamespace> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`
  const kubectl = (args: readonly string[], input?: string) => on.kubectl(['--namespace', name, ...args], input)
  const create = (objects: readonly object[]) =>
    on.kubectl(
      ['create', '--validate=false', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    )
  const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
  await create([home, serviceAccount(name), ...roleFor(name)])
  // Pods are refused until the controller manager has made it.
  await kubectl(['wait', '--for=create', 'serviceaccount/default', '--timeout=30s'])
  const remove = async () => {
    await on.kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'])
  }
  const get = async <T>(kind: string, object: string) =>
    JSON.parse(await kubectl(['get', kind, object, '-o', 'json'])) as T
  let requested: Promise<string> | undefined
  const token = () => (requested ??= kubectl(['create', 'token', ACCOUNT]).then((text) => text.trim()))
  const namespace: TestNamespace = {
    name,
    kubectl,
    token,
    kubeconfig: async () => withToken(await readFile(on.kubeconfig, 'utf8'), await token()),
    async grant(extra) {
      await create(extraFor(await get('namespace', name), extra))
    },
    get,
    remove,
    [Symbol.asyncDispose]: remove,
  }
  namespaces.set(name, namespace)
  return namespace
}

function withToken(kubeconfig: string, token: string): string {
  const config = load(kubeconfig) as { users: [{ user: object }] }
  config.users[0].user = { token }
  return JSON.stringify(config)
}

/** Runs `body` in a new namespace, which is removed afterwards. */
export async function withNamespace<T>(prefix: string, body: (namespace: TestNamespace) => Promise<T>): Promise<T> {
  await using namespace = await createNamespace(prefix)
  return await body(namespace)
}

/** Repeats an assertion until it holds, and fails with its own error when it does not hold within the time. */
export async function eventually<T>(assertion: () => Promise<T>, seconds = 30): Promise<T> {
  for (const deadline = Date.now() + seconds * 1000; ; await sleep(200)) {
    try {
      return await assertion()
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}
