/** Runs that somebody cancels, as a workflow runner does it: SIGINT, 7.5 s later SIGTERM, and 2.5 s after that the end. */
import { describe, expect, it } from '@jest/globals'
import { leaseManifest, leaseRef } from '../../src/release/lease.ts'
import { openProxy, type Passing, type Strike } from './killing-proxy.ts'
import { app, deployment, documents } from './manifests.ts'
import { type Checkout, createCheckout, type Ended, type Started } from './rollsafe.ts'
import { connect, expectSettled, type Place, type Settled } from './settled.ts'
import { snapshot } from './snapshot.ts'
import { eventually, type TestNamespace, withNamespace } from './testbed.ts'

const RELEASE = 'shop'
const ENV = { GITHUB_RUN_ID: '7', GITHUB_SHA: '7'.repeat(40), GITHUB_ACTOR: 'octocat' }

interface Scene extends Place {
  readonly test: TestNamespace
  readonly checkout: Checkout
}

/** A namespace in which v1 has been deployed. */
function withV1(manifests: string, body: (scene: Scene) => Promise<void>): Promise<void> {
  return withNamespace('cancelled', async (test) => {
    await using checkout = await createCheckout({ 'k8s/app.yaml': manifests })
    await using cluster = await connect()
    const scene = { test, checkout, cluster, namespace: test.name, release: RELEASE }
    const env = { ...ENV, GITHUB_RUN_ID: '1' }
    expect(await (await begin(scene, { env })).ended).toMatchObject({ exitCode: 0 })
    await body(scene)
  })
}

interface Options {
  readonly env?: Readonly<Record<string, string>>
  readonly inputs?: Readonly<Record<string, string>>
  readonly onLog?: (log: string) => void
}

function begin({ checkout, namespace }: Scene, { env = ENV, inputs = {}, onLog }: Options = {}): Promise<Started> {
  const all = { release: RELEASE, namespace, 'stable-for': '0s', ...inputs }
  return checkout.start(all, { env, ...(onLog && { onLog }) })
}

interface Signalled extends Ended {
  /** From the first signal, and from the last, to the end of the process. */
  readonly secondsLeft: number
  readonly secondsLeftOfLast: number
}

interface Cue {
  readonly signal: NodeJS.Signals
  /** What the log says when it is sent. */
  readonly when: RegExp
}

/** Runs what is in the checkout, and sends each signal as soon as it is its turn and the log says so. */
async function cancel(scene: Scene, cues: readonly Cue[], options: Options = {}): Promise<Signalled> {
  const waiting = [...cues]
  const sent: number[] = []
  let running: Started | undefined
  const onLog = (log: string) => {
    const [cue] = waiting
    if (!cue?.when.test(log)) return
    waiting.shift()
    running?.signal(cue.signal)
    sent.push(performance.now())
  }
  running = await begin(scene, { ...options, onLog })
  const ended = await running.ended
  const now = performance.now()
  const since = (moment = -Infinity) => (now - moment) / 1000
  return { ...ended, secondsLeft: since(sent[0]), secondsLeftOfLast: since(sent.at(-1)) }
}

/** The same, at a request. */
async function cancelAt(
  scene: Scene,
  { at, delayMs }: Pick<Strike, 'at'> & { readonly delayMs?: (passing: Passing) => number },
): Promise<Signalled> {
  let running: Started | undefined
  let sent = -Infinity
  const strike = () => {
    running?.signal('SIGINT')
    sent = performance.now()
  }
  await using proxy = await openProxy({
    token: await scene.test.token(),
    strike: { at, answer: 'after', later: 'held', strike },
    ...(delayMs && { delayMs }),
  })
  running = await begin(scene, { inputs: proxy.inputs })
  const ended = await running.ended
  const secondsLeft = (performance.now() - sent) / 1000
  return { ...ended, secondsLeft, secondsLeftOfLast: secondsLeft }
}

/** The post step of the same job. */
async function post(scene: Scene, { state }: Ended): Promise<Ended> {
  const env = Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]))
  return (await begin(scene, { env: { ...ENV, ...env } })).ended
}

