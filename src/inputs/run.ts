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
  return {
    repository,
    sha: headOf(event) ?? env['GITHUB_SHA'] ?? '',
    ref: env['GITHUB_REF'] ?? '',
    actor: env['GITHUB_ACTOR'] ?? '',
    event: env['GITHUB_EVENT_NAME'] ?? '',
    url: `${server}/${repository}/actions/runs/${id}/attempts/${attempt}`,
    id: wholeNumber(id),
    attempt: wholeNumber(attempt),
    ...(pullRequest !== undefined && { pullRequest }),
  }
}

/** 0 for what is no number, which is older than every run. */
function wholeNumber(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}

/** The number of the pull request that the event is about; a comment on one is an event of an issue. */
function pullRequestOf(event: unknown): number | undefined {
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
