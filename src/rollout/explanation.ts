/** A trouble in richer words, from what the pod's status does not hold: its events and the logs of its containers. */
import type { KubeEvent } from '../manifest/kinds.ts'
import { lastWords, oneLine } from './container-words.ts'
import { eventTime } from './evidence.ts'
import type { Cause } from './fail-fast.ts'
import { pullFailure } from './pull-failure.ts'
import { missingConfig, WRONG_ARCHITECTURE } from './start-failure.ts'
import type { Trouble } from './trouble.ts'

/** What was found of one pod beside its status. */
export interface Findings {
  readonly events: readonly KubeEvent[]
  /** Tails of logs, by container. */
  readonly logs: ReadonlyMap<string, string>
}

export const NO_FINDINGS: Findings = { events: [], logs: new Map() }

/** The trouble as a cause; the findings can also show that the reason is another than the status made believe. */
export function explain(trouble: Trouble, findings: Findings): Cause {
  const events = newestFirst(findings.events.filter((event) => isAbout(event, trouble.container)))
  const log = findings.logs.get(trouble.container ?? '') ?? ''
  const { reason, message } = trouble
  switch (reason) {
    case 'CrashLoop':
      return explainCrash(trouble, events, log)
    case 'ProbeFailed': {
      const output = probeOutput(events)
      return { reason, message: output === undefined ? message : `${message}: ${output}` }
    }
    case 'ImagePull':
      return { reason, message: explainPull(message, events) }
    case 'Unschedulable':
      return { reason, message: withScaleUp(message, events) }
    case 'ProgressDeadlineExceeded':
      return explainSlowStart(trouble, events)
    default:
      return { reason, message }
  }
}

function explainCrash({ message }: Trouble, events: readonly KubeEvent[], log: string): Cause {
  if (WRONG_ARCHITECTURE.test(log)) {
    const meaning = 'its image was built for another processor architecture than the node has (exec format error)'
    return { reason: 'StartFailed', message: `${message}; ${meaning}` }
  }
  // The kubelet kills without a word in the container's status; only this event tells who did it (kuberuntime_manager.go).
  const killed = events.find(
    ({ reason, message: text = '' }) => reason === 'Killing' && /failed (liveness|startup) probe/.test(text),
  )
  const probe = /failed (liveness|startup) probe/.exec(killed?.message ?? '')?.[1]
  if (probe !== undefined) {
    const output = probeOutput(events, new RegExp(`^${probe} probe`, 'i'))
    const said = output === undefined ? '' : `: ${output}`
    return {
      reason: 'ProbeFailed',
      message: `${message}; the kubelet stops it because its ${probe} probe fails${said}`,
    }
  }
  const words = lastWords(log)
  return { reason: 'CrashLoop', message: words === undefined ? message : `${message}; its log ends with: ${words}` }
}

/** `Readiness probe failed: HTTP probe failed with statuscode: 503` (pkg/kubelet/prober/prober.go). */
function probeOutput(events: readonly KubeEvent[], kind = /./): string | undefined {
  const unhealthy = events.find(({ reason, message = '' }) => reason === 'Unhealthy' && kind.test(message))
  return unhealthy && oneLine(unhealthy.message ?? '')
}

/** Kubelets before 1.32 tell the cause only in the event, not in the status of a container that backs off. */
function explainPull(message: string, events: readonly KubeEvent[]): string {
  const pulled = events.find(
    ({ reason, message: text = '' }) => reason === 'Failed' && text.startsWith('Failed to pull image'),
  )
  const isTold = !message.endsWith(': ImagePullBackOff')
  const words =
    isTold || !pulled
      ? message
      : message.replace(/ImagePullBackOff$/, pullFailure('ErrImagePull', pulled.message ?? '').words)
  const secrets = events.find(({ reason }) => reason === 'FailedToRetrieveImagePullSecret')
  const names = /\(([^)]*)\)/.exec(secrets?.message ?? '')?.[1]
  return names === undefined ? words : `${words}; its image pull secrets cannot be read: ${names}`
}

/** https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md */
function withScaleUp(message: string, events: readonly KubeEvent[]): string {
  const scaling = events.find(({ reason }) => reason === 'TriggeredScaleUp' || reason === 'NotTriggerScaleUp')
  if (!scaling) return message
  return scaling.reason === 'TriggeredScaleUp'
    ? `${message}; the cluster autoscaler is adding a node`
    : `${message}; the cluster autoscaler adds no node: ${oneLine(scaling.message ?? '')}`
}

/** What keeps a kubelet from creating the containers of a pod: volumes, the network, devices (pkg/kubelet/events/event.go). */
const HINDRANCES = [
  'FailedMount',
  'FailedAttachVolume',
  'FailedMapVolume',
  'FailedCreatePodSandBox',
  'FailedPrepareDynamicResources',
  'NetworkNotReady',
]

function explainSlowStart({ reason, message }: Trouble, events: readonly KubeEvent[]): Cause {
  const hindrance = events.find((event) => HINDRANCES.includes(event.reason ?? ''))
  if (hindrance) {
    const text = hindrance.message ?? ''
    const missing = missingConfig(text)
    return missing === undefined
      ? { reason: 'StartFailed', message: `${message}: ${hindrance.reason}: ${oneLine(text)}` }
      : { reason: 'ContainerConfig', message: `${message}: ${missing} (${volumeOf(text)})` }
  }
  const [last] = events
  return { reason, message: last?.reason === 'Pulling' ? `${message}: its image is still being pulled` : message }
}

function volumeOf(text: string): string {
  const volume = /for volume "([^"]+)"/.exec(text)?.[1]
  return volume === undefined ? 'it is mounted as a volume' : `volume ${volume}`
}

/** Events of other containers tell of other troubles; those without a container are about the whole pod. */
function isAbout({ involvedObject }: KubeEvent, container: string | undefined): boolean {
  const named = /\{([^}]+)\}/.exec(involvedObject.fieldPath ?? '')?.[1]
  return container === undefined || named === undefined || named === container
}

function newestFirst(events: readonly KubeEvent[]): KubeEvent[] {
  return events.toSorted((a, b) => {
    const [first, second] = [eventTime(a), eventTime(b)]
    return first < second ? 1 : first > second ? -1 : 0
  })
}
