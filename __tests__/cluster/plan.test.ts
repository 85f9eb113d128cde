/** `command: plan`: what a deploy would do, and that nothing is written to find out. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import type { Report } from '../../src/report/report.ts'
import { app, configMap, deployment, documents, IMAGE } from './manifests.ts'
import { type Checkout, createCheckout } from './rollsafe.ts'
import { snapshot } from './snapshot.ts'
import { type TestNamespace, testbed, withNamespace } from './testbed.ts'

const RECREATE = { 'rollsafe.dev/recreate': 'if-immutable' }
const FILE = 'k8s/app.yaml'

interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly requestReceivedTimestamp: string
  readonly userAgent?: string
  readonly objectRef?: { readonly resource?: string; readonly namespace?: string }
}

/** What Rollsafe has asked of the API server about a namespace since then. A watch of an earlier run may end later. */
async function requestsIn(namespace: string, since: Date): Promise<AuditEvent[]> {
  const lines = (await readFile(testbed().auditLog, 'utf8')).split('\n')
  return lines
    .filter((line) => line.includes(namespace) && line.includes('"stage":"ResponseComplete"'))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ userAgent, requestURI }) => userAgent?.startsWith('rollsafe/') && requestURI.includes(namespace))
    .filter(({ requestReceivedTimestamp }) => new Date(requestReceivedTimestamp) >= since)
}

const isWrite = ({ verb, requestURI }: AuditEvent) =>
  !['get', 'list', 'watch'].includes(verb) && !requestURI.includes('dryRun=All') && !/selfsubject/.test(requestURI)

async function withCheckout(body: (namespace: TestNamespace, checkout: Checkout) => Promise<void>) {
  await withNamespace('plan', async (namespace) => {
    await using checkout = await createCheckout()
    await body(namespace, checkout)
  })
}

const planned = ({ plan }: Report) => (plan?.objects ?? []).map(({ kind, name, action }) => `${action} ${kind}/${name}`)

