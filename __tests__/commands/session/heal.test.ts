import { describe, expect, it } from '@jest/globals'
import { heal, HealError } from '../../../src/commands/session/heal.ts'
import { CancelledError, ClusterError, RejectedError } from '../../../src/errors.ts'
import { keyOf, type KubeObject, refOf } from '../../../src/manifest/object.ts'
import { pendingOf } from '../../../src/release/history.ts'
import type { ReleaseRecord } from '../../../src/release/record.ts'
import type { Write } from '../../../src/rollback/write.ts'
import { createMemoryCluster, type MemoryCluster } from '../../fakes/memory-cluster.ts'
import { releaseRecord } from '../../release/records.ts'
import { createRun, HELD, recordsOf, settings, type TestRun } from '../runs.ts'

const create = (object: KubeObject): Write => ({ type: 'create', ref: refOf(object) })
const prune = (object: KubeObject): Write => ({ type: 'prune', ref: refOf(object), before: object })
const pending = (writes: Write[], more: Partial<ReleaseRecord> = {}): ReleaseRecord => {
  const { endedAt: _endedAt, ...record } = releaseRecord({
    revision: 2,
    status: 'pending',
    message: '',
    writes,
    ...more,
  })
  return record
}
const GOOD = releaseRecord({ revision: 1, objects: [{ object: settings('kept'), uid: 'uid-1' }] })

async function healing(
  cluster: MemoryCluster,
  records: readonly ReleaseRecord[],
  test: TestRun = createRun(cluster),
): Promise<{
  warnings: readonly string[]
  after: ReleaseRecord[]
  log: string[]
  madeNamespace: KubeObject | undefined
}> {
  const kept = recordsOf(cluster)
  for (const record of records) await kept.create(record)
  const heads = await kept.list()
  const head = pendingOf(heads)
  if (!head) throw new Error('no record is pending')
  const { warnings, madeNamespace } = await heal({ pending: head, heads, records: kept, lock: HELD }, test.run)
  return { warnings, madeNamespace, after: await historyIn(cluster), log: test.log }
}

async function historyIn(cluster: MemoryCluster): Promise<ReleaseRecord[]> {
  const kept = recordsOf(cluster)
  return Promise.all((await kept.list()).map((head) => kept.read(head)))
}

const has = (cluster: MemoryCluster, object: KubeObject) => cluster.objects().has(keyOf(refOf(object)))

