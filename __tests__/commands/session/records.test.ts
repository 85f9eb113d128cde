import { describe, expect, it, jest } from '@jest/globals'
import { openRecords, type Records } from '../../../src/commands/session/records.ts'
import { ClusterError } from '../../../src/errors.ts'
import { RELEASE_LABEL } from '../../../src/plan/desired.ts'
import { RecordError } from '../../../src/release/read-record.ts'
import type { ReleaseRecord } from '../../../src/release/record.ts'
import { createMemoryCluster, type MemoryCluster } from '../../fakes/memory-cluster.ts'
import { randomFrom } from '../../fixtures/random.ts'
import { configMap, incompressible, releaseRecord } from '../../release/records.ts'

const PLACE = { namespace: 'shop', release: 'shop' }
const SMALL = releaseRecord({ revision: 1, status: 'pending', message: '' })
/** A record of three Secrets, another one for each seed. */
const LARGE = (seed: number, more: Partial<ReleaseRecord> = {}) =>
  releaseRecord({ revision: 1, objects: [incompressible('noise', 1900 * 1024, randomFrom(seed))], ...more })
const large = LARGE(1)
const larger = LARGE(2, { status: 'bad' })

const open = (cluster: MemoryCluster) => openRecords(cluster, PLACE)

/** The requests since the last time, without the digests in the names. */
function requestsOf(cluster: MemoryCluster): string[] {
  return cluster.requests
    .splice(0)
    .map((request) => request.replace(/\.[0-9a-f]{16}$/, '').replace(' Secret shop/rollsafe.shop', ''))
}

async function readAll(records: Records): Promise<ReleaseRecord[]> {
  const found: ReleaseRecord[] = []
  for (const head of await records.list()) found.push(await records.read(head))
  return found
}

const namesIn = (cluster: MemoryCluster) =>
  [...cluster.objects().values()].map(({ metadata }) => metadata.name.replace(/\.[0-9a-f]{16}$/, ''))

// To pack megabytes of noise takes seconds where others are at work, too.
jest.setTimeout(60_000)