describe('a plan', () => {
  it('tells what a deploy would do, writes nothing, and comes true', () =>
    withCheckout(async (namespace, checkout) => {
      const secret = (value: string) => ({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'web' },
        stringData: { password: value },
      })
      const inputs = { namespace: namespace.name, images: `${IMAGE}:v1`, prune: 'true' }
      const first = documents([configMap('old', {}), secret('correct-horse-one'), deployment('cache', {})])
      await checkout.write('k8s/more.yaml', first)
      await checkout.write(FILE, app())
      expect(await checkout.run(inputs)).toMatchObject({ exitCode: 0 })

      await checkout.write('k8s/more.yaml', documents([configMap('new', {}), secret('correct-horse-two')]))
      const before = await snapshot(namespace, 'all,configmaps,secrets,leases')
      const since = new Date()
      const next = { ...inputs, images: `${IMAGE}:v2`, command: 'plan' }
      const plan = await checkout.run(next)
      expect(plan).toMatchObject({
        exitCode: 0,
        outputs: { outcome: 'planned', changed: 'true', reason: '', revision: '1' },
      })
      expect(plan.outputs['message']).toBe('a deploy would create 1, update 2, prune 2 of 7 objects')
      expect(planned(plan.report)).toEqual([
        'unchanged ConfigMap/web',
        'create ConfigMap/new',
        'update Secret/web',
        'unchanged Service/web',
        'update Deployment/web',
        'prune Deployment/cache',
        'prune ConfigMap/old',
      ])
      const web = plan.report.plan?.objects.find(({ kind, action }) => kind === 'Deployment' && action === 'update')
      expect(web).toMatchObject({
        bounds: { leastAvailable: 2, mostTotal: 3 },
        fields: [
          {
            path: 'spec.template.spec.containers[app].image',
            before: `${IMAGE}:v1`,
            after: `${IMAGE}:v2`,
          },
        ],
      })
      for (const text of [plan.log, plan.summary, JSON.stringify(plan.report)]) {
        expect(text).toContain('data.password')
        expect(text).toContain('*** (after)')
        expect(text).not.toMatch(/correct-horse|Y29ycmVjdC1ob3JzZS/)
      }
      expect((await requestsIn(namespace.name, since)).filter(isWrite)).toEqual([])
      expect(await snapshot(namespace, 'all,configmaps,secrets,leases')).toEqual(before)

      const deploy = await checkout.run({ ...next, command: 'deploy' })
      expect(deploy.report.objects.map(({ kind, name, change }) => `${change} ${kind}/${name}`)).toEqual([
        'unchanged ConfigMap/web',
        'created ConfigMap/new',
        'updated Secret/web',
        'unchanged Service/web',
        'updated Deployment/web',
        'pruned Deployment/cache',
        'pruned ConfigMap/old',
      ])
    }))

  it('of an unchanged release says so, for one request a kind and less than a dry-run an object', () =>
    withCheckout(async (namespace, checkout) => {
      const names = Array.from({ length: 10 }, (_, index) => `app-${index}`)
      const objects = names.flatMap((name) => [configMap(name, { name }), deployment(name, { replicas: 1 })])
      await checkout.write(FILE, documents(objects))
      const inputs = { namespace: namespace.name }
      expect(await checkout.run(inputs)).toMatchObject({ exitCode: 0, outputs: { outcome: 'deployed' } })
      const since = new Date()
      const plan = await checkout.run({ ...inputs, command: 'plan' })
      expect(plan).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', changed: 'false' } })
      expect(plan.outputs['message']).toBe('all 20 objects are as the manifests say: a deploy would write nothing')
      const requests = await requestsIn(namespace.name, since)
      expect(requests.map(({ verb, objectRef }) => `${verb} ${objectRef?.resource}`).toSorted()).toEqual([
        // The records of the release, and the one in place.
        'get secrets',
        'list configmaps',
        'list deployments',
        'list secrets',
      ])
      // Three more are for what the server serves, and what the login may do, whatever is planned.
      expect(requests.length + 3).toBeLessThanOrEqual(2 + objects.length)
    }))

  it('of what has to be made anew says so, and what is gone meanwhile', () =>
    withCheckout(async (namespace, checkout) => {
      const web = (tier: string) => {
        const { spec, ...rest } = deployment('web', {}) as { spec: { template: { spec: object } } }
        const labels = { tier }
        const template = { metadata: { labels }, spec: spec.template.spec }
        return {
          ...rest,
          metadata: { name: 'web', annotations: RECREATE },
          spec: { ...spec, selector: { matchLabels: labels }, template },
        }
      }
      await checkout.write(FILE, documents([web('a')]))
      expect(await checkout.run({ namespace: namespace.name })).toMatchObject({ exitCode: 0 })
      await checkout.write(FILE, documents([web('b')]))
      const plan = await checkout.run({ namespace: namespace.name, command: 'plan' })
      expect(plan).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', changed: 'true' } })
      expect(plan.report.plan?.objects).toMatchObject([
        {
          action: 'recreate',
          bounds: { leastAvailable: 0, mostTotal: 2 },
          note: expect.stringMatching(/a field that cannot change is to change.*; it is deleted and made anew$/),
        },
      ])
      expect(plan.report.plan?.objects[0]?.fields.map(({ path }) => path)).toEqual([
        // The Deployment controller counts again from 1.
        'metadata.annotations[deployment.kubernetes.io/revision]',
        'spec.selector.matchLabels.tier',
        'spec.template.metadata.labels.tier',
      ])
    }))

  it('that would be refused is red, and shows the rest of it', () =>
    withCheckout(async (namespace, checkout) => {
      await checkout.write(FILE, documents([configMap('a', {}), configMap('b', {}), configMap('c', {})]))
      const inputs = { namespace: namespace.name, prune: 'true' }
      expect(await checkout.run(inputs)).toMatchObject({ exitCode: 0 })
      const bad = { ...deployment('web', {}), spec: { replicas: -1, selector: {}, template: {} } }
      await checkout.write(FILE, documents([configMap('a', { changed: 'yes' }), bad]))
      const plan = await checkout.run({ ...inputs, command: 'plan', 'prune-limit': '1' })
      expect(plan).toMatchObject({ exitCode: 1, outputs: { outcome: 'rejected', reason: 'InvalidManifest' } })
      expect(plan.report.problems.map(({ code }) => code)).toEqual(['InvalidManifest', 'Fenced'])
      expect(planned(plan.report)).toEqual([
        'update ConfigMap/a',
        'refused Deployment/web',
        'prune ConfigMap/b',
        'prune ConfigMap/c',
      ])
      expect(plan.summary).toContain('Is production safe?** 🟢 Yes: nothing was written')
    }))

  it('of a first release needs neither its namespace nor its kinds', () =>
    withNamespace('plan', async ({ name: taken }) => {
      const name = `${taken}-new`
      await using checkout = await createCheckout()
      const home = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
      await checkout.write(FILE, documents([home, configMap('a', { text: 'one\ntwo' })]))
      const plan = await checkout.run({ namespace: name, command: 'plan' }, { login: 'administrator' })
      expect(plan).toMatchObject({ exitCode: 0, outputs: { outcome: 'planned', revision: '' } })
      expect(plan.report.plan?.objects).toMatchObject([
        { action: 'create', kind: 'Namespace' },
        {
          action: 'create',
          kind: 'ConfigMap',
          note: 'it can be checked only once its namespace, its kind or its role is there',
        },
      ])
      await expect(testbed().kubectl(['get', 'namespace', name])).rejects.toThrow('not found')
    }))
})
