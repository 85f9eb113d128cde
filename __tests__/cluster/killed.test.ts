/** Runs that are killed after each of their requests in turn: whoever comes next leaves all of the new release, or all of the old. */
import { afterAll, describe, expect, it, jest } from '@jest/globals'
import { randomBytes, randomInt } from 'node:crypto'
import { type KubeObject, refOf } from '../../src/manifest/object.ts'
import { leaseRef } from '../../src/release/lease.ts'
import { randomFrom } from '../fixtures/random.ts'
import { openProxy } from './killing-proxy.ts'
import { deployment, documents } from './manifests.ts'
import { openPool } from './pool.ts'
import { type Checkout, createCheckout, type Ended } from './rollsafe.ts'
import { comparable, connect, expectSettled, type Place, type Settled } from './settled.ts'
import { createNamespace, eventually, type TestNamespace } from './testbed.ts'

// A test may have to wait until its cell gets its turn.
jest.setTimeout(400_000)

const RELEASE = 'shop'
const SEED = Number(process.env['ROLLSAFE_SEED'] ?? randomInt(1_000_000))

/** Everything differs between two versions, and each has an object that the other has not. */
function manifests(version: string): string {
  const [word = ''] = version.split('-')
  return documents([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { version, [`only-${word}`]: 'yes' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `only-${word}` }, data: { version } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' }, stringData: { password: `secret of ${version}` } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', labels: { version } },
      spec: { selector: { app: 'web' }, ports: [{ port: word === 'v1' ? 80 : 81 }] },
    },
    // Made anew for each version, as nobody may change it.
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'frozen', annotations: { 'rollsafe.dev/recreate': 'if-immutable' } },
      immutable: true,
      data: { version },
    },
    deployment('web', { tag: version, container: { env: [{ name: 'VERSION', value: version }] } }),
  ])
}

/** Runs that nobody disturbs. */
async function measure(space: Space): Promise<{ good: Ran; bad: Ran; brought: Ran }> {
  references.set('v1', comparable((await expectSettled(space)).objects))
  await write(space, 'v2')
  const deployed = await run(space)
  references.set('v2', comparable((await expectSettled(space)).objects))
  await write(space, 'v1')
  expect(await run(space)).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
  expect(comparable((await expectSettled(space)).objects)).toEqual(references.get('v1'))
  await write(space, 'v2-unpullable')
  const rolledBack = await run(space)
  expect(rolledBack).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } })
  const { ran, [Symbol.asyncDispose]: remove } = await bring(space, [])
  await remove()
  return { good: deployed, bad: rolledBack, brought: ran }
}

/** A namespace with a release in it, in which one cell after another is tried out. */
interface Space extends Place, AsyncDisposable {
  readonly checkout: Checkout
  /** With which its runs log in; absent for the administrator, as no Role can be in a namespace before it is there. */
  readonly token?: string
  readonly test: TestNamespace
}

let runs = 0

/** A run of its own on GitHub. */
function nextRun(): Record<string, string> {
  const id = ++runs
  return { GITHUB_RUN_ID: String(id), GITHUB_SHA: id.toString(16).padStart(40, '0'), GITHUB_ACTOR: 'octocat' }
}

async function openSpace(): Promise<Space> {
  const test = await createNamespace('killed')
  const checkout = await createCheckout()
  const cluster = await connect()
  const space: Space = {
    checkout,
    test,
    token: await test.token(),
    cluster,
    namespace: test.name,
    release: RELEASE,
    async [Symbol.asyncDispose]() {
      await Promise.all([test.remove(), checkout[Symbol.asyncDispose](), cluster.close()])
    },
  }
  await write(space, 'v1')
  expect(await run(space)).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
  return space
}

const write = ({ checkout }: Space, version: string) => checkout.write('k8s/all.yaml', manifests(version))

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly killAt?: number
  readonly isDelivered?: boolean
}

interface Ran extends Ended {
  readonly requests: number
}

/** Deploys what is in the checkout, and kills that after so many requests. */
async function run(
  space: Space,
  { env = nextRun(), killAt = Infinity, isDelivered = false }: RunOptions = {},
): Promise<Ran> {
  let kill: () => void = () => undefined
  await using proxy = await openProxy({
    ...(space.token !== undefined && { token: space.token }),
    strike: {
      at: ({ nth }) => nth === killAt,
      answer: isDelivered ? 'before' : 'lost',
      later: 'dropped',
      strike: () => kill(),
    },
  })
  const inputs = {
    release: space.release,
    namespace: space.namespace,
    prune: 'true',
    'stable-for': '0s',
    ...proxy.inputs,
  }
  const started = await space.checkout.start(inputs, { env })
  kill = () => started.signal('SIGKILL')
  const ended = await started.ended
  return { ...ended, requests: proxy.passed.length }
}

