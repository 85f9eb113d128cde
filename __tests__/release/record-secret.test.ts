import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, jest } from '@jest/globals'
import { RELEASE_LABEL } from '../../src/plan/desired.ts'
import type { KubeObject } from '../../src/manifest/object.ts'
import { RecordError } from '../../src/release/read-record.ts'
import { headOf, isSameSecret, partOf, partsOf, recordFrom, secretsOf } from '../../src/release/record-secret.ts'
import { RECORD_STATUSES, type ReleaseRecord } from '../../src/release/record.ts'
import { HOSTILE } from '../fixtures/hostile.ts'
import { type Random, randomFrom } from '../fixtures/random.ts'
import { configMap, incompressible, releaseRecord } from './records.ts'

const MEGABYTE = 1024 * 1024
const OF = { release: 'shop', namespace: 'shop', revision: 3 }

const stored = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, uid: 'u', resourceVersion: '7' },
})
const bytesIn = ({ data }: KubeObject) => Buffer.from((data as { record: string }).record, 'base64')

async function roundTrip(record: ReleaseRecord): Promise<ReleaseRecord> {
  const { head, parts } = await secretsOf(record)
  expect(partsOf(head, record).map(({ name }) => name)).toEqual(parts.map(({ metadata }) => metadata.name))
  return recordFrom(stored(head), parts.map(stored), record)
}

/** A head around bytes of one's own, with the right checksum. */
function forged(head: KubeObject, bytes: Uint8Array): KubeObject {
  const digest = createHash('sha256').update(bytes).digest('hex')
  const annotations = { ...head.metadata.annotations, 'rollsafe.dev/record-sha256': digest }
  const data = { record: Buffer.from(bytes).toString('base64') }
  return stored({ ...head, metadata: { ...head.metadata, annotations }, data })
}

// To pack megabytes of noise takes seconds where others are at work, too.
jest.setTimeout(60_000)

describe('the Secret of a record', () => {
  it('is named, typed and labelled', async () => {
    const { head, parts } = await secretsOf(releaseRecord())
    expect(parts).toEqual([])
    expect(head).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'rollsafe.shop.v3',
        namespace: 'shop',
        labels: {
          'app.kubernetes.io/managed-by': 'rollsafe',
          'rollsafe.dev/record-of': 'shop',
          'rollsafe.dev/record-revision': '3',
          'rollsafe.dev/record-status': 'good',
        },
        annotations: {
          'rollsafe.dev/record-parts': '0',
          'rollsafe.dev/record-sha256': createHash('sha256').update(bytesIn(head)).digest('hex'),
          'rollsafe.dev/started-at': '2030-01-02T03:04:05.678Z',
          'rollsafe.dev/message': 'all is well',
          'rollsafe.dev/sha': '4bc1d0e6f0a97f6f3b7f5a4d4e1a63b1f9c0a7d2',
          'rollsafe.dev/actor': 'mona',
          'rollsafe.dev/run-url': 'https://github.com/acme/shop/actions/runs/7/attempts/1',
        },
      },
      type: 'rollsafe.dev/revision.v1',
      data: { record: expect.any(String) },
    })
    expect(JSON.stringify(head)).not.toContain(RELEASE_LABEL)
  })

  it('cuts what it shows people, and never in the middle of a letter', async () => {
    const { head } = await secretsOf(releaseRecord({ message: `x${'🚀'.repeat(3000)}` }))
    const shown = head.metadata.annotations?.['rollsafe.dev/message'] ?? ''
    expect(shown.length).toBe(1000)
    expect(shown.isWellFormed()).toBe(true)
  })

  it('is not made of a record that could not be read back', async () => {
    await expect(secretsOf(releaseRecord({ objects: [{ object: configMap('x', {}, 'other') }] }))).rejects.toThrow(
      RecordError,
    )
    const large = Array.from({ length: 65 }, (_, at) => ({ object: configMap(`c${at}`, { x: 'x'.repeat(MEGABYTE) }) }))
    await expect(secretsOf(releaseRecord({ objects: large }))).rejects.toThrow('it is larger than 67108864 bytes')
  })

  it('becomes several when the record does not fit into one', async () => {
    const random = randomFrom(1)
    const objects = [1, 2, 3].map((at) => incompressible(`noise-${at}`, MEGABYTE, random))
    const record = releaseRecord({ objects })
    const { head, parts } = await secretsOf(record)
    expect(parts.length).toBeGreaterThanOrEqual(3)
    for (const secret of [head, ...parts]) expect(bytesIn(secret).length).toBeLessThanOrEqual(900 * 1024)
    expect(head['immutable']).toBeUndefined()
    expect(head.metadata.annotations).toMatchObject({ 'rollsafe.dev/record-parts': String(parts.length) })
    expect(parts[1]).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^rollsafe\.shop\.v3\.part2\.[0-9a-f]{16}$/),
        namespace: 'shop',
        labels: {
          'rollsafe.dev/record-of': 'shop',
          'rollsafe.dev/record-revision': '3',
          'rollsafe.dev/record-part': '2',
        },
      },
      type: 'rollsafe.dev/revision.v1',
      immutable: true,
    })
    expect(await roundTrip(record)).toEqual(record)
  })

  it.each(Array.from({ length: 40 }, (_, seed) => seed))('gives any record back (seed %d)', async (seed) => {
    const record = anyRecord(randomFrom(seed))
    expect(await roundTrip(record)).toEqual(record)
  })
})

