import { messageOf, RejectedError } from '../../errors.ts'
import type { Inputs } from '../../inputs/inputs.ts'
import type { Preview } from '../../inputs/preview.ts'
import type { GitHub, PullRequest } from '../../ports.ts'
import type { Run } from '../run.ts'

/**
 * Why the preview of this run is no longer wanted, as a sentence without a full stop; undefined when it is, and for a run that is not
 * about a preview. Throws RejectedError when GitHub does not tell: a pull request that was closed must not come to life again.
 */
export async function whyOutdated({ inputs, github, signals }: Run): Promise<string | undefined> {
  const { preview } = inputs
  if (!preview) return undefined
  let found: PullRequest
  try {
    if (!github) throw new Error('there is no token')
    found = await github.pullRequest(preview.pullRequest, signals.cancelled)
  } catch (error) {
    signals.cancelled.throwIfAborted()
    const message = `GitHub does not tell whether pull request #${preview.pullRequest} is still open, so its preview is not deployed: ${messageOf(error)}`
    throw new RejectedError([{ code: 'Fenced', message, hint: HINT }])
  }
  return whyNotOf(preview, found)
}

const HINT = 'see to it that the job has permissions: pull-requests: read, then run it again'

/** Why a pull request, as GitHub tells of it, is not what the run is about. */
export function whyNotOf(preview: Preview, found: PullRequest): string | undefined {
  const subject = `pull request #${preview.pullRequest}`
  if (found.repositoryId !== preview.repositoryId) return `${subject} is of another repository than the run is about`
  if (found.state !== 'open') return `${subject} is closed`
  if (found.headSha !== preview.headSha)
    return `${subject} is at ${found.headSha.slice(0, 7)} by now, and this run is about ${preview.headSha.slice(0, 7)}`
  return undefined
}

/**
 * Comments on a preview only while the pull request is at the commit that the comment is about: a run that was overtaken has nothing
 * to say there. That it was removed may be said of a closed one.
 */
export function whileCurrent(
  github: GitHub,
  { preview, command }: Pick<Inputs, 'preview' | 'command'>,
): Pick<GitHub, 'upsertComment'> {
  if (!preview || command === 'teardown') return github
  return {
    async upsertComment(comment, signal) {
      const why = whyNotOf(preview, await github.pullRequest(preview.pullRequest, signal))
      if (why !== undefined) throw new Error(why)
      return github.upsertComment(comment, signal)
    },
  }
}