/** Who waits for the lock of a run that is dead believes what its Lease says of how long to wait. */
async function shortenLock({ cluster, namespace, release }: Space): Promise<void> {
  const lease = await cluster.get(leaseRef(release, namespace))
  if (lease) await cluster.replace({ ...lease, spec: { ...(lease['spec'] as object), leaseDurationSeconds: 1 } })
}

const otherThan = ({ objects }: Settled) => (objects.some(({ metadata }) => metadata.name === 'only-v1') ? 'v2' : 'v1')

/** What a deploy of `version` by one run that nobody disturbs looks like. */
const references = new Map<string, Record<string, unknown>>()

function expectVersion({ objects, good }: Settled, version: string): void {
  expect(comparable(objects)).toEqual(references.get(version))
  const stamp = objects.find(({ kind }) => kind === 'Deployment')?.metadata.annotations?.['rollsafe.dev/revision']
  expect(stamp).toBe(String(good?.revision))
}

/** The UIDs and all the server's own choices included: for what must not have been touched. But what was made anew cannot have them. */
const exactly = ({ objects }: Settled) =>
  objects.map(({ status: _status, metadata, ...object }) => {
    if (metadata.name === 'frozen') return { ...object, metadata: { name: metadata.name, labels: metadata.labels } }
    const {
      resourceVersion: _version,
      generation: _generation,
      managedFields = [],
      annotations = {},
      ...more
    } = metadata
    // Which fields is seen by the next good deploy: a list's key fields can only be restored by owning them.
    const owners = managedFields
      .map(({ manager, operation, subresource = '' }) => `${manager} ${operation} ${subresource}`)
      .toSorted()
    const kept = Object.entries(annotations).filter(([name]) => name !== 'deployment.kubernetes.io/revision')
    return { ...object, metadata: { ...more, annotations: Object.fromEntries(kept), owners } }
  })

/** An object that was pruned and is back is another one by its UID. */
const withoutUids = (objects: ReturnType<typeof exactly>) =>
  objects.map(({ metadata, ...object }) => {
    const { uid: _uid, creationTimestamp: _since, owners: _owners, ...more } = { owners: [], ...metadata } as Identity
    return { ...object, metadata: more }
  })
type Identity = KubeObject['metadata'] & { owners: string[] }

interface Kill {
  readonly killAt: number
  readonly isDelivered: boolean
}

/** Runs that are killed one after the other, and at last one that is not. */
async function runKilled(space: Space, kills: readonly Kill[]): Promise<{ killed: Ran[]; last: Ran }> {
  const killed: Ran[] = []
  for (const kill of kills) {
    const ran = await run(space, kill)
    if (!kill.isDelivered && ran.requests >= kill.killAt) expect(ran.exitCode).toBeUndefined()
    killed.push(ran)
    await shortenLock(space)
  }
  return { killed, last: await run(space) }
}

/** From one version to the other: all-new. */
async function goodCell(space: Space, kills: readonly Kill[]): Promise<Settled> {
  const before = await expectSettled(space)
  const to = otherThan(before)
  await write(space, to)
  const { killed, last } = await runKilled(space, kills)
  return telling([...killed, last], async () => {
    const after = await expectSettled(space)
    expectVersion(after, to)
    expect(after.good?.revision).toBe(after.records.at(-1)?.revision)
    const known = before.records.at(-1)?.revision ?? 0
    const added = after.records.filter(({ revision }) => revision > known).map(({ status }) => status)
    expect(added).toEqual([...added.slice(1).map(() => 'rolled-back'), 'good'])
    expect(added.length).toBeLessThanOrEqual(kills.length + 1)
    expect(last).toMatchObject({ exitCode: 0, outputs: { revision: String(after.good?.revision) } })
    // The one that was killed had written everything down already, or it had done nothing that counts.
    const isDone = killed.length > 0 && last.outputs['outcome'] === 'unchanged'
    expect(last.outputs['outcome']).toBe(isDone ? 'unchanged' : 'deployed')
    if (isDone) expect(after.good?.by?.id).toBeLessThan(runs)
    return after
  })
}

