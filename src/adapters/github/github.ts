import { messageOf } from '../../errors.ts'
import type { GitHub, StickyComment } from '../../ports.ts'
import { isLimit, persistently, reasonFor, statusOf } from './answers.ts'
import { type GitHubOptions, lazyOctokit, type Octokit, placeOf } from './client.ts'
import { readPullRequest } from './pull-requests.ts'

/** One page of comments; GitHub gives no more than 100. */
const PAGE = 100

/** GitHub's API. */
export function createGitHub(options: GitHubOptions): GitHub {
  const place = placeOf(options.repository)
  const octokit = lazyOctokit(options)

  return {
    async upsertComment(comment, signal) {
      try {
        // Looking for the comment again makes a second try safe.
        return await persistently(async () => upsert(await octokit(), place, comment, signal), signal)
      } catch (error) {
        signal.throwIfAborted()
        throw explained(error, comment)
      }
    },
    pullRequest: async (number, signal) => readPullRequest(await octokit(), place, number, signal),
  }
}

async function upsert(
  octokit: Octokit,
  place: { owner: string; repo: string },
  { marker, render, pullRequest }: StickyComment,
  signal: AbortSignal,
): Promise<string> {
  const request = { signal }
  const mine = await findComment(octokit, place, pullRequest, marker, signal)
  const body = render(mine?.body)
  const { data } =
    mine === undefined
      ? await octokit.rest.issues.createComment({ ...place, issue_number: pullRequest, body, request })
      : await octokit.rest.issues.updateComment({ ...place, comment_id: mine.id, body, request })
  return data.html_url
}

/** The oldest comment that begins with the marker and that this token wrote. */
async function findComment(
  octokit: Octokit,
  { owner, repo }: { owner: string; repo: string },
  pullRequest: number,
  marker: string,
  signal: AbortSignal,
): Promise<{ id: number; body: string } | undefined> {
  let isOurs: ((author: Author) => boolean) | undefined
  // Comments come oldest first. The paginate plugin would not pass the signal on.
  for (let page = 1; ; page += 1) {
    const place = { owner, repo, issue_number: pullRequest }
    const { data } = await octokit.rest.issues.listComments({ ...place, per_page: PAGE, page, request: { signal } })
    for (const comment of data) {
      // GitHub may have stored other line ends than were sent; the marker is the whole first line.
      const { id, body = '', user } = comment
      if (body.split(/\r?\n/, 1)[0] !== marker) continue
      isOurs ??= await authorTest(octokit, signal)
      if (isOurs(user)) return { id, body }
    }
    if (data.length < PAGE) return undefined
  }
}

type Author = { readonly id: number; readonly type: string } | null

/**
 * Anyone can write a comment with our marker, so the author counts too. A personal token can ask who it is. The token of a
 * job or of a GitHub App cannot (403: https://docs.github.com/rest/users/users#get-the-authenticated-user is not for
 * them); its comments are written by a bot, which people cannot pass for.
 */
async function authorTest(octokit: Octokit, signal: AbortSignal): Promise<(author: Author) => boolean> {
  try {
    const { data } = await octokit.rest.users.getAuthenticated({ request: { signal } })
    return (author) => author?.id === data.id
  } catch (error) {
    if (statusOf(error) !== 403 || isLimit(error)) throw error
    return (author) => author?.type === 'Bot'
  }
}

function explained(error: unknown, { pullRequest }: StickyComment): Error {
  return new Error(`GitHub did not take the comment on pull request #${pullRequest}: ${explanation(error)}`, {
    cause: error,
  })
}

function explanation(error: unknown): string {
  const status = statusOf(error)
  const text = messageOf(error)
  if (status !== undefined && /locked/i.test(text)) {
    return `${status} ${text}. Unlock the conversation, or set \`comment: never\``
  }
  return reasonFor(error, {
    limited: 'The next run of this release will write it',
    forbidden:
      'The job needs `permissions: pull-requests: write`. A pull request from a fork never gets it: ' +
      'there, the job summary has the same facts',
  })
}
