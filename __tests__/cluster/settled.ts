/** What must be true of a release when no run is at work on it any more, however the runs before have ended. */
import { expect } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import { openAccess } from '../../src/adapters/kube/access.ts'
import { createCluster } from '../../src/adapters/kube/cluster.ts'
import { chooseContext } from '../../src/adapters/kube/kubeconfig.ts'
import { openRecords } from '../../src/commands/session/records.ts'
import { keyOf, type KubeObject, refOf } from '../../src/manifest/object.ts'
import { belongsTo } from '../../src/plan/desired.ts'
import type { Cluster } from '../../src/ports.ts'
import { lastGood } from '../../src/release/history.ts'
import type { ReleaseRecord } from '../../src/release/record.ts'
import { testbed } from './testbed.ts'

/** Our own client, as it needs no process for each question. */
export async function connect(kubeconfig?: string): Promise<Cluster & AsyncDisposable> {
  const text = kubeconfig ?? (await readFile(testbed().kubeconfig, 'utf8'))
  const context = chooseContext([{ text, name: 'the testbed' }], undefined)
  const cluster = createCluster(
    await openAccess(context, {
      allowInsecure: false,
      mask: () => undefined,
      warn: () => undefined,
      env: {},
      workspace: import.meta.dirname,
    }),
  )
  return { ...cluster, [Symbol.asyncDispose]: () => cluster.close() }
}

export interface Place {
  readonly cluster: Cluster
  readonly namespace: string
  readonly release: string
}

export interface Settled {
  /** The oldest first. */
  readonly records: readonly ReleaseRecord[]
  /** The newest that is good: what the cluster runs. Absent when no revision was ever good. */
  readonly good?: ReleaseRecord
  /** All objects of the release, as they are. */
  readonly objects: readonly KubeObject[]
}

const KINDS = [
  ['v1', 'Namespace'],
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['v1', 'Service'],
  ['apps/v1', 'Deployment'],
] as const

/**
 * Fails unless nobody holds the lock, no record is pending, and the newest good record is what the cluster has: the very objects,
 * with all the fields, no others of the release, and pods of that revision alone.
 */
export async function expectSettled({ cluster, namespace, release }: Place): Promise<Settled> {
  const leases = await cluster.list({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace })
  expect(leases.objects.map(({ metadata }) => metadata.name)).toEqual([])

  const open = openRecords(cluster, { namespace, release })
  const heads = await open.list()
  const records = await Promise.all(heads.map((head) => open.read(head)))
  expect(records.map(({ status }) => status)).not.toContain('pending')
  for (const { status, endedAt, message, writes } of records) {
    expect(endedAt).toBeDefined()
    expect(message).not.toBe('')
    if (status === 'good' || status === 'rolled-back') expect(writes).toEqual([])
  }

  const newest = lastGood(heads)?.revision
  const good = records.find(({ revision }) => revision === newest)
  const lists = await Promise.all(
    KINDS.map(([apiVersion, kind]) =>
      cluster.list({ apiVersion, kind, namespace, labelSelector: `rollsafe.dev/release=${release}` }),
    ),
  )
  // Namespaces are listed of the whole cluster, and the tests beside this one have releases of the same name.
  const objects = lists.flatMap((list) => list.objects).filter((object) => belongsTo(object, { release, namespace }))
  const recorded = good?.objects ?? []
  const keys = (all: readonly KubeObject[]) => all.map((object) => keyOf(refOf(object))).toSorted()
  expect(keys(objects)).toEqual(keys(recorded.map(({ object }) => object)))
  for (const { object, uid } of recorded) {
    const live = objects.find((one) => keyOf(refOf(one)) === keyOf(refOf(object)))
    expect(live).toMatchObject(object)
    expect({ name: object.metadata.name, uid: live?.metadata.uid }).toEqual({ name: object.metadata.name, uid })
  }
  await expectOneRevision(cluster, namespace)
  return { records, objects, ...(good && { good }) }
}

/** Of each Deployment one ReplicaSet has pods, all as they should be; those on their way out do not count. */
async function expectOneRevision(cluster: Cluster, namespace: string): Promise<void> {
  const [deployments, pods] = await Promise.all([
    cluster.list({ apiVersion: 'apps/v1', kind: 'Deployment', namespace }),
    cluster.list({ apiVersion: 'v1', kind: 'Pod', namespace }),
  ])
  for (const deployment of deployments.objects) {
    const spec = deployment['spec'] as { replicas: number; template: { spec: { containers: { image: string }[] } } }
    const own = pods.objects.filter(
      ({ metadata }) => metadata.labels?.['app'] === deployment.metadata.name && !metadata.deletionTimestamp,
    )
    expect(new Set(own.map(({ metadata }) => metadata.labels?.['pod-template-hash'])).size).toBe(1)
    expect(own.map(({ spec: of }) => (of as typeof spec.template.spec).containers[0]?.image)).toEqual(
      own.map(() => spec.template.spec.containers[0]?.image),
    )
    expect(own).toHaveLength(spec.replicas)
    expect(own.every(({ status }) => (status as { phase: string }).phase === 'Running')).toBe(true)
  }
}

/** By which revisions are counted, and the addresses that the API server chooses. */
const CHANCE = ['deployment.kubernetes.io/revision', 'rollsafe.dev/revision', 'kubernetes.io/change-cause']

/** Objects by kind and name, with what one deploy of the same manifests has in common with another: owners included. */
export function comparable(objects: readonly KubeObject[]): Record<string, unknown> {
  return Object.fromEntries(
    objects
      .map(({ status: _status, ...object }): [string, unknown] => {
        const { labels, annotations = {}, managedFields = [], name } = object.metadata
        const kept = Object.entries(annotations).filter(([annotation]) => !CHANCE.includes(annotation))
        const owners = managedFields
          .filter(({ manager }) => manager === 'rollsafe')
          .map(({ operation, fieldsV1 }) => ({ operation, fieldsV1 }))
        const spec = typeof object['spec'] === 'object' ? { ...object['spec'] } : undefined
        for (const field of ['clusterIP', 'clusterIPs']) if (spec) Reflect.deleteProperty(spec, field)
        const metadata = { name, labels, annotations: Object.fromEntries(kept), owners }
        return [`${object.kind}/${name}`, { ...object, metadata, ...(spec && { spec }) }]
      })
      .toSorted(([one], [other]) => one.localeCompare(other)),
  )
}
