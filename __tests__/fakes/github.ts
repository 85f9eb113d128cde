/**
 * GitHub's REST API on a loopback port, for tests: reached by `GITHUB_API_URL`. It holds every request against GitHub's
 * own OpenAPI description, answers from memory what GitHub would, and holds its own answers against the description too.
 * What does not agree is a violation; tests assert that there are none.
 *
 * Alone: `node __tests__/fakes/github.ts` prints its URL and serves until it is ended; `GET /_fake/state` tells what it
 * holds, `POST /_fake/faults` takes a `Fault`.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createDeployments, type FakeDeployment } from './github-deployments.ts'
import { readDescription, type Match } from './github-openapi.ts'

export interface FakeUser {
  readonly login: string
  readonly id: number
  readonly type: 'User' | 'Bot'
}

export interface FakeComment {
  readonly id: number
  readonly issue: number
  readonly user: FakeUser
  body: string
}

/** What GitHub tells of a pull request. */
export interface FakePullRequest {
  readonly state: 'open' | 'closed'
  readonly headSha: string
}

/** What goes wrong, with which requests, how often (for ever, if not said). */
export interface Fault {
  /** As GitHub's description names it: `issues/create-comment`. */
  readonly operation: string
  readonly kind: 'status' | 'hang' | 'reset' | 'lost-answer'
  readonly status?: number
  readonly message?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Before the answer, in milliseconds. */
  readonly delay?: number
  times?: number
}

export interface FakeGitHubOptions {
  readonly repository?: string
  /** The number that the repository has, whatever it is called. */
  readonly repositoryId?: number
  /** Pull requests that exist. */
  readonly pullRequests?: readonly number[]
  /** Who the tokens are. A bot's token may not ask who it is. */
  readonly tokens?: Readonly<Record<string, FakeUser>>
}

export interface FakeGitHub {
  readonly url: string
  readonly comments: readonly FakeComment[]
  readonly deployments: readonly FakeDeployment[]
  /** Names of environments. */
  readonly environments: ReadonlySet<string>
  /** `GET /user`, in the order they came. */
  readonly requests: readonly string[]
  readonly violations: readonly string[]
  addComment(issue: number, user: FakeUser, body: string): FakeComment
  /** Opens, pushes to or closes a pull request; until then it is open at the commit of forty zeros. */
  setPullRequest(number: number, facts: FakePullRequest): void
  fail(fault: Fault): void
  close(): Promise<void>
}

export const ACTIONS_BOT: FakeUser = { login: 'github-actions[bot]', id: 41898282, type: 'Bot' }
export const MONA: FakeUser = { login: 'mona', id: 583231, type: 'User' }

export interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** The id of the repository. */
export const REPOSITORY_ID = 41_881_900

const LONGEST_BODY = 65_536
/** As long as any test: on a busy machine a connection that is closed after five seconds is one that the next request is on its way on. */
const LONGEST_IDLE_MS = 300_000

