import { messageOf, type ReasonCode } from '../../errors.ts'
import type { KubeEvent, Pod } from '../../manifest/kinds.ts'
import { describe, groupKindOf, keyOf, type KubeObject, type ObjectRef, refOf } from '../../manifest/object.ts'
import type { Cluster, Query } from '../../ports.ts'
import type { FailureReport } from '../../report/report.ts'
import { causeOf, standingRefusals, troubledPods } from '../../rollout/causes.ts'
import { podContainers } from '../../rollout/container-trouble.ts'
import { keepPod } from '../../rollout/pod-queries.ts'
import { eventEvidence, newestReplicaSet, podEvidence, selectorOf } from '../../rollout/evidence.ts'
import { type Findings, NO_FINDINGS } from '../../rollout/explanation.ts'
import type { Cause } from '../../rollout/fail-fast.ts'
import { newPodsIn } from '../../rollout/tracker.ts'
import { mapLimited } from '../concurrency.ts'
import type { Observer } from './observer.ts'
import type { RolledOut } from './roll-out.ts'
import type { Run } from '../run.ts'

/**
 * Workloads that are explained from their pods, events and logs: five requests each. When more have failed they have most likely
 * failed alike, and reading on would hold up the rollback; the verdict's own words then stand for the rest.
 */
const WORKLOADS_EXPLAINED = 10
/** A few pods of one revision fail alike; more of them would only make the report longer. */
const PODS_IN_REPORT = 3
/** Reading evidence must not hold up the rollback for long. */
const PATIENCE_MS = 15_000

/**
 * Collects why workloads failed, before the rollback takes the evidence away: their pods, events, and log tails. What cannot
 * be read is left out and said in the log; it never stands in the way of the rollback.
 */
export async function findCauses(
  { followed, problem }: RolledOut,
  observer: Observer,
  run: Run,
): Promise<FailureReport[]> {
  const { runner, journal } = run
  const signal = AbortSignal.timeout(PATIENCE_MS)
  journal.enter('diagnose')
  if (problem || followed?.verdict.type !== 'bad') return []
  const { state, verdict } = followed
  const explained = new Set(verdict.failures.slice(0, WORKLOADS_EXPLAINED))
  const reports = await mapLimited(verdict.failures, async (failure) => {
    const report: FailureReport = {
      workload: failure.ref,
      reason: failure.reason,
      message: failure.message,
      pods: [],
      events: [],
    }
    const tracked = state.tracked.get(keyOf(failure.ref))
    const object = observer.latest(keyOf(failure.ref)) ?? tracked?.object
    if (!object || !explained.has(failure)) return report
    const newPods = new Set(tracked ? newPodsIn(state, tracked).map(({ uid }) => uid) : [])
    return explain(report, object, newPods, run, signal)
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
  newPods: ReadonlySet<string>,
  run: Run,
  signal: AbortSignal,
): Promise<FailureReport> {
  const labelSelector = selectorOf(workload)
  if (labelSelector === undefined) return report
  const { namespace } = refOf(workload)
  const inNamespace = { ...(namespace !== undefined && { namespace }), labelSelector }
  const read = (apiVersion: string, kind: string, keep?: Query['keep']) =>
    readList({ apiVersion, kind, ...inNamespace, ...(keep && { keep }) }, run, signal)
  const isDeployment = groupKindOf(workload) === 'Deployment.apps'
  const replicaSet = isDeployment ? newestReplicaSet(workload, await read('apps/v1', 'ReplicaSet')) : undefined
  const owner = isDeployment ? replicaSet?.metadata.uid : workload.metadata.uid
  const pods = ((await read('v1', 'Pod', keepPod)) as Pod[]).filter(({ metadata }) =>
    newPods.size > 0
      ? newPods.has(metadata.uid ?? '')
      : owner === undefined || metadata.ownerReferences?.some(({ uid }) => uid === owner),
  )
  const failing = troubledPods(pods).slice(0, PODS_IN_REPORT)
  const [ofControllers, ofPods] = await Promise.all([
    Promise.all([workload, ...(replicaSet ? [replicaSet] : [])].map((object) => readEvents(object, run, signal))),
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

/** What may not be read is missing from the report; what may be read is in it all the same. */
async function readList(query: Query, { cluster, runner }: Run, signal: AbortSignal): Promise<readonly KubeObject[]> {
  try {
    return (await cluster.list(query, signal)).objects
  } catch (error) {
    runner.info(`${query.kind}s cannot be read, and are missing from the report: ${messageOf(error)}`)
    return []
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

async function readEvents(about: KubeObject, run: Run, signal: AbortSignal): Promise<KubeEvent[]> {
  const { namespace } = refOf(about)
  const fieldSelector = `involvedObject.uid=${about.metadata.uid ?? ''}`
  const query = { apiVersion: 'v1', kind: 'Event', ...(namespace !== undefined && { namespace }), fieldSelector }
  return (await readList(query, run, signal)) as KubeEvent[]
}

async function readFindings(pod: Pod, run: Run, signal: AbortSignal): Promise<Findings> {
  const [events, logs] = await Promise.all([readEvents(pod, run, signal), readLogs(pod, run, signal)])
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
