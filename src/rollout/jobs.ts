/** Jobs and CronJobs, and what it means when an object is gone. */
import type { CronJob, Job } from '../manifest/kinds.ts'
import { groupKindOf, type KubeObject } from '../manifest/object.ts'
import { counted } from '../report/format.ts'
import { saidBy, trueCondition } from './conditions.ts'
import type { Status } from './state.ts'

/**
 * A Job is done when it is Complete, not when it has started
 * (https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions). FailureTarget is set before
 * Failed, while pods are still ending, and is never taken back.
 */
export function jobStatus(job: Job): Status {
  const { spec, status } = job
  const succeeded = status?.succeeded ?? 0
  // Without completions, several pods are workers at one queue, and any of them may be the one that ends it.
  const isQueue = spec?.completions === undefined && (spec?.parallelism ?? 1) > 1
  const wanted = spec?.completions ?? 1
  const done = isQueue
    ? `${counted(succeeded, 'pod')} succeeded`
    : `${succeeded} of ${counted(wanted, 'pod')} succeeded`

  const failure = trueCondition(job, 'Failed') ?? trueCondition(job, 'FailureTarget')
  if (failure) return { state: 'failed', reason: 'JobFailed', message: `has failed: ${saidBy(failure)}` }
  if (trueCondition(job, 'Complete')) return { state: 'healthy', message: `is complete: ${done}` }
  if (spec?.suspend === true) {
    return { state: 'healthy', message: 'is suspended: it runs when spec.suspend is set to false' }
  }
  const failed = status?.failed ?? 0
  const tries = failed === 0 ? '' : `, ${failed} failed (backoffLimit ${spec?.backoffLimit ?? 6})`
  return { state: 'progressing', message: done + tries }
}

/** Its Jobs come later, each with a fate of its own: a CronJob is what it should be as soon as it is applied. */
export function cronJobStatus({ spec }: CronJob): Status {
  if (spec?.suspend === true) return { state: 'healthy', message: 'is suspended: no Job is started' }
  return { state: 'healthy', message: `runs at ${spec?.schedule ?? 'no time'}` }
}

/**
 * The status of an object that is no longer there, or is on its way out. A Job with ttlSecondsAfterFinished is deleted by
 * its own controller, and only after its end (pkg/controller/ttlafterfinished), so it keeps the state in which it was
 * last seen. When its end was not seen, because nothing could be observed, a failed pod seen before decides.
 *
 * `isFinal` says that `lastSeen` is how the object was when it was deleted, as a watch's DELETED event has it.
 */
export function statusWhenGone(lastSeen: KubeObject | undefined, isFinal = false): Status {
  const deleted: Status = { state: 'failed', reason: 'Deleted', message: 'was deleted by somebody else' }
  if (!lastSeen || groupKindOf(lastSeen) !== 'Job.batch') return deleted
  const job: Job = lastSeen
  if (isFinished(job)) return jobStatus(job)

  const seconds = job.spec?.ttlSecondsAfterFinished
  // Somebody who deletes a Job before its end has not waited for the TTL.
  const isTooEarly = isFinal || job.metadata.deletionTimestamp !== undefined
  if (seconds === undefined || isTooEarly) return deleted
  const cleaned = `was cleaned up (ttlSecondsAfterFinished ${seconds}) before its end was seen`
  const { failed = 0, succeeded = 0 } = job.status ?? {}
  if (failed === 0) return { state: 'healthy', message: `${cleaned}; no pod had failed` }
  if (succeeded < (job.spec?.completions ?? 1)) {
    return {
      state: 'failed',
      reason: 'JobFailed',
      message: `${cleaned}, and ${counted(failed, 'pod')} had failed; raise ttlSecondsAfterFinished to know`,
    }
  }
  return { state: 'healthy', message: `${cleaned}; ${counted(succeeded, 'pod')} had succeeded` }
}

function isFinished(job: Job): boolean {
  return ['Complete', 'Failed', 'FailureTarget'].some((type) => trueCondition(job, type))
}