describe('records', () => {
  it('are created, listed, read, updated and removed with one request each', async () => {
    const cluster = createMemoryCluster()
    const records = open(cluster)
    expect(await records.list()).toEqual([])
    await records.create(SMALL)
    const good = { ...SMALL, status: 'good' as const, message: 'all is well' }
    await records.update(good)
    await records.update(good)
    expect(requestsOf(cluster)).toEqual(['list Secret shop', 'create.v1', 'update.v1', 'update.v1'])

    const heads = await records.list()
    expect(heads).toMatchObject([{ revision: 1, status: 'good', release: 'shop', namespace: 'shop', parts: [] }])
    expect(await Promise.all(heads.map(records.read))).toEqual([good])
    await records.remove(heads)
    expect(requestsOf(cluster)).toEqual(['list Secret shop', 'get.v1', 'delete.v1'])
    expect(cluster.objects().size).toBe(0)
  })

  it('are listed by revision, and nothing else is', async () => {
    const cluster = createMemoryCluster([
      { ...configMap('settings'), kind: 'Secret' },
      {
        ...configMap('impostor'),
        kind: 'Secret',
        metadata: { name: 'x', namespace: 'shop', labels: { 'rollsafe.dev/record-of': 'shop' } },
      },
    ])
    const other = openRecords(cluster, { namespace: 'shop', release: 'other' })
    const objects = [{ object: configMap('settings', {}, 'other') }]
    await other.create(releaseRecord({ release: 'other', objects }))
    const records = open(cluster)
    for (const revision of [10, 9, 2]) await records.create({ ...SMALL, revision })
    expect((await records.list()).map(({ revision }) => revision)).toEqual([2, 9, 10])
    expect((await other.list()).map(({ revision }) => revision)).toEqual([3])
  })

  it('are never among the objects of the release', async () => {
    const cluster = createMemoryCluster()
    await open(cluster).create(large)
    const labelSelector = `${RELEASE_LABEL}=shop`
    expect((await cluster.list({ apiVersion: 'v1', kind: 'Secret', labelSelector })).objects).toEqual([])
  })

  it('refuse a revision that is there already', async () => {
    const cluster = createMemoryCluster()
    await open(cluster).create(SMALL)
    await expect(open(cluster).create(SMALL)).rejects.toMatchObject({ status: 409, reason: 'AlreadyExists' })
    await expect(open(cluster).create({ ...large })).rejects.toMatchObject({ status: 409, reason: 'AlreadyExists' })
    expect(await readAll(open(cluster))).toEqual([SMALL])
  })

  it('refuse to overwrite what somebody else has written', async () => {
    const cluster = createMemoryCluster()
    const ours = open(cluster)
    await ours.create(SMALL)
    const theirs = open(cluster)
    await theirs.list()
    await theirs.update({ ...SMALL, message: 'theirs' })
    await expect(ours.update({ ...SMALL, message: 'ours' })).rejects.toMatchObject({ status: 409, reason: 'Conflict' })
    expect(await readAll(ours)).toMatchObject([{ message: 'theirs' }])
    await ours.update({ ...SMALL, message: 'ours' })
    expect(await readAll(theirs)).toMatchObject([{ message: 'ours' }])
  })

  it('are updated only after they were seen, and only of their own release', async () => {
    const cluster = createMemoryCluster()
    await expect(open(cluster).update(SMALL)).rejects.toThrow('rollsafe.shop.v1 has not been read')
    await expect(open(cluster).create({ ...SMALL, namespace: 'other' })).rejects.toThrow('another release')
    expect(cluster.requests).toEqual([])
  })

  it('do not remove a revision that was made anew', async () => {
    const cluster = createMemoryCluster()
    const records = open(cluster)
    await records.create(SMALL)
    const heads = await records.list()
    cluster.drop({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'rollsafe.shop.v1' })
    await open(cluster).create({ ...SMALL, message: 'anew' })
    await records.remove(heads)
    expect(await readAll(records)).toMatchObject([{ message: 'anew' }])
    cluster.drop({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'rollsafe.shop.v1' })
    await records.remove(heads)
    await expect(Promise.all(heads.map(records.read))).rejects.toThrow(RecordError)
  })

  it('that were tampered with are listed, cannot be read, and can be removed', async () => {
    const cluster = createMemoryCluster()
    const records = open(cluster)
    await records.create(SMALL)
    for (const secret of cluster.objects().values()) cluster.put({ ...secret, data: { record: btoa('{}') } })
    const heads = await records.list()
    await expect(Promise.all(heads.map(records.read))).rejects.toThrow(RecordError)
    await records.remove(heads)
    expect(cluster.objects().size).toBe(0)
  })
})

