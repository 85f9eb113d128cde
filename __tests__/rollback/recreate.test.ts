import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { recreatable } from '../../src/rollback/recreate.ts'

describe('what is created to bring an object back', () => {
  it('is all of it but for what the server keeps for itself', () => {
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }
    const kept = {
      name: 'web',
      namespace: 'shop',
      labels: { team: 'shop' },
      annotations: { note: 'mine', 'deployment.kubernetes.io/revision': '4' },
      finalizers: ['example.dev/wait'],
      ownerReferences: [owner],
    }
    const before: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        ...kept,
        uid: 'old',
        resourceVersion: '7',
        generation: 3,
        creationTimestamp: '2030-01-01T00:00:00Z',
        deletionTimestamp: '2030-01-02T00:00:00Z',
        managedFields: [{ manager: 'kubectl' }],
      },
      spec: { replicas: 2, selector: { matchLabels: { app: 'web' } } },
      status: { replicas: 2 },
    }
    const { spec } = before
    expect(recreatable(before)).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: kept, spec })
  })

  it('keeps what a kind without a spec holds, and what the server had allocated', () => {
    const settings = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { status: 'mine' } }
    expect(recreatable({ ...settings, metadata: { name: 'a', uid: 'u' } })).toEqual(settings)
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { clusterIP: '10.0.0.7' } }
    expect(recreatable({ ...service, status: {} })).toEqual(service)
  })
})

describe('a Job', () => {
  const job = (spec: object): KubeObject => ({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'once' }, spec })
  const labels = {
    app: 'once',
    'controller-uid': 'old',
    'job-name': 'once',
    'batch.kubernetes.io/controller-uid': 'old',
    'batch.kubernetes.io/job-name': 'once',
  }
  const selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': 'old' } }

  it('loses the selector and the labels that hold its old UID', () => {
    const template = { metadata: { labels, annotations: { a: '1' } }, spec: { restartPolicy: 'Never' } }
    expect(recreatable(job({ backoffLimit: 1, selector, template }))).toEqual(
      job({
        backoffLimit: 1,
        template: { metadata: { labels: { app: 'once' }, annotations: { a: '1' } }, spec: { restartPolicy: 'Never' } },
      }),
    )
  })

  it.each<[string, object]>([
    ['its own selector keeps it', { manualSelector: true, selector, template: { metadata: { labels } } }],
    ['nothing in its template is as it is', { template: { spec: {} } }],
    ['no template is as it is', {}],
  ])('with %s', (_name, spec) => {
    expect(recreatable(job(spec))).toEqual(job(spec))
  })

  it('of another group is no Job', () => {
    const other = { ...job({ selector, template: { metadata: { labels } } }), apiVersion: 'example.dev/v1' }
    expect(recreatable(other)).toEqual(other)
  })
})
