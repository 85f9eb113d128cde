import type { DeploymentState } from '../../report/deployment-status.ts'
import type { RunFacts } from '../../report/report.ts'
import { isLimit, persistently, reasonFor, statusOf } from './answers.ts'
import { type GitHubOptions, lazyOctokit, type Octokit, placeOf } from './client.ts'
import { type DeploymentPayload, isOfRelease, isOfRun } from './deployment-payload.ts'

/** How far back the deployment of a run is looked for. */
const MOST_LISTED = 30
const MOST_STATUSES = 100

export interface EnvironmentOptions extends GitHubOptions {
  /** Its name on GitHub. */
  readonly environment: string
  readonly run: RunFacts
}

export interface ListedDeployment {
  readonly id: number
  readonly payload: unknown
}

export interface NewDeployment {
  readonly description: string
  readonly payload: DeploymentPayload
  /** The run may have made it already, and only the answer was lost. */
  readonly mayExist: boolean
}

export interface DeploymentStatus {
  readonly state: DeploymentState
  readonly description: string
  readonly url?: string
}

/**
 * What Rollsafe asks GitHub about one of its environments and the deployments there. Each request is made again where that helps; what
 * is thrown says what GitHub was asked to do. https://docs.github.com/rest/deployments/deployments
 */
export interface Environment {
  readonly name: string
  /** The newest `most` of them, 100 at most, the newest first. */
  list(most: number, signal: AbortSignal): Promise<readonly ListedDeployment[]>
  /** The id of the deployment that one run has made, if it is not long ago. */
  find(payload: DeploymentPayload, signal: AbortSignal): Promise<number | undefined>
  /** Returns the id; of the one that is there already, if that may be. */
  make(deployment: NewDeployment, signal: AbortSignal): Promise<number>
  setStatus(deployment: number, status: DeploymentStatus, signal: AbortSignal): Promise<void>
  /** Whether a deployment was ever a success, and where it was reached then. */
  success(deployment: number, signal: AbortSignal): Promise<{ readonly url?: string } | undefined>
  /** GitHub lets only what is not active be deleted. One that is gone counts as deleted. */
  deleteDeployment(deployment: number, signal: AbortSignal): Promise<void>
  /** Deletes the environment, if the token may: that of a job may not, whatever its permissions. */
  deleteIfAllowed(signal: AbortSignal): Promise<void>
}

export function openEnvironment(options: EnvironmentOptions): Environment {
  const { environment, run } = options
  const place = placeOf(options.repository)
  const octokit = lazyOctokit(options)
  const there = `in the environment ${environment}`

  async function ask<T>(what: string, signal: AbortSignal, call: (client: Octokit) => Promise<T>): Promise<T> {
    try {
      return await persistently(async () => call(await octokit()), signal)
    } catch (error) {
      signal.throwIfAborted()
      throw new Error(`GitHub did not ${what}: ${reasonFor(error, ADVICE)}`, { cause: error })
    }
  }

  async function listNewest(client: Octokit, most: number, signal: AbortSignal): Promise<ListedDeployment[]> {
    const page = { environment, per_page: most, request: { signal } }
    const { data } = await client.rest.repos.listDeployments({ ...place, ...page })
    return data
  }

  async function findNow(
    client: Octokit,
    payload: DeploymentPayload,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const all = await listNewest(client, MOST_LISTED, signal)
    return all.find((one) => isOfRelease(one.payload, payload) && isOfRun(one.payload, payload))?.id
  }

  return {
    name: environment,

    list: (most, signal) => ask(`list the deployments ${there}`, signal, (client) => listNewest(client, most, signal)),
    find: (payload, signal) =>
      ask(`list the deployments ${there}`, signal, (client) => findNow(client, payload, signal)),

    async make({ description, payload, mayExist }, signal) {
      let isRepeated = mayExist
      return ask(`make a deployment ${there}`, signal, async (client) => {
        const found = isRepeated ? await findNow(client, payload, signal) : undefined
        if (found !== undefined) return found
        isRepeated = true
        const { data } = await client.rest.repos.createDeployment({
          ...place,
          ref: run.sha,
          environment,
          description,
          payload: { ...payload },
          // The workflow decides what is deployed and when. With these, GitHub would merge, or refuse while this very job runs.
          auto_merge: false,
          required_contexts: [],
          transient_environment: isTransient(environment, run.pullRequest),
          production_environment: isProduction(environment),
          request: { signal },
        })
        if (!('id' in data)) throw new Error(data.message ?? 'no deployment in the answer')
        return data.id
      })
    },

    async setStatus(deployment, { url, ...status }, signal) {
      await ask(`take the status ${status.state} of the deployment ${there}`, signal, (client) =>
        client.rest.repos.createDeploymentStatus({
          ...place,
          deployment_id: deployment,
          ...status,
          log_url: run.url,
          ...(url !== undefined && { environment_url: url }),
          auto_inactive: true,
          request: { signal },
        }),
      )
    },

    async success(deployment, signal) {
      const page = { deployment_id: deployment, per_page: MOST_STATUSES, request: { signal } }
      const { data } = await ask(`list the statuses of a deployment ${there}`, signal, (client) =>
        client.rest.repos.listDeploymentStatuses({ ...place, ...page }),
      )
      const found = data.find(({ state }) => state === 'success')
      return found && { ...(found.environment_url && { url: found.environment_url }) }
    },

    async deleteDeployment(deployment, signal) {
      await ask(`delete a deployment ${there}`, signal, (client) =>
        client.rest.repos
          .deleteDeployment({ ...place, deployment_id: deployment, request: { signal } })
          .catch(unless(404)),
      )
    },

    async deleteIfAllowed(signal) {
      await ask(`delete the environment ${environment}`, signal, (client) =>
        client.rest.repos
          .deleteAnEnvironment({ ...place, environment_name: environment, request: { signal } })
          .catch(unless(403, 404)),
      )
    },
  }
}

/** An environment with the number of the pull request in its name goes when that is closed: `pr-128`. */
export function isTransient(environment: string, pullRequest: number | undefined): boolean {
  return pullRequest !== undefined && environment.split(/\D+/).includes(String(pullRequest))
}

/** `production`, `prod`, `production/eu`. */
function isProduction(environment: string): boolean {
  return /^prod(?:uction)?(?![a-z0-9])/i.test(environment)
}

function unless(...statuses: readonly number[]): (error: unknown) => void {
  return (error) => {
    const status = statusOf(error)
    if (status === undefined || isLimit(error) || !statuses.includes(status)) throw error
  }
}

const ADVICE = {
  forbidden: 'The job needs `permissions: deployments: write`',
  limited: 'Set it by hand if it matters; the next run of this release makes its own',
}
