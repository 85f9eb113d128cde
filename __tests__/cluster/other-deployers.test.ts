import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { historyOf } from './history.ts'
import { app, configMap, deployment, documents, IMAGE } from './manifests.ts'
import { type Checkout, createCheckout, type RunResult } from './rollsafe.ts'
import { snapshot } from './snapshot.ts'
import { type TestNamespace, withNamespace } from './testbed.ts'

/** `api` is what makes the release bad, at its deadline; `web` is well. */
const release = (version: string, api = version) =>
  documents([
    configMap('settings', { version }),
    configMap('more', { version }),
    deployment('web', { tag: version, deadlineSeconds: 60 }),
    deployment('api', { tag: api, deadlineSeconds: api === version ? 60 : 5 }),
  ])

/** Deploys v2, which is bad, and lets somebody do something else in the time between its writes and its rollback. */
async function deployAndMeddle(
  checkout: Checkout,
  namespace: TestNamespace,
  meddle: () => Promise<unknown>,
): Promise<RunResult> {
  let meddling: Promise<unknown> | undefined
  const onLog = (log: string) => {
    if (log.includes('Follow the release')) meddling ??= meddle()
  }
  await checkout.write('k8s/app.yaml', release('v2', 'v2-unready'))
  const result = await checkout.run({ namespace: namespace.name, 'fail-fast': 'off' }, { onLog })
  await meddling
  expect(meddling).toBeDefined()
  return result
}

interface Scalable extends KubeObject {
  spec: { replicas: number }
}

describe('what somebody else changes in the middle of a release', () => {
  it.concurrent('is left to them and named, and everything else goes back', () =>
    withNamespace('others', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const before = await snapshot(namespace)

      const theirs = configMap('settings', { version: 'theirs' })
      const result = await deployAndMeddle(checkout, namespace, async () => {
        await namespace.kubectl(['set', 'image', 'deployment/web', `app=${IMAGE}:hotfix`])
        const apply = ['apply', '--server-side', '--field-manager=other-team', '--force-conflicts', '-f', '-']
        await namespace.kubectl(apply, documents([theirs]))
      })
      expect({ ...result.outputs, log: result.log }).toMatchObject({
        outcome: 'superseded',
        reason: 'ProbeFailed',
      })
      expect(result.exitCode).toBe(1)
      const left = result.report.rollback?.steps.filter(({ step }) => step === 'left-alone')
      expect(left?.map(({ name, message }) => `${name} ${message}`)).toEqual([
        'settings was changed by other-team since this release wrote it: left as it is',
        'web was changed by kubectl-set since this release wrote it: left as it is',
      ])
      const after = await snapshot(namespace)
      expect(after['Deployment/api']).toEqual(before['Deployment/api'])
      expect(after['ConfigMap/more']).toEqual(before['ConfigMap/more'])
      expect(after['ConfigMap/settings']).toMatchObject({ data: { version: 'theirs' } })
      expect(JSON.stringify(after['Deployment/web'])).toContain(`${IMAGE}:hotfix`)
      expect(await historyOf(namespace)).toEqual(['1 good', '2 superseded'])

      await checkout.write('k8s/app.yaml', release('v3'))
      const next = await checkout.run({ namespace: namespace.name, 'force-conflicts': 'true' })
      expect({ ...next.outputs, log: next.log }).toMatchObject({ outcome: 'deployed', 'previous-revision': '1' })
    }),
  )

  it.concurrent('is not this release, however healthy it is, and no later rollback takes it for its goal', () =>
    withNamespace('overtaken', async (namespace) => {
      const image = async () =>
        namespace.kubectl(['get', 'deployment', 'web', '-o', 'jsonpath={..containers[0].image}'])
      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ deadlineSeconds: 60 }) })
      const deploy = (tag: string, onLog?: (log: string) => void) =>
        checkout.run({ namespace: namespace.name, images: `${IMAGE}:${tag}` }, onLog ? { onLog } : {})
      expect(await deploy('v1')).toMatchObject({ exitCode: 0 })
      let meddling: Promise<unknown> | undefined
      const result = await deploy('v2-slow-30s', (log) => {
        if (log.includes('out of 2 new replicas'))
          meddling ??= namespace.kubectl(['set', 'image', 'deployment/web', `app=${IMAGE}:hotfix`])
      })
      await meddling
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'superseded', changed: 'true' })
      expect(result.outputs['message']).toMatch(
        /Deployment \S+\/web was changed by kubectl-set, so what runs is not this/,
      )
      expect(result.report.rollback).toBeUndefined()
      expect(await image()).toBe(`${IMAGE}:hotfix`)
      expect(await historyOf(namespace)).toEqual(['1 good', '2 bad'])

      expect(await deploy('v3-unpullable')).toMatchObject({
        outputs: { outcome: 'rolled-back', 'previous-revision': '1' },
      })
      expect(await image()).toBe(`${IMAGE}:v1`)
      expect(await historyOf(namespace)).toEqual(['1 good', '2 rolled-back', '3 rolled-back'])
    }),
  )

  it.concurrent('is no deployment when it is the number of replicas', () =>
    withNamespace('scaled', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': release('v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const before = (await snapshot(namespace)) as Record<string, Scalable>
      const result = await deployAndMeddle(checkout, namespace, () =>
        namespace.kubectl(['scale', 'deployment/web', '--replicas=3']),
      )
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'rolled-back' })
      const { 'Deployment/web': web, ...rest } = (await snapshot(namespace)) as Record<string, Scalable>
      const { 'Deployment/web': webBefore, ...restBefore } = before
      expect(rest).toEqual(restBefore)
      expect(web).toEqual({ ...webBefore, spec: { ...webBefore?.spec, replicas: 3 } })
    }),
  )
})

