import { describe, expect, it } from '@jest/globals'
import { undo } from '../../../src/commands/undo/undo.ts'
import type { StatefulSet } from '../../../src/manifest/kinds.ts'
import { keyOf, type KubeObject, type ManagedFieldsEntry, refOf } from '../../../src/manifest/object.ts'
import { createMemoryCluster } from '../../fakes/memory-cluster.ts'
import { createRun } from '../runs.ts'

const owner = (manager: string, operation: string): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion: 'apps/v1',
  fieldsType: 'FieldsV1',
  time: '2030-01-01T00:00:00Z',
  fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': { 'f:priorityClassName': {} } } } },
})
const HELM = owner('helm', 'Apply')
const OURS = owner('rollsafe', 'Apply')

const database = (priorityClassName: string, status: object, managedFields: ManagedFieldsEntry[]) =>
  ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'shop', managedFields },
    spec: { updateStrategy: { type: 'OnDelete' }, template: { spec: { priorityClassName } } },
    status,
  }) as unknown as KubeObject & StatefulSet

describe('an object whose controller writes it while it is being restored', () => {
  it('is seen to its end: its owners, and which pods are of the bad release', async () => {
    const cluster = createMemoryCluster()
    const found = cluster.put(database('old', { updateRevision: 'old', observedGeneration: 1 }, [HELM]))
    const after = cluster.put(database('bad', { updateRevision: 'bad', observedGeneration: 2 }, [OURS]))
    // The controller is a little faster than the write that needs the object to be as it was read.
    let isRestored = false
    cluster.onRequest = (request, moment) => {
      if (request !== 'patch StatefulSet shop/db' || moment === 'after' || isRestored) return
      isRestored = true
      cluster.put(database('old', { updateRevision: 'old', observedGeneration: 3 }, [OURS]))
    }
    const write = { type: 'update', ref: refOf(after), before: found, after } as const
    const { signal } = new AbortController()
    const { steps, returning } = await undo([write], createRun(cluster).run, { deadline: Infinity, signal })

    expect(cluster.requests.filter((request) => request.startsWith('patch'))).toHaveLength(2)
    expect(steps).toMatchObject([{ step: 'restored', message: 'restored' }])
    expect(returning).toMatchObject([{ bad: { kind: 'StatefulSet', revision: 'bad' } }])
    expect(cluster.objects().get(keyOf(refOf(after)))?.metadata.managedFields).toEqual([HELM])
  })

  it('is not written when there is nothing to restore', async () => {
    const cluster = createMemoryCluster()
    const found = cluster.put(database('old', {}, [HELM]))
    const write = { type: 'update', ref: refOf(found), before: found, after: database('bad', {}, [OURS]) } as const
    const { signal } = new AbortController()
    const { steps } = await undo([write], createRun(cluster).run, { deadline: Infinity, signal })
    expect(steps).toMatchObject([{ step: 'already-as-before' }])
    expect(cluster.requests).toEqual(['get StatefulSet shop/db'])
  })
})

describe('an object that the release created', () => {
  it('stays when its annotation says so, and is named', async () => {
    const cluster = createMemoryCluster()
    const made = (name: string, annotations: Record<string, string>) =>
      cluster.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop', annotations } })
    const objects = [
      made('kept', { 'helm.sh/resource-policy': 'keep' }),
      made('gone', { 'rollsafe.dev/prune': 'keep' }),
    ]
    const writes = objects.map((after) => ({ type: 'create', ref: refOf(after), after }) as const)
    const { signal } = new AbortController()
    const { steps } = await undo(writes, createRun(cluster).run, { deadline: Infinity, signal })
    expect(steps.map(({ name, step, message }) => `${name} ${step} ${message}`)).toEqual([
      'kept kept stays, as its annotation helm.sh/resource-policy says',
      'gone deleted deleted: this release had created it',
    ])
    expect([...cluster.objects().keys()]).toEqual(['ConfigMap/shop/kept'])
  })
})
