import { messageOf } from '../errors.ts'
import type { KubeEvent, Pod } from '../manifest/kinds.ts'
import { describe, groupKindOf, keyOf, type KubeObject, type ObjectRef, refOf } from '../manifest/object.ts'
import type { Cluster } from '../ports.ts'
import type { FailureReport, PodEvidence } from '../report/report.ts'
import { causeOf, containersOf, isEvidence } from '../rollout/causes.ts'
import { eventEvidence, newestReplicaSet, podEvidence, selectorOf } from '../rollout/evidence.ts'
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
  const owned = (await cluster.list({ apiVersion: 'v1', kind: 'Pod', ...inNamespace }, signal)).objects as Pod[]
  const pods = owned.filter(
    (pod) => isEvidence(pod) && pod.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid),
  )
  const cause = causeOf(pods, replicaSet ? [replicaSet] : [])
  const failing = pods.filter((pod) => causeOf([pod])).slice(0, PODS_IN_REPORT)
  const events = await Promise.all(
    [workload, ...(replicaSet ? [replicaSet] : []), ...failing].map((object) => readEvents(cluster, object, signal)),
  )
  return {
    ...report,
    ...(cause && { reason: cause.reason, message: cause.message }),
    pods: await Promise.all(failing.map((pod) => readPod(pod, run, signal))),
    events: eventEvidence(events.flat()),
  }
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

async function readPod(pod: Pod, { cluster, inputs: { logLines } }: Run, signal: AbortSignal): Promise<PodEvidence> {
  const logs = new Map<string, string>()
  for (const container of containersOf(pod)) {
    const hasRunBefore = container.lastState?.terminated !== undefined
    const hasRun = hasRunBefore || container.state?.running !== undefined || container.state?.terminated !== undefined
    if (logLines === 0 || !hasRun || container.ready) continue
    // Of a container that is between two attempts, the log of the attempt that failed.
    const previous = hasRunBefore && container.state?.terminated === undefined
    const log = await readLog(cluster, refOf(pod), container.name, { lines: logLines, previous, signal })
    if (log !== undefined) logs.set(container.name, log)
  }
  return podEvidence(pod, logs)
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
