import type { PullRequest } from '../../ports.ts'
import { persistently, reasonFor } from './answers.ts'
import type { Octokit } from './client.ts'

/** For the answer to one question, with the second try. */
const PATIENCE_MS = 20_000

const ADVICE = {
  limited: 'Run it again when the limit is over',
  forbidden: 'The job needs `permissions: pull-requests: read`, or `write` for the comment',
}

/** How a pull request is now. Throws when GitHub refuses or does not answer; asked twice where that may help. */
export async function readPullRequest(
  octokit: Octokit,
  place: { owner: string; repo: string },
  number: number,
  signal: AbortSignal,
): Promise<PullRequest> {
  const request = { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) }
  try {
    const get = () => octokit.rest.pulls.get({ ...place, pull_number: number, request })
    const { data } = await persistently(get, request.signal)
    return { state: data.state, headSha: data.head.sha, repositoryId: data.base.repo.id }
  } catch (error) {
    signal.throwIfAborted()
    throw new Error(`GitHub did not tell of pull request #${number}: ${reasonFor(error, ADVICE)}`, { cause: error })
  }
}