const statusesOf = ({ records }: Settled) =>
  records.map(({ revision, status, reason }) => ({ revision, status, reason }))
const GOOD = { revision: 1, status: 'good', reason: undefined }
const FOLLOWING = /out of 2 new replicas/
const changed = (tag: string) => app({ tag, deadlineSeconds: 60, data: { greeting: 'changed' } })

describe('a run that is cancelled', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('by %s in the middle of a rollout takes back what it wrote', (signal) =>
    withV1(app(), async (scene) => {
      const before = await snapshot(scene.test)
      await scene.checkout.write('k8s/app.yaml', changed('v2-slow-30s'))
      const run = await cancel(scene, [{ signal, when: FOLLOWING }])
      expect(run).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'cancelled', reason: 'Cancelled', changed: 'false' },
        state: { started: 'true', done: 'true' },
      })
      expect(run.secondsLeft).toBeLessThan(7.5)
      const after = await expectSettled(scene)
      expect(statusesOf(after)).toEqual([GOOD, { revision: 2, status: 'rolled-back', reason: 'Cancelled' }])
      expect(await snapshot(scene.test)).toEqual(before)

      const nothing = await post(scene, run)
      expect(nothing).toMatchObject({ exitCode: 0, log: '' })
      expect(statusesOf(await expectSettled(scene))).toEqual(statusesOf(after))
    }),
  )

  it('and told to end while the old pods start leaves the rest to its post step', () => {
    const recreated = (tag: string, data: string) => {
      const web = deployment('web', { tag, deadlineSeconds: 60 }) as { spec: object }
      const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' }, data: { data } }
      return documents([config, { ...web, spec: { ...web.spec, strategy: { type: 'Recreate' } } }])
    }
    return withV1(recreated('v1-slow-6s', 'old'), async (scene) => {
      const before = await snapshot(scene.test)
      await scene.checkout.write('k8s/app.yaml', recreated('v2-slow-60s', 'new'))
      const run = await cancel(scene, [
        { signal: 'SIGINT', when: /0 of 2 updated replicas are available/ },
        { signal: 'SIGTERM', when: /Roll back\n[\s\S]*0 of 2 updated replicas are available/ },
      ])
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'cancelled', reason: 'Cancelled' } })
      expect(run.outputs['message']).toContain('is being taken back')
      expect(run.state).not.toHaveProperty('done')
      expect(run.secondsLeftOfLast).toBeLessThan(2.5)
      const secrets = await scene.test.kubectl(['get', 'secret', 'rollsafe.shop.v2', '--show-labels'])
      expect(secrets).toContain('rollsafe.dev/record-status=pending')

      const finished = await post(scene, run)
      expect(finished).toMatchObject({ exitCode: 1, outputs: { outcome: 'cancelled', reason: 'Cancelled' } })
      expect(finished.log).not.toContain('another run of the release')
      const after = await expectSettled(scene)
      expect(statusesOf(after)).toEqual([GOOD, { revision: 2, status: 'rolled-back', reason: 'Cancelled' }])
      expect(await snapshot(scene.test)).toEqual(before)
    })
  })

  it('leaves what it wrote in place when it is told so', () =>
    withV1(app(), async (scene) => {
      await scene.checkout.write('k8s/app.yaml', changed('v2-slow-3s'))
      const cue = { signal: 'SIGINT', when: FOLLOWING } as const
      const run = await cancel(scene, [cue], { inputs: { 'on-cancel': 'leave' } })
      expect(run).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'cancelled', reason: 'Cancelled', changed: 'true' },
      })
      expect(run.secondsLeft).toBeLessThan(7.5)
      expect(await snapshot(scene.test)).toMatchObject({ 'ConfigMap/web': { data: { greeting: 'changed' } } })
      const labels = await scene.test.kubectl(['get', 'secret', 'rollsafe.shop.v2', '--show-labels'])
      expect(labels).toContain('rollsafe.dev/record-status=bad')

      const again = await (await begin(scene)).ended
      expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged' } })
      expect((await expectSettled(scene)).good).toMatchObject({ revision: 2 })
    }))

  it.each([
    ['while the API server checks the objects', ({ path }: Passing) => path.includes('dryRun=All')],
    ['as it gets its lock', ({ method, path }: Passing) => method === 'POST' && path.includes('/leases')],
    ['as its record is made', ({ method, path }: Passing) => method === 'POST' && path.includes('/secrets')],
  ])('before its first write, %s, has changed nothing', (_when, at) =>
    withV1(app(), async (scene) => {
      const before = await snapshot(scene.test)
      await scene.checkout.write('k8s/app.yaml', changed('v2'))
      const run = await cancelAt(scene, { at })
      expect(run).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'cancelled', reason: 'Cancelled', changed: 'false' },
      })
      expect(run.secondsLeft).toBeLessThan(7.5)
      // The answer that follows the signal may be faster than that.
      const hasWritten = / configured$/m.test(run.log)
      expect(run.outputs['message']).toContain(hasWritten ? 'was taken back' : 'before it wrote anything')
      const taken = { revision: 2, status: 'rolled-back', reason: 'Cancelled' }
      expect(statusesOf(await expectSettled(scene))).toEqual(hasWritten ? [GOOD, taken] : [GOOD])
      expect(await snapshot(scene.test)).toEqual(before)
    }),
  )

  it('while it waits for another run leaves that alone', () =>
    withV1(app(), async (scene) => {
      const { cluster, namespace } = scene
      const before = await snapshot(scene.test)
      const now = new Date()
      const content = { namespace, release: RELEASE, holder: 'another', acquired: now, renewed: now, transitions: 0 }
      const lease = await cluster.create(leaseManifest(content))
      await scene.checkout.write('k8s/app.yaml', changed('v2'))
      const run = await cancel(scene, [{ signal: 'SIGINT', when: /another run of the release shop is at work/ }])
      expect(run).toMatchObject({ exitCode: 1, outputs: { outcome: 'cancelled', changed: 'false' } })
      expect(run.secondsLeft).toBeLessThan(2.5)
      expect(await cluster.get(leaseRef(RELEASE, namespace))).toEqual(lease)
      // The other run is at work, and the post step does not wait for it.
      expect(await post(scene, run)).toMatchObject({ exitCode: 0, log: '' })
      await cluster.delete(leaseRef(RELEASE, namespace), lease.metadata.uid ?? '')
      expect(statusesOf(await expectSettled(scene))).toEqual([GOOD])
      expect(await snapshot(scene.test)).toEqual(before)
    }))

  it('in the middle of many writes stops writing, and takes back what it wrote', () => {
    const names = Array.from({ length: 30 }, (_, index) => `config-${index}`)
    const many = (value: string) =>
      documents(names.map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } })))
    return withV1(many('old'), async (scene) => {
      const before = await snapshot(scene.test)
      await scene.checkout.write('k8s/app.yaml', many('new'))
      let writes = 0
      const isWriteOfOne = ({ isWrite, path }: Passing) => isWrite && path.includes('/configmaps/config-')
      const run = await cancelAt(scene, {
        at: (passing) => isWriteOfOne(passing) && ++writes === 10,
        delayMs: ({ isWrite }) => (isWrite ? 100 : 0),
      })
      expect(run).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'cancelled', reason: 'Cancelled', changed: 'false' },
      })
      expect(run.secondsLeft).toBeLessThan(7.5)
      // Those that were on their way already, at most eight at a time, are seen to their end.
      const configured = run.log.match(/ configured$/gm) ?? []
      expect(configured.length).toBeGreaterThanOrEqual(10)
      expect(configured.length).toBeLessThanOrEqual(18)
      expect(run.log.match(/ restored$/gm)).toHaveLength(configured.length)
      const after = await expectSettled(scene)
      expect(statusesOf(after)).toEqual([GOOD, { revision: 2, status: 'rolled-back', reason: 'Cancelled' }])
      await eventually(async () => expect(await snapshot(scene.test)).toEqual(before), 1)
    })
  })
})
