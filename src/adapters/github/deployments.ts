import { messageOf } from '../../errors.ts'
import type { Notifier } from '../../ports.ts'
import { deploymentEnd, shortDescription } from '../../report/deployment-status.ts'
import type { Report } from '../../report/report.ts'
import { type DeploymentOwner, type DeploymentPayload, isOfRelease } from './deployment-payload.ts'
import { type EnvironmentOptions, isTransient, openEnvironment } from './environment.ts'
import { removeDeployments } from './remove-deployments.ts'

/** How far back the deployment that runs again is looked for: so many deployments of the environment, and so many of ours. */
const MOST_LISTED = 30
const MOST_LOOKED_AT = 5

export interface DeploymentOptions extends EnvironmentOptions, DeploymentOwner {
  /** The post step of a job whose main step may have made the deployment already. */
  readonly isResumed: boolean
}

/**
 * A deployment on GitHub for a release that writes, and its statuses. When the release is taken back, the deployment that
 * runs again is marked as the active one. When it is torn down, an environment that is only for it goes.
 */
export function createDeploymentNotifier(options: DeploymentOptions): Notifier {
  const { run, release, namespace } = options
  const environment = openEnvironment(options)
  const owner: DeploymentOwner = { release, ...(namespace !== undefined && { namespace }) }
  const payload: DeploymentPayload = { by: 'rollsafe', ...owner, run: run.id, attempt: run.attempt }
  let wasBegun = options.isResumed
  /** Once it is known. */
  let known: number | undefined

  /** Makes the deployment, unless this run has already made it. */
  async function make(signal: AbortSignal, mayExist: boolean): Promise<number> {
    const description = shortDescription(`Release ${release}, by Rollsafe`)
    return environment.make({ description, payload, mayExist }, signal)
  }

  /** The last deployment of the release before ours that was ever a success. */
  async function findPrevious(ours: number, signal: AbortSignal): Promise<{ id: number; url?: string } | undefined> {
    const all = await environment.list(MOST_LISTED, signal)
    const earlier = all.filter((one) => one.id < ours && isOfRelease(one.payload, owner))
    for (const { id } of earlier.toSorted((a, b) => b.id - a.id).slice(0, MOST_LOOKED_AT)) {
      const success = await environment.success(id, signal)
      if (success) return { id, ...success }
    }
    return undefined
  }

  async function bringBack(ours: number, signal: AbortSignal): Promise<void> {
    const previous = await findPrevious(ours, signal)
    if (!previous) return
    const { id, url } = previous
    const description = 'Runs again: the release after it was taken back'
    await environment.setStatus(id, { state: 'success', description, ...(url !== undefined && { url }) }, signal)
  }

  /** What has been torn down runs nowhere. */
  async function putOut(report: Report, signal: AbortSignal): Promise<void> {
    const { state, description } = deploymentEnd(report)
    if (isTransient(environment.name, run.pullRequest)) {
      return removeDeployments(environment, owner, { state, description }, signal)
    }
    const last = await findPrevious(Infinity, signal)
    if (last) await environment.setStatus(last.id, { state, description }, signal)
  }

  return {
    name: 'The deployment on GitHub',

    async begin(signal) {
      wasBegun = true
      known = await make(signal, false)
      await environment.setStatus(known, { state: 'in_progress', description: 'The rollout has begun' }, signal)
    },

    async end(report, signal) {
      if (report.outcome === 'removed') return putOut(report, signal)
      if (!wasBegun) return
      // The post step only ends what the main step has begun.
      const ours = known ?? (options.isResumed ? await environment.find(payload, signal) : await make(signal, true))
      if (ours === undefined) return
      const { isTakenBack, ...status } = deploymentEnd(report)
      const failures: unknown[] = []
      const attempt = async (tell: Promise<void>): Promise<void> => {
        await tell.catch((error: unknown) => failures.push(error))
      }
      const url = report.url
      await attempt(environment.setStatus(ours, { ...status, ...(url !== undefined && { url }) }, signal))
      if (isTakenBack) await attempt(bringBack(ours, signal))
      if (failures.length > 0) throw new Error(failures.map((error) => messageOf(error)).join('; '))
    },
  }
}
