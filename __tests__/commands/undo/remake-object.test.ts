import { describe, expect, it } from '@jest/globals'
import { undo } from '../../../src/commands/undo/undo.ts'
import { keyOf, type KubeObject, refOf } from '../../../src/manifest/object.ts'
import { RELEASE_LABEL } from '../../../src/plan/desired.ts'
import type { UndoableWrite } from '../../../src/rollback/write.ts'
import { createMemoryCluster, type MemoryCluster } from '../../fakes/memory-cluster.ts'
import { createRun } from '../runs.ts'

const object = (kind: string, spec: object, uid: string, manager = 'rollsafe'): KubeObject => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'v1',
  kind,
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid,
    labels: { [RELEASE_LABEL]: 'shop' },
    managedFields: [
      { manager, operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { 'f:a': {} } } },
    ],
  },
  spec,
})

const { signal } = new AbortController()
const takeBack = (cluster: MemoryCluster, write: UndoableWrite) =>
  undo([write], createRun(cluster).run, { deadline: Infinity, signal })
const specIn = (cluster: MemoryCluster, { ref }: UndoableWrite) => cluster.objects().get(keyOf(ref))?.['spec']

/** As it was before the release, and as the release has made it; in the cluster is what `there` chooses. */
function recreated(kind: string, there: 'before' | 'after' | 'foreign' | 'nothing', isKnown = true) {
  const cluster = createMemoryCluster()
  const before = cluster.put(object(kind, { a: 'old' }, 'before'))
  if (there !== 'before') cluster.drop(refOf(before))
  const manager = there === 'foreign' ? 'somebody' : 'rollsafe'
  const after =
    there === 'after' || there === 'foreign' ? cluster.put(object(kind, { a: 'new' }, 'after', manager)) : undefined
  const isOurs = isKnown && there === 'after' && after !== undefined
  const write: UndoableWrite = { type: 'recreate', ref: refOf(before), before, ...(isOurs && { after }) }
  return { cluster, write }
}

describe('an object that a release had deleted and made anew', () => {
  it.each([true, false])('is replaced by the one from before (answer known: %s)', async (isKnown) => {
    const { cluster, write } = recreated('Service', 'after', isKnown)
    const { steps, remade } = await takeBack(cluster, write)
    expect(steps).toMatchObject([{ step: 'restored', message: 'restored: the one of this release was deleted' }])
    expect(specIn(cluster, write)).toEqual({ a: 'old' })
    expect([...remade.keys()]).toEqual([keyOf(write.ref)])
  })

  it('is made again when the run was killed between the two', async () => {
    const { cluster, write } = recreated('Service', 'nothing')
    expect((await takeBack(cluster, write)).steps).toMatchObject([{ step: 'restored' }])
    expect(specIn(cluster, write)).toEqual({ a: 'old' })
  })

  it('is left when it was never deleted', async () => {
    const { cluster, write } = recreated('Service', 'before')
    expect((await takeBack(cluster, write)).steps).toMatchObject([{ step: 'already-as-before' }])
    expect(cluster.requests.filter((request) => !request.startsWith('get'))).toEqual([])
  })

  it('is left to whoever has made it since', async () => {
    const { cluster, write } = recreated('Service', 'foreign')
    expect((await takeBack(cluster, write)).steps).toMatchObject([{ step: 'left-alone' }])
    expect(specIn(cluster, write)).toEqual({ a: 'new' })
  })
})

describe('a Job that a release had replaced', () => {
  it.each<['before' | 'after' | 'nothing', string, object | undefined]>([
    ['after', 'deleted', undefined],
    ['before', 'already-as-before', { a: 'old' }],
    ['nothing', 'already-as-before', undefined],
  ])('is not run a second time (in the cluster: %s)', async (there, step, left) => {
    const { cluster, write } = recreated('Job', there)
    expect((await takeBack(cluster, write)).steps).toMatchObject([{ step }])
    expect(specIn(cluster, write)).toEqual(left)
  })
})