describe('headOf', () => {
  const base = async () => stored((await secretsOf(releaseRecord())).head)
  const changed = (head: KubeObject, more: object) => ({ ...head, metadata: { ...head.metadata, ...more } })

  it('reads metadata alone', async () => {
    const { apiVersion, kind, metadata } = await base()
    expect(headOf({ apiVersion, kind, metadata })).toEqual({
      ...OF,
      status: 'good',
      uid: 'u',
      resourceVersion: '7',
      parts: [],
    })
  })

  it.each<[string, object]>([
    ['another name', { name: 'rollsafe.shop.v4' }],
    ['the name of a part', { name: 'rollsafe.shop.v3.part1.0123456789abcdef' }],
    ['no labels', { labels: undefined }],
    ['another release', { labels: labels({ 'rollsafe.dev/record-of': 'other' }) }],
    ['an unknown status', { labels: labels({ 'rollsafe.dev/record-status': 'fine' }) }],
    ['a revision with zeros', { name: 'rollsafe.shop.v03', labels: labels({ 'rollsafe.dev/record-revision': '03' }) }],
    ['revision 0', { name: 'rollsafe.shop.v0', labels: labels({ 'rollsafe.dev/record-revision': '0' }) }],
    [
      'a revision beyond counting',
      { name: 'rollsafe.shop.v9999999999', labels: labels({ 'rollsafe.dev/record-revision': '9999999999' }) },
    ],
    ['no UID', { uid: undefined }],
  ])('does not know one with %s', async (_name, more) => {
    expect(headOf(changed(await base(), more) as KubeObject)).toBeUndefined()
  })

  it('does not know other kinds', async () => {
    expect(headOf({ ...(await base()), kind: 'ConfigMap' })).toBeUndefined()
  })

  it('is no part, and a part is no head', async () => {
    const { head, parts } = await secretsOf(
      releaseRecord({ objects: [incompressible('noise', MEGABYTE, randomFrom(2))] }),
    )
    expect(partOf(stored(head))).toBeUndefined()
    expect(parts.map((part) => headOf(stored(part)))).toEqual([undefined])
    expect(parts.map((part) => partOf(stored(part)))).toEqual([
      { revision: 3, name: parts[0]?.metadata.name, uid: 'u' },
    ])
  })

  function labels(more: Record<string, string>) {
    const good = {
      'rollsafe.dev/record-of': 'shop',
      'rollsafe.dev/record-revision': '3',
      'rollsafe.dev/record-status': 'good',
    }
    return { ...good, ...more }
  }
})

