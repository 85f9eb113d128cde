import { describe, expect, it } from '@jest/globals'
import { type KubeObject, type ObjectRef, refOf } from '../../src/manifest/object.ts'
import type { Write } from '../../src/rollback/write.ts'
import { releaseRecord } from '../release/records.ts'
import { historyOf, readHistory, recordsIn } from './history.ts'
import { configMap, deployment, documents } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { connect } from './settled.ts'
import { replicaSets, snapshot } from './snapshot.ts'
import { createNamespace, withNamespace } from './testbed.ts'

const release = (tag: string, ...more: object[]) =>
  documents([configMap('settings', { [tag]: 'yes' }), deployment('web', { tag, deadlineSeconds: 60 }), ...more])

describe('the last good revision', () => {
  it.concurrent('is what a bad release goes back to, over a bad one that was left in place', () =>
    withNamespace('last-good', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1', configMap('shared', { by: 'v1' })) })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const before = await snapshot(namespace)
      const running = (await replicaSets(namespace)).filter((hash) => hash.startsWith('+'))

      const second = [configMap('shared', { by: 'v2' }), configMap('only-v2', { by: 'v2' })]
      await checkout.write('k8s/app.yaml', release('v2-unpullable', ...second))
      expect(await checkout.run({ namespace: namespace.name, rollback: 'off' })).toMatchObject({
        outputs: { outcome: 'failed', revision: '2', 'previous-revision': '1' },
      })
      expect(await historyOf(namespace)).toEqual(['1 good', '2 bad'])

      await checkout.write('k8s/app.yaml', release('v3-unpullable', configMap('only-v3', { by: 'v3' })))
      const third = await checkout.run({ namespace: namespace.name })
      expect({ ...third.outputs, log: third.log }).toMatchObject({
        outcome: 'rolled-back',
        reason: 'ImagePull',
        revision: '3',
        'previous-revision': '1',
        // What was there before the run was the bad second revision.
        changed: 'true',
      })
      expect(await snapshot(namespace)).toEqual(before)
      expect((await replicaSets(namespace)).filter((hash) => hash.startsWith('+'))).toEqual(running)
      expect(await historyOf(namespace)).toEqual(['1 good', '2 rolled-back', '3 rolled-back'])
      expect((await readHistory(namespace)).map(({ writes }) => writes)).toEqual([[], [], []])

      await checkout.write('k8s/app.yaml', release('v4'))
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({
        outputs: { outcome: 'deployed', revision: '4', 'previous-revision': '1' },
      })
    }),
  )

  it.concurrent('that there never was leaves a bad release to go back only to before the run', () =>
    withNamespace('no-good', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1-unpullable') })
      expect(await checkout.run({ namespace: namespace.name, rollback: 'off' })).toMatchObject({
        outputs: { outcome: 'failed' },
      })
      const before = await snapshot(namespace)
      await checkout.write('k8s/app.yaml', release('v2-crash', configMap('only-v2', { by: 'v2' })))
      const second = await checkout.run({ namespace: namespace.name, 'rollback-timeout': '3s' })
      // What was there before is back, and as unhealthy as it was.
      expect({ ...second.outputs, log: second.log }).toMatchObject({ outcome: 'rollback-failed', reason: 'CrashLoop' })
      expect(second.outputs['message']).toContain('The previous revision is back, but')
      expect(await snapshot(namespace)).toEqual(before)
      const history = await readHistory(namespace)
      expect(history.map(({ revision, status }) => `${revision} ${status}`)).toEqual(['1 bad', '2 bad'])

      await checkout.write('k8s/app.yaml', release('v3'))
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ outputs: { outcome: 'deployed' } })
    }),
  )

  it.concurrent('is on record however many bad ones come after it', () =>
    withNamespace('history', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
      const inputs = { namespace: namespace.name, 'history-limit': '2' }
      expect(await checkout.run(inputs)).toMatchObject({ exitCode: 0 })
      const before = await snapshot(namespace)
      for (const tag of ['v2-unpullable', 'v3-unpullable', 'v4-unpullable']) {
        await checkout.write('k8s/app.yaml', release(tag))
        expect(await checkout.run(inputs)).toMatchObject({ outputs: { outcome: 'rolled-back' } })
        expect(await snapshot(namespace)).toEqual(before)
      }
      expect(await historyOf(namespace)).toEqual(['1 good', '3 rolled-back', '4 rolled-back'])
    }),
  )

  it.concurrent('whose record was tampered with is named and not used', () =>
    withNamespace('tampered', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const before = await snapshot(namespace)
      await namespace.kubectl(['patch', 'secret', 'rollsafe.shop.v1', '-p', '{"data":{"record":"aGVsbG8="}}'])
      await checkout.write('k8s/app.yaml', release('v2-unpullable'))
      const bad = await checkout.run({ namespace: namespace.name })
      expect(bad).toMatchObject({ outputs: { outcome: 'rolled-back', reason: 'ImagePull' } })
      expect(bad.report.warnings.join()).toContain('the record of revision 1 of release shop cannot be used')
      expect(await snapshot(namespace)).toEqual(before)
    }),
  )
})

