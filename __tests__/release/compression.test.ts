import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { gunzip, gzip, joined } from '../../src/release/compression.ts'

const MEGABYTE = 1024 * 1024

describe('gzip', () => {
  it.each([
    ['nothing', ''],
    ['text', 'a record'],
    ['letters of all lengths', 'é ∆ 日本 🚀 \u0000\u2028'],
    ['a byte order mark', '\ufeff{}'],
    ['many chunks', 'record '.repeat(300_000)],
  ])('keeps %s', async (_name, text) => {
    expect(await gunzip(await gzip(text), 8 * MEGABYTE)).toBe(text)
  })

  it('gives the same bytes for the same text', async () => {
    expect(await gzip('a record')).toEqual(await gzip('a record'))
  })
})

describe('gunzip', () => {
  it('takes what is just not too much', async () => {
    const bytes = await gzip('x'.repeat(1000))
    expect(await gunzip(bytes, 1000)).toHaveLength(1000)
    await expect(gunzip(bytes, 999)).rejects.toThrow('it is more than 999 bytes when unpacked')
  })

  it('does not unpack a zip bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(256 * MEGABYTE))
    expect(bomb.length).toBeLessThan(MEGABYTE)
    const before = process.memoryUsage().rss
    await expect(gunzip(bomb, MEGABYTE)).rejects.toThrow('more than 1048576 bytes')
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MEGABYTE)
  })

  const packed = new Uint8Array(gzipSync('a record that is long enough to be cut'))
  it.each([
    ['nothing', new Uint8Array()],
    ['what is not gzip', new TextEncoder().encode('{"schema":1}')],
    ['a truncated end', packed.subarray(0, -9)],
    ['a truncated middle', packed.subarray(0, 20)],
    ['a changed byte', packed.map((byte, at) => (at === packed.length - 6 ? byte ^ 1 : byte))],
    ['something behind it', joined([packed, new Uint8Array([1, 2, 3])])],
    ['bytes that are not UTF-8', new Uint8Array(gzipSync(Buffer.from([0xff, 0xfe, 0x41])))],
  ])('refuses %s', async (_name, bytes) => {
    expect(await gunzip(bytes, MEGABYTE).catch(() => 'refused')).toBe('refused')
  })
})
