import type { Problem } from '../errors.ts'
import { isObject } from '../manifest/object.ts'
import type { RunFacts } from '../report/report.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Where the run comes from, out of GitHub's default variables and the webhook payload; undefined outside GitHub.
 * https://docs.github.com/actions/reference/workflows-and-actions/variables#default-environment-variables
 */
export function readRun(env: Environment, event: unknown): RunFacts | undefined {
  const repository = env['GITHUB_REPOSITORY'] ?? ''
  const id = env['GITHUB_RUN_ID'] ?? ''
  if (repository === '' || id === '') return undefined
  const server = env['GITHUB_SERVER_URL'] || 'https://github.com'
  const attempt = env['GITHUB_RUN_ATTEMPT'] || '1'
  const pullRequest = pullRequestOf(event)
  const name = env['GITHUB_EVENT_NAME'] ?? ''
  const fork = forkOf(name, event, repository)
  return {
    repository,
    sha: headOf(event) ?? env['GITHUB_SHA'] ?? '',
    ref: env['GITHUB_REF'] ?? '',
    actor: env['GITHUB_ACTOR'] ?? '',
    event: name,
    url: `${server}/${repository}/actions/runs/${id}/attempts/${attempt}`,
    id: wholeNumber(id),
    attempt: wholeNumber(attempt),
    ...(pullRequest !== undefined && { pullRequest }),
    ...(fork !== undefined && { fork }),
  }
}

/** When the commit that a push or the run before was about was made, in ISO 8601 and UTC; other events do not tell. */
export function commitTimeOf(event: unknown): string | undefined {
  const time = at(event, 'head_commit', 'timestamp') ?? at(event, 'workflow_run', 'head_commit', 'timestamp')
  const date = new Date(typeof time === 'string' ? time : Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

/** 0 for what is no number, which is older than every run. */
function wholeNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}

/** The number of the pull request that the event is about; a comment on one is an event of an issue. */
export function pullRequestOf(event: unknown): number | undefined {
  if (!isObject(event)) return undefined
  const { pull_request: pullRequest, issue } = event
  if (isObject(pullRequest)) return numberIn(pullRequest)
  return isObject(issue) && isObject(issue['pull_request']) ? numberIn(issue) : undefined
}

function numberIn({ number }: Record<string, unknown>): number | undefined {
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : undefined
}

/** On a pull request GITHUB_SHA is a merge commit that GitHub made up and nobody knows; its head is what people look for. */
function headOf(event: unknown): string | undefined {
  if (!isObject(event) || !isObject(event['pull_request'])) return undefined
  const { head } = event['pull_request']
  const sha = isObject(head) ? head['sha'] : undefined
  return typeof sha === 'string' && sha !== '' ? sha : undefined
}

/**
 * Where the head of a pull request, or the commit of the run before, comes from, if not from the repository itself; empty when the
 * payload does not tell, as when the fork has been deleted.
 * https://docs.github.com/webhooks/webhook-events-and-payloads
 */
function forkOf(name: string, event: unknown, repository: string): string | undefined {
  const head =
    name === 'workflow_run' ? at(event, 'workflow_run', 'head_repository') : at(event, 'pull_request', 'head', 'repo')
  const isAbout = name === 'workflow_run' || name.startsWith('pull_request')
  const fullName = at(head, 'full_name')
  const from = typeof fullName === 'string' ? fullName : ''
  return isAbout && from.toLowerCase() !== repository.toLowerCase() ? from : undefined
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inside, field) => (isObject(inside) ? inside[field] : undefined), value)
}

/** The events that run a workflow with the repository's secrets although a stranger may have written the code. */
const TRUSTED_WITH_SECRETS: readonly string[] = ['pull_request_target', 'workflow_run']

/** Code from a fork must not meet the credentials of a cluster: neither as manifests nor as an image that was built of it. */
export function forkProblems(run: RunFacts | undefined): Problem[] {
  if (run?.fork === undefined || !TRUSTED_WITH_SECRETS.includes(run.event)) return []
  const whose = run.fork === '' ? 'a repository that GitHub does not name' : `the fork ${run.fork}`
  const message = `the event ${run.event} is about a commit of ${whose}, and runs with the secrets of ${run.repository}`
  const hint =
    'deploy after the pull request is merged (on: push), or use the event pull_request, which gets no secrets from a fork'
  return [{ code: 'Fenced', message, hint }]
}
