import { setTimeout as sleep } from 'node:timers/promises'
import type { getOctokit } from '@actions/github'
import { messageOf } from '../../errors.ts'
import { isObject } from '../../manifest/object.ts'
import type { PullRequest } from '../../ports.ts'

type Octokit = ReturnType<typeof getOctokit>

const PAUSE_BEFORE_RETRY = 1000
/** For the answer to one question, with the second attempt. */
const PATIENCE = 20_000

/** How a pull request is now. Throws when GitHub refuses or does not answer; asked twice where that may help. */
export async function readPullRequest(
  octokit: Octokit,
  place: { owner: string; repo: string },
  number: number,
  signal: AbortSignal,
): Promise<PullRequest> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])
  const ask = async (): Promise<PullRequest> => {
    const request = { signal: inTime }
    const { data } = await octokit.rest.pulls.get({ ...place, pull_number: number, request })
    return { state: data.state, headSha: data.head.sha, repositoryId: data.base.repo.id }
  }
  try {
    return await ask()
  } catch (error) {
    signal.throwIfAborted()
    if (!isPassing(error) || inTime.aborted) throw explained(error, number)
  }
  await sleep(PAUSE_BEFORE_RETRY, undefined, { signal }).catch(() => signal.throwIfAborted())
  try {
    return await ask()
  } catch (error) {
    signal.throwIfAborted()
    throw explained(error, number)
  }
}

/** No answer, or one that says it is GitHub's trouble. */
function isPassing(error: unknown): boolean {
  const status = statusOf(error)
  return status === undefined || status >= 500
}

function statusOf(error: unknown): number | undefined {
  const response = isObject(error) ? error['response'] : undefined
  const status = isObject(response) ? response['status'] : undefined
  return typeof status === 'number' ? status : undefined
}

function explained(error: unknown, number: number): Error {
  const status = statusOf(error)
  const answer = status === undefined ? `no answer (${messageOf(error)})` : `${status} ${messageOf(error)}`
  return new Error(`GitHub did not tell of pull request #${number}: ${answer}`, { cause: error })
}