describe('a record of several Secrets', () => {
  it('costs a request for each part', async () => {
    const cluster = createMemoryCluster()
    await open(cluster).create(large)
    expect(requestsOf(cluster)).toEqual(['create.v1.part1', 'create.v1.part2', 'create.v1'])
    const records = open(cluster)
    expect(await readAll(records)).toEqual([large])
    expect(requestsOf(cluster)).toEqual(['list Secret shop', 'get.v1', 'get.v1.part1', 'get.v1.part2'])
    await records.update(large)
    expect(requestsOf(cluster)).toEqual(['update.v1'])
    await records.update(larger)
    const made = ['create.v1.part1', 'create.v1.part2']
    const deleted = ['delete.v1.part1', 'delete.v1.part2']
    expect(requestsOf(cluster)).toEqual([...made, 'update.v1', ...deleted])
    expect(await readAll(records)).toEqual([larger])
    requestsOf(cluster)
    await records.remove(await records.list())
    expect(requestsOf(cluster)).toEqual(['list Secret shop', ...deleted, 'delete.v1'])
    expect(cluster.objects().size).toBe(0)
  })

  it('shrinks and grows', async () => {
    const cluster = createMemoryCluster()
    const records = open(cluster)
    await records.create(large)
    await records.update(SMALL)
    expect(namesIn(cluster)).toEqual(['rollsafe.shop.v1'])
    await records.update(large)
    expect(namesIn(cluster)).toHaveLength(3)
    expect(await readAll(open(cluster))).toEqual([large])
  })

  // Requests: list, create part 1, create part 2, update the head, delete part 1, delete part 2.
  it.each(['before', 'after'].flatMap((moment) => [1, 2, 3, 4, 5, 6].map((at) => [moment, at] as const)))(
    'is the old or the new one when a run is killed %s request %d of an update, and nothing is left over in the end',
    async (killed, at) => {
      const cluster = createMemoryCluster()
      await open(cluster).create(large)
      requestsOf(cluster)
      cluster.onRequest = (_request, moment) => {
        if (cluster.requests.length >= at && moment === killed) throw new Error('killed')
      }
      const records = open(cluster)
      await expect(records.list().then(() => records.update(larger))).rejects.toThrow('killed')
      cluster.onRequest = () => undefined

      const next = open(cluster)
      const [found] = await readAll(next)
      const isNew = at > 4 || (at === 4 && killed === 'after')
      expect(found).toEqual(isNew ? larger : large)
      await next.update(larger)
      expect(namesIn(cluster).toSorted()).toEqual([
        'rollsafe.shop.v1',
        'rollsafe.shop.v1.part1',
        'rollsafe.shop.v1.part2',
      ])
      expect(await readAll(next)).toEqual([larger])
      await next.remove(await next.list())
      expect(cluster.objects().size).toBe(0)
    },
  )

  it('whose head was never made does not stand in the way, nor stay for ever', async () => {
    const cluster = createMemoryCluster()
    cluster.onRequest = (request) => {
      if (request === 'create Secret shop/rollsafe.shop.v1') throw new Error('killed')
    }
    await expect(open(cluster).create(large)).rejects.toThrow('killed')
    cluster.onRequest = () => undefined
    const records = open(cluster)
    expect(await records.list()).toEqual([])
    await records.create(larger)
    expect(namesIn(cluster)).toHaveLength(3)
    expect(await readAll(records)).toEqual([larger])
  })

  it('is made of parts that are there already, if they are the same', async () => {
    const cluster = createMemoryCluster()
    const [first, second] = [open(cluster), open(cluster)]
    cluster.onRequest = (request) => {
      if (request === 'create Secret shop/rollsafe.shop.v1') throw new Error('killed')
    }
    await expect(first.create(large)).rejects.toThrow('killed')
    cluster.onRequest = () => undefined
    await second.create(large)
    expect(await readAll(second)).toEqual([large])
    await second.remove(await second.list())
    expect(cluster.objects().size).toBe(0)
  })

  it('is refused when something else bears the name of a part', async () => {
    const cluster = createMemoryCluster()
    await open(cluster).create(large)
    for (const secret of cluster.objects().values()) {
      if (secret.metadata.name.includes('part')) cluster.put({ ...secret, data: { record: btoa('x') } })
      else cluster.drop({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: secret.metadata.name })
    }
    await expect(open(cluster).create(large)).rejects.toMatchObject({ status: 409 })
  })

  it('is written all the same when old parts cannot be deleted', async () => {
    const cluster = createMemoryCluster()
    const records = open(cluster)
    await records.create(large)
    cluster.onRequest = (request) => {
      if (request.startsWith('delete')) throw new ClusterError('no', { status: 403, request })
    }
    await records.update(larger)
    expect(namesIn(cluster)).toHaveLength(5)
    cluster.onRequest = () => undefined
    await records.update(SMALL)
    expect(namesIn(cluster)).toEqual(['rollsafe.shop.v1'])
  })
})

describe('a write whose answer is lost', () => {
  const lost = (request: string) => new ClusterError('connection reset', { status: 0, reason: 'ECONNRESET', request })

  it.each(['create Secret', 'update Secret'])('that arrived has worked: %s', async (verb) => {
    const cluster = createMemoryCluster()
    const records = open(cluster)
    cluster.onRequest = (request, moment) => {
      if (moment === 'after' && request.startsWith(verb)) throw lost(request)
    }
    await records.create(large)
    await records.update(larger)
    cluster.onRequest = () => undefined
    await records.update(SMALL)
    expect(namesIn(cluster)).toEqual(['rollsafe.shop.v1'])
    expect(await readAll(records)).toEqual([SMALL])
  })

  it.each(['create Secret', 'update Secret'])(
    'that did not arrive has failed, and may be tried again: %s',
    async (verb) => {
      const cluster = createMemoryCluster()
      const records = open(cluster)
      if (verb.startsWith('update')) await records.create(SMALL)
      cluster.onRequest = (request, moment) => {
        if (moment === 'before' && request.startsWith(verb)) throw lost(request)
      }
      const write = () => (verb.startsWith('update') ? records.update(large) : records.create(SMALL))
      await expect(write()).rejects.toMatchObject({ status: 0 })
      cluster.onRequest = () => undefined
      await write()
      expect(await readAll(records)).toHaveLength(1)
    },
  )
})