describe('an object that another tool keeps as it wants it', () => {
  it.concurrent.each<[string, string[], string[]]>([
    [
      'Argo CD',
      ['annotate', 'deployment/web', 'argocd.argoproj.io/tracking-id=shop:apps/Deployment:here/web'],
      ['is kept in sync by Argo CD, as a part of the Application shop'],
    ],
    [
      'Flux',
      [
        'label',
        'deployment/web',
        'kustomize.toolkit.fluxcd.io/name=apps',
        'kustomize.toolkit.fluxcd.io/namespace=flux',
      ],
      ['is kept in sync by Flux, as a part of the Kustomization apps'],
    ],
  ])('%s is refused before anything is written, also with force-conflicts', (_tool, mark, why) =>
    withNamespace('kept', async (namespace) => {
      await namespace.kubectl(['apply', '-f', '-'], app())
      await namespace.kubectl(mark)
      const before = await snapshot(namespace)
      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ tag: 'v2', data: { greeting: 'new' } }) })
      for (const force of ['false', 'true']) {
        const refused = await checkout.run({ namespace: namespace.name, 'force-conflicts': force })
        expect(refused).toMatchObject({
          exitCode: 1,
          outputs: { outcome: 'rejected', reason: 'Conflict', changed: 'false' },
        })
        for (const text of why) expect(refused.outputs['message']).toContain(text)
      }
      expect(await snapshot(namespace)).toEqual(before)
    }),
  )

  it.concurrent('Helm is refused, unless conflicts are forced', () =>
    withNamespace('helm', async (namespace) => {
      await namespace.kubectl(['apply', '--server-side', '--field-manager=helm', '-f', '-'], app())
      await namespace.kubectl(['label', 'deployment/web', 'app.kubernetes.io/managed-by=Helm'])
      await namespace.kubectl(['annotate', 'deployment/web', 'meta.helm.sh/release-name=shop'])
      const before = await snapshot(namespace)
      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ tag: 'v2', deadlineSeconds: 60 }) })
      const refused = await checkout.run({ namespace: namespace.name })
      expect(refused).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'Conflict' } })
      expect(refused.outputs['message']).toContain('belongs to the Helm release shop')
      expect(await snapshot(namespace)).toEqual(before)
      expect(await checkout.run({ namespace: namespace.name, 'force-conflicts': 'true' })).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'deployed' },
      })
    }),
  )
})