describe('recordFrom', () => {
  const large = (seed: number, more: Partial<ReleaseRecord> = {}) =>
    releaseRecord({ objects: [incompressible('noise', 2 * MEGABYTE, randomFrom(seed))], ...more })

  it('never reads a head with the parts of another version', async () => {
    const [one, other] = await Promise.all([secretsOf(large(1)), secretsOf(large(2))])
    expect(one.parts.map(({ metadata }) => metadata.name)).not.toEqual(other.parts.map(({ metadata }) => metadata.name))
    const [first, second] = other.parts
    for (const parts of [
      other.parts,
      [one.parts[0], second],
      one.parts.toReversed(),
      [...one.parts, first],
      one.parts.slice(1),
    ]) {
      await expect(recordFrom(stored(one.head), parts, OF)).rejects.toThrow('not those that its checksum is of')
    }
    await expect(recordFrom(stored(one.head), [one.parts[0], undefined], OF)).rejects.toThrow('its part 2 is missing')
  })

  it.each<[string, (head: KubeObject) => KubeObject]>([
    ['its contents are not those', (head) => ({ ...head, data: { record: btoa('something else') } })],
    ['is not base64', (head) => ({ ...head, data: { record: '§§' } })],
    ['holds no record', (head) => ({ ...head, data: { record: 5 } })],
    ['holds no record', ({ data: _data, ...head }) => head],
    ['is not of the type rollsafe.dev/revision.v1', (head) => ({ ...head, type: 'Opaque' })],
    ['does not say how many parts', (head) => annotated(head, { 'rollsafe.dev/record-parts': '-1' })],
    ['does not say how many parts', (head) => annotated(head, { 'rollsafe.dev/record-parts': '99' })],
    ['does not say how many parts', (head) => annotated(head, { 'rollsafe.dev/record-sha256': 'x' })],
    [
      'does not say how many parts',
      ({ metadata: { annotations: _gone, ...metadata }, ...head }) => ({ ...head, metadata }),
    ],
    ['it cannot be unpacked', (head) => forged(head, bytesIn(head).subarray(0, -12))],
    ['it cannot be unpacked', (head) => forged(head, new TextEncoder().encode('not gzip'))],
    ['it is more than 67108864 bytes when unpacked', (head) => forged(head, gzipSync(Buffer.alloc(80 * MEGABYTE)))],
    ['it is not JSON', (head) => forged(head, gzipSync('hello'))],
    [
      'its release is not "shop"',
      (head) => forged(head, gzipSync(JSON.stringify(releaseRecord({ release: 'other' })))),
    ],
    ['another status', (head) => forged(head, gzipSync(JSON.stringify(releaseRecord({ status: 'bad' }))))],
  ])('refuses: %s', async (fault, change) => {
    const { head } = await secretsOf(releaseRecord())
    const result = recordFrom(change(stored(head)), [], OF)
    await expect(result).rejects.toThrow(RecordError)
    await expect(result).rejects.toThrow(fault)
  })

  function annotated(head: KubeObject, more: Record<string, string>): KubeObject {
    return { ...head, metadata: { ...head.metadata, annotations: { ...head.metadata.annotations, ...more } } }
  }
})

describe('isSameSecret', () => {
  it('compares what is held, not how it is kept', async () => {
    const { head } = await secretsOf(releaseRecord())
    const other = await secretsOf(releaseRecord({ message: 'else' }))
    expect(isSameSecret(stored(head), head)).toBe(true)
    expect(isSameSecret(stored(other.head), head)).toBe(false)
    expect(isSameSecret({ ...head, type: 'Opaque' }, head)).toBe(false)
  })
})

function anyRecord(random: Random): ReleaseRecord {
  const texts = [...Object.values(HOSTILE), '', 'é ∆ 日本 🚀', '\ud800 alone', 'x'.repeat(5000), '\u0000\u001f\u2028']
  const many = <T>(most: number, make: (at: number) => T) =>
    Array.from({ length: random.below(most + 1) }, (_, at) => make(at))
  const any = (): unknown =>
    random.of<() => unknown>([
      () => random.of(texts),
      () => random.below(2 ** 31) - 2 ** 30,
      () => random.below(1000) / 7,
      () => random.of([true, false, null]),
      () => many(3, any),
      () => Object.fromEntries(many(3, () => [`k${random.below(9)}`, any()])),
    ])()
  const object = (at: number): KubeObject => ({
    ...configMap(`c-${at}`, { text: random.of(texts) }),
    spec: any(),
  })
  const { by, endedAt, ...rest } = releaseRecord()
  return {
    ...rest,
    status: random.of(RECORD_STATUSES),
    message: random.of(texts),
    ...(random.below(2) && endedAt !== undefined && { endedAt }),
    ...(random.below(2) && by && { by: { ...by, actor: random.of(texts) } }),
    objects: many(6, (at) => ({ object: object(at), ...(random.below(2) && { uid: `u${at}` }) })),
    writes: many(4, (at) => ({
      type: random.of(['create', 'update', 'run', 'prune'] as const),
      ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: `c-${at}` },
      ...(random.below(2) && { before: object(at) }),
      ...(random.below(2) && { after: object(at) }),
    })),
  }
}
