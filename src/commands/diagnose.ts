import { messageOf, type ReasonCode } from '../errors.ts'
import type { KubeEvent, Pod } from '../manifest/kinds.ts'
import { describe, groupKindOf, keyOf, type KubeObject, type ObjectRef, refOf } from '../manifest/object.ts'
import type { Cluster } from '../ports.ts'
import type { FailureReport } from '../report/report.ts'
import { causeOf, standingRefusals, troubledPods } from '../rollout/causes.ts'
import { podContainers } from '../rollout/container-trouble.ts'
import { keepPod } from '../rollout/pod-queries.ts'
import { eventEvidence, newestReplicaSet, podEvidence, selectorOf } from '../rollout/evidence.ts'
import { type Findings, NO_FINDINGS } from '../rollout/explanation.ts'
import type { Cause } from '../rollout/fail-fast.ts'
import type { Failure } from '../rollout/verdict.ts'
import { mapLimited } from './concurrency.ts'
import type { Observer } from './observer.ts'
import type { Run } from './run.ts'

/** A few pods of one revision fail alike; more of them would only make the report longer. */
const PODS_IN_REPORT = 3
/** Reading evidence must not hold up the rollback for long. */
const PATIENCE_MS = 15_000

/**
 * Collects why workloads failed, before the rollback takes the evidence away: their pods, events, and log tails. What cannot
 * be read is left out and said in the log; it never stands in the way of the rollback.
 */
export async function findCauses(failures: readonly Failure[], observer: Observer, run: Run): Promise<FailureReport[]> {
  const { runner, journal } = run
  const signal = AbortSignal.timeout(PATIENCE_MS)
  journal.enter('diagnose')
  const reports = await mapLimited(failures, async (failure) => {
    const report: FailureReport = {
      workload: failure.ref,
      reason: failure.reason,
      message: failure.message,
      pods: [],
      events: [],
    }
    const object = observer.latest(keyOf(failure.ref))
    if (!object) return report
    try {
      return await explain(report, object, run, signal)
    } catch (error) {
      runner.info(`the pods and events of ${describe(failure.ref)} cannot be read: ${messageOf(error)}`)
      return report
    }
  })
  for (const { workload, message } of reports) {
    runner.info(`${describe(workload)}: ${message}`)
    journal.note(`${describe(workload)}: ${message}`)
  }
  return reports
}

async function explain(
  report: FailureReport,
  workload: KubeObject,
  run: Run,
  signal: AbortSignal,
): Promise<FailureReport> {
  const { cluster } = run
  const labelSelector = selectorOf(workload)
  if (labelSelector === undefined) return report
  const { namespace } = refOf(workload)
  const inNamespace = { ...(namespace !== undefined && { namespace }), labelSelector }
  const replicaSets =
    groupKindOf(workload) === 'Deployment.apps'
      ? await cluster.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet', ...inNamespace }, signal)
      : undefined
  const replicaSet = replicaSets && newestReplicaSet(workload, replicaSets.objects)
  const owner = replicaSet ?? workload
  const { objects } = await cluster.list({ apiVersion: 'v1', kind: 'Pod', ...inNamespace, keep: keepPod }, signal)
  const owned = objects as Pod[]
  const pods = owned.filter((pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid))
  const failing = troubledPods(pods).slice(0, PODS_IN_REPORT)
  const [ofControllers, ofPods] = await Promise.all([
    Promise.all([workload, ...(replicaSet ? [replicaSet] : [])].map((object) => readEvents(cluster, object, signal))),
    Promise.all(failing.map((pod) => readFindings(pod, run, signal))),
  ])
  const events = ofControllers.flat()
  const findings = new Map(failing.map((pod, index) => [pod.metadata.uid ?? '', ofPods[index] ?? NO_FINDINGS]))
  // A ReplicaSet's condition tells whether the refusal still stands, which its events do not.
  const cause = causeOf(pods, replicaSet ? [replicaSet] : standingRefusals(events, pods), findings)
  return {
    ...report,
    ...(cause && { reason: codeOf(cause, report), message: messageFor(cause, report) }),
    pods: failing.map((pod) => podEvidence(pod, findings.get(pod.metadata.uid ?? '')?.logs ?? new Map())),
    events: eventEvidence([...events, ...ofPods.flatMap((found) => found.events)]),
  }
}

/** What became of the release, which the pods at most explain. */
const FATES: readonly ReasonCode[] = ['Unstable', 'Deleted']

function messageFor(cause: Cause, verdict: FailureReport): string {
  return FATES.includes(verdict.reason) ? `${verdict.message}; ${cause.message}` : cause.message
}

/** A pod that is only slow does not say by which clock it was too slow, nor one that crashed that its Job gave up. */
function codeOf(cause: Cause, verdict: FailureReport): Cause['reason'] {
  const isJobs = verdict.reason === 'JobFailed' && cause.reason === 'CrashLoop'
  return isJobs || FATES.includes(verdict.reason) || cause.reason === 'ProgressDeadlineExceeded'
    ? verdict.reason
    : cause.reason
}

async function readEvents(cluster: Cluster, about: KubeObject, signal: AbortSignal): Promise<KubeEvent[]> {
  const { namespace } = refOf(about)
  const fieldSelector = `involvedObject.uid=${about.metadata.uid ?? ''}`
  const { objects } = await cluster.list(
    { apiVersion: 'v1', kind: 'Event', ...(namespace !== undefined && { namespace }), fieldSelector },
    signal,
  )
  return objects as KubeEvent[]
}

async function readFindings(pod: Pod, run: Run, signal: AbortSignal): Promise<Findings> {
  const [events, logs] = await Promise.all([readEvents(run.cluster, pod, signal), readLogs(pod, run, signal)])
  return { events, logs }
}

async function readLogs(
  pod: Pod,
  { cluster, inputs: { logLines } }: Run,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const logs = new Map<string, string>()
  for (const { status: container } of podContainers(pod)) {
    const hasRunBefore = container.lastState?.terminated !== undefined
    const hasRun = hasRunBefore || container.state?.running !== undefined || container.state?.terminated !== undefined
    if (logLines === 0 || !hasRun || container.ready) continue
    // Of a container that is between two attempts, the log of the attempt that failed.
    const previous = hasRunBefore && container.state?.terminated === undefined
    const log = await readLog(cluster, refOf(pod), container.name, { lines: logLines, previous, signal })
    if (log !== undefined) logs.set(container.name, log)
  }
  return logs
}

/** Undefined when there is none to be had: the node may be gone, or the container's files already removed. */
async function readLog(
  cluster: Cluster,
  pod: ObjectRef,
  container: string,
  options: { lines: number; previous: boolean; signal: AbortSignal },
): Promise<string | undefined> {
  try {
    return await cluster.logs(pod, container, options)
  } catch {
    return options.previous ? readLog(cluster, pod, container, { ...options, previous: false }) : undefined
  }
}