describe('a record that somebody has forged', () => {
  it.concurrent('touches nothing outside of the namespace of the release', () =>
    withNamespace('forged', async (namespace) => {
      await using victim = await createNamespace('victim')
      await using cluster = await connect()
      const role = `forged-${namespace.name}`
      const place = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: victim.name, name })
      const placed = (name: string, data: Record<string, string>): KubeObject => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: victim.name },
        data,
      })
      await victim.kubectl(['create', 'configmap', 'changed', '--from-literal=mine=yes'])
      await victim.kubectl(['create', 'configmap', 'deleted', '--from-literal=mine=yes'])
      await victim.kubectl(['create', 'clusterrole', role, '--verb=get', '--resource=pods'])
      const roleRef = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: role }
      const liveRole = await cluster.get(roleRef)
      const deleted = await cluster.get(place('deleted'))
      if (!liveRole || !deleted) throw new Error('the objects of the victim are not there')
      const { uid = '' } = liveRole.metadata
      const all = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]
      const writes: Write[] = [
        { type: 'create', ref: place('deleted'), after: deleted },
        { type: 'create', ref: { apiVersion: 'v1', kind: 'Namespace', name: victim.name } },
        { type: 'update', ref: place('changed'), before: placed('changed', { mine: 'no' }) },
        { type: 'prune', ref: place('planted'), before: placed('planted', { evil: 'yes' }) },
        { type: 'update', ref: roleRef, before: { ...roleRef, metadata: { name: role, uid }, rules: all } },
        {
          type: 'prune',
          ref: { ...roleRef, name: `${role}-planted` },
          before: { ...refOf(liveRole), metadata: { name: `${role}-planted` }, rules: all },
        },
      ]
      try {
        const before = await snapshot(victim)
        const forged = releaseRecord({ namespace: namespace.name, revision: 1, status: 'pending', message: '', writes })
        await recordsIn(namespace, cluster).create({ ...forged, objects: [] })

        await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
        const result = await checkout.run({ namespace: namespace.name }, { login: 'administrator' })
        expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'deployed' })
        expect(await snapshot(victim)).toEqual(before)
        expect(await cluster.get(roleRef)).toEqual(liveRole)
        expect(await cluster.get({ ...roleRef, name: `${role}-planted` })).toBeUndefined()
        expect(await namespace.get('namespace', victim.name)).not.toHaveProperty(['metadata', 'deletionTimestamp'])
        expect(result.log).toContain(
          `ConfigMap ${victim.name}/changed is outside of the namespace of the release, and nothing on it says that the release wrote it: left as it is`,
        )
        expect(await historyOf(namespace)).toEqual(['1 superseded', '2 good'])
      } finally {
        await victim.kubectl(['delete', 'clusterrole', role, `${role}-planted`, '--ignore-not-found'])
      }
    }),
  )

  it.concurrent('cannot be gone back to by hand, either', () =>
    withNamespace('forged', async (namespace) => {
      await using victim = await createNamespace('victim')
      await using cluster = await connect()
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
      const records = recordsIn(namespace, cluster)
      const labels = { 'rollsafe.dev/release': 'shop' }
      const planted = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'planted', namespace: victim.name, labels },
        data: { evil: 'yes' },
      }
      const objects = [{ object: planted }]
      await records.create(releaseRecord({ namespace: namespace.name, revision: 1, objects, writes: [] }))
      const inputs = { command: 'rollback', namespace: namespace.name, 'to-revision': '1' }
      const allowed = { 'allowed-namespaces': `${namespace.name}\n${victim.name}` }
      const result = await checkout.run({ ...inputs, ...allowed }, { login: 'administrator' })
      expect(result.outputs['message']).toContain("and is not the release's now")
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'rejected', reason: 'Fenced' })
      expect(await cluster.get(refOf(planted))).toBeUndefined()
    }),
  )
})
