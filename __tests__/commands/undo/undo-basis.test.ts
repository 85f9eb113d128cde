import { describe, expect, it } from '@jest/globals'
import { closeEarlier, recordedWrites, rememberRemade, undoBasis } from '../../../src/commands/undo/undo-basis.ts'
import { keyOf, refOf } from '../../../src/manifest/object.ts'
import type { ReleaseRecord } from '../../../src/release/record.ts'
import type { Write } from '../../../src/rollback/write.ts'
import { createMemoryCluster, type MemoryCluster } from '../../fakes/memory-cluster.ts'
import { releaseRecord } from '../../release/records.ts'
import { recordsOf, settings } from '../runs.ts'

const at = (version: string) => settings('settings', { version })
const update = (before: string, after: string): Write => ({
  type: 'update',
  ref: refOf(at(before)),
  before: at(before),
  after: at(after),
})
const bad = (revision: number, ...writes: Write[]) => releaseRecord({ revision, status: 'bad', writes })
const good = (revision: number) => releaseRecord({ revision })

async function basisOf(
  writes: Write[],
  history: ReleaseRecord[],
  meddle: (cluster: MemoryCluster) => void = () => undefined,
) {
  const cluster = createMemoryCluster()
  const records = recordsOf(cluster)
  for (const record of history) await records.create(record)
  meddle(cluster)
  return undoBasis(writes, await records.list(), records)
}

describe('what is taken back', () => {
  it('is what was written, after a good revision', async () => {
    const writes = [update('1', '2')]
    expect(await basisOf(writes, [good(1)])).toEqual({ writes, earlier: [], warnings: [] })
  })

  it('is only what was written, where no revision was ever good', async () => {
    const writes = [update('2', '3')]
    expect(await basisOf(writes, [bad(1, update('1', '2'))])).toEqual({ writes, earlier: [], warnings: [] })
  })

  it('is all since the last good one, as one write for each object', async () => {
    const other = settings('other')
    const { writes, earlier } = await basisOf(
      [update('3', '4')],
      [
        bad(1, update('0', '1')),
        good(2),
        bad(3, update('1', '2'), { type: 'create', ref: refOf(other) }),
        releaseRecord({ revision: 4, status: 'rolled-back' }),
        releaseRecord({ revision: 5, status: 'superseded' }),
        bad(6, update('2', '3')),
      ],
    )
    expect(writes).toEqual([
      { ...update('1', '4'), isRecorded: true },
      { type: 'create', ref: refOf(other), isRecorded: true },
    ])
    expect(earlier.map(({ revision }) => revision)).toEqual([3, 6])
  })

  it('leaves out, and names, what a record that cannot be read would tell', async () => {
    const { writes, earlier, warnings } = await basisOf(
      [update('2', '3')],
      [good(1), bad(2, update('1', '2'))],
      (cluster) => {
        const secret = cluster.objects().get('Secret/shop/rollsafe.shop.v2')
        if (secret) cluster.put({ ...secret, data: { record: 'aGVsbG8=' } })
      },
    )
    expect(writes).toEqual([update('2', '3')])
    expect(earlier).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('what revision 2 has left in place is not taken back')])
  })
})

it('writes of a record are known to be from one', () => {
  expect(recordedWrites(bad(1, update('1', '2')))).toEqual([{ ...update('1', '2'), isRecorded: true }])
})

it('revisions that were taken back with a later one are closed', async () => {
  const records = recordsOf(createMemoryCluster())
  const left = bad(2, update('1', '2'))
  await records.create(left)
  await closeEarlier([left], records)
  const [head] = await records.list()
  if (!head) throw new Error('the record is gone')
  expect(await records.read(head)).toEqual({ ...left, status: 'rolled-back', writes: [] })
})

describe('the UIDs of objects that were made anew', () => {
  const history = [
    releaseRecord({
      revision: 1,
      objects: [
        { object: at('1'), uid: 'old' },
        { object: settings('other'), uid: 'o' },
      ],
    }),
  ]
  async function remember(
    remade: ReadonlyMap<string, string>,
    meddle: (cluster: MemoryCluster) => void = () => undefined,
  ) {
    const cluster = createMemoryCluster()
    const records = recordsOf(cluster)
    for (const record of history) await records.create(record)
    meddle(cluster)
    await rememberRemade(remade, await records.list(), records)
    return Promise.all((await records.list()).map((head) => records.read(head)))
  }

  it('are written into the record of the last good revision', async () => {
    const [record] = await remember(
      new Map([
        [keyOf(refOf(at('1'))), 'new'],
        ['ConfigMap/shop/unknown', 'x'],
      ]),
    )
    expect(record?.objects.map(({ uid }) => uid)).toEqual(['new', 'o'])
  })

  it('stand in the way of nothing when that record cannot be read', async () => {
    const cluster = createMemoryCluster()
    const records = recordsOf(cluster)
    for (const record of history) await records.create(record)
    const heads = await records.list()
    const secret = cluster.objects().get('Secret/shop/rollsafe.shop.v1')
    if (!secret) throw new Error('there is no record')
    const before = cluster.put({ ...secret, data: { record: 'aGVsbG8=' } })
    await expect(rememberRemade(new Map([[keyOf(refOf(at('1'))), 'new']]), heads, records)).resolves.not.toThrow()
    expect(cluster.objects().get('Secret/shop/rollsafe.shop.v1')).toEqual(before)
  })

  it('change nothing where there are none', async () => {
    expect(await remember(new Map())).toEqual(history)
  })
})
