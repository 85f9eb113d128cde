/**
 * The Role that docs/permissions.md tells people to paste: enough for all that a release can come to, and nothing in it is for
 * nothing. Nearly every other test on the testbed runs with it, too (testbed.ts).
 */
import { describe, expect, it } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import { leaseManifest } from '../../src/release/lease.ts'
import { app, configMap, deployment, documents, IMAGE } from './manifests.ts'
import { documentedRights } from './roles.ts'
import { type Checkout, createCheckout, type RunOptions, type RunResult } from './rollsafe.ts'
import { connect } from './settled.ts'
import { replicaSets, snapshot } from './snapshot.ts'
import { eventually, type TestNamespace, testbed, withNamespace } from './testbed.ts'

interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly objectRef?: { readonly apiGroup?: string; readonly resource?: string; readonly subresource?: string }
  readonly responseStatus?: { readonly code?: number }
}

/** What the ServiceAccount of a namespace asked of the API server. */
async function requestsFrom(namespace: string): Promise<AuditEvent[]> {
  const user = `system:serviceaccount:${namespace}:rollsafe`
  const lines = (await readFile(testbed().auditLog, 'utf8')).split('\n')
  return lines
    .filter((line) => line.includes(user))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ user: { username } }) => username === user)
}

/** `update deployments.apps`, for all that was granted to the logins of these tests and done with it. */
const used = new Set<string>()

type Run = (tag: string, inputs?: Record<string, string>, options?: RunOptions) => Promise<RunResult>

/** Runs with the Role alone: nothing may be refused but what is in no namespace, and a forecast for people alone. */
async function withRole(body: (namespace: TestNamespace, run: Run, checkout: Checkout) => Promise<void>) {
  await withNamespace('role', async (namespace) => {
    await using checkout = await createCheckout()
    const run: Run = (tag, inputs = {}, options = {}) =>
      checkout.run({ namespace: namespace.name, images: `${IMAGE}:${tag}`, ...inputs }, options)
    await body(namespace, run, checkout)
    const refused: string[] = []
    for (const { verb, requestURI, objectRef = {}, responseStatus } of await requestsFrom(namespace.name)) {
      const { apiGroup = '', resource, subresource } = objectRef
      const isForbidden = responseStatus?.code === 403
      if (isForbidden && !/^\/api\/v1\/(?:pods|nodes)\?/.test(requestURI)) refused.push(`${verb} ${requestURI}`)
      if (isForbidden || resource === undefined) continue
      const what = [resource, subresource].filter((part) => part !== undefined).join('/')
      used.add(`${verb} ${what}.${apiGroup}`)
    }
    expect(refused).toEqual([])
  })
}

const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web' }, data: { color: 'Z3JlZW4=' } }
const settings = (value: string) => ['a', 'b', 'c'].map((name) => configMap(name, { value }))

const hook = (version: string) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'migrate', annotations: { 'rollsafe.dev/hook': 'pre-deploy' } },
  spec: {
    template: {
      spec: {
        restartPolicy: 'Never',
        containers: [
          { name: 'migrate', image: 'registry.example/shop/migrate:job-1s', env: [{ name: 'V', value: version }] },
        ],
      },
    },
  },
})

const statefulSet = (tag: string) => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'db' },
  spec: {
    serviceName: 'db',
    replicas: 2,
    selector: { matchLabels: { app: 'db' } },
    template: {
      metadata: { labels: { app: 'db' } },
      spec: { containers: [{ name: 'app', image: `registry.example/shop/db:${tag}` }] },
    },
  },
})

