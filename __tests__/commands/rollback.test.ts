import { describe, expect, it } from '@jest/globals'
import { rollback } from '../../src/commands/rollback.ts'
import { RejectedError } from '../../src/errors.ts'
import { keyOf, refOf } from '../../src/manifest/object.ts'
import type { RecordStatus, ReleaseRecord } from '../../src/release/record.ts'
import { createMemoryCluster } from '../fakes/memory-cluster.ts'
import { releaseRecord } from '../release/records.ts'
import { createRun, recordsOf, settings } from './runs.ts'

const LETTERS: Readonly<Record<string, RecordStatus>> = { g: 'good', b: 'bad', r: 'rolled-back', s: 'superseded' }

/** `1g 2b 3g=1`: revisions, the first letters of their states, and what they are copies of. Each holds its own number. */
function history(text: string): ReleaseRecord[] {
  const words = text.split(' ').filter((word) => word !== '')
  return words.map((word) => {
    const [, revision = '', letter = '', , copyOf] = /^(\d+)([gbrs])(=(\d+))?$/.exec(word) ?? []
    const status = LETTERS[letter]
    if (!status) throw new Error(`what is ${word}?`)
    return releaseRecord({
      revision: Number(revision),
      status,
      objects: [{ object: settings('settings', { version: copyOf ?? revision }) }],
      ...(copyOf !== undefined && { copyOf: Number(copyOf) }),
    })
  })
}

async function goBack(text: string, inputs: Record<string, string> = {}) {
  const cluster = createMemoryCluster([settings('settings', { version: 'now' })])
  const kept = recordsOf(cluster)
  for (const record of history(text)) await kept.create(record)
  const { run, log } = createRun(cluster, { command: 'rollback', ...inputs })
  const report = await rollback(run)
  const records = await Promise.all((await kept.list()).map((head) => kept.read(head)))
  return { report, log, newest: records.at(-1), live: cluster.objects().get(keyOf(refOf(settings('settings')))) }
}

describe('a rollback by hand goes back to', () => {
  it.each<[string, string, number, number]>([
    ['the good one before', '1g 2g', 1, 1],
    ['the good one before, over one that was taken back', '1g 2g 3r', 1, 1],
    ['the last good one, over a bad one that was left', '1g 2g 3b', 2, 2],
    // Another deployer has some of its objects: what is in place is not wholly the last good one.
    ['the last good one, over one that was taken back only in part', '1g 2g 3s', 2, 2],
    ['the last good one, over that and one that was taken back', '1g 2g 3s 4r', 2, 2],
    ['the one before the copied one', '1g 2g 3g 4g=2', 1, 1],
    ['the original of a copy, in name', '1g 2g=1 3g', 2, 1],
    // 3 is what somebody went away from; that 2 is bad by now is no reason to go there again.
    ['the one before the copied one, when the copy is bad', '1g 2g 3g 4b=2', 1, 1],
    ['the copied one, over a bad deploy since', '1g 2g 3g=1 4b', 3, 1],
  ])('%s', async (_name, text, target, copyOf) => {
    const { report, log, newest, live } = await goBack(text)
    expect(log.join('\n')).toContain(`going back to revision ${target} of`)
    expect(report).toMatchObject({ outcome: 'rolled-back', command: 'rollback', changed: true })
    expect(newest).toMatchObject({ status: 'good', copyOf })
    expect(report.message).toContain(`revision ${copyOf} runs again, as revision ${newest?.revision}: `)
    expect(live).toMatchObject({ data: { version: String(copyOf) } })
  })

  it.each<[string, string, string]>([
    ['a revision that was good', '1g 2g 3g', '1'],
    ['a newer one, when asked to', '1g 2g 3g=1', '2'],
    ['the one in place, once more', '1g 2g', '2'],
  ])('%s with to-revision', async (_name, text, revision) => {
    const { report, live } = await goBack(text, { 'to-revision': revision })
    expect(report).toMatchObject({ outcome: 'rolled-back' })
    expect(live).toMatchObject({ data: { version: revision } })
  })
})

describe('a rollback by hand is refused', () => {
  it.each<[string, string, Record<string, string>, string, string]>([
    ['without records', '', {}, 'no good revision before the one in place', 'there is no good revision on record'],
    ['with nothing before', '1g', {}, 'no good revision before the one in place', 'on record: 1;'],
    ['with nothing before but what is worse', '1b 2r 3g', {}, 'no good revision before', 'on record: 3;'],
    ['with nothing before a copy of the first', '1g 2g 3g=1', {}, 'no good revision before', 'on record: 1, 2, 3;'],
    ['with nothing before a bad copy of the first', '1g 2g 3b=1', {}, 'no good revision before', 'on record: 1, 2;'],
    [
      'to what was never good',
      '1g 2b',
      { 'to-revision': '2' },
      'revision 2 was never good: it is bad',
      'on record: 1;',
    ],
    ['to what was taken back', '1g 2r', { 'to-revision': '2' }, 'it is rolled-back', 'on record: 1;'],
    ['to what never was', '1g', { 'to-revision': '7' }, 'the release shop has no revision 7', 'on record: 1;'],
  ])('%s', async (_name, text, inputs, message, hint) => {
    const cluster = createMemoryCluster()
    const kept = recordsOf(cluster)
    for (const record of history(text)) await kept.create(record)
    const before = cluster.objects()
    const refused = rollback(createRun(cluster, { command: 'rollback', ...inputs }).run)
    await expect(refused).rejects.toThrow(RejectedError)
    await expect(refused).rejects.toMatchObject({
      problems: [
        { code: 'InvalidInput', message: expect.stringContaining(message), hint: expect.stringContaining(hint) },
      ],
    })
    // The lock was given back, and nothing else was written.
    expect(cluster.objects()).toEqual(before)
  })

  it('when its record has objects elsewhere that are not the release’s', async () => {
    const cluster = createMemoryCluster()
    const kept = recordsOf(cluster)
    const objects = [{ object: settings('planted', { evil: 'yes' }, 'other') }]
    await kept.create(releaseRecord({ revision: 1, objects }))
    const before = cluster.objects()
    const refused = rollback(createRun(cluster, { command: 'rollback', 'to-revision': '1' }).run)
    await expect(refused).rejects.toMatchObject({ problems: [{ code: 'Fenced' }] })
    expect(cluster.objects()).toEqual(before)
  })
})
