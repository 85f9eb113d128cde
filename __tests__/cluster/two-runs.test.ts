/** Two runs of one release at the same time: one after the other, or one of them stands back. Their writes never mix. */
import { afterAll, describe, expect, it, jest } from '@jest/globals'
import { randomInt } from 'node:crypto'
import { randomFrom } from '../fixtures/random.ts'
import { type AuditedWrite, auditedWrites } from './audit.ts'
import { openProxy, type Passing, type Strike } from './killing-proxy.ts'
import { deployment, documents } from './manifests.ts'
import { openPool } from './pool.ts'
import { type Checkout, createCheckout, type Ended, type Started } from './rollsafe.ts'
import { ACCOUNT } from './roles.ts'
import { connect, expectSettled, type Place, type Settled } from './settled.ts'
import { createNamespace } from './testbed.ts'

// A test may have to wait until its trial gets its turn.
jest.setTimeout(300_000)

const RELEASE = 'shop'
const SEEDS = 50
const FIRST_SEED = Number(process.env['ROLLSAFE_SEED'] ?? randomInt(1_000_000))

const manifests = (tag: string) =>
  documents([
    ...['web', 'more', 'others'].map((name) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data: { tag },
    })),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' }, stringData: { tag } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', labels: { tag } },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    },
    deployment('web', { tag, deadlineSeconds: 60 }),
  ])

/** Which of two runs: the one that was started first on GitHub, and the one after it. Each has a login of its own. */
type Which = 'older' | 'newer'

interface Space extends Place, AsyncDisposable {
  readonly checkouts: Readonly<Record<Which, Checkout>>
  readonly tokens: Readonly<Record<Which, string>>
}

async function openSpace(): Promise<Space> {
  const { name: namespace, kubectl, remove } = await createNamespace('two-runs')
  const [older, newer, cluster] = await Promise.all([createCheckout(), createCheckout(), connect()])
  const login = async (user: Which) => {
    await kubectl(['create', 'serviceaccount', user])
    const rights = [`--role=${ACCOUNT}`, `--serviceaccount=${namespace}:${user}`]
    await kubectl(['create', 'rolebinding', user, ...rights])
    return (await kubectl(['create', 'token', user])).trim()
  }
  return {
    namespace,
    cluster,
    release: RELEASE,
    checkouts: { older, newer },
    tokens: { older: await login('older'), newer: await login('newer') },
    async [Symbol.asyncDispose]() {
      await Promise.all([remove(), older[Symbol.asyncDispose](), newer[Symbol.asyncDispose](), cluster.close()])
    },
  }
}

let runs = 1000

interface GitHubRun {
  readonly id: number
  readonly attempt: number
  readonly url: string
  readonly env: Readonly<Record<string, string>>
}

function gitHubRun(attempt = 1): GitHubRun {
  const id = ++runs
  const env = {
    GITHUB_RUN_ID: String(id),
    GITHUB_RUN_ATTEMPT: String(attempt),
    GITHUB_SHA: id.toString(16).padStart(40, '0'),
    GITHUB_ACTOR: 'octocat',
  }
  return { id, attempt, env, url: `https://github.com/acme/shop/actions/runs/${id}/attempts/${attempt}` }
}

interface RunOptions {
  readonly tag: string
  readonly delayMs?: (passing: Passing) => number
  readonly strike?: Strike
  readonly onStart?: (started: Started) => void
  readonly onLog?: (log: string) => void
}

async function run(space: Space, which: Which, { env }: GitHubRun, options: RunOptions): Promise<Ended> {
  const { tag, delayMs, strike, onStart, onLog } = options
  const checkout = space.checkouts[which]
  await checkout.write('k8s/all.yaml', manifests(tag))
  await using proxy = await openProxy({
    token: space.tokens[which],
    ...(delayMs && { delayMs }),
    ...(strike && { strike }),
  })
  const inputs = { ...proxy.inputs, release: RELEASE, namespace: space.namespace, 'lock-timeout': '60s' }
  const started = await checkout.start({ ...inputs, 'stable-for': '0s' }, { env, ...(onLog && { onLog }) })
  onStart?.(started)
  return await started.ended
}

interface Trial {
  readonly space: Space
  readonly runs: Readonly<Record<Which, GitHubRun>>
  readonly ended: Readonly<Record<Which, Ended>>
  readonly settled: Settled
  /** The time in which it was, as the audit log has it. */
  readonly from: string
  readonly to: string
}

