/**
 * What to watch to see the pods of a release: as few watches as possible, none of which shows many pods of others. The
 * number of watches depends on the kinds and namespaces of a release, not on the number of its workloads or pods.
 */
import type { Pod } from '../manifest/kinds.ts'
import { groupKindOf, isObject, type KubeObject } from '../manifest/object.ts'
import type { Query } from '../ports.ts'
import { selectorOf } from './evidence.ts'

/** Up to this many workloads without a label key in common get a watch each; more of them share one of everything. */
const WATCH_EACH = 4

const MAKE_PODS_BY_SELECTOR = ['Deployment.apps', 'StatefulSet.apps', 'DaemonSet.apps', 'ReplicaSet.apps']
/** These tell in events alone that they may not make pods; a ReplicaSet has a condition for it. */
const TELL_BY_EVENT = ['StatefulSet.apps', 'DaemonSet.apps', 'Job.batch']

export function podQueries(workloads: readonly KubeObject[]): Query[] {
  const byNamespace = Map.groupBy(workloads, ({ metadata }) => metadata.namespace ?? '')
  return [...byNamespace].flatMap(([namespace, group]) => {
    const ofKind = (kinds: readonly string[]) => group.filter((object) => kinds.includes(groupKindOf(object)))
    const jobs = ofKind(['Job.batch']).map(({ metadata }) => metadata.name)
    const selectors = [
      ...sharedSelectors(ofKind(MAKE_PODS_BY_SELECTOR)),
      ...(jobs.length > 0 ? [among('batch.kubernetes.io/job-name', jobs)] : []),
    ]
    return [
      ...selectors.map((selector) => query('v1', 'Pod', namespace, selector, keepPod)),
      ...sharedSelectors(ofKind(['Deployment.apps'])).map((selector) =>
        query('apps/v1', 'ReplicaSet', namespace, selector, keepReplicaSet),
      ),
      ...(ofKind(TELL_BY_EVENT).length > 0
        ? [{ apiVersion: 'v1', kind: 'Event', namespace, fieldSelector: 'reason=FailedCreate' }]
        : []),
    ]
  })
}

function query(
  apiVersion: string,
  kind: string,
  namespace: string,
  labelSelector: string,
  keep: NonNullable<Query['keep']>,
): Query {
  return { apiVersion, kind, namespace, keep, ...(labelSelector !== '' && { labelSelector }) }
}

/** Label selectors that together cover what these workloads select; '' selects everything. */
function sharedSelectors(workloads: readonly KubeObject[]): string[] {
  const selectors = [...new Set(workloads.flatMap((workload) => selectorOf(workload) ?? []))]
  if (selectors.length <= 1) return selectors
  const shared = sharedKey(workloads)
  if (shared) return [among(shared.key, shared.values)]
  return selectors.length <= WATCH_EACH ? selectors : ['']
}

/** A label key that all select by, and their values for it; of several, the one that tells most of them apart. */
function sharedKey(workloads: readonly KubeObject[]): { key: string; values: string[] } | undefined {
  const labels = workloads.map(({ spec }) => {
    const selector = isObject(spec) && isObject(spec['selector']) ? spec['selector'] : {}
    return isObject(selector['matchLabels']) ? selector['matchLabels'] : {}
  })
  const [first = {}] = labels
  return Object.keys(first)
    .filter((key) => labels.every((one) => typeof one[key] === 'string'))
    .map((key) => ({ key, values: [...new Set(labels.map((one) => String(one[key])))] }))
    .toSorted((a, b) => b.values.length - a.values.length)[0]
}

function among(key: string, values: readonly string[]): string {
  return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(',')})`
}

/** What is judged of a pod: who owns it, where it is, and how its containers are. */
export function keepPod(object: KubeObject): KubeObject {
  const { spec, status } = object as Pod
  const names = (containers: NonNullable<Pod['spec']>['containers'] = []) =>
    containers.map(({ name, image, restartPolicy }) => ({ name, image, restartPolicy }))
  return {
    ...withoutBallast(object),
    spec: {
      nodeName: spec?.nodeName,
      restartPolicy: spec?.restartPolicy,
      initContainers: names(spec?.initContainers),
      containers: names(spec?.containers),
    },
    status,
  }
}

function keepReplicaSet(object: KubeObject): KubeObject {
  return { ...withoutBallast(object), status: object['status'] }
}

function withoutBallast({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...kept } = metadata
  return { apiVersion, kind, metadata: kept }
}