export async function startFakeGitHub(options: FakeGitHubOptions = {}): Promise<FakeGitHub> {
  const repository = options.repository ?? 'acme/shop'
  const repositoryId = options.repositoryId ?? REPOSITORY_ID
  const pullRequests = options.pullRequests ?? [128]
  const tokens = options.tokens ?? { 'job-token': ACTIONS_BOT, 'personal-token': MONA }
  const description = readDescription()
  const comments: FakeComment[] = []
  const requests: string[] = []
  const violations: string[] = []
  const faults: Fault[] = []
  const facts = new Map<number, FakePullRequest>()
  const closing = new AbortController()
  let nextId = 1000

  const server = createServer({ keepAliveTimeout: LONGEST_IDLE_MS }, (request, response) => {
    // A client that goes away in the middle is no trouble of ours.
    serve(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the fake GitHub has no port')
  const url = `http://127.0.0.1:${bound.port}`
  const deployments = createDeployments(`${url}/repos/${repository}`, (user) => userBody(user, false))

  function addComment(issue: number, user: FakeUser, body: string): FakeComment {
    const comment = { id: nextId++, issue, user, body }
    comments.push(comment)
    return comment
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request)
    const address = new URL(request.url ?? '/', url)
    if (address.pathname.startsWith('/_fake/')) {
      send(response, control(address, body))
      return
    }
    const method = request.method ?? ''
    requests.push(`${method} ${address.pathname}${address.search}`)
    const found = description.match(method, address)
    const fault = found && takeFault(found.operationId)
    if (fault?.delay !== undefined) {
      await sleep(fault.delay, undefined, { signal: closing.signal }).catch(() => undefined)
    }
    if (fault?.kind === 'hang') return
    const answer = fault?.kind === 'reset' ? undefined : answerUnder(fault, request, found, body)
    if (!answer || fault?.kind === 'lost-answer') request.socket.resetAndDestroy()
    else send(response, answer)
  }

  function answerUnder(
    fault: Fault | undefined,
    request: IncomingMessage,
    found: Match | undefined,
    body: string,
  ): Answer {
    if (fault?.kind === 'status') {
      const { status = 500, message = 'Server Error', headers } = fault
      return { status, body: { message }, ...(headers && { headers }) }
    }
    return found
      ? described(found.operationId, answerTo(request, found, body))
      : unknown(`${request.method} ${request.url}`)
  }

  function described(operationId: string, answer: Answer): Answer {
    violations.push(...description.checkAnswer(operationId, answer.status, answer.body))
    return answer
  }

  function answerTo(request: IncomingMessage, found: Match, text: string): Answer {
    const { authorization, 'user-agent': agent } = request.headers
    // https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent-required
    if (!agent) return violation('no User-Agent', 403)
    const user = tokens[/^(?:token|bearer) (.+)$/i.exec(authorization ?? '')?.[1] ?? '']
    if (!user)
      return {
        status: 401,
        body: { message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest', status: '401' },
      }
    let body: unknown
    try {
      body = text === '' ? undefined : JSON.parse(text)
    } catch {
      return violation('Problems parsing JSON', 400)
    }
    const wrong = description.checkRequest(found, body)
    if (wrong.length > 0) return violation(`${found.operationId}: ${wrong.join('; ')}`, 422)
    return operate(found.operationId, found.parameters, body, user)
  }

  function operate(operation: string, parameters: Record<string, string>, body: unknown, user: FakeUser): Answer {
    if (operation === 'users/get-authenticated') {
      return user.type === 'Bot'
        ? refused('Resource not accessible by integration')
        : { status: 200, body: userBody(user, true) }
    }
    if (`${parameters['owner']}/${parameters['repo']}`.toLowerCase() !== repository.toLowerCase()) return NOT_FOUND
    switch (operation) {
      case 'issues/list-comments': {
        const issue = Number(parameters['issue_number'])
        if (!isThere(issue)) return NOT_FOUND
        return page(comments.filter((comment) => comment.issue === issue).map(commentBody), parameters)
      }
      case 'issues/create-comment': {
        const issue = Number(parameters['issue_number'])
        if (!isThere(issue)) return NOT_FOUND
        const refusal = refusedBody(body)
        return refusal ?? { status: 201, body: commentBody(addComment(issue, user, bodyOf(body))) }
      }
      case 'issues/update-comment': {
        const comment = comments.find(({ id }) => id === Number(parameters['comment_id']))
        if (!comment) return NOT_FOUND
        if (comment.user.id !== user.id) return refused('Resource not accessible by integration')
        const refusal = refusedBody(body)
        if (refusal) return refusal
        comment.body = bodyOf(body)
        return { status: 200, body: commentBody(comment) }
      }
      case 'pulls/get': {
        const number = Number(parameters['pull_number'])
        return isThere(number) ? { status: 200, body: pullRequestBody(number) } : NOT_FOUND
      }
      default:
        return deployments.operate(operation, parameters, body, user) ?? unknown(operation)
    }
  }

  function isThere(number: number): boolean {
    return pullRequests.includes(number) || facts.has(number)
  }

  function pullRequestBody(number: number): unknown {
    const { state, headSha } = facts.get(number) ?? { state: 'open', headSha: '0'.repeat(40) }
    const example = description.exampleOf('pulls/get')
    const [head, base] = [example['head'], example['base']] as [object, { repo: object }]
    return {
      ...example,
      // In the example they are not as the description wants them.
      requested_teams: [],
      number,
      state,
      head: { ...head, sha: headSha },
      base: { ...base, repo: { ...base.repo, id: repositoryId, full_name: repository } },
    }
  }

  function page(all: unknown[], parameters: Record<string, string>): Answer {
    const size = Math.min(Number(parameters['per_page'] ?? 30), 100)
    const number = Number(parameters['page'] ?? 1)
    const path = `${url}/repos/${repository}/issues/${parameters['issue_number']}/comments`
    const to = (target: number, rel: string): string => `<${path}?per_page=${size}&page=${target}>; rel="${rel}"`
    const last = Math.max(1, Math.ceil(all.length / size))
    const links = [
      ...(number > 1 ? [to(number - 1, 'prev'), to(1, 'first')] : []),
      ...(number < last ? [to(number + 1, 'next'), to(last, 'last')] : []),
    ]
    const headers: Record<string, string> = links.length > 0 ? { link: links.join(', ') } : {}
    return { status: 200, body: all.slice((number - 1) * size, number * size), headers }
  }

  function commentBody(comment: FakeComment): unknown {
    const api = `${url}/repos/${repository}/issues`
    return {
      id: comment.id,
      node_id: `IC_${comment.id}`,
      url: `${api}/comments/${comment.id}`,
      html_url: `https://github.com/${repository}/pull/${comment.issue}#issuecomment-${comment.id}`,
      issue_url: `${api}/${comment.issue}`,
      body: comment.body,
      user: userBody(comment.user, false),
      created_at: '2026-11-22T02:58:41Z',
      updated_at: '2026-11-22T02:58:41Z',
      author_association: 'NONE',
    }
  }

  function refusedBody(body: unknown): Answer | undefined {
    const text = bodyOf(body)
    if (text.trim() === '') return violation('body cannot be blank', 422)
    if (Array.from(text).length > LONGEST_BODY)
      return violation(`body is too long (maximum is ${LONGEST_BODY} characters)`, 422)
    return undefined
  }

  function violation(text: string, status: number): Answer {
    violations.push(text)
    return {
      status,
      body: {
        message: 'Validation Failed',
        errors: [{ resource: 'IssueComment', code: 'custom', message: text }],
        documentation_url: 'https://docs.github.com/rest',
      },
    }
  }

  function unknown(what: string): Answer {
    violations.push(`nothing like ${what} is served here`)
    return NOT_FOUND
  }

  function takeFault(operation: string): Fault | undefined {
    const fault = faults.find((one) => one.operation === operation && one.times !== 0)
    if (fault?.times !== undefined) fault.times -= 1
    return fault
  }

  function control(address: URL, body: string): Answer {
    if (address.pathname === '/_fake/state')
      return { status: 200, body: { comments, deployments: deployments.all, requests, violations } }
    if (address.pathname !== '/_fake/faults') return NOT_FOUND
    const fault: Fault = JSON.parse(body)
    faults.push(fault)
    return { status: 204 }
  }

  return {
    url,
    comments,
    deployments: deployments.all,
    environments: deployments.environments,
    requests,
    violations,
    addComment,
    setPullRequest: (number, now) => void facts.set(number, now),
    fail(fault) {
      faults.push({ ...fault })
    },
    close: async () => {
      closing.abort()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const NOT_FOUND: Answer = {
  status: 404,
  body: { message: 'Not Found', documentation_url: 'https://docs.github.com/rest', status: '404' },
}

function refused(message: string): Answer {
  return { status: 403, body: { message, documentation_url: 'https://docs.github.com/rest', status: '403' } }
}

function bodyOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'body' in body ? String(body.body) : ''
}

/** The fields that GitHub's description asks for; with `detailed`, those of a public profile. */
function userBody(user: FakeUser, detailed: boolean): unknown {
  const api = `https://api.github.com/users/${encodeURIComponent(user.login)}`
  const simple = {
    login: user.login,
    id: user.id,
    node_id: `U_${user.id}`,
    avatar_url: `https://avatars.githubusercontent.com/u/${user.id}`,
    gravatar_id: '',
    url: api,
    html_url: `https://github.com/${encodeURIComponent(user.login)}`,
    followers_url: `${api}/followers`,
    following_url: `${api}/following`,
    gists_url: `${api}/gists`,
    starred_url: `${api}/starred`,
    subscriptions_url: `${api}/subscriptions`,
    organizations_url: `${api}/orgs`,
    repos_url: `${api}/repos`,
    events_url: `${api}/events`,
    received_events_url: `${api}/received_events`,
    type: user.type,
    site_admin: false,
  }
  if (!detailed) return simple
  const none = { name: null, company: null, blog: null, location: null, email: null, hireable: null, bio: null }
  const counts = { public_repos: 0, public_gists: 0, followers: 0, following: 0 }
  return { ...simple, ...none, ...counts, created_at: '2011-01-25T18:44:36Z', updated_at: '2026-11-22T02:58:41Z' }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  const fake = await startFakeGitHub()
  console.log(fake.url)
  const stop = (): void => void fake.close()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
}