const now = () => new Date().toISOString()

async function tryTogether(space: Space, seed: number): Promise<Trial> {
  const random = randomFrom(seed)
  const both = { older: gitHubRun(random.of([1, 1, 1, 2])), newer: gitHubRun() }
  const from = now()
  // The first requests wait, as a start on another machine may be later.
  const begin = async (which: Which) => {
    const late = random.below(1_500)
    const latency = 1 + random.below(30)
    const own = randomFrom(random.below(1_000_000))
    const delayMs = ({ nth }: Passing) => (nth === 1 ? late : own.below(latency))
    return run(space, which, both[which], { tag: `v${both[which].id}`, delayMs })
  }
  const [older, newer] = await Promise.all([begin('older'), begin('newer')])
  const settled = await expectSettled(space).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${told({ older, newer })}`, { cause: error })
  })
  return { space, runs: both, ended: { older, newer }, settled, from, to: now() }
}

const told = ({ older, newer }: Readonly<Record<Which, Ended>>) =>
  `--- older, ended with ${older.exitCode}\n${older.log}\n--- newer, ended with ${newer.exitCode}\n${newer.log}`

const otherOf = (which: Which): Which => (which === 'older' ? 'newer' : 'older')

const pool = openPool(openSpace, { width: 6 })
afterAll(async () => {
  await pool[Symbol.asyncDispose]()
})

const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST_SEED + index)
const trials = seeds.map((seed) => ({ seed, trial: pool.run((space) => tryTogether(space, seed)) }))

/** Read once, when all is over: it is long. */
let audit: Promise<AuditedWrite[]> | undefined
async function writesOf({ space, from, to }: Trial): Promise<AuditedWrite[]> {
  await Promise.allSettled(trials.map(({ trial }) => trial))
  audit ??= auditedWrites('two-runs-')
  return (await audit).filter(({ namespace, began }) => namespace === space.namespace && began >= from && began <= to)
}

describe('two runs of one release that start together', () => {
  it.each(trials)('never mix their writes (seed $seed)', async ({ trial }) => {
    const done = await trial
    const { runs: both, ended, settled } = done
    try {
      const writes = (await writesOf(done)).filter(({ kind }) => kind === 'object')
      const turns = writes.map(({ user }) => user).filter((user, index, users) => user !== users[index - 1])
      expect(turns.length).toBeGreaterThan(0)
      expect(turns).toEqual([...new Set(turns)])
      const [first, second] = [
        writes.filter(({ user }) => user === turns[0]),
        writes.filter(({ user }) => user === turns[1]),
      ]
      const lastOfFirst =
        first
          .map((write) => write.ended)
          .toSorted()
          .at(-1) ?? ''
      for (const { began } of second) expect(began > lastOfFirst).toBe(true)

      const outcomes = { older: ended.older.outputs['outcome'], newer: ended.newer.outputs['outcome'] }
      // The newer commit is always deployed; an older one stands back unless it was first, or somebody wants it again.
      const isOlderFirst = turns[0] === 'older'
      const isAgain = both.older.attempt > 1
      expect(outcomes).toEqual({ newer: 'deployed', older: isOlderFirst || isAgain ? 'deployed' : 'superseded' })
      const winner = both[!isOlderFirst && isAgain ? 'older' : 'newer']
      expect(settled.good?.by).toMatchObject({ id: winner.id, attempt: winner.attempt })
      for (const { metadata, data } of settled.objects.filter(({ kind }) => kind === 'ConfigMap'))
        expect({ name: metadata.name, data }).toEqual({ name: metadata.name, data: { tag: `v${winner.id}` } })

      for (const which of ['older', 'newer'] as const) {
        const own = settled.records.filter(({ by }) => by?.id === both[which].id)
        expect(own.map(({ status }) => status)).toEqual(outcomes[which] === 'deployed' ? ['good'] : [])
        expect(ended[which].exitCode).toBe(outcomes[which] === 'deployed' ? 0 : 1)
        // Who waits says for whom, with a link.
        const waits = [...ended[which].log.matchAll(/another run of the release shop is at work: (\S+) \(commit/g)]
        expect(waits.map(([, url]) => url)).toEqual(waits.map(() => both[otherOf(which)].url))
      }
    } catch (error) {
      throw new Error(`${String(error)}\n${told(ended)}`, { cause: error })
    }
  })

  it('have waited for each other most of the time', async () => {
    const all = await Promise.all(trials.map(({ trial }) => trial))
    const waited = all.filter(({ ended }) => /another run of the release/.test(ended.older.log + ended.newer.log))
    expect(waited.length).toBeGreaterThan(SEEDS / 2)
    const superseded = all.filter(({ ended }) => ended.older.outputs['outcome'] === 'superseded')
    expect(superseded.length).toBeGreaterThan(0)
    expect(superseded.length).toBeLessThan(SEEDS)
  })
})

const isOfObject = ({ method, path }: Passing) => method === 'PATCH' && !path.includes('dryRun=All')

/** Where the older run is stopped: until another has taken its lock, which takes 30 s of silence, and has deployed. */
const stops = [
  {
    where: 'while its pods start',
    tag: 'v2-slow-9s',
    when: () => (log: string) => /out of 2 new replicas/.test(log),
  },
  { where: 'in the middle of its writes', tag: 'v2', when: () => undefined, nthWrite: 2 },
  { where: 'in the middle of its rollback', tag: 'v2-unpullable', when: () => undefined, nthWrite: 8 },
].map((stop) => ({ ...stop, trial: tryStopped(stop) }))

interface Stop {
  readonly tag: string
  when(): ((log: string) => boolean) | undefined
  readonly nthWrite?: number
}

async function tryStopped({ tag, when, nthWrite = Infinity }: Stop): Promise<Trial & { readonly stoppedAt: string }> {
  await using space = await openSpace()
  expect(await run(space, 'older', gitHubRun(), { tag: 'v1' })).toMatchObject({ exitCode: 0 })
  const both = { older: gitHubRun(), newer: gitHubRun() }
  const from = now()
  const stopped = Promise.withResolvers<void>()
  let process: Started | undefined
  const stop = () => {
    process?.signal('SIGSTOP')
    stopped.resolve()
  }
  let writes = 0
  const isTime = when()
  let isOver = false
  const older = run(space, 'older', both.older, {
    tag,
    strike: {
      at: (passing) => isOfObject(passing) && ++writes === nthWrite,
      answer: 'before',
      later: 'held',
      strike: stop,
    },
    onStart: (started) => (process = started),
    onLog: (log) => {
      if (isOver || !isTime?.(log)) return
      isOver = true
      stop()
    },
  })
  await Promise.race([stopped.promise, older])
  const stoppedAt = now()
  const newer = await run(space, 'newer', both.newer, { tag: 'v3' })
  process?.signal('SIGCONT')
  const ended = { older: await older, newer }
  const settled = await expectSettled(space).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${told(ended)}`, { cause: error })
  })
  return { space, runs: both, ended, settled, from, to: now(), stoppedAt }
}

