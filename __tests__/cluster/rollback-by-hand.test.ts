import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { historyOf } from './history.ts'
import { configMap, deployment, documents, IMAGE } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { replicaSets, snapshot } from './snapshot.ts'
import { type TestNamespace, withNamespace } from './testbed.ts'

const release = (version: string, ...more: object[]) =>
  documents([
    configMap('settings', { version, [`only-${version}`]: 'yes' }),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, stringData: { version } },
    deployment('web', { tag: version, deadlineSeconds: 60 }),
    ...more,
  ])

/** What the objects hold, and which pods run: a revision that came back has other bookkeeping than the first time. */
async function contentsOf(namespace: TestNamespace): Promise<unknown> {
  const objects = Object.entries(await snapshot(namespace, 'configmaps,secrets,deployments')) as [string, KubeObject][]
  return {
    objects: objects.map(([key, { data, spec }]) => [key, data ?? spec]),
    running: (await replicaSets(namespace)).filter((hash) => hash.startsWith('+')),
  }
}

const byHand = (namespace: TestNamespace, more: Record<string, string> = {}) => ({
  command: 'rollback',
  namespace: namespace.name,
  ...more,
})

describe('a rollback by hand', () => {
  it.concurrent('goes back to the last good revision, then further, and never forward by itself', () =>
    withNamespace('by-hand', async (namespace) => {
      await using checkout = await createCheckout()
      const contents: unknown[] = []
      for (const [version, ...more] of [
        ['v1', configMap('legacy', { from: 'v1' })],
        ['v2', configMap('late', { from: 'v2' })],
        ['v3', configMap('late', { from: 'v3' })],
      ] as const) {
        await checkout.write('k8s/app.yaml', release(version, ...more))
        expect(await checkout.run({ namespace: namespace.name, prune: 'true' })).toMatchObject({ exitCode: 0 })
        contents.push(await contentsOf(namespace))
      }

      const second = await checkout.run(byHand(namespace))
      expect({ ...second, ...second.outputs }).toMatchObject({
        exitCode: 0,
        outcome: 'rolled-back',
        revision: '4',
        'previous-revision': '3',
        changed: 'true',
        reason: '',
      })
      expect(await contentsOf(namespace)).toEqual(contents[1])

      const first = await checkout.run(byHand(namespace))
      expect(first).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'rolled-back', revision: '5', 'previous-revision': '4' },
      })
      expect(await contentsOf(namespace)).toEqual(contents[0])
      const steps = first.report.rollback?.steps.map(({ name, step }) => `${name} ${step}`)
      expect(steps).toEqual(
        expect.arrayContaining(['legacy restored', 'late deleted', 'web restored', 'keys restored']),
      )

      const before = await snapshot(namespace)
      const none = await checkout.run(byHand(namespace))
      expect(none).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'InvalidInput' } })
      expect(none.outputs['message']).toContain('no good revision before the one in place')
      expect(none.report.hint).toContain('good revisions on record: 1, 2, 3, 4, 5')
      expect(await snapshot(namespace)).toEqual(before)

      const third = await checkout.run(byHand(namespace, { 'to-revision': '3' }))
      expect(third).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back', revision: '6' } })
      expect(await contentsOf(namespace)).toEqual(contents[2])
      expect(await historyOf(namespace)).toEqual([
        '1 good',
        '2 good',
        '3 good',
        '4 good like 2',
        '5 good like 1',
        '6 good like 3',
      ])
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ outputs: { outcome: 'unchanged' } })
    }),
  )

  it.concurrent('to a revision that was never good, or never was, is refused with those that were', () =>
    withNamespace('never-good', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
      const nothing = await checkout.run(byHand(namespace))
      expect(nothing).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'InvalidInput' } })
      expect(nothing.report.hint).toContain('there is no good revision on record')

      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      await checkout.write('k8s/app.yaml', release('v2-unpullable'))
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ outputs: { outcome: 'rolled-back' } })
      const before = await snapshot(namespace)
      for (const [inputs, why] of [
        [{ 'to-revision': '2' }, 'revision 2 was never good: it is rolled-back'],
        [{ 'to-revision': '9' }, 'the release shop has no revision 9'],
        [{}, 'no good revision before the one in place'],
      ] as const) {
        const refused = await checkout.run(byHand(namespace, inputs))
        expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'InvalidInput' } })
        expect(refused.outputs['message']).toContain(why)
        expect(refused.report.hint).toContain('good revisions on record: 1;')
      }
      expect(await snapshot(namespace)).toEqual(before)
      expect(await historyOf(namespace)).toEqual(['1 good', '2 rolled-back'])
    }),
  )

  it.concurrent('to what is bad by now fails, is not taken back, and the next one goes further back', () =>
    withNamespace('bad-target', async (namespace) => {
      const sized = (tag: string, cpu: string) =>
        documents([deployment('web', { tag, deadlineSeconds: 10, container: { resources: { requests: { cpu } } } })])
      await using checkout = await createCheckout()
      for (const [tag, cpu] of [
        ['v1', '100m'],
        ['v2', '1'],
        ['v3', '100m'],
      ] as const) {
        await checkout.write('k8s/app.yaml', sized(tag, cpu))
        expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      }
      await namespace.kubectl(['create', 'quota', 'small', '--hard=requests.cpu=500m'])

      const bad = await checkout.run(byHand(namespace))
      expect(bad).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'rollback-failed', reason: 'QuotaOrAdmission', revision: '4', changed: 'true' },
      })
      expect(bad.report.rollback?.commands).toEqual([
        `kubectl rollout status deployment.apps/web --namespace ${namespace.name}`,
      ])
      expect(JSON.stringify(await namespace.get('deployment', 'web'))).toContain(`${IMAGE}:v2`)
      expect(await historyOf(namespace)).toEqual(['1 good', '2 good', '3 good', '4 bad like 2'])

      expect(await checkout.run(byHand(namespace))).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'rolled-back', revision: '5' },
      })
      expect(await historyOf(namespace)).toEqual(['1 good', '2 good', '3 good', '4 bad like 2', '5 good like 1'])
    }),
  )

  it.concurrent('is not stopped by a record that cannot be read when another one is asked for', () =>
    withNamespace('tampered', async (namespace) => {
      await using checkout = await createCheckout()
      for (const version of ['v1', 'v2', 'v3']) {
        await checkout.write('k8s/app.yaml', release(version))
        expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      }
      await namespace.kubectl(['patch', 'secret', 'rollsafe.shop.v2', '-p', '{"data":{"record":"aGVsbG8="}}'])
      const before = await snapshot(namespace)
      const refused = await checkout.run(byHand(namespace))
      expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'InvalidInput' } })
      expect(refused.outputs['message']).toContain('the record of revision 2 of release shop cannot be used')
      expect(await snapshot(namespace)).toEqual(before)
      expect(await checkout.run(byHand(namespace, { 'to-revision': '1' }))).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'rolled-back', revision: '4' },
      })
    }),
  )
})
