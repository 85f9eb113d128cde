import { describe, expect, it } from '@jest/globals'
import { deployment, documents, IMAGE } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { snapshot } from './snapshot.ts'
import { withNamespace } from './testbed.ts'

const inWave = (object: object, wave: string) => {
  const { metadata, ...rest } = object as { metadata: object }
  return { ...rest, metadata: { ...metadata, annotations: { 'rollsafe.dev/wave': wave } } }
}

function hook(name: string, when: string, tag: string): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, annotations: { 'rollsafe.dev/hook': when } },
    spec: {
      backoffLimit: 0,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'work', image: `${IMAGE}:${tag}` }] } },
    },
  }
}

/** Each pattern is found for the first time after the one before it. */
function expectInOrder(log: string, patterns: readonly string[]) {
  const found = patterns.map((pattern) => ({ pattern, at: log.search(new RegExp(pattern)) }))
  expect(found.filter(({ at }) => at < 0)).toEqual([])
  expect(found.toSorted((a, b) => a.at - b.at)).toEqual(found)
}

const CONFIG = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { a: '1' } }

describe('waves', () => {
  it('wait for each other', () =>
    withNamespace('waves', async (namespace) => {
      const release = [
        inWave(deployment('second', { tag: 'v1' }), '2'),
        inWave(deployment('first', { tag: 'v1-slow-2s' }), '1'),
      ]
      await using checkout = await createCheckout({ 'k8s/app.yaml': documents(release) })
      const result = await checkout.run({ namespace: namespace.name })
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'deployed' })
      expectInOrder(result.log, [
        'Apply wave 1',
        'first created',
        'first +2 of 2 replicas are available',
        'Apply wave 2',
        'second created',
        'second +2 of 2 replicas are available',
      ])
    }))

  it('are all taken back when a later one is bad', () =>
    withNamespace('waves', async (namespace) => {
      const release = (tag: string) =>
        documents([
          inWave(deployment('first', { tag }), '1'),
          inWave(deployment('second', { tag: tag === 'v1' ? 'v1' : `${tag}-unpullable` }), '2'),
        ])
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const before = await snapshot(namespace)
      await checkout.write('k8s/app.yaml', release('v2'))
      const result = await checkout.run({ namespace: namespace.name })
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'rolled-back', reason: 'ImagePull' })
      expect(await snapshot(namespace)).toEqual(before)
    }))
})

describe('hooks', () => {
  it('run before and after, with their logs, and again for the next release that changes something', () =>
    withNamespace('hooks', async (namespace) => {
      const release = (tag: string) =>
        documents([
          CONFIG,
          hook('migrate', 'pre-deploy', 'v1'),
          deployment('web', { tag }),
          hook('warm', 'post-deploy', 'v1'),
        ])
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
      const uidOf = async () => (await namespace.get<{ metadata: { uid: string } }>('job', 'migrate')).metadata.uid

      const first = await checkout.run({ namespace: namespace.name })
      expect({ ...first.outputs, log: first.log }).toMatchObject({ outcome: 'deployed' })
      expect(first.report.objects.map(({ kind, name, change }) => `${kind} ${name} ${change}`).toSorted()).toEqual([
        'ConfigMap settings created',
        'Deployment web created',
        'Job migrate ran',
        'Job warm ran',
      ])
      expectInOrder(first.log, [
        'ConfigMap \\S+/settings created',
        'Job \\S+/migrate created',
        'migrate +is complete',
        'Deployment \\S+/web created',
        'web +2 of 2 replicas are available',
        'Job \\S+/warm created',
        'warm +is complete',
      ])
      expect(first.log).toMatch(/\[migrate-\w+ work\] \S/)
      const uid = await uidOf()

      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ outputs: { outcome: 'unchanged' } })
      expect(await uidOf()).toBe(uid)

      await checkout.write('k8s/app.yaml', release('v2'))
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ outputs: { outcome: 'deployed' } })
      expect(await uidOf()).not.toBe(uid)
    }))

  it('that fail are a failed release, before anything that runs is touched', () =>
    withNamespace('hooks', async (namespace) => {
      const release = (tag: string, job: string) =>
        documents([{ ...CONFIG, data: { tag } }, hook('migrate', 'pre-deploy', job), deployment('web', { tag })])
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1', 'v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const before = await snapshot(namespace)

      await checkout.write('k8s/app.yaml', release('v2', 'v1-crash'))
      const result = await checkout.run({ namespace: namespace.name })
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'rolled-back', reason: 'JobFailed' })
      expect(result.log).toMatch(/\[migrate-\w+ work\] \S/)
      expect(result.report.rollback?.steps.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
        'ConfigMap restored',
        'Job left-alone',
      ])
      expect(result.report.rollback?.steps[1]?.message).toMatch(/what it did cannot be undone/)
      expect(result.report.objects).toContainEqual(
        expect.objectContaining({ kind: 'Deployment', change: 'not-reached' }),
      )
      expect(await snapshot(namespace)).toEqual(before)
    }))
})
