/** The part of the fake GitHub that keeps deployments and their statuses. */
import { isObject } from '../../src/manifest/object.ts'
import type { Answer, FakeUser } from './github.ts'

export interface FakeDeployment {
  readonly id: number
  readonly sha: string
  readonly environment: string
  readonly description: string
  readonly payload: unknown
  readonly transient: boolean
  readonly production: boolean
  readonly user: FakeUser
  /** Oldest first. */
  readonly statuses: FakeDeploymentStatus[]
}

export interface FakeDeploymentStatus {
  readonly id: number
  readonly state: string
  readonly description: string
  readonly log: string
  readonly url: string
  readonly user: FakeUser
}

export interface FakeDeployments {
  readonly all: readonly FakeDeployment[]
  /** Names of environments, which GitHub makes with the first deployment there and keeps without any. */
  readonly environments: ReadonlySet<string>
  /** Undefined for an operation that has nothing to do with deployments. */
  operate(operation: string, parameters: Record<string, string>, body: unknown, user: FakeUser): Answer | undefined
}

const LONGEST_DESCRIPTION = 140
const TIME = '2026-11-22T02:58:41Z'

/** `api` is the address of the repository. */
export function createDeployments(api: string, userBody: (user: FakeUser) => unknown): FakeDeployments {
  const all: FakeDeployment[] = []
  const environments = new Set<string>()
  let nextId = 500

  function deploymentBody({ id, sha, environment, description, payload, user, ...more }: FakeDeployment): unknown {
    return {
      id,
      node_id: `DE_${id}`,
      url: `${api}/deployments/${id}`,
      statuses_url: `${api}/deployments/${id}/statuses`,
      repository_url: api,
      sha,
      ref: sha,
      task: 'deploy',
      environment,
      original_environment: environment,
      description,
      payload,
      creator: userBody(user),
      transient_environment: more.transient,
      production_environment: more.production,
      created_at: TIME,
      updated_at: TIME,
    }
  }

  function statusBody(deployment: FakeDeployment, status: FakeDeploymentStatus): unknown {
    return {
      id: status.id,
      node_id: `DES_${status.id}`,
      url: `${api}/deployments/${deployment.id}/statuses/${status.id}`,
      deployment_url: `${api}/deployments/${deployment.id}`,
      repository_url: api,
      state: status.state,
      description: status.description,
      environment: deployment.environment,
      environment_url: status.url,
      log_url: status.log,
      target_url: status.log,
      creator: userBody(status.user),
      created_at: TIME,
      updated_at: TIME,
    }
  }

  function create(body: Record<string, unknown>, user: FakeUser): Answer {
    const { ref, environment = 'production', description = '', payload = '' } = body
    // https://docs.github.com/rest/deployments/deployments#create-a-deployment
    if (body['auto_merge'] !== false) return refused(409, 'Conflict merging the default branch')
    if (!Array.isArray(body['required_contexts'])) return refused(409, 'Conflict: Commit status checks failed')
    if (!/^[0-9a-f]{40}$/.test(String(ref))) return refused(422, `No ref found for: ${String(ref)}`)
    const deployment: FakeDeployment = {
      id: nextId++,
      sha: String(ref),
      environment: String(environment),
      description: String(description),
      payload,
      transient: body['transient_environment'] === true,
      production: body['production_environment'] === true,
      user,
      statuses: [],
    }
    all.push(deployment)
    environments.add(deployment.environment)
    return { status: 201, body: deploymentBody(deployment) }
  }

  function addStatus(deployment: FakeDeployment, body: Record<string, unknown>, user: FakeUser): Answer {
    const { state, description = '', log_url: log = '', environment_url: url = '', auto_inactive: auto = true } = body
    if (String(description).length > LONGEST_DESCRIPTION)
      return refused(422, `description is too long (maximum is ${LONGEST_DESCRIPTION} characters)`)
    const status: FakeDeploymentStatus = {
      id: nextId++,
      state: String(state),
      description: String(description),
      log: String(log),
      url: String(url),
      user,
    }
    deployment.statuses.push(status)
    if (state === 'success' && auto === true) {
      for (const earlier of all) {
        const isMeant = earlier.id < deployment.id && earlier.environment === deployment.environment
        if (!isMeant || earlier.transient || earlier.production || earlier.statuses.at(-1)?.state !== 'success')
          continue
        earlier.statuses.push({ ...status, id: nextId++, state: 'inactive', description: '' })
      }
    }
    return { status: 201, body: statusBody(deployment, status) }
  }

  /** https://docs.github.com/rest/deployments/deployments#delete-a-deployment */
  function remove(deployment: FakeDeployment): Answer {
    if (deployment.statuses.at(-1)?.state === 'success' && all.length > 1)
      return refused(
        422,
        'We cannot delete an active deployment unless it is the only deployment in a given environment.',
      )
    all.splice(all.indexOf(deployment), 1)
    return { status: 204 }
  }

  /** The token of a job has no `administration: write`, and no permission that a workflow can give it is that. */
  function removeEnvironment(name: string, user: FakeUser): Answer {
    if (user.type === 'Bot') return refused(403, 'Resource not accessible by integration')
    return environments.delete(name) ? { status: 204 } : refused(404, 'Not Found')
  }

  return {
    all,
    environments,
    operate(operation, parameters, body, user) {
      const fields = isObject(body) ? body : {}
      const deployment = all.find(({ id }) => id === Number(parameters['deployment_id']))
      const size = Math.min(Number(parameters['per_page'] ?? 30), 100)
      switch (operation) {
        case 'repos/list-deployments': {
          const asked = all.filter(({ environment }) => environment === (parameters['environment'] ?? environment))
          return { status: 200, body: asked.toReversed().slice(0, size).map(deploymentBody) }
        }
        case 'repos/create-deployment':
          return create(fields, user)
        case 'repos/list-deployment-statuses': {
          if (!deployment) return refused(404, 'Not Found')
          const newest = deployment.statuses.toReversed().slice(0, size)
          return { status: 200, body: newest.map((status) => statusBody(deployment, status)) }
        }
        case 'repos/create-deployment-status':
          return deployment ? addStatus(deployment, fields, user) : refused(404, 'Not Found')
        case 'repos/delete-deployment':
          return deployment ? remove(deployment) : refused(404, 'Not Found')
        case 'repos/delete-an-environment':
          return removeEnvironment(parameters['environment_name'] ?? '', user)
        default:
          return undefined
      }
    },
  }
}

function refused(status: number, message: string): Answer {
  return { status, body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) } }
}
