import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { createCertificate } from '../fakes/certificate.ts'
import { app, documents, IMAGE } from './manifests.ts'
import { dockerConfig, HTPASSWD_USER, passwordEntry, startRegistry } from './registry.ts'
import { createCheckout } from './rollsafe.ts'
import { replicaSets } from './snapshot.ts'
import { type TestNamespace, withNamespace } from './testbed.ts'
import { startTlsProxy } from './tls-proxy.ts'

interface Deployment {
  spec: { template: { spec: { containers: [{ image: string }] } } }
}

const imageIn = async (namespace: TestNamespace) =>
  (await namespace.get<Deployment>('deployment', 'web')).spec.template.spec.containers[0].image

describe('a tag that is resolved', () => {
  it('rolls when another image is behind it, and is unchanged when it is the same', () =>
    withNamespace('resolve', async (namespace) => {
      await using registry = await startRegistry('htpasswd')
      const entry = passwordEntry(HTPASSWD_USER, registry.password)
      await using config = await dockerConfig({ auths: { [registry.host]: entry } })
      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ deadlineSeconds: 20 }) })
      const image = `${registry.host}/shop/web:main`
      const push = () => registry.push('shop/web', 'main', `Basic ${entry.auth}`)
      const deploy = () =>
        checkout.run(
          { namespace: namespace.name, images: `app=${image}@resolve` },
          { env: { DOCKER_CONFIG: config.folder } },
        )

      const first = await push()
      const deployed = await deploy()
      expect(deployed).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed', changed: 'true', revision: '1' } })
      expect(deployed.log).toContain(`${image} is ${first}`)
      expect(deployed.log).not.toContain(registry.password)
      expect(await imageIn(namespace)).toBe(`${image}@${first}`)

      const again = await deploy()
      expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: 'unchanged', changed: 'false', revision: '1' } })
      const before = await replicaSets(namespace)

      const second = await push()
      const rolled = await deploy()
      expect(rolled).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed', changed: 'true', revision: '2' } })
      expect(rolled.report.workloads).toMatchObject([
        { images: [{ container: 'app', from: `${image}@${first}`, to: `${image}@${second}` }] },
      ])
      expect(await imageIn(namespace)).toBe(`${image}@${second}`)
      expect(await replicaSets(namespace)).toHaveLength(before.length + 1)
    }))

  it('is taken back to the digest that was deployed, not to what is behind the tag by then', () =>
    withNamespace('resolve-back', async (namespace) => {
      await using registry = await startRegistry()
      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ deadlineSeconds: 20 }) })
      const deploy = (tag: string) =>
        checkout.run({ namespace: namespace.name, images: `app=${registry.host}/shop/web:${tag}@resolve` })
      const good = await registry.push('shop/web', 'main')
      expect(await deploy('main')).toMatchObject({ outputs: { outcome: 'deployed' } })
      await registry.push('shop/web', 'main')
      const bad = await registry.push('shop/web', 'next-unpullable')
      const result = await deploy('next-unpullable')
      expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', reason: 'ImagePull' } })
      expect(result.outputs['message']).toContain(`next-unpullable@${bad}`)
      expect(await imageIn(namespace)).toBe(`${registry.host}/shop/web:main@${good}`)
    }))

  it('that is not in the registry is rejected, and nothing is written', () =>
    withNamespace('resolve-none', async (namespace) => {
      await using registry = await startRegistry()
      await using checkout = await createCheckout({ 'k8s/app.yaml': app() })
      const lines = [`app=${registry.host}/shop/web:v1@resolve`, `x=${registry.host}/shop/api:v1@resolve`]
      const result = await checkout.run({ namespace: namespace.name, images: lines.join('\n') })
      expect(result).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'ImagePull' } })
      expect(result.log).toContain(
        `images: ${registry.host}/shop/web:v1 cannot be resolved: ${registry.host} has no such image`,
      )
      expect(result.log).toContain(`images: ${registry.host}/shop/api:v1 cannot be resolved`)
      expect(await namespace.kubectl(['get', 'configmap,deployment,secret', '-o', 'name'])).not.toContain('web')
    }))
})

describe('a registry behind a proxy', () => {
  it('is asked with TLS, and told a password only when its certificate is trusted', () =>
    withNamespace('resolve-proxy', async (namespace) => {
      await using registry = await startRegistry('htpasswd')
      const entry = passwordEntry(HTPASSWD_USER, registry.password)
      const digest = await registry.push('shop/web', 'main', `Basic ${entry.auth}`)
      const certificate = createCertificate('registry.example')
      await using proxy = await startTlsProxy(registry.host, certificate)
      await using config = await dockerConfig({ auths: { 'registry.example': entry } })
      await using checkout = await createCheckout({ 'k8s/app.yaml': app({ deadlineSeconds: 20 }) })
      await checkout.write('authority.pem', certificate.cert)
      const inputs = { namespace: namespace.name, images: `${IMAGE}:main@resolve` }
      const env = { DOCKER_CONFIG: config.folder, HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1,localhost' }

      const untrusted = await checkout.run(inputs, { env: { ...env, NODE_TLS_REJECT_UNAUTHORIZED: '0' } })
      expect(untrusted).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'ImagePull' } })
      expect(untrusted.outputs['message']).toContain('registry.example cannot be reached: self-signed certificate')
      expect(proxy.trusted).toBe(0)

      const authority = { NODE_EXTRA_CA_CERTS: join(checkout.folder, 'authority.pem') }
      const deployed = await checkout.run(inputs, { env: { ...env, ...authority } })
      expect(deployed).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      expect(await imageIn(namespace)).toBe(`${IMAGE}:main@${digest}`)
      expect(new Set(proxy.tunnels)).toEqual(new Set(['registry.example:443']))
    }))
})

describe('an image in a custom resource', () => {
  it('is put into a field that the line names, and changed by the next release', () =>
    withNamespace('field', async (namespace) => {
      const group = `${namespace.name}.example.com`
      const schema = {
        type: 'object',
        properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      }
      const crd = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `databases.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: { kind: 'Database', plural: 'databases', singular: 'database' },
          versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
        },
      }
      const database = {
        apiVersion: `${group}/v1`,
        kind: 'Database',
        metadata: { name: 'orders' },
        spec: { imageName: 'registry.example/pg:15', sidecars: [{ image: 'registry.example/metrics:1' }] },
      }
      await namespace.kubectl(['apply', '-f', '-'], JSON.stringify(crd))
      try {
        await namespace.kubectl(['wait', '--for=condition=Established', `crd/databases.${group}`, '--timeout=30s'])
        await using checkout = await createCheckout({ 'k8s/app.yaml': documents([database]) })
        const deploy = (tag: string) =>
          checkout.run(
            {
              namespace: namespace.name,
              images: `Database.${group}:spec.imageName=registry.example/pg:${tag}\nDatabase.${group}:spec.sidecars[*].image=registry.example/metrics:2`,
            },
            // The documented Role has no kinds of others.
            { login: 'administrator' },
          )
        for (const tag of ['16', '17']) {
          expect(await deploy(tag)).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed', changed: 'true' } })
          expect(await namespace.get(`databases.${group}`, 'orders')).toMatchObject({
            spec: { imageName: `registry.example/pg:${tag}`, sidecars: [{ image: 'registry.example/metrics:2' }] },
          })
        }
      } finally {
        await namespace.kubectl(['delete', 'crd', `databases.${group}`, '--wait=false'])
      }
    }))
})
