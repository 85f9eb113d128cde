import { messageOf } from '../../errors.ts'
import { isObject } from '../../manifest/object.ts'
import type { Notifier } from '../../ports.ts'
import { deploymentEnd, type DeploymentState, shortDescription } from '../../report/deployment-status.ts'
import type { Report, RunFacts } from '../../report/report.ts'
import { persistently, reasonFor } from './answers.ts'
import { type GitHubOptions, lazyOctokit, type Octokit, placeOf } from './client.ts'

/** How far back the deployment that runs again is looked for: so many deployments of the environment, and so many of ours. */
const MOST_LISTED = 30
const MOST_LOOKED_AT = 5
const MOST_STATUSES = 100

export interface DeploymentOptions extends GitHubOptions {
  /** The name of the environment on GitHub. */
  readonly environment: string
  readonly release: string
  /** Absent when the kubeconfig's context decides. */
  readonly namespace?: string
  readonly run: RunFacts
  /** The post step of a job whose main step may have made the deployment already. */
  readonly isResumed: boolean
}

/** What Rollsafe writes into a deployment to know it again. */
interface Payload {
  readonly by: 'rollsafe'
  readonly release: string
  readonly namespace?: string
  readonly run: number
  readonly attempt: number
}

interface Status {
  readonly state: DeploymentState
  readonly description: string
  readonly url?: string
}

/**
 * A deployment on GitHub for a release that writes, and its statuses. When the release is taken back, the deployment that
 * runs again is marked as the active one. https://docs.github.com/rest/deployments/deployments
 */
