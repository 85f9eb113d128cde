/** `command: teardown`: nothing of a release is left, and nothing else is touched. */
import { describe, expect, it } from '@jest/globals'
import { app, configMap, documents, IMAGE } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { eventually, withNamespace } from './testbed.ts'

const TEARDOWN = { command: 'teardown', manifests: '' }
const KINDS = 'deployments,replicasets,pods,services,configmaps,secrets,jobs,leases'

const hook = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'migrate', annotations: { 'rollsafe.dev/hook': 'pre-deploy' } },
  spec: {
    template: {
      spec: { restartPolicy: 'Never', containers: [{ name: 'm', image: 'registry.example/shop/migrate:v1' }] },
    },
  },
}

describe('a teardown', () => {
  it('deletes all that the release has, with its records, and can be done again', () =>
    withNamespace('teardown', async (namespace) => {
      const there = async () => (await namespace.kubectl(['get', KINDS, '-o', 'name'])).split('\n').filter(Boolean)
      await namespace.kubectl(['create', 'configmap', 'foreign'])
      const before = (await there()).toSorted()
      await using checkout = await createCheckout({ 'k8s/app.yaml': app(), 'k8s/hook.yaml': documents([hook]) })
      const inputs = { namespace: namespace.name, images: `${IMAGE}:v1` }
      expect(await checkout.run(inputs)).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      expect(await checkout.run({ ...inputs, images: `${IMAGE}:v2` })).toMatchObject({ exitCode: 0 })
      // Changed by hand since: it is the release's all the same.
      await namespace.kubectl(['scale', 'deployment/web', '--replicas=1'])

      const gone = await checkout.run({ namespace: namespace.name, ...TEARDOWN })
      expect(gone).toMatchObject({ exitCode: 0, outputs: { outcome: 'removed', changed: 'true', reason: '' } })
      expect(gone.outputs['message']).toBe('4 objects of the release shop deleted')
      await eventually(async () => expect((await there()).toSorted()).toEqual(before))

      const again = await checkout.run({ namespace: namespace.name, ...TEARDOWN })
      expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'removed', changed: 'false' } })
      // And begins anew.
      expect(await checkout.run(inputs)).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed', revision: '1' } })
    }))

  it('names what stays', () =>
    withNamespace('teardown', async (namespace) => {
      await using checkout = await createCheckout({
        'k8s/all.yaml': documents([configMap('kept', {}, { 'rollsafe.dev/prune': 'keep' }), configMap('gone', {})]),
      })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const gone = await checkout.run({ namespace: namespace.name, ...TEARDOWN })
      expect(gone).toMatchObject({ exitCode: 0, outputs: { outcome: 'removed' } })
      expect(gone.report.warnings).toEqual([
        `ConfigMap ${namespace.name}/kept stays, as its annotation rollsafe.dev/prune says`,
      ])
      expect((await namespace.kubectl(['get', 'configmaps', '-o', 'name'])).includes('configmap/kept')).toBe(true)
    }))
})
