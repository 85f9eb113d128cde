import type { getOctokit } from '@actions/github'

/** Octokit with GitHub's REST methods. */
export type Octokit = ReturnType<typeof getOctokit>

export interface GitHubOptions {
  readonly token: string
  /** `https://api.github.com`, or a server's own. */
  readonly apiUrl: string
  /** `owner/name`. */
  readonly repository: string
}

/** A repository, as Octokit's methods take it. */
export interface Place {
  readonly owner: string
  readonly repo: string
}

export function placeOf(repository: string): Place {
  const [owner = '', repo = ''] = repository.split('/')
  return { owner, repo }
}

/** Octokit is loaded at the first call, so that the start of the action does not wait for it. */
export function lazyOctokit({ token, apiUrl }: GitHubOptions): () => Promise<Octokit> {
  let client: Promise<Octokit> | undefined
  return () => (client ??= load(token, apiUrl))
}

async function load(token: string, apiUrl: string): Promise<Octokit> {
  const github = await import('@actions/github')
  return github.getOctokit(token, { baseUrl: apiUrl })
}