export function createDeploymentNotifier(options: DeploymentOptions): Notifier {
  const { environment, run } = options
  const place = placeOf(options.repository)
  const octokit = lazyOctokit(options)
  const payload: Payload = {
    by: 'rollsafe',
    release: options.release,
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    run: run.id,
    attempt: run.attempt,
  }
  let wasBegun = options.isResumed
  /** Once it is known. */
  let known: number | undefined

  /** One request, made again where that helps; what is thrown says what GitHub was asked to do. */
  async function ask<T>(what: string, signal: AbortSignal, call: (client: Octokit) => Promise<T>): Promise<T> {
    try {
      return await persistently(async () => call(await octokit()), signal)
    } catch (error) {
      signal.throwIfAborted()
      throw new Error(`GitHub did not ${what} in the environment ${environment}: ${reasonFor(error, ADVICE)}`, {
        cause: error,
      })
    }
  }

  async function list(client: Octokit, signal: AbortSignal) {
    const page = { environment, per_page: MOST_LISTED, request: { signal } }
    const { data } = await client.rest.repos.listDeployments({ ...place, ...page })
    return data.filter((one) => isOfRelease(one.payload, payload))
  }

  async function findOwn(client: Octokit, signal: AbortSignal): Promise<number | undefined> {
    return (await list(client, signal)).find((one) => isOfRun(one.payload, payload))?.id
  }

  /** Makes the deployment, unless this run has already made it: of a first try only the answer may have been lost. */
  async function make(signal: AbortSignal, isRepeated: boolean): Promise<number> {
    let mayExist = isRepeated
    return ask('make a deployment', signal, async (client) => {
      const own = mayExist ? await findOwn(client, signal) : undefined
      if (own !== undefined) return own
      mayExist = true
      const { data } = await client.rest.repos.createDeployment({
        ...place,
        ref: run.sha,
        environment,
        description: shortDescription(`Release ${options.release}, by Rollsafe`),
        payload: { ...payload },
        // The workflow decides what is deployed and when. With these, GitHub would merge, or refuse while this very job runs.
        auto_merge: false,
        required_contexts: [],
        transient_environment: isTransient(environment, run),
        production_environment: isProduction(environment),
        request: { signal },
      })
      if (!('id' in data)) throw new Error(data.message ?? 'no deployment in the answer')
      return data.id
    })
  }

  async function setStatus(deployment: number, { url, ...status }: Status, signal: AbortSignal): Promise<void> {
    await ask(`take the status ${status.state} of the deployment`, signal, (client) =>
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
  }

  /** The last deployment of the release before ours that was ever a success. */
  async function findPrevious(ours: number, signal: AbortSignal): Promise<{ id: number; url?: string } | undefined> {
    const all = await ask('list the deployments', signal, (client) => list(client, signal))
    const earlier = all.filter(({ id }) => id < ours).toSorted((a, b) => b.id - a.id)
    for (const { id } of earlier.slice(0, MOST_LOOKED_AT)) {
      const page = { deployment_id: id, per_page: MOST_STATUSES, request: { signal } }
      const { data } = await ask('list the statuses of a deployment', signal, (client) =>
        client.rest.repos.listDeploymentStatuses({ ...place, ...page }),
      )
      const success = data.find(({ state }) => state === 'success')
      if (success) return { id, ...(success.environment_url && { url: success.environment_url }) }
    }
    return undefined
  }

  async function bringBack(ours: number, signal: AbortSignal): Promise<void> {
    const previous = await findPrevious(ours, signal)
    if (!previous) return
    const description = 'Runs again: the release after it was taken back'
    await setStatus(previous.id, { state: 'success', description, ...(previous.url && { url: previous.url }) }, signal)
  }

  /** What has been torn down runs nowhere; of a transient environment GitHub then says that it is destroyed. */
  async function putOut(report: Report, signal: AbortSignal): Promise<void> {
    const last = await findPrevious(Infinity, signal)
    if (!last) return
    const { state, description } = deploymentEnd(report)
    await setStatus(last.id, { state, description }, signal)
  }

  return {
    name: 'The deployment on GitHub',

    async begin(signal) {
      wasBegun = true
      known = await make(signal, false)
      await setStatus(known, { state: 'in_progress', description: 'The rollout has begun' }, signal)
    },

    async end(report, signal) {
      if (report.outcome === 'removed') return putOut(report, signal)
      if (!wasBegun) return
      // The post step only ends what the main step has begun.
      const ours = known ?? (options.isResumed ? await find(signal) : await make(signal, true))
      if (ours === undefined) return
      const { isTakenBack, ...status } = deploymentEnd(report)
      const failures: unknown[] = []
      const attempt = async (tell: Promise<void>): Promise<void> => {
        await tell.catch((error: unknown) => failures.push(error))
      }
      const url = report.url
      await attempt(setStatus(ours, { ...status, ...(url !== undefined && { url }) }, signal))
      if (isTakenBack) await attempt(bringBack(ours, signal))
      if (failures.length > 0) throw new Error(failures.map((error) => messageOf(error)).join('; '))
    },
  }

  async function find(signal: AbortSignal): Promise<number | undefined> {
    return ask('list the deployments', signal, (client) => findOwn(client, signal))
  }
}

const ADVICE = {
  forbidden: 'The job needs `permissions: deployments: write`',
  limited: 'Set it by hand if it matters; the next run of this release makes its own',
}

/** GitHub hands a payload back as it came, or as the JSON text of it. */
function payloadOf(payload: unknown): Record<string, unknown> {
  if (isObject(payload)) return payload
  if (typeof payload !== 'string') return {}
  try {
    const parsed: unknown = JSON.parse(payload)
    return isObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}

function isOfRelease(payload: unknown, { by, release, namespace }: Payload): boolean {
  const found = payloadOf(payload)
  return found['by'] === by && found['release'] === release && found['namespace'] === namespace
}

function isOfRun(payload: unknown, { run, attempt }: Payload): boolean {
  const found = payloadOf(payload)
  return found['run'] === run && found['attempt'] === attempt
}

/** An environment with the number of the pull request in its name goes when that is closed: `pr-128`. */
function isTransient(environment: string, { pullRequest }: RunFacts): boolean {
  return pullRequest !== undefined && environment.split(/\D+/).includes(String(pullRequest))
}

/** `production`, `prod`, `production/eu`. */
function isProduction(environment: string): boolean {
  return /^prod(?:uction)?(?![a-z0-9])/i.test(environment)
}
