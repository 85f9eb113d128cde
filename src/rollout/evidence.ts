/** From objects of the cluster to the facts in the report. */
import type { KubeEvent, Pod, ReplicaSet } from '../manifest/kinds.ts'
import { isObject, type KubeObject } from '../manifest/object.ts'
import type { ContainerEvidence, EventEvidence, PodEvidence } from '../report/report.ts'
import { type ContainerStatus, podContainers } from './container-trouble.ts'
import { exitInWords, oneLine } from './container-words.ts'
import { unscheduled } from './scheduling.ts'

const EVENTS_IN_REPORT = 20

/** `spec.selector` as the API takes it in a query; undefined when the object has none. */
export function selectorOf(workload: KubeObject): string | undefined {
  const { spec } = workload
  const selector = isObject(spec) && isObject(spec['selector']) ? spec['selector'] : undefined
  if (!selector) return undefined
  const labels = isObject(selector['matchLabels'])
    ? Object.entries(selector['matchLabels']).map(([key, value]) => `${key}=${String(value)}`)
    : []
  const expressions = Array.isArray(selector['matchExpressions'])
    ? selector['matchExpressions'].filter(isObject).map(expressionText)
    : []
  return [...labels, ...expressions].join(',')
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#set-based-requirement */
function expressionText({ key, operator, values }: Record<string, unknown>): string {
  const list = Array.isArray(values) ? `(${values.join(',')})` : '()'
  switch (operator) {
    case 'In':
      return `${String(key)} in ${list}`
    case 'NotIn':
      return `${String(key)} notin ${list}`
    case 'DoesNotExist':
      return `!${String(key)}`
    default:
      return String(key)
  }
}

const REVISION = 'deployment.kubernetes.io/revision'

/** The ReplicaSet that a Deployment is rolling out: its own, with the revision that the Deployment carries. */
export function newestReplicaSet(deployment: KubeObject, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const own = replicaSets.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid),
  )
  const revision = (object: { metadata: KubeObject['metadata'] }) =>
    Number(object.metadata.annotations?.[REVISION] ?? 0)
  return own.toSorted((a, b) => revision(b) - revision(a))[0]
}

/** What `kubectl get pods` would show in its STATUS column, and why. */
export function podEvidence(pod: Pod, logs: ReadonlyMap<string, string>): PodEvidence {
  const containers = podContainers(pod).map(({ status: container }): ContainerEvidence => {
    const { state, message } = containerState(container)
    const log = logs.get(container.name)
    return {
      name: container.name,
      image: container.image,
      state,
      message,
      restarts: container.restartCount,
      ...(log !== undefined && { log }),
    }
  })
  const homeless = unscheduled(pod)
  const troubled = containers.find(
    ({ state }) => !['Running', 'Completed', 'PodInitializing', 'ContainerCreating'].includes(state),
  )
  const waitsForNode = homeless && (homeless.isGated ? 'SchedulingGated' : 'Unschedulable')
  const status = waitsForNode ?? troubled?.state ?? pod.status?.reason ?? pod.status?.phase ?? 'Unknown'
  const notReady = pod.status?.conditions?.find(({ type, status: value }) => type === 'Ready' && value === 'False')
  return {
    name: pod.metadata.name,
    ...(pod.spec?.nodeName !== undefined && { node: pod.spec.nodeName }),
    status,
    message: homeless?.message ?? troubled?.message ?? pod.status?.message ?? notReady?.message ?? '',
    containers,
  }
}

function containerState(container: ContainerStatus): { state: string; message: string } {
  const { waiting, running, terminated } = container.state ?? {}
  const last = container.lastState?.terminated
  const ended = last ? `last run: ${last.reason ?? 'ended'}, ${howEnded(last)}` : ''
  if (waiting)
    return { state: waiting.reason ?? 'Waiting', message: [waiting.message, ended].filter(Boolean).join('; ') }
  if (terminated)
    return {
      state: terminated.reason ?? 'Terminated',
      message: howEnded(terminated),
    }
  if (running) return { state: 'Running', message: ended }
  return { state: 'Waiting', message: '' }
}

function howEnded({ exitCode, message }: { exitCode: number; message?: string }): string {
  return `${exitInWords(exitCode)}${message === undefined ? '' : `: ${oneLine(message)}`}`
}

/**
 * RFC 3339, when it last happened; '' when the event does not say. It carries one of five times, depending on who wrote it
 * (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/).
 */
export function eventTime(event: KubeEvent): string {
  return (
    event.series?.lastObservedTime ??
    event.lastTimestamp ??
    event.eventTime ??
    event.firstTimestamp ??
    event.metadata.creationTimestamp ??
    ''
  )
}

/** Oldest first, the last ones only. */
export function eventEvidence(events: readonly KubeEvent[]): EventEvidence[] {
  return events
    .map((event): EventEvidence => ({
      at: eventTime(event),
      type: event.type ?? '',
      reason: event.reason ?? '',
      object: `${event.involvedObject.kind ?? ''}/${event.involvedObject.name ?? ''}`,
      message: event.message ?? '',
      count: event.series?.count ?? event.count ?? 1,
    }))
    .toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .slice(-EVENTS_IN_REPORT)
}
