/** Why a release is bad, for a page: the failing pods, the last words of their containers, the events. */
import { code, details, fence, prose, table, type Section } from './markdown.ts'
import { counted, nameOf, sentence, timeOfDay } from './format.ts'
import type { ContainerEvidence, EventEvidence, FailureReport, PodEvidence, Report } from './report.ts'

/** How much evidence a page shows for each bad workload. */
export interface EvidenceDetail {
  readonly failures: number
  readonly pods: number
  readonly events: number
  /** Of one container's log. */
  readonly logCharacters: number
}

/** One section a bad workload, and one each for its logs and events, so that a full page drops those first. */
export function evidenceSections(report: Report, detail: EvidenceDetail): Section[] {
  const shown = report.failures.slice(0, detail.failures)
  const leftOut = report.failures.length - shown.length
  return [
    ...shown.flatMap((failure) => failureSections(failure, report, detail)),
    ...(leftOut > 0
      ? [{ name: 'bad workloads', rank: 3, markdown: `_${counted(leftOut, 'more bad workload')} left out._` }]
      : []),
  ]
}

function failureSections(failure: FailureReport, report: Report, detail: EvidenceDetail): Section[] {
  const name = nameOf(failure.workload, report.namespace)
  const pods = failure.pods.slice(0, detail.pods)
  const where = failure.at ? ` Written in ${code(`${failure.at.file}:${failure.at.line}`)}.` : ''
  const podsLeftOut = failure.pods.length - pods.length
  const head = [
    `### ❌ ${code(name)}: ${failure.reason}`,
    `${prose(sentence(failure.message))}${where}`,
    ...(pods.length > 0 ? [podTable(pods)] : []),
    ...(podsLeftOut > 0 ? [`_${counted(podsLeftOut, 'more pod')} left out._`] : []),
  ].join('\n\n')
  return [
    { name: `pods of ${name}`, rank: 3, markdown: head },
    ...pods.flatMap((pod, index) =>
      pod.containers.flatMap((container) => logSection(pod, container, index === 0, detail)),
    ),
    ...eventsSection(name, failure.events, detail),
  ]
}

/** A line a container, because a pod is seldom bad as a whole. */
function podTable(pods: readonly PodEvidence[]): string {
  const rows = pods.flatMap((pod) => {
    const node = pod.node === undefined ? '' : `<br>on ${code(pod.node)}`
    const podCell = `${code(pod.name)}${node}`
    if (pod.containers.length === 0) return [[podCell, '–', code(pod.status), '–', prose(pod.message)]]
    return pod.containers.map((container, index) => [
      index === 0 ? podCell : '',
      code(container.name),
      code(container.state === '' ? pod.status : container.state),
      String(container.restarts),
      prose(container.message === '' ? pod.message : container.message),
    ])
  })
  return table(['Pod', 'Container', 'State', 'Restarts', 'Message'], rows)
}

function logSection(pod: PodEvidence, container: ContainerEvidence, open: boolean, detail: EvidenceDetail): Section[] {
  if (container.log === undefined || container.log.trim() === '') return []
  const title = `Log of ${pod.name}, container ${container.name}`
  const body = fence(container.log, { characters: detail.logCharacters })
  return [{ name: `log of ${pod.name}`, rank: 4, markdown: details(title, body, { open }) }]
}

/** The last ones: an event that repeats moves to the end. */
function eventsSection(name: string, events: readonly EventEvidence[], detail: EvidenceDetail): Section[] {
  if (events.length === 0) return []
  const shown = events.slice(-detail.events)
  const leftOut = events.length - shown.length
  const rows = shown.map((event) => [
    event.at === '' ? '–' : code(timeOfDay(event.at)),
    `${event.type === 'Warning' ? '⚠️ ' : ''}${code(event.reason)}${event.count > 1 ? ` × ${event.count}` : ''}`,
    code(event.object),
    prose(event.message),
  ])
  const note = leftOut > 0 ? `_${counted(leftOut, 'earlier event')} left out._\n\n` : ''
  const body = `${note}${table(['Time (UTC)', 'Event', 'Object', 'Message'], rows)}`
  return [
    { name: `events of ${name}`, rank: 5, markdown: details(`${counted(events.length, 'event')} of ${name}`, body) },
  ]
}
