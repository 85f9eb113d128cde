import { setTimeout as sleep } from 'node:timers/promises'
import type { getOctokit } from '@actions/github'
import { messageOf } from '../../errors.ts'
import { isObject } from '../../manifest/object.ts'
import type { GitHub, StickyComment } from '../../ports.ts'

/** Octokit with GitHub's REST methods. */
type Octokit = ReturnType<typeof getOctokit>

/** One page of comments; GitHub gives no more than 100. */
const PAGE = 100

const PAUSE_BEFORE_RETRY = 1000

export interface GitHubOptions {
  readonly token: string
  /** `https://api.github.com`, or a server's own. */
  readonly apiUrl: string
  /** `owner/name`. */
  readonly repository: string
}

/** GitHub's API. Octokit is loaded at the first call, so that the start of the action does not wait for it. */
export function createGitHub({ token, apiUrl, repository }: GitHubOptions): GitHub {
  const [owner = '', repo = ''] = repository.split('/')
  let client: Promise<Octokit> | undefined
  const octokit = (): Promise<Octokit> => (client ??= load(token, apiUrl))

  return {
    async upsertComment(comment, signal) {
      const place = { owner, repo }
      try {
        return await upsert(await octokit(), place, comment, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!isPassing(error)) throw explained(error, comment)
      }
      // Looking for the comment again makes this safe: an answer that got lost may have come after the comment was made.
      await sleep(PAUSE_BEFORE_RETRY, undefined, { signal }).catch(() => signal.throwIfAborted())
      try {
        return await upsert(await octokit(), place, comment, signal)
      } catch (error) {
        signal.throwIfAborted()
        throw explained(error, comment)
      }
    },
  }
}

async function load(token: string, apiUrl: string): Promise<Octokit> {
  const github = await import('@actions/github')
  return github.getOctokit(token, { baseUrl: apiUrl })
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
    if (statusOf(error) !== 403) throw error
    return (author) => author?.type === 'Bot'
  }
}

/** No answer, or one that says it is GitHub's trouble: trying again may help. */
function isPassing(error: unknown): boolean {
  const status = statusOf(error)
  return status === undefined || status >= 500
}

/** The HTTP status of the answer; undefined when there was none, which Octokit reports as a 500. */
function statusOf(error: unknown): number | undefined {
  if (!isObject(error) || !isObject(error['response'])) return undefined
  const { status } = error['response']
  return typeof status === 'number' ? status : undefined
}

/** `fetch failed` says nothing; what it was caused by does. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error
}

function explained(error: unknown, { pullRequest }: StickyComment): Error {
  return new Error(`GitHub did not take the comment on pull request #${pullRequest}: ${reasonFor(error)}`, {
    cause: error,
  })
}

function reasonFor(error: unknown): string {
  const status = statusOf(error)
  if (status === undefined) return `no answer (${messageOf(rootOf(error))})`
  const text = messageOf(error)
  const answer = `${status} ${text}`
  if (/rate limit/i.test(text)) return `${answer}. The next run of this release will write it`
  if (/locked/i.test(text)) return `${answer}. Unlock the conversation, or set \`comment: never\``
  switch (status) {
    case 401:
      return `${answer}. The \`github-token\` is wrong or has expired`
    case 403:
    case 404:
      return (
        `${answer}. The job needs \`permissions: pull-requests: write\`. A pull request from a fork never gets it: ` +
        'there, the job summary has the same facts'
      )
    default:
      return answer
  }
}