describe('a run that was killed', () => {
  it('has its writes taken back: what it made goes, what it pruned comes back, and its record says so', async () => {
    const cluster = createMemoryCluster([settings('made')])
    const never = settings('never-made')
    const { warnings, after } = await healing(cluster, [
      GOOD,
      pending([create(settings('made')), create(never), prune(settings('pruned', { a: 'old' }))]),
    ])
    expect(has(cluster, settings('made'))).toBe(false)
    expect(cluster.objects().get(keyOf(refOf(settings('pruned'))))).toMatchObject({ data: { a: 'old' } })
    expect(warnings).toEqual([
      'the run https://github.com/acme/shop/actions/runs/7/attempts/1 (commit 4bc1d0e by mona) had been ended in the middle of revision 2: it was taken back first',
    ])
    expect(after).toMatchObject([
      { revision: 1, status: 'good' },
      { revision: 2, status: 'rolled-back', reason: 'Cancelled', writes: [] },
    ])
    expect(after[1]?.endedAt).toBeDefined()
  })

  it('cannot reach, by a forged record, into a release of the same name in another namespace', async () => {
    const object = settings('settings', { color: 'theirs' })
    const theirs = { ...object, metadata: { ...object.metadata, namespace: 'production' } }
    const cluster = createMemoryCluster([theirs])
    const evil = { ...theirs, data: { color: 'evil' } }
    const forged = [
      { type: 'update' as const, ref: refOf(theirs), before: evil },
      { type: 'create' as const, ref: refOf({ ...theirs, metadata: { ...theirs.metadata, name: 'other' } }) },
    ]
    const { log } = await healing(cluster, [GOOD, pending(forged)])
    expect(cluster.objects().get(keyOf(refOf(theirs)))).toMatchObject({ data: { color: 'theirs' } })
    expect(log.join('\n')).toContain('ConfigMap production/settings is outside of the namespace of the release')
  })

  it('takes nothing that somebody else has made in the meantime', async () => {
    const theirs = { ...settings('made'), metadata: { name: 'made', namespace: 'shop' } }
    const unlabelled = settings('other')
    const { labels: _labels, ...metadata } = unlabelled.metadata
    const cluster = createMemoryCluster([theirs, { ...unlabelled, metadata }])
    await healing(cluster, [GOOD, pending([create(theirs), create(unlabelled)])])
    expect([has(cluster, theirs), has(cluster, unlabelled)]).toEqual([true, true])
  })

  it('goes back over bad revisions that were left in place, which are closed with it', async () => {
    const cluster = createMemoryCluster([settings('by-2'), settings('by-3')])
    const { after } = await healing(cluster, [
      GOOD,
      releaseRecord({ revision: 2, status: 'bad', writes: [create(settings('by-2'))] }),
      pending([create(settings('by-3'))], { revision: 3 }),
    ])
    expect([has(cluster, settings('by-2')), has(cluster, settings('by-3'))]).toEqual([false, false])
    expect(after.map(({ status, writes }) => [status, writes.length])).toEqual([
      ['good', 0],
      ['rolled-back', 0],
      ['rolled-back', 0],
    ])
  })

  it.each([
    ['stays, for the lock and the records', 'shop', true],
    ['stays somebody else’s when it has another label', 'another', false],
  ])('in a namespace of its own making: that %s', async (_what, release, isHandedOn) => {
    const labels = { 'rollsafe.dev/release': release, 'rollsafe.dev/release-namespace': 'shop' }
    const home: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', uid: 'home', labels } }
    const cluster = createMemoryCluster([home, settings('made')])
    const made = cluster.objects().get(keyOf(refOf(home)))
    if (!made) throw new Error('there is no namespace')
    const write: Write = { type: 'create', ref: refOf(home), after: made }
    const { madeNamespace, after } = await healing(cluster, [
      pending([write, create(settings('made'))], { revision: 1 }),
    ])
    expect([has(cluster, home), has(cluster, settings('made'))]).toEqual([true, false])
    expect(madeNamespace).toEqual(isHandedOn ? made : undefined)
    expect(after.map(({ status }) => status)).toEqual(['rolled-back'])
  })

  it('has what it pruned in the last good record by its new UID, or else nobody would ever prune it again', async () => {
    const old = { ...settings('kept'), metadata: { ...settings('kept').metadata, uid: 'uid-1' } }
    const cluster = createMemoryCluster()
    const { after } = await healing(cluster, [GOOD, pending([{ type: 'prune', ref: refOf(old), before: old }])])
    const uid = cluster.objects().get(keyOf(refOf(old)))?.metadata.uid
    expect(uid).not.toBe('uid-1')
    expect(after[0]?.objects).toEqual([{ object: settings('kept'), uid }])
  })

  // A bad revision had made it, the killed one was pruning it: it was in no good revision, and needs no past to be gone.
  it.each([true, false])(
    'and was pruning what a bad revision had made leaves nothing of it (still there: %j)',
    async (isThere) => {
      const cluster = createMemoryCluster(isThere ? [settings('by-2')] : [])
      const { after } = await healing(cluster, [
        GOOD,
        releaseRecord({ revision: 2, status: 'bad', writes: [create(settings('by-2'))] }),
        pending([prune(settings('by-2'))], { revision: 3 }),
      ])
      expect(has(cluster, settings('by-2'))).toBe(false)
      expect(after.map(({ status }) => status)).toEqual(['good', 'rolled-back', 'rolled-back'])
    },
  )

  it('without a URL is an earlier run', async () => {
    const { by: _by, ...record } = pending([])
    const { warnings } = await healing(createMemoryCluster(), [record])
    expect(warnings).toEqual(['an earlier run had been ended in the middle of revision 2: it was taken back first'])
  })

  it('is left in place with rollback: off', async () => {
    const cluster = createMemoryCluster([settings('made')])
    const writes = [create(settings('made'))]
    const { warnings, after } = await healing(cluster, [GOOD, pending(writes)], createRun(cluster, { rollback: 'off' }))
    expect(has(cluster, settings('made'))).toBe(true)
    expect(warnings.join()).toContain('was left in place (rollback: off)')
    expect(after).toMatchObject([{ status: 'good' }, { status: 'bad', reason: 'Cancelled', writes }])
  })
})