for (const { trial } of stops) trial.catch(() => undefined)

describe('a run that is stopped and goes on after another has taken its lock', () => {
  it.each(stops)('writes nothing more when that was $where', async ({ trial }) => {
    const { space, runs: both, ended, settled, stoppedAt } = await trial
    try {
      expect(ended.newer).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      expect(ended.newer.log).toContain(`another run of the release ${RELEASE} is at work: ${both.older.url}`)
      expect(ended.newer.log).toMatch(/has not renewed its lock for 30 s and is taken for dead/)
      expect(ended.newer.log).toContain(`the run ${both.older.url}`)
      expect(ended.older).toMatchObject({ exitCode: 1, outputs: { outcome: 'superseded' } })
      expect(settled.records.map(({ status, by }) => [by?.id, status]).slice(-2)).toEqual([
        [both.older.id, 'rolled-back'],
        [both.newer.id, 'good'],
      ])
      const all = (await auditedWrites(space.namespace)).filter(({ began }) => began > stoppedAt)
      const taken = all.find(({ user, what }) => user === 'newer' && /^update leases .*: 200$/.test(what))?.began
      if (taken === undefined) throw new Error('the newer run has never taken the lock')
      const late = all.filter(({ user, kind, began }) => user === 'older' && kind !== 'lock' && began > taken)
      expect(late.map(({ what }) => what)).toEqual([])
    } catch (error) {
      throw new Error(`${String(error)}\n${told(ended)}`, { cause: error })
    }
  })
})