/** A release that is bad: all-old, and nothing of it was touched. */
async function badCell(space: Space, kills: readonly Kill[]): Promise<Settled> {
  const before = await expectSettled(space)
  await write(space, `${otherThan(before)}-unpullable`)
  const { killed, last } = await runKilled(space, kills)
  return telling([...killed, last], () => expectAllOld(space, before, last))
}

async function expectAllOld(space: Space, before: Settled, last: Ran): Promise<Settled> {
  const after = await expectSettled(space)
  expect(exactly(after)).toEqual(exactly(before))
  expect(after.good).toEqual(before.good)
  const later = after.records.filter(({ revision }) => revision > (before.good?.revision ?? 0))
  expect(later.map(({ status }) => status)).toEqual(later.map(() => 'rolled-back'))
  expect(last).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', reason: 'ImagePull' } })
  return after
}

/** The first deploy of a release that brings its own namespace: the one thing that is there before the lock and the record. */
async function bring(space: Space, kills: readonly Kill[], version = 'v1') {
  const name = `killed-own-${randomBytes(4).toString('hex')}`
  const { token: _token, ...place } = space
  const own: Space = { ...place, namespace: name, release: name }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
  await space.checkout.write('k8s/all.yaml', `${JSON.stringify(namespace)}\n---\n${manifests(version)}`)
  const { killed, last } = await runKilled(own, kills)
  const remove = async () => {
    const made = await space.cluster.get(refOf(namespace))
    if (made) await space.cluster.delete(refOf(made), made.metadata.uid ?? '')
  }
  return { own, killed, last, ran: last, [Symbol.asyncDispose]: remove }
}

async function firstCell(space: Space, kills: readonly Kill[]): Promise<Settled> {
  await using brought = await bring(space, kills)
  const { own, killed, last } = brought
  return await telling([...killed, last], async () => {
    const after = await expectSettled(own)
    expect(after.objects.map(({ kind }) => kind)).toContain('Namespace')
    expect(after.records.map(({ status }) => status)).toEqual([
      ...after.records.slice(1).map(() => 'rolled-back'),
      'good',
    ])
    expect(last.exitCode).toBe(0)
    return after
  })
}

/** When it is bad, nothing is left of it, but for a namespace that was made and not written down before the end. */
async function badFirstCell(space: Space, kills: readonly Kill[]): Promise<readonly KubeObject[]> {
  await using brought = await bring(space, kills, 'v1-unpullable')
  const { own, killed, last } = brought
  return await telling([...killed, last], async () => {
    expect(last).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', reason: 'ImagePull' } })
    return await eventually(async () => {
      const home = await own.cluster.get({ apiVersion: 'v1', kind: 'Namespace', name: own.namespace })
      const [config, secrets, workloads] = await Promise.all([
        own.cluster.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace: own.namespace }),
        own.cluster.list({ apiVersion: 'v1', kind: 'Secret', namespace: own.namespace }),
        own.cluster.list({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: own.namespace }),
      ])
      const all = [config, secrets, workloads].flatMap(({ objects }) => objects)
      const left = all.filter(({ metadata }) => metadata.labels?.['rollsafe.dev/release'] === own.release)
      expect(left.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([])
      if (home && home.metadata.deletionTimestamp === undefined)
        expect(killed[0]?.log).not.toContain('Apply the release')
      return all
    })
  })
}

/** The post step of the job: it has the lock of the main step, and waits for nobody. */
function postCell(word: '' | '-unpullable'): Trial {
  return async (space, [kill]) => {
    const before = await expectSettled(space)
    const to = `${otherThan(before)}${word}`
    await write(space, to)
    const env = nextRun()
    const main = await run(space, { env, ...kill })
    const { session } = main.state
    const state = { STATE_started: 'true', ...(session !== undefined && { STATE_session: session }) }
    const post = await run(space, { env: { ...env, ...state } })
    return telling([main, post], async () => {
      const after = await expectSettled(space)
      expect(post.log).not.toContain('another run of the release')
      const isDone = after.good?.by?.id === Number(env['GITHUB_RUN_ID'])
      if (isDone) expectVersion(after, to)
      else if (!before.good || !after.good) throw new Error('there is no good revision')
      else expect(withoutUids(exactly(after))).toEqual(withoutUids(exactly(before)))
      const latest = after.records.find(({ revision }) => revision > (before.records.at(-1)?.revision ?? 0))
      expect(latest?.status).toBe(isDone ? 'good' : latest && 'rolled-back')
      // What it had to do it tells, and the job stays red; with nothing to do it says nothing.
      const isTold = post.outputs['outcome'] !== undefined
      expect(post).toMatchObject(
        isTold ? { exitCode: 1, outputs: { outcome: 'cancelled', reason: 'Cancelled' } } : { exitCode: 0 },
      )
      if (isTold) expect(latest).toMatchObject({ status: 'rolled-back', reason: 'Cancelled' })
      return after
    })
  }
}

