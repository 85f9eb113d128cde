import { describe, expect, it } from '@jest/globals'
import { readSessionState, recover } from '../../src/commands/recover.ts'
import { ClusterError } from '../../src/errors.ts'
import { keyOf, refOf } from '../../src/manifest/object.ts'
import type { Report } from '../../src/report/report.ts'
import type { ReleaseRecord } from '../../src/release/record.ts'
import { createMemoryCluster, type MemoryCluster } from '../fakes/memory-cluster.ts'
import { releaseRecord } from '../release/records.ts'
import { createRun, recordsOf, settings } from './runs.ts'

describe('what the main step has left for the post step', () => {
  it.each<[string | undefined, unknown]>([
    ['{"namespace":"shop","holder":"me"}', { namespace: 'shop', holder: 'me' }],
    ['{"namespace":"shop","holder":"me","more":1}', { namespace: 'shop', holder: 'me' }],
    ['', undefined],
    [undefined, undefined],
    ['{"namespace":"shop"}', undefined],
    ['{"namespace":"shop","holder":7}', undefined],
    ['null', undefined],
    ['[]', undefined],
  ])('%j', (text, state) => {
    expect(readSessionState(text)).toEqual(state)
  })
})

const MADE = settings('made')
const writes = [{ type: 'create' as const, ref: refOf(MADE) }]
const { endedAt: _endedAt, ...PENDING } = releaseRecord({ revision: 2, status: 'pending', message: '', writes })

async function recovering(
  records: readonly ReleaseRecord[],
  inputs: Record<string, string> = {},
): Promise<{ report: Report | undefined; history: string[]; isMade: boolean; cluster: MemoryCluster }> {
  const cluster = createMemoryCluster([MADE])
  const kept = recordsOf(cluster)
  for (const record of records) await kept.create(record)
  const report = await recover({ namespace: 'shop', holder: 'this-run' }, createRun(cluster, inputs).run)
  const history = (await kept.list()).map(({ revision, status }) => `${revision} ${status}`)
  const lease = [...cluster.objects().values()].filter(({ kind }) => kind === 'Lease')
  expect(lease).toEqual([])
  return { report, history, isMade: cluster.objects().has(keyOf(refOf(MADE))), cluster }
}

describe('the post step', () => {
  it('takes back what the main step has left half done', async () => {
    const { report, history, isMade } = await recovering([releaseRecord({ revision: 1 }), PENDING])
    expect(isMade).toBe(false)
    expect(history).toEqual(['1 good', '2 rolled-back'])
    expect(report).toMatchObject({
      outcome: 'cancelled',
      reason: 'Cancelled',
      revision: 2,
      previousRevision: 1,
      changed: false,
      rollback: { outcome: 'rolled-back', steps: [{ name: 'made', step: 'deleted' }] },
    })
  })

  it.each<[string, Record<string, string>]>([
    ['on-cancel: leave', { 'on-cancel': 'leave' }],
    ['rollback: off', { rollback: 'off' }],
  ])('leaves it with %s, and nothing is pending that the next run would take back', async (_name, inputs) => {
    const { report, history, isMade } = await recovering([releaseRecord({ revision: 1 }), PENDING], inputs)
    expect(isMade).toBe(true)
    expect(history).toEqual(['1 good', '2 bad'])
    expect(report).toMatchObject({ outcome: 'cancelled', changed: true, revision: 2 })
    expect(report?.message).toContain('left in place')
  })

  it.each<[string, (cluster: MemoryCluster) => Promise<void> | void, Partial<Report>]>([
    [
      'the API server is away when it takes the lock',
      (cluster) => {
        cluster.onRequest = (request) => {
          if (request.startsWith('create Lease'))
            throw new ClusterError('shop.example refuses the connection', { status: 0, request })
        }
      },
      { reason: 'ClusterUnreachable' },
    ],
    [
      'nobody can read what was written',
      async (cluster) => {
        const head = await cluster.get({
          apiVersion: 'v1',
          kind: 'Secret',
          namespace: 'shop',
          name: 'rollsafe.shop.v2',
        })
        if (head) cluster.put({ ...head, data: { record: 'AAAA' } })
      },
      { reason: 'InvalidInput' },
    ],
  ])('says that something may be half done when %s', async (_name, spoil, expected) => {
    const cluster = createMemoryCluster([MADE])
    await recordsOf(cluster).create(PENDING)
    await spoil(cluster)
    const report = await recover({ namespace: 'shop', holder: 'this-run' }, createRun(cluster).run)
    expect(report).toMatchObject({ ...expected, outcome: 'rollback-failed', changed: true, namespace: 'shop' })
    expect(report?.message).toContain('what it had written could not be taken back')
    expect(cluster.objects().has(keyOf(refOf(MADE)))).toBe(true)
  })

  const { by } = PENDING
  if (!by) throw new Error('the record says nothing of its run')
  it.each<[string, ReleaseRecord[]]>([
    ['nothing to do after a good end', [releaseRecord({ revision: 1 })]],
    ['nothing to do before anything was written', []],
    ['another run’s mess to leave to the next deploy', [{ ...PENDING, by: { ...by, id: 6 } }]],
    ['another attempt’s, too', [{ ...PENDING, by: { ...by, attempt: 2 } }]],
  ])('has %s', async (_name, records) => {
    const { report, history, isMade } = await recovering(records)
    expect(report).toBeUndefined()
    expect(isMade).toBe(true)
    expect(history).toEqual(records.map(({ revision, status }) => `${revision} ${status}`))
  })
})
