import { describe, expect, it } from '@jest/globals'
import { locate } from '../../src/commands/locate.ts'
import type { Run } from '../../src/commands/run.ts'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Change } from '../../src/plan/change.ts'
import type { Clock } from '../../src/ports.ts'
import { createMemoryCluster, type MemoryCluster } from '../fakes/memory-cluster.ts'
import { deployed, rolledBack } from '../fixtures/reports/reports.ts'
import { createRun } from './runs.ts'

/** Whose time passes only while somebody sleeps. */
function idleClock(onSleep: () => void = () => undefined): Clock {
  let now = 0
  return {
    now: () => now,
    date: () => new Date(0),
    async sleep(ms) {
      now += ms
      onSleep()
    },
  }
}

const written: KubeObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { rules: [{ host: 'shop.example.com' }] },
}
const live = { ...written, status: { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } } }
const manifest = { object: written, at: { file: 'k8s/web.yaml', line: 1 } }
const created: Change = { type: 'create', manifest }
const unchanged: Change = { type: 'unchanged', manifest, live }

/** A run whose pages answer in turn with these; the last one for ever. */
function runWith(
  inputs: Record<string, string>,
  answers: readonly (number | Error)[] = [],
  { cluster = createMemoryCluster([live]), clock = idleClock() }: { cluster?: MemoryCluster; clock?: Clock } = {},
): { run: Run; asked: string[]; cluster: MemoryCluster; cancel: AbortController } {
  const asked: string[] = []
  const { run, cancel } = createRun(cluster, inputs)
  const ask = async (url: string): Promise<number> => {
    const answer = answers[Math.min(asked.push(url), answers.length) - 1] ?? new Error('nobody was to be asked')
    if (answer instanceof Error) throw answer
    return answer
  }
  return { run: { ...run, clock, web: { ask } }, asked, cluster, cancel }
}

describe('where people reach a release', () => {
  it('is found in the cluster, and nobody is asked unless somebody is to be sent there', async () => {
    const { run, asked, cluster } = runWith({})
    expect(await locate(deployed, [created], run)).toMatchObject({ url: 'http://shop.example.com', warnings: [] })
    expect(asked).toEqual([])
    expect(cluster.requests).toEqual(['get Ingress shop/web'])
  })

  it.each([
    ['did not become good', rolledBack, [created]],
    ['was only planned', { ...deployed, outcome: 'rejected' as const }, [created]],
    ['has no way in', deployed, []],
  ])('costs nothing for a release that %s', async (_what, report, changes) => {
    const { run, cluster } = runWith({ deployment: 'staging' })
    expect(await locate(report, changes, run)).toEqual(report)
    expect(cluster.requests).toEqual([])
  })

  it('is known already when nothing has changed', async () => {
    const { run, cluster } = runWith({})
    expect(await locate(deployed, [unchanged], run)).toMatchObject({ url: 'http://shop.example.com' })
    expect(cluster.requests).toEqual([])
  })

  it('is what a template makes of the run', async () => {
    const { run, asked, cluster } = runWith(
      { 'environment-url': 'https://{release}.{namespace}.example.com/?c={sha}' },
      [200],
    )
    const url = `https://shop.shop.example.com/?c=${run.inputs.run?.sha}`
    expect(await locate(deployed, [created], run)).toMatchObject({ url, warnings: [] })
    expect(asked).toEqual([url])
    expect(cluster.requests).toEqual([])
  })

  it('of a preview is what its template says, when the cluster tells none', async () => {
    const template = { 'preview-url': 'https://{release}.preview.example.com' }
    const find = async (changes: readonly Change[], given: Record<string, string> = template) => {
      const { run, asked } = runWith({}, [200])
      const preview = { repositoryId: 4711, pullRequest: 12, headSha: 'a1'.repeat(20), ttlSeconds: 3600 }
      const previewUrl = given['preview-url']
      const inputs = { ...run.inputs, preview, ...(previewUrl !== undefined && { previewUrl }) }
      const { url } = await locate(deployed, changes, { ...run, inputs })
      return { url, asked }
    }
    const filled = 'https://shop.preview.example.com'
    expect(await find([])).toEqual({ url: filled, asked: [filled] })
    expect(await find([{ ...unchanged, live: written }])).toEqual({ url: filled, asked: [filled] })
    // Somebody is sent to every preview, so each is asked.
    const found = 'http://shop.example.com'
    expect(await find([created])).toEqual({ url: found, asked: [found] })
    expect(await find([created], {})).toEqual({ url: found, asked: [found] })
  })

  it.each([200, 204, 302, 401, 403])('answers with %d', async (status) => {
    const { run, asked } = runWith({ deployment: 'staging' }, [new Error('no route'), 503, 404, status])
    expect(await locate(deployed, [created], run)).toMatchObject({ url: 'http://shop.example.com', warnings: [] })
    expect(asked).toHaveLength(4)
  })

  it('that does not answer within 30 s is a warning', async () => {
    const { run } = runWith({ deployment: 'staging' }, [503])
    expect(await locate(deployed, [created], run)).toMatchObject({
      outcome: 'deployed',
      url: 'http://shop.example.com',
      warnings: ['http://shop.example.com did not answer within 30 s: it said 503'],
    })
    expect(run.clock.now()).toBeGreaterThan(20_000)
    expect(run.clock.now()).toBeLessThanOrEqual(30_000)
  })

  it('is waited for when it has just been made, and somebody is to be sent there', async () => {
    const cluster = createMemoryCluster([written])
    const clock = idleClock(() => void cluster.put(live))
    const { run } = runWith({ deployment: 'staging' }, [200], { cluster, clock })
    expect(await locate(deployed, [created], run)).toMatchObject({ url: 'http://shop.example.com' })
  })

  it('is not waited for when it has had none before', async () => {
    const { run } = runWith({ deployment: 'staging' })
    expect(await locate(deployed, [{ ...unchanged, live: written }], run)).toEqual(deployed)
    expect(run.clock.now()).toBe(0)
  })

  it('that cannot be read leaves the report as it is', async () => {
    const cluster = createMemoryCluster([live])
    cluster.onRequest = () => {
      throw new Error('reset')
    }
    const { run } = runWith({ deployment: 'staging' }, [], { cluster })
    expect(await locate(deployed, [created], run)).toEqual(deployed)
  })

  it('is no longer tried once somebody cancels the run', async () => {
    const { run, asked, cancel } = runWith({ deployment: 'staging' }, [503])
    cancel.abort(new Error('cancelled'))
    expect(await locate(deployed, [unchanged], run)).toMatchObject({ url: 'http://shop.example.com', warnings: [] })
    expect(asked).toHaveLength(1)
  })
})
