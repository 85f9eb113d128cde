/** The Role that docs/permissions.md tells people to paste: enough to deploy, to fail and to roll back. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { app, documents, IMAGE } from './manifests.ts'
import { type Checkout, createCheckout, type RunResult } from './rollsafe.ts'
import { replicaSets, snapshot } from './snapshot.ts'
import { type TestNamespace, testbed, withNamespace } from './testbed.ts'

/** The documented manifest, for another namespace than `shop`. */
async function documentedRole(namespace: string): Promise<string> {
  const page = await readFile(resolve(import.meta.dirname, '../../docs/permissions.md'), 'utf8')
  const yaml = /```yaml\n([\s\S]*?kind: RoleBinding[\s\S]*?)```/.exec(page)?.[1]
  if (yaml === undefined) throw new Error('docs/permissions.md has no Role')
  return yaml.replaceAll('namespace: shop', `namespace: ${namespace}`)
}

/** A kubeconfig that logs in as the documented ServiceAccount. */
async function kubeconfigFor({ name, kubectl }: TestNamespace): Promise<string> {
  await kubectl(['apply', '-f', '-'], await documentedRole(name))
  const token = (await kubectl(['create', 'token', 'rollsafe'])).trim()
  const config = JSON.parse(await testbed().kubectl(['config', 'view', '--raw', '-o', 'json'])) as {
    users: [{ user: Record<string, unknown> }]
  }
  config.users[0].user = { token }
  return JSON.stringify(config)
}

interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly objectRef?: { readonly resource?: string }
  readonly responseStatus?: { readonly code?: number }
}

/** What the ServiceAccount of a namespace asked of the API server. */
async function requestsFrom(namespace: string): Promise<AuditEvent[]> {
  const lines = (await readFile(testbed().auditLog, 'utf8')).split('\n')
  return lines
    .filter((line) => line.includes(`system:serviceaccount:${namespace}:rollsafe`))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ user }) => user.username === `system:serviceaccount:${namespace}:rollsafe`)
}

async function withRole(body: (namespace: TestNamespace, run: Run, checkout: Checkout) => Promise<void>) {
  await withNamespace('role', async (namespace) => {
    await using checkout = await createCheckout()
    const kubeconfig = await kubeconfigFor(namespace)
    await body(
      namespace,
      (tag) => checkout.run({ namespace: namespace.name, kubeconfig, images: `${IMAGE}:${tag}` }),
      checkout,
    )
    const refused = (await requestsFrom(namespace.name)).filter(({ responseStatus }) => responseStatus?.code === 403)
    // What is free on the nodes is a forecast, and needs a ClusterRole that nobody has to give.
    const isOptional = (uri: string) => uri.startsWith('/api/v1/pods?')
    const missed = refused.filter(({ requestURI }) => !isOptional(requestURI))
    expect(missed.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([])
  })
}

type Run = (tag: string) => Promise<RunResult>

const configMap = (name: string, value: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { value },
})
const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' }, data: { color: 'Z3JlZW4=' } }

describe('the documented Role', () => {
  it('is enough to deploy, to fail and to roll back, with all the evidence', () =>
    withRole(async (namespace, run, checkout) => {
      const more = ['a', 'b', 'c'].map((name) => configMap(name, 'old'))
      await checkout.write('k8s/app.yaml', app())
      await checkout.write('k8s/more.yaml', documents([...more, secret]))
      expect(await run('v1')).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })

      const before = await snapshot(namespace)
      await checkout.write(
        'k8s/more.yaml',
        documents([...more, configMap('a2', 'new'), { ...secret, data: { color: 'cmVk' } }]),
      )
      const bad = await run('v2-crash')
      expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', reason: 'CrashLoop' } })
      expect(bad.report.failures[0]?.events.length).toBeGreaterThan(0)
      expect(bad.report.failures[0]?.pods[0]?.containers[0]?.log).toBeTruthy()
      expect(await snapshot(namespace)).toEqual(before)
    }))

  it('is enough to put back exactly what was changed by hand', () =>
    withRole(async (namespace, run, checkout) => {
      const { kubectl } = namespace
      await kubectl(['apply', '-f', '-'], app({ container: { env: [{ name: 'A', value: 'a' }] } }))
      await kubectl(['set', 'env', 'deployment/web', 'Z=1', 'X=2'])
      await kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'])
      const before = await snapshot(namespace)
      const hashes = await replicaSets(namespace)
      // Applying the old fields leaves the variables in another order, which would be another pod template.
      const env = [
        { name: 'X', value: '3' },
        { name: 'A', value: 'a' },
      ]
      await checkout.write('k8s/app.yaml', app({ container: { env } }))
      expect(await run('v2-unpullable')).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } })
      expect(await snapshot(namespace)).toEqual(before)
      expect(await replicaSets(namespace)).toEqual(expect.arrayContaining(hashes))
      const verbs = new Set((await requestsFrom(namespace.name)).map(({ verb }) => verb))
      expect(verbs).toContain('update')
    }))
})