describe('a record of a run that was killed', () => {
  const elsewhere = settings('planted', { evil: 'yes' }, 'other')
  const { labels: _labels, ...unlabelled } = elsewhere.metadata
  const role: KubeObject = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'all' },
  }
  const fenced: [string, Write, KubeObject[]][] = [
    ['bring an object back in another namespace', prune(elsewhere), []],
    [
      'change one there',
      { type: 'update', ref: refOf(elsewhere), before: elsewhere },
      [{ ...elsewhere, metadata: unlabelled, data: { a: '1' } }],
    ],
    ['bring back what belongs to the cluster', prune(role), []],
    [
      'change what belongs to the cluster',
      { type: 'update', ref: refOf(role), before: { ...role, rules: ['all'] } },
      [role],
    ],
  ]
  it.each(fenced)('cannot %s', async (_name, write, objects) => {
    const cluster = createMemoryCluster(objects)
    const before = cluster.objects().get(keyOf(write.ref))
    const { after, log } = await healing(cluster, [GOOD, pending([write])])
    expect(cluster.objects().get(keyOf(write.ref))).toEqual(before)
    expect(after[1]).toMatchObject({ status: 'superseded' })
    expect(log.join('\n')).toContain('is outside of the namespace of the release')
  })

  it('cannot delete an object elsewhere', async () => {
    const cluster = createMemoryCluster()
    const theirs = cluster.put({ ...elsewhere, metadata: unlabelled })
    const write: Write = { type: 'create', ref: refOf(theirs), after: theirs }
    const { after } = await healing(cluster, [GOOD, pending([write])])
    expect(has(cluster, theirs)).toBe(true)
    expect(after[1]).toMatchObject({ status: 'superseded' })
  })

  it('that cannot be read stops everything, with what to do', async () => {
    const cluster = createMemoryCluster([settings('made')])
    await recordsOf(cluster).create(pending([create(settings('made'))]))
    const secret = cluster.objects().get('Secret/shop/rollsafe.shop.v2')
    if (!secret) throw new Error('there is no record')
    cluster.put({ ...secret, data: { record: 'aGVsbG8=' } })
    const failed = healing(cluster, [])
    await expect(failed).rejects.toThrow(RejectedError)
    await expect(failed).rejects.toMatchObject({
      problems: [{ code: 'InvalidInput', hint: expect.stringContaining('delete the Secret rollsafe.shop.v2') }],
    })
    expect(has(cluster, settings('made'))).toBe(true)
  })
})

describe('what cannot be taken back', () => {
  it('is told with the commands, and its record keeps what there is to do', async () => {
    const cluster = createMemoryCluster([settings('made'), settings('stuck')])
    cluster.onRequest = (request, moment) => {
      if (moment === 'before' && request === 'delete ConfigMap shop/stuck')
        throw new ClusterError('forbidden', { status: 403, reason: 'Forbidden', request })
    }
    const writes = [create(settings('made')), create(settings('stuck'))]
    const failed = healing(cluster, [GOOD, pending(writes)])
    await expect(failed).rejects.toThrow(HealError)
    await expect(failed).rejects.toMatchObject({
      message: expect.stringContaining(
        'was ended in the middle of revision 2: ConfigMap shop/stuck could not be restored',
      ),
      rollback: { outcome: 'rollback-failed', commands: ['kubectl delete configmap/stuck --namespace shop'] },
    })
    // One that is stuck does not stop the others.
    expect(has(cluster, settings('made'))).toBe(false)
    expect(await historyIn(cluster)).toMatchObject([{ status: 'good' }, { status: 'bad', writes }])
  })

  it('because the process ends is left to whoever comes next', async () => {
    const cluster = createMemoryCluster([settings('made')])
    const test = createRun(cluster)
    test.cancel.abort(new CancelledError('SIGINT'))
    test.end.abort(new CancelledError('SIGTERM'))
    const before = pending([prune(settings('made', { a: 'old' }))])
    await expect(healing(cluster, [GOOD, before], test)).rejects.toThrow(CancelledError)
    expect(await historyIn(cluster)).toMatchObject([{ status: 'good' }, { status: 'pending' }])
  })
})
