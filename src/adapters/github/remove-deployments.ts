import { messageOf } from '../../errors.ts'
import { fillTemplate } from '../../inputs/environment.ts'
import { numberInName } from '../../inputs/preview.ts'
import type { Notifier } from '../../ports.ts'
import { deploymentEnd } from '../../report/deployment-status.ts'
import { type DeploymentOwner, isOfRelease } from './deployment-payload.ts'
import { type DeploymentStatus, type Environment, type EnvironmentOptions, openEnvironment } from './environment.ts'

/** GitHub lists no more at once. */
const PAGE = 100

/**
 * Deletes the deployments that a release has in an environment that is only for it, and the environment when nothing else is in it.
 * Each gets the status first, since GitHub lets no active one be deleted. Done again, it goes on where it was.
 */
export async function removeDeployments(
  environment: Environment,
  owner: DeploymentOwner,
  status: DeploymentStatus,
  signal: AbortSignal,
): Promise<void> {
  const gone = new Set<number>()
  for (;;) {
    const listed = await environment.list(PAGE, signal)
    const all = listed.filter(({ id }) => !gone.has(id))
    const ours = all.filter(({ payload }) => isOfRelease(payload, owner))
    for (const { id } of ours) {
      await environment.setStatus(id, status, signal)
      await environment.deleteDeployment(id, signal)
      gone.add(id)
    }
    const isLast = listed.length < PAGE || ours.length === 0
    if (isLast && gone.size > 0 && all.length === ours.length) await environment.deleteIfAllowed(signal)
    if (isLast) return
  }
}

/** Removes the deployments of the previews that a sweep has deleted. `{pr}` in the name of the environment is each one's number. */
export function createSweptNotifier(options: EnvironmentOptions): Notifier {
  return {
    name: 'The deployments on GitHub',

    async end(report, signal) {
      if (report.outcome !== 'removed') return
      const { state, description } = deploymentEnd(report)
      const remove = async (release: string, pr: string): Promise<void> => {
        const environment = openEnvironment({ ...options, environment: fillTemplate(options.environment, { pr }) })
        await removeDeployments(environment, { release, namespace: release }, { state, description }, signal)
      }
      const ends = report.objects.flatMap(({ name }) => {
        const pr = numberInName(name)
        return pr === undefined ? [] : [remove(name, pr)]
      })
      const failures = (await Promise.allSettled(ends)).flatMap((end) =>
        end.status === 'rejected' ? [messageOf(end.reason)] : [],
      )
      signal.throwIfAborted()
      if (failures.length > 0) throw new Error([...new Set(failures)].join('; '))
    },
  }
}
