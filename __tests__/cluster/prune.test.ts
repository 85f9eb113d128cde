import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Write } from '../../src/rollback/write.ts'
import { releaseRecord } from '../release/records.ts'
import { historyOf, recordsIn } from './history.ts'
import { configMap, deployment, documents, IMAGE } from './manifests.ts'
import { createCheckout, type RunResult } from './rollsafe.ts'
import { connect } from './settled.ts'
import { snapshot } from './snapshot.ts'
import { type TestNamespace, withNamespace } from './testbed.ts'

const KINDS = 'configmaps,deployments,persistentvolumeclaims'
const CLAIM = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
}
const release = (tag: string, ...more: object[]) =>
  documents([deployment('web', { tag, deadlineSeconds: 60 }), ...more])
const told = ({ log, report }: RunResult) => log + report.warnings.join('\n')

/** All but what the control plane puts into every namespace. */
async function namesIn(namespace: TestNamespace): Promise<string[]> {
  const found = Object.keys(await snapshot(namespace, KINDS))
  return found.filter((key) => key !== 'ConfigMap/kube-root-ca.crt').toSorted()
}

describe('prune', () => {
  it.concurrent('deletes what the release no longer has, only after success, and nothing that is not its own', () =>
    withNamespace('prune', async (namespace) => {
      const { kubectl } = namespace
      const old = ['gone', 'anew', 'unlabelled'].map((name) => configMap(name, { a: '1' }))
      const kept = configMap('kept', { a: '1' }, { 'rollsafe.dev/prune': 'keep' })
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1', ...old, kept, CLAIM) })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      await kubectl(['delete', 'configmap', 'anew'])
      const anew = configMap('anew', { a: '1' }) as KubeObject
      const labels = { 'rollsafe.dev/release': 'shop' }
      await kubectl(['create', '-f', '-'], documents([{ ...anew, metadata: { ...anew.metadata, labels } }]))
      await kubectl(['label', 'configmap', 'unlabelled', 'rollsafe.dev/release-'])

      const before = await snapshot(namespace, KINDS)
      await checkout.write('k8s/app.yaml', release('v2-unpullable'))
      const bad = await checkout.run({ namespace: namespace.name, prune: 'true' })
      expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } })
      expect(await snapshot(namespace, KINDS)).toEqual(before)

      await checkout.write('k8s/app.yaml', release('v3'))
      const good = await checkout.run({ namespace: namespace.name, prune: 'true' })
      expect(good).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      expect(await namesIn(namespace)).toEqual([
        'ConfigMap/anew',
        'ConfigMap/kept',
        'ConfigMap/unlabelled',
        'Deployment/web',
        'PersistentVolumeClaim/data',
      ])
      expect(good.report.objects.filter(({ change }) => change === 'pruned')).toMatchObject([
        { kind: 'ConfigMap', name: 'gone' },
      ])
      const where = `ConfigMap ${namespace.name}`
      expect(good.report.warnings).toEqual(
        expect.arrayContaining([
          `${where}/anew stays, as somebody else has made it anew`,
          `${where}/kept stays, as its annotation rollsafe.dev/prune says`,
          `${where}/unlabelled stays, as it no longer has the label of the release shop`,
          expect.stringContaining(`kubectl delete persistentvolumeclaim data --namespace ${namespace.name}`),
        ]),
      )
      // What was pruned is no longer in the inventory, and is not looked for again.
      expect(await checkout.run({ namespace: namespace.name, prune: 'true' })).toMatchObject({
        outputs: { outcome: 'unchanged' },
      })
    }),
  )

  it.concurrent('of more than prune-limit is rejected before anything is written', () =>
    withNamespace('prune-limit', async (namespace) => {
      const old = ['a', 'b', 'c'].map((name) => configMap(name, { a: '1' }))
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1', ...old, CLAIM) })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const before = await snapshot(namespace, KINDS)
      await checkout.write('k8s/app.yaml', release('v2'))
      const inputs = { namespace: namespace.name, prune: 'true' }
      const refused = await checkout.run({ ...inputs, 'prune-limit': '2' })
      expect(refused).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'rejected', reason: 'Fenced', changed: 'false' },
      })
      const where = `ConfigMap ${namespace.name}`
      expect(refused.outputs['message']).toBe(
        `the release would prune 3 objects, more than prune-limit allows (2): ${where}/a, ${where}/b, ${where}/c`,
      )
      expect(await snapshot(namespace, KINDS)).toEqual(before)
      expect(await historyOf(namespace)).toEqual(['1 good'])
      expect(await checkout.run({ ...inputs, 'prune-limit': '3' })).toMatchObject({ outputs: { outcome: 'deployed' } })
      expect(await namesIn(namespace)).toEqual(['Deployment/web', 'PersistentVolumeClaim/data'])
    }),
  )

  it.concurrent('is not done unless it is asked for, and what stays is told', () =>
    withNamespace('no-prune', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1', configMap('old', { a: '1' })) })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      await checkout.write('k8s/app.yaml', release('v2'))
      const result = await checkout.run({ namespace: namespace.name })
      expect(result).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      expect(told(result)).toContain(`left in the cluster (prune: true deletes them): ConfigMap ${namespace.name}/old`)
      expect(await namesIn(namespace)).toContain('ConfigMap/old')
    }),
  )

  it.concurrent('also takes what revisions had that were bad and left in place', () =>
    withNamespace('prune-bad', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      for (const [tag, ...more] of [['v2-unpullable', configMap('from-v2', { a: '1' })], ['v3-unpullable']] as const) {
        await checkout.write('k8s/app.yaml', release(tag, ...more))
        expect(await checkout.run({ namespace: namespace.name, rollback: 'off' })).toMatchObject({
          outputs: { outcome: 'failed' },
        })
      }
      await checkout.write('k8s/app.yaml', release('v4'))
      expect(await checkout.run({ namespace: namespace.name, prune: 'true' })).toMatchObject({
        outputs: { outcome: 'deployed' },
      })
      expect(await namesIn(namespace)).toEqual(['Deployment/web'])
    }),
  )

  it.concurrent('that was cut short is taken back, also that of a Job', () =>
    withNamespace('prune-cut', async (namespace) => {
      await using cluster = await connect()
      const job = {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'once' },
        spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'work', image: IMAGE }] } } },
      }
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1', job) })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const ref = { apiVersion: 'batch/v1', kind: 'Job', namespace: namespace.name, name: 'once' }
      const before = await cluster.get(ref)
      if (!before) throw new Error('there is no Job')
      const { status: _status, ...live } = before
      const writes: Write[] = [{ type: 'prune', ref, before: live }]
      const cut = {
        namespace: namespace.name,
        revision: 2,
        status: 'pending' as const,
        message: '',
        objects: [],
        writes,
      }
      await recordsIn(namespace, cluster).create(releaseRecord(cut))
      await cluster.delete(ref, before.metadata.uid ?? '')

      const result = await checkout.run({ namespace: namespace.name })
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'unchanged' })
      expect(result.log).toContain(`Job ${namespace.name}/once restored: it had been deleted`)
      expect(await namespace.get<KubeObject>('job', 'once')).toMatchObject({
        metadata: { labels: before.metadata.labels },
      })
      expect(await historyOf(namespace)).toEqual(['1 good', '2 rolled-back'])
    }),
  )

  it.concurrent('never takes a Namespace or a CustomResourceDefinition, and names them', () =>
    withNamespace('prune-never', async (namespace) => {
      const own = `${namespace.name}-made`
      const group = `${namespace.name}.example.dev`
      const definition = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `things.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind: 'Thing', plural: 'things', singular: 'thing' },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
        },
      }
      const made = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: own } }
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1', definition, made) })
      const inputs = { namespace: namespace.name, 'allow-cluster-scoped': 'CustomResourceDefinition\nNamespace' }
      await namespace.grant('rollsafe-cluster-scoped')
      try {
        expect(await checkout.run(inputs)).toMatchObject({ exitCode: 0 })
        await checkout.write('k8s/app.yaml', release('v2'))
        const result = await checkout.run({ ...inputs, prune: 'true' })
        expect(result).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
        const warnings = result.report.warnings.join('\n')
        expect(warnings).toContain(`kubectl delete namespace ${own}`)
        expect(warnings).toContain(`kubectl delete customresourcedefinition things.${group}`)
        expect(await namespace.get('namespace', own)).not.toHaveProperty(['metadata', 'deletionTimestamp'])
        expect(await namespace.get('crd', `things.${group}`)).not.toHaveProperty(['metadata', 'deletionTimestamp'])
      } finally {
        await namespace.kubectl(['delete', 'crd', `things.${group}`, '--ignore-not-found', '--wait=false'])
        await namespace.kubectl(['delete', 'namespace', own, '--ignore-not-found', '--wait=false'])
      }
    }),
  )
})
