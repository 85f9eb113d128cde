import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { historyOf } from './history.ts'
import { configMap, deployment, documents } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { snapshot } from './snapshot.ts'
import { eventually, testbed, withNamespace } from './testbed.ts'

const KINDS = 'configmaps,secrets,services,deployments,persistentvolumeclaims'
const CLAIM = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
}

/** For a release that makes its own namespace: no Role can be in it before it is there. */
const OWN = { login: 'administrator' } as const

describe('a first deploy that fails', () => {
  it.concurrent('removes what it made, restores what it adopted, and keeps the claim that was there', () =>
    withNamespace('first', async (namespace) => {
      const { kubectl } = namespace
      await kubectl(['apply', '-f', '-'], documents([configMap('settings', { by: 'kubectl' }), CLAIM]))
      const before = await snapshot(namespace, KINDS)
      const release = (tag: string) =>
        documents([
          configMap('settings', { by: 'us', added: 'yes' }),
          configMap('made', { by: 'us' }),
          { ...CLAIM, metadata: { name: 'data', labels: { team: 'shop' } } },
          { ...CLAIM, metadata: { name: 'made' } },
          deployment('web', { tag, deadlineSeconds: 60 }),
        ])
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1-crash') })
      const bad = await checkout.run({ namespace: namespace.name })
      expect({ ...bad.outputs, log: bad.log }).toMatchObject({
        outcome: 'rolled-back',
        reason: 'CrashLoop',
        revision: '1',
        'previous-revision': '',
        changed: 'false',
      })
      expect(await snapshot(namespace, KINDS)).toEqual(before)
      const [failure] = bad.report.failures
      expect(failure?.pods[0]?.containers[0]?.log).toContain('\n')
      expect(failure?.events).not.toEqual([])
      expect(bad.report.rollback?.steps.map(({ kind, name, step }) => `${kind} ${name} ${step}`).toSorted()).toEqual([
        'ConfigMap made deleted',
        'ConfigMap settings restored',
        'Deployment web deleted',
        'PersistentVolumeClaim data restored',
        'PersistentVolumeClaim made deleted',
      ])
      expect(await historyOf(namespace)).toEqual(['1 rolled-back'])

      await checkout.write('k8s/app.yaml', release('v2'))
      const good = await checkout.run({ namespace: namespace.name })
      expect({ ...good.outputs, log: good.log }).toMatchObject({ outcome: 'deployed', revision: '2' })
    }),
  )

  it.concurrent('takes the namespace away that it brought along', async () => {
    const name = `first-own-${Date.now().toString(36)}`
    const release = (tag: string) =>
      documents([
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
        configMap('settings', { tag }),
        deployment('web', { tag, deadlineSeconds: 60 }),
      ])
    const { kubectl } = testbed()
    const find = () => kubectl(['get', 'namespace', name, '--ignore-not-found', '-o', 'name'])
    await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1-unpullable') })
    try {
      const bad = await checkout.run({ namespace: name }, OWN)
      expect({ ...bad.outputs, log: bad.log }).toMatchObject({ outcome: 'rolled-back', reason: 'ImagePull' })
      expect(bad.report.failures[0]?.pods).not.toEqual([])
      expect(bad.report.warnings).toEqual([])
      await eventually(async () => expect(await find()).toBe(''))

      await checkout.write('k8s/app.yaml', release('v2'))
      const good = await checkout.run({ namespace: name }, OWN)
      expect({ ...good.outputs, log: good.log }).toMatchObject({ outcome: 'deployed', revision: '1' })
      expect(await find()).toBe(`namespace/${name}\n`)
    } finally {
      await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'])
    }
  })

  it.concurrent('of a namespace that is rejected before anything is written leaves no namespace', async () => {
    const name = `first-no-${Date.now().toString(36)}`
    const { kubectl } = testbed()
    const web = deployment('web') as KubeObject & { spec: object }
    const broken = { ...web, spec: { ...web.spec, replicas: 'many' } }
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    await using checkout = await createCheckout({ 'k8s/app.yaml': documents([namespace, broken]) })
    try {
      const result = await checkout.run({ namespace: name }, OWN)
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'rejected', reason: 'InvalidManifest' })
      const find = () => kubectl(['get', 'namespace', name, '--ignore-not-found', '-o', 'name'])
      await eventually(async () => expect(await find()).toBe(''))
    } finally {
      await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'])
    }
  })
})