/** Says what the runs said when an assertion fails. */
async function telling<T>(all: readonly Ended[], body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    const logs = all.map(({ log, exitCode }, index) => `--- run ${index + 1}, ended with ${exitCode}\n${log}`)
    throw new Error(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${logs.join('\n')}`, {
      cause: error,
    })
  }
}

// How many requests there are has to be known before the tests are declared.
const first = await openSpace()
const { good, bad, brought } = await measure(first)

const pool = openPool(openSpace, { width: 6, first: [first] })
afterAll(async () => {
  await pool[Symbol.asyncDispose]()
})

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const killsAt = (...requests: number[]): Kill[] => requests.map((killAt) => ({ killAt, isDelivered: killAt % 2 === 0 }))
const random = randomFrom(SEED)
const anyOf = (ran: Ran) => 1 + random.below(ran.requests)

interface Cell {
  /** The requests after which it is killed. */
  readonly k: number | string
  run(): Promise<Settled>
}

type Trial = (space: Space, kills: readonly Kill[]) => Promise<Settled>

function cell(trial: Trial, ...requests: number[]): Cell {
  const done = pool.run((space) => trial(space, killsAt(...requests)))
  return { k: requests.join(' and '), run: () => done }
}

/** What heals may take more requests than what it heals has taken. */
const twice = (trial: Trial, ran: Ran) => upTo(8).map(() => cell(trial, anyOf(ran), anyOf(ran) + random.below(10)))

// In the order of the tests, each of which waits for its own.
const goodCells = upTo(good.requests).map((k) => cell(goodCell, k))
const goodTwice = twice(goodCell, good)
const goodPosts = upTo(8).map(() => cell(postCell(''), anyOf(good)))
const badCells = upTo(bad.requests).map((k) => cell(badCell, k))
const badTwice = twice(badCell, bad)
const badPosts = upTo(8).map(() => cell(postCell('-unpullable'), anyOf(bad)))
const firstCells = upTo(brought.requests).map((k) => cell(firstCell, k))
const badFirstCells = [...new Set(upTo(8).map(() => anyOf(brought)))].map((k) => ({
  k,
  done: pool.run((space) => badFirstCell(space, killsAt(k))),
}))

describe('a deploy that is killed', () => {
  it.each(goodCells)('after its request $k, and run again, is deployed wholly', async ({ run: test }) => {
    expect((await test()).good).toBeDefined()
  })

  it.each(goodTwice)(`after $k requests of it and of what heals it (seed ${SEED})`, async ({ run: test }) => {
    expect((await test()).good).toBeDefined()
  })

  it.each(goodPosts)(
    `after its request $k is taken back by its post step at once (seed ${SEED})`,
    async ({ run: test }) => {
      expect((await test()).good).toBeDefined()
    },
  )
})

describe('a bad deploy that is killed', () => {
  it.each(badCells)('after its request $k, and run again, is taken back wholly', async ({ run: test }) => {
    expect((await test()).good).toBeDefined()
  })

  it.each(badTwice)(`after $k requests of it and of what heals it (seed ${SEED})`, async ({ run: test }) => {
    expect((await test()).good).toBeDefined()
  })

  it.each(badPosts)(
    `after its request $k is taken back by its post step at once (seed ${SEED})`,
    async ({ run: test }) => {
      expect((await test()).good).toBeDefined()
    },
  )
})

describe('a first deploy that brings its own namespace and is killed', () => {
  it.each(firstCells)('after its request $k, and run again, is deployed wholly', async ({ run: test }) => {
    expect((await test()).good).toBeDefined()
  })
  it.each(badFirstCells)(`after its request $k, and is bad, leaves nothing (seed ${SEED})`, async ({ done }) => {
    expect(Array.isArray(await done)).toBe(true)
  })
})