describe('the documented Role', () => {
  it('is enough to deploy, to fail and to roll back, with all the evidence', () =>
    withRole(async (namespace, run, checkout) => {
      await checkout.write('k8s/app.yaml', app())
      await checkout.write('k8s/more.yaml', documents([...settings('old'), secret]))
      expect(await run('v1')).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })

      const before = await snapshot(namespace)
      await checkout.write(
        'k8s/more.yaml',
        documents([...settings('old'), configMap('a2', { value: 'new' }), { ...secret, data: { color: 'cmVk' } }]),
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
    }))

  it('is enough to make anew what somebody deletes, and to take over the lock of a run that is dead', () =>
    withRole(async (namespace, run, checkout) => {
      await checkout.write('k8s/all.yaml', documents([configMap('a', { value: 'old' }), deployment('web')]))
      expect(await run('v1')).toMatchObject({ exitCode: 0 })
      const before = await snapshot(namespace)

      const now = new Date()
      const dead = { release: 'shop', holder: 'a dead run', acquired: now, renewed: now, transitions: 0 }
      const lease = leaseManifest({ ...dead, namespace: namespace.name })
      await using administrator = await connect()
      const spec = { ...(lease['spec'] as object), leaseDurationSeconds: 1 }
      await administrator.create({ ...lease, spec })
      let deletion: Promise<unknown> | undefined
      await checkout.write('k8s/all.yaml', documents([configMap('a', { value: 'new' }), deployment('web')]))
      const bad = await run(
        'v2-unpullable',
        {},
        {
          onLog: (log) => {
            if (log.includes('Follow the release')) deletion ??= namespace.kubectl(['delete', 'configmap', 'a'])
          },
        },
      )
      await deletion
      expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back' } })
      expect(bad.log).toContain('taking the lock over')
      expect(Object.keys(await snapshot(namespace))).toEqual(Object.keys(before))
    }))

  it('is enough for hooks, for pruning, for old records, and for going back by hand', () =>
    withRole(async (namespace, run, checkout) => {
      const release = (version: string, ...more: object[]) =>
        documents([...settings(version), hook(version), ...more, deployment('web')])
      await checkout.write('k8s/all.yaml', release('1', configMap('old', { value: '1' })))
      expect(await run('v1')).toMatchObject({ exitCode: 0 })
      await checkout.write('k8s/all.yaml', release('2'))
      const pruned = await run('v2', { prune: 'true' })
      expect(pruned).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      expect(pruned.log).toContain(`ConfigMap ${namespace.name}/old pruned`)
      const back = { command: 'rollback', 'history-limit': '1', manifests: '', images: '' }
      expect(await run('v1', back)).toMatchObject({ exitCode: 0, outputs: { outcome: 'rolled-back' } })
      await checkout.write('k8s/all.yaml', release('3'))
      expect(await run('v3', { 'history-limit': '1' })).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
    }))

  it('is enough to get a StatefulSet back that hangs on a broken pod', () =>
    withRole(async (namespace, run, checkout) => {
      const image = (tag: string) => ({ images: `registry.example/shop/db:${tag}` })
      await checkout.write('k8s/db.yaml', documents([statefulSet('v1')]))
      expect(await run('', image('v1'))).toMatchObject({ exitCode: 0 })
      const bad = await run('', image('v2-crash'))
      expect(bad).toMatchObject({ exitCode: 1, outputs: { outcome: 'rolled-back', reason: 'CrashLoop' } })
      await eventually(async () => {
        const { status } = await namespace.get<{ status: { readyReplicas?: number } }>('statefulset', 'db')
        expect(status.readyReplicas).toBe(2)
      })
    }))

  it('has no verb that all of this did without', () => {
    // One code path is for all kinds of a release, so a verb that one kind needed, all kinds need.
    const isApplied = new Set(
      documentedRights().flatMap(({ group, resource, verb }) => (verb === 'patch' ? [`${resource}.${group}`] : [])),
    )
    const ofKinds = (word: string): string => {
      const [verb = '', what = ''] = word.split(' ')
      return isApplied.has(what) && what !== 'secrets.' ? `${verb} what is released` : word
    }
    const granted = documentedRights().map(({ group, resource, verb }) => ofKinds(`${verb} ${resource}.${group}`))
    const needed = new Set([...used].map(ofKinds))
    expect(new Set(granted.filter((word) => !needed.has(word)))).toEqual(new Set())
  })
})
