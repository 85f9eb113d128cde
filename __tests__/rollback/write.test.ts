import { describe, expect, it } from '@jest/globals'
import type { KubeObject, ObjectRef } from '../../src/manifest/object.ts'
import { mergeWrites, type UndoableWrite } from '../../src/rollback/write.ts'

const ref: ObjectRef = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'settings' }
const at = (version: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'shop' },
  data: { version },
})
const create = (after?: string): UndoableWrite => ({ type: 'create', ref, ...(after && { after: at(after) }) })
const update = (before: string, after: string): UndoableWrite => ({
  type: 'update',
  ref,
  before: at(before),
  after: at(after),
})
const recreate = (before: string, after: string): UndoableWrite => ({ ...update(before, after), type: 'recreate' })
const prune = (before: string): UndoableWrite => ({ type: 'prune', ref, before: at(before) })
const hook: UndoableWrite = { type: 'run', ref }

describe('the writes of several runs', () => {
  it.each<[string, UndoableWrite[], UndoableWrite]>([
    ['one', [update('1', '2')], update('1', '2')],
    ['two changes go back to before the first', [update('1', '2'), update('2', '3')], update('1', '3')],
    ['made and changed, it goes away', [create('1'), update('1', '2')], create('2')],
    ['made by a run that was killed, and changed', [create(), update('1', '2')], create('2')],
    ['changed and pruned, it comes back', [update('1', '2'), prune('2')], prune('1')],
    ['pruned and made again, it goes back', [prune('1'), create('2')], update('1', '2')],
    ['pruned, made again and pruned again', [prune('1'), create('2'), prune('2')], prune('1')],
    // Nothing is to be brought back: it was not there before the first of them.
    ['made and pruned, it is gone for good', [create('1'), prune('1')], create()],
    ['made and pruned in a record', [create(), prune('1')], create()],
    ['made, pruned and made again', [create('1'), prune('1'), create('2')], create('2')],
    ['made anew and changed, it is made anew again', [recreate('1', '2'), update('2', '3')], recreate('1', '3')],
    ['changed and made anew', [update('1', '2'), recreate('2', '3')], recreate('1', '3')],
    ['made and made anew, it goes away', [create('1'), recreate('1', '2')], create('2')],
    ['made anew and pruned, it comes back', [recreate('1', '2'), prune('2')], prune('1')],
    ['a hook stays one', [hook, hook], hook],
    [
      'a change whose answer was lost',
      [update('1', '2'), { type: 'update', ref, before: at('2') }],
      {
        type: 'update',
        ref,
        before: at('1'),
      },
    ],
  ])('%s', (_name, writes, merged) => {
    expect(mergeWrites(writes)).toEqual([merged])
  })

  it('keep their order, one for each object whatever its version', () => {
    const other = { ...ref, name: 'other' }
    const autoscaler = { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', namespace: 'shop', name: 'a' }
    const merged = mergeWrites([
      { type: 'create', ref: other },
      { type: 'create', ref: autoscaler },
      update('1', '2'),
      { type: 'update', ref: { ...autoscaler, apiVersion: 'autoscaling/v2' }, before: at('1') },
      { type: 'update', ref: other, before: at('1') },
    ])
    expect(merged.map(({ type, ref: { name } }) => `${type} ${name}`)).toEqual([
      'create other',
      'create a',
      'update settings',
    ])
  })

  it('are not trusted further than the least of them', () => {
    const [merged] = mergeWrites([{ ...update('1', '2'), isRecorded: true }, update('2', '3')])
    expect(merged).toEqual({ ...update('1', '3'), isRecorded: true })
    const [other] = mergeWrites([update('1', '2'), { ...update('2', '3'), isRecorded: true }])
    expect(other).toEqual({ ...update('1', '3'), isRecorded: true })
    expect(mergeWrites([update('1', '2'), update('2', '3')])).toEqual([update('1', '3')])
  })

  it('of none are none', () => {
    expect(mergeWrites([])).toEqual([])
  })
})
