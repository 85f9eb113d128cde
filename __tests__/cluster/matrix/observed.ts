/** What the API server has of a cell, read without kubectl, which would take most of the time. */
import { gunzipSync } from 'node:zlib'
import { isObject, type KubeObject } from '../../../src/manifest/object.ts'
import type { Cluster } from '../../../src/ports.ts'
import { RECORD_TYPE } from '../../../src/release/record-secret.ts'
import { comparables } from '../snapshot.ts'
import { NAME } from './release.ts'

/** Of everything that a cell deploys, and of what an undo might touch by mistake. */
const KINDS = [
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['v1', 'Service'],
  ['v1', 'ServiceAccount'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['autoscaling/v2', 'HorizontalPodAutoscaler'],
  ['rbac.authorization.k8s.io/v1', 'Role'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
] as const

export interface Observed {
  /** Every object, without what a rollback may change. */
  readonly objects: Record<string, unknown>
  /** Names of the pods that are not on their way out, each with the hash of its template. */
  readonly pods: Record<string, string>
  /** Names of ReplicaSets with the pods they ask for, and of ControllerRevisions. */
  readonly revisions: Record<string, unknown>
}

export interface Place {
  readonly cluster: Cluster
  readonly namespace: string
}

async function list({ cluster, namespace }: Place, apiVersion: string, kind: string): Promise<readonly KubeObject[]> {
  return (await cluster.list({ apiVersion, kind, namespace })).objects
}

export async function observe(place: Place): Promise<Observed> {
  const [pods, replicaSets, controllerRevisions, ...objects] = await Promise.all([
    list(place, 'v1', 'Pod'),
    list(place, 'apps/v1', 'ReplicaSet'),
    list(place, 'apps/v1', 'ControllerRevision'),
    ...KINDS.map(([apiVersion, kind]) => list(place, apiVersion, kind)),
  ])
  const living = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  return {
    objects: comparables(objects.flat()),
    pods: Object.fromEntries(living.map((pod) => [pod.metadata.name, hashOf(pod)])),
    revisions: Object.fromEntries(
      [...replicaSets, ...controllerRevisions].map((one) => [one.metadata.name, specOf(one)['replicas']]),
    ),
  }
}

function hashOf({ metadata }: KubeObject): string {
  const { labels = {} } = metadata
  return labels['pod-template-hash'] ?? labels['controller-revision-hash'] ?? 'none'
}

export function specOf({ spec }: KubeObject): Record<string, unknown> {
  return isObject(spec) ? spec : {}
}

export function statusOf({ status }: KubeObject): Record<string, unknown> {
  return isObject(status) ? status : {}
}

export async function workloadOf({ cluster, namespace }: Place, kind: string): Promise<KubeObject> {
  const found = await cluster.get({ apiVersion: 'apps/v1', kind, namespace, name: NAME })
  if (!found) throw new Error(`there is no ${kind} ${namespace}/${NAME}`)
  return found
}

export async function leases(place: Place): Promise<string[]> {
  return (await list(place, 'coordination.k8s.io/v1', 'Lease')).map(({ metadata }) => metadata.name)
}

/** What the record of each revision says, by the label that people see and by the record itself. */
export async function records(place: Place): Promise<Record<string, readonly unknown[]>> {
  const secrets = (await list(place, 'v1', 'Secret')).filter(({ type }) => type === RECORD_TYPE)
  return Object.fromEntries(
    secrets.map(({ metadata, data }) => {
      const text = isObject(data) && typeof data['record'] === 'string' ? data['record'] : ''
      const { status } = JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString()) as { status: unknown }
      const { labels = {} } = metadata
      return [labels['rollsafe.dev/record-revision'], [labels['rollsafe.dev/record-status'], status]]
    }),
  )
}

/** Keeps every value that `spec.replicas` of a workload has, until it is stopped. */
export function watchReplicas(
  { cluster, namespace }: Place,
  object: KubeObject,
): AsyncDisposable & { seen: Set<unknown> } {
  const seen = new Set<unknown>([specOf(object)['replicas']])
  const stop = new AbortController()
  const { apiVersion, kind, metadata } = object
  const query = { apiVersion, kind, namespace, fieldSelector: `metadata.name=${metadata.name}` }
  const watching = (async () => {
    const options = { signal: stop.signal, from: metadata.resourceVersion ?? '' }
    for await (const observation of cluster.watch(query, options)) {
      if (observation.type === 'changed') seen.add(specOf(observation.object)['replicas'])
      // Whatever happened meanwhile would go unseen.
      if (observation.type === 'lost') seen.add(observation.why)
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) seen.add(String(error))
  })
  return {
    seen,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await watching
    },
  }
}
