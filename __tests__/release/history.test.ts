import { describe, expect, it } from '@jest/globals'
import { badSince, inPlace, lastGood, nextRevision, outdated, pendingOf } from '../../src/release/history.ts'
import type { RecordHead } from '../../src/release/record-secret.ts'
import type { RecordStatus } from '../../src/release/record.ts'

const LETTERS: Readonly<Record<string, RecordStatus>> = {
  g: 'good',
  b: 'bad',
  r: 'rolled-back',
  s: 'superseded',
  p: 'pending',
}

/** `1g 2r`: revisions and the first letters of their states. */
function heads(text: string): RecordHead[] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const status = LETTERS[word.slice(-1)] ?? 'pending'
      const revision = Number(word.slice(0, -1))
      return {
        release: 'shop',
        namespace: 'shop',
        revision,
        status,
        uid: `u${revision}`,
        resourceVersion: '1',
        parts: [],
      }
    })
}

const revisions = (found: readonly RecordHead[]) => found.map(({ revision }) => revision)

describe('the history of a release', () => {
  it.each<[string, { good?: number; place?: number; pending?: number; next: number; bad: number[] }]>([
    ['', { next: 1, bad: [] }],
    ['1g', { good: 1, place: 1, next: 2, bad: [] }],
    ['1p', { place: 1, pending: 1, next: 2, bad: [] }],
    ['1r', { next: 2, bad: [] }],
    ['1b', { place: 1, next: 2, bad: [1] }],
    ['1g 2r 3r', { good: 1, place: 1, next: 4, bad: [] }],
    ['1g 2b 3r', { good: 1, place: 2, next: 4, bad: [2] }],
    ['1g 2b 3r 4s', { good: 1, place: 2, next: 5, bad: [2] }],
    ['1g 2b 3g 4r', { good: 3, place: 3, next: 5, bad: [] }],
    ['1b 2s 3r', { place: 1, next: 4, bad: [1] }],
    ['4g 7b 9p', { good: 4, place: 9, pending: 9, next: 10, bad: [7] }],
    ['1p 2p', { place: 2, pending: 2, next: 3, bad: [] }],
  ])('of %s', (text, { good, place, pending, next, bad }) => {
    const all = heads(text)
    expect({
      good: lastGood(all)?.revision,
      place: inPlace(all)?.revision,
      pending: pendingOf(all)?.revision,
      next: nextRevision(all),
      bad: revisions(badSince(all)),
    }).toEqual({ good, place, pending, next, bad })
  })

  it.each<[string, number, number[]]>([
    ['', 3, []],
    ['1g 2g 3g', 3, []],
    ['1g 2g 3g 4g', 3, [1]],
    ['1g 2b 3s 4r 5g 6g', 1, [1, 2, 3, 4, 5]],
    // The last good one stays, however old.
    ['1g 2r 3r 4r', 1, [2, 3]],
    ['1g 2g 3r 4r', 2, [1]],
    // So does what was left in place since; a superseded one was not.
    ['1g 2b 3s 4r 5r 6r', 1, [3, 4, 5]],
    ['1b 2b 3r 4r', 1, [3]],
    // And what is pending, at any place.
    ['1p 2g 3g 4g', 1, [2, 3]],
    ['1g 2p 3r 4r', 1, [3]],
    ['1g 2g', 100, []],
  ])('of %s, when %d are kept, loses %j', (text, limit, lost) => {
    expect(revisions(outdated(heads(text), limit))).toEqual(lost)
  })

  it.each<[string, string, number, number[]]>([
    ['1g 2g', '3g', 2, [1]],
    ['1g 2g', '3r', 2, [1]],
    ['1g 2r', '3r', 1, [2]],
    ['1g 2b 3r', '4g', 2, [1, 2]],
    ['1g 2b 3r', '4b', 2, []],
    // Listed before its status changed.
    ['1g 2g 3p', '3g', 2, [1]],
    ['1g 2g 3p', '3g', 3, []],
  ])('of %s and then %s, when %d are kept, loses %j', (text, newest, limit, lost) => {
    expect(revisions(outdated(heads(text), limit, heads(newest)[0]))).toEqual(lost)
  })
})
