import { describe, expect, it } from '@jest/globals'
import { createLogin } from './login.ts'
import { app, deployment, documents, IMAGE } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { replicaSets, snapshot } from './snapshot.ts'
import { eventually, withNamespace } from './testbed.ts'

describe('a release', () => {
  it('is deployed, then updated, then unchanged, then rolled back, then updated again', () =>
    withNamespace('deploy', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ deadlineSeconds: 20 }) })
      const deploy = (tag: string) => checkout.run({ namespace: namespace.name, images: `${IMAGE}:${tag}` })

      const first = await deploy('v1')
      expect(first).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'deployed', changed: 'true', revision: '1', 'previous-revision': '', reason: '' },
      })
      expect(first.report.objects.map(({ kind, change }) => `${kind} ${change}`)).toEqual([
        'ConfigMap created',
        'Service created',
        'Deployment created',
      ])

      const second = await deploy('v2')
      expect(second).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'deployed', revision: '2', 'previous-revision': '1' },
      })
      expect(second.report.workloads).toMatchObject([
        {
          state: 'healthy',
          images: [{ container: 'app', from: `${IMAGE}:v1`, to: `${IMAGE}:v2` }],
          pods: { available: 2, wanted: 2 },
        },
      ])

      const third = await deploy('v2')
      expect(third).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged', changed: 'false', revision: '2' } })

      const before = await snapshot(namespace)
      const hashes = await replicaSets(namespace)
      const bad = await deploy('v3-unpullable')
      expect(bad).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'rolled-back', reason: 'ImagePull', changed: 'false' },
      })
      expect(bad.outputs['message']).toContain(`cannot pull the image ${IMAGE}:v3-unpullable`)
      expect(await snapshot(namespace)).toEqual(before)
      const after = await replicaSets(namespace)
      expect(after.filter((hash) => hash.startsWith('+'))).toEqual(hashes.filter((hash) => hash.startsWith('+')))
      expect(after).toHaveLength(hashes.length + 1)

      const mended = await deploy('v4')
      expect(mended).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'deployed', revision: '4', 'previous-revision': '2' },
      })
    }))

  it('made by kubectl apply and changed by hand is rolled back to just that', () =>
    withNamespace('by-hand', async (namespace) => {
      const { kubectl } = namespace
      await kubectl(['apply', '-f', '-'], app())
      await kubectl(['set', 'env', 'deployment/web', 'LEVEL=debug'])
      await kubectl(['set', 'image', 'deployment/web', `app=${IMAGE}:v1-hotfix`])
      await kubectl(['scale', 'deployment/web', '--replicas=3'])
      await kubectl(['annotate', 'deployment/web', 'note=mine'])
      await kubectl(['label', 'service/web', 'team=shop'])
      await kubectl(['patch', 'configmap/web', '-p', '{"data":{"extra":"by hand"}}'])
      await kubectl(['rollout', 'restart', 'deployment/web'])
      await kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'])
      const before = await snapshot(namespace)
      const hashes = await replicaSets(namespace)

      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ data: { greeting: 'hi', added: 'new' } }) })
      const bad = await checkout.run({ namespace: namespace.name, images: `${IMAGE}:v2-unpullable` })
      expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', reason: 'ImagePull' } })
      expect(await snapshot(namespace)).toEqual(before)
      expect((await replicaSets(namespace)).filter((hash) => hash.startsWith('+'))).toEqual(
        hashes.filter((hash) => hash.startsWith('+')),
      )

      const good = await checkout.run({ namespace: namespace.name, images: `${IMAGE}:v3` })
      expect(good).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      // What was set by hand and is not in the manifest stays; what the manifest sets is as the manifest says.
      const now = await snapshot(namespace)
      expect(now['Deployment/web']).toMatchObject({
        metadata: { annotations: { note: 'mine' } },
        spec: {
          replicas: 2,
          template: { spec: { containers: [{ image: `${IMAGE}:v3`, env: [{ name: 'LEVEL', value: 'debug' }] }] } },
        },
      })
      expect(now['ConfigMap/web']).toMatchObject({ data: { greeting: 'hi', added: 'new', extra: 'by hand' } })
    }))

  it('is rolled back to the order of its lists and to what the API server had chosen', () =>
    withNamespace('exact', async (namespace) => {
      const release = (env: string[], type: string, tag: string) =>
        documents([
          {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 'web' },
            spec: { type, selector: { app: 'web' }, ports: [{ port: 80 }] },
          },
          deployment('web', { tag, container: { env: env.map((name) => ({ name, value: tag })), args: env } }),
        ])
      await using checkout = await createCheckout({ 'k8s/app.yaml': release(['B', 'A', 'C'], 'NodePort', 'v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      const before = await snapshot(namespace)

      await checkout.write('k8s/app.yaml', release(['C', 'D', 'A', 'B'], 'ClusterIP', 'v2-unpullable'))
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ outputs: { outcome: 'rolled-back' } })
      const { 'Service/web': service, ...others } = await snapshot(namespace)
      const { 'Service/web': serviceBefore, ...othersBefore } = before
      expect(others).toEqual(othersBefore)
      // A node port that was given up and taken again.
      expect(service).toEqual(serviceBefore)

      await checkout.write('k8s/app.yaml', release(['A'], 'NodePort', 'v3'))
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ outputs: { outcome: 'deployed' } })
    }))

  it('made by kubectl create loses what is taken out of the manifest', () =>
    withNamespace('adopt', async (namespace) => {
      await namespace.kubectl(['create', '-f', '-'], app({ container: { env: [{ name: 'OLD', value: '1' }] } }))
      await using checkout = await createCheckout({ 'k8s/app.yaml': app() })
      const result = await checkout.run({ namespace: namespace.name })
      expect(result).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      expect(JSON.stringify((await snapshot(namespace))['Deployment/web'])).not.toContain('OLD')
    }))

  it('that fails the first time is removed again, and what was there before is restored', () =>
    withNamespace('first', async (namespace) => {
      await namespace.kubectl(['create', 'configmap', 'web', '--from-literal=greeting=old'])
      const before = await snapshot(namespace)
      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ tag: 'v1-crash' }) })
      const result = await checkout.run({ namespace: namespace.name })
      expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', reason: 'CrashLoop' } })
      expect(await snapshot(namespace)).toEqual(before)
      expect(result.report.failures[0]?.pods[0]?.containers[0]?.log).toBeTruthy()
      expect(result.summary).toContain('CrashLoop')
    }))

  it('takes a Secret back, also one that is written as stringData', () =>
    withNamespace('secret', async (namespace) => {
      const release = (stringData: Record<string, string>, tag: string) =>
        documents([
          { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' }, stringData },
          deployment('web', { tag }),
        ])
      await using checkout = await createCheckout({ 'k8s/app.yaml': release({ color: 'green', kept: 'yes' }, 'v1') })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ outputs: { outcome: 'deployed' } })
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ outputs: { outcome: 'unchanged' } })
      const before = await snapshot(namespace)

      await checkout.write('k8s/app.yaml', release({ color: 'crimson', added: 'no' }, 'v2-unpullable'))
      const result = await checkout.run({ namespace: namespace.name })
      expect(result).toMatchObject({ outputs: { outcome: 'rolled-back' } })
      expect(await snapshot(namespace)).toEqual(before)
      expect(result.log + result.summary + JSON.stringify(result.report)).not.toContain('crimson')
    }))

  it('is followed by reading when it may not be watched', () =>
    withNamespace('no-watch', async (namespace) => {
      const verbs = ['get', 'list', 'patch', 'create', 'update', 'delete']
      const { input } = await createLogin(namespace, verbs, 'configmaps,services,deployments.apps')
      await using checkout = await createCheckout({ 'k8s/app.yaml': app() })
      const result = await checkout.run({ namespace: namespace.name, ...input })
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'deployed' })
      expect(result.log).toMatch(/Deployments may not be watched, so each is read every few seconds/)
      expect(result.log).toMatch(/Pods are not watched, so some failures are seen later/)
    }))

  it('is left in place when rollback is off', () =>
    withNamespace('off', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ tag: 'v1-unready' }) })
      const result = await checkout.run({ namespace: namespace.name, rollback: 'off' })
      expect(result).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'failed', reason: 'ProbeFailed', changed: 'true' },
      })
      expect(Object.keys(await snapshot(namespace))).toContain('Deployment/web')
    }))

  it('that is refused half-way is rolled back', () =>
    withNamespace('half', async (namespace) => {
      const policy = `rollsafe-half-${namespace.name}`
      const refusal = [
        {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicy',
          metadata: { name: policy },
          spec: {
            matchConstraints: {
              resourceRules: [
                {
                  apiGroups: ['apps'],
                  apiVersions: ['v1'],
                  operations: ['CREATE', 'UPDATE'],
                  resources: ['deployments'],
                },
              ],
            },
            matchConditions: [{ name: 'here', expression: `request.namespace == '${namespace.name}'` }],
            // A dry-run passes, so that the refusal comes in the middle of the apply.
            validations: [{ expression: 'request.dryRun', message: 'no deployments today' }],
          },
        },
        {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicyBinding',
          metadata: { name: policy },
          spec: { policyName: policy, validationActions: ['Deny'] },
        },
      ]
      await using checkout = await createCheckout({ 'k8s/app.yaml': app() })
      const before = await snapshot(namespace)
      await namespace.kubectl(['create', '-f', '-'], documents(refusal))
      try {
        // The API server takes a moment to put a policy into force.
        await eventually(async () => {
          const probe = namespace.kubectl(['create', 'deployment', 'probe', '--image=probe', '--replicas=0'])
          const refused = await probe.then(
            () => false,
            () => true,
          )
          if (!refused) await namespace.kubectl(['delete', 'deployment', 'probe', '--wait=true'])
          expect(refused).toBe(true)
        })
        const result = await checkout.run({ namespace: namespace.name })
        expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', reason: 'QuotaOrAdmission' } })
        expect(result.outputs['message']).toContain('no deployments today')
        expect(await snapshot(namespace)).toEqual(before)
      } finally {
        await namespace.kubectl([
          'delete',
          `validatingadmissionpolicy/${policy}`,
          `validatingadmissionpolicybinding/${policy}`,
        ])
      }
    }))

  it('brings its own namespace and its own kind', () =>
    withNamespace('own', async (namespace) => {
      const group = `${namespace.name}.example.dev`
      const own = `${namespace.name}-made`
      const definition = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `things.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind: 'Thing', plural: 'things', singular: 'thing' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
                },
              },
            },
          ],
        },
      }
      const release = [
        { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'one', namespace: own }, spec: { size: 3 } },
        { ...deployment('web'), metadata: { name: 'web', namespace: own } },
        definition,
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: own } },
      ]
      await using checkout = await createCheckout({ 'k8s/all.yaml': documents(release) })
      const inputs = {
        namespace: namespace.name,
        'allowed-namespaces': `${namespace.name}\n${own}`,
        'allow-cluster-scoped': 'CustomResourceDefinition',
      }
      try {
        // No Role can be in a namespace before it is there.
        const login = 'administrator'
        const result = await checkout.run(inputs, { login })
        expect(result).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
        expect(result.report.objects.map(({ kind }) => kind)).toEqual([
          'CustomResourceDefinition',
          'Namespace',
          'Thing',
          'Deployment',
        ])
        expect(await checkout.run(inputs, { login })).toMatchObject({ outputs: { outcome: 'unchanged' } })
      } finally {
        await namespace.kubectl(['delete', 'crd', `things.${group}`, '--ignore-not-found', '--wait=false'])
        await namespace.kubectl(['delete', 'namespace', own, '--ignore-not-found', '--wait=false'])
      }
    }))

  it('takes no field from a controller, unless told to', () =>
    withNamespace('conflict', async (namespace) => {
      await namespace.kubectl(['apply', '--server-side', '--field-manager=other-team', '-f', '-'], app({ replicas: 1 }))
      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ replicas: 2 }) })
      const refused = await checkout.run({ namespace: namespace.name })
      expect(refused).toMatchObject({
        exitCode: 1,
        outputs: { outcome: 'rejected', reason: 'Conflict', changed: 'false' },
      })
      expect(refused.outputs['message']).toContain('"other-team" owns .spec.replicas')
      expect(await checkout.run({ namespace: namespace.name, 'force-conflicts': 'true' })).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'deployed' },
      })
    }))
})
