import { isObject } from '../../manifest/object.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import type { Credentials } from './docker-config.ts'
import type { Answer, RegistryHttp } from './http.ts'
import { isLoopback } from '../../inputs/loopback.ts'
import { refusal } from './refusal.ts'

export interface LoginOptions {
  readonly http: RegistryHttp
  /** The repository, as in the registry's own addresses. */
  readonly path: string
  /** Absent to ask as nobody. */
  readonly credentials: Credentials | undefined
  /** Told every secret before it is used. */
  readonly mask: (secret: string) => void
}

/**
 * The Authorization header that a registry asks for in an answer 401: `Basic`, or a token to pull this one repository, fetched from
 * the server that the registry names (https://distribution.github.io/distribution/spec/auth/token/). Undefined when there is no way.
 */
export async function authorizationFor(refused: Answer, options: LoginOptions): Promise<string | undefined> {
  const challenges = parseChallenges(refused.header('www-authenticate').join(', '))
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
  if (bearer) return fetchToken(bearer, refused.url, options)
  return challenges.some(({ scheme }) => scheme === 'basic') ? basic(options) : undefined
}

/** Masks the password too. */
function basic({ credentials, mask }: Pick<LoginOptions, 'credentials' | 'mask'>): string | undefined {
  if (credentials?.type !== 'password') return undefined
  const { user, password } = credentials
  const encoded = Buffer.from(`${user}:${password}`).toString('base64')
  mask(password)
  mask(encoded)
  return `Basic ${encoded}`
}

/** Undefined when the token server gives none to who asks. */
async function fetchToken(
  { parameters }: Challenge,
  registry: URL,
  options: LoginOptions,
): Promise<string | undefined> {
  const realm = realmOf(parameters.get('realm') ?? '', registry)
  const wanted = {
    ...(parameters.has('service') && { service: parameters.get('service') ?? '' }),
    scope: parameters.get('scope') ?? `repository:${options.path}:pull`,
  }
  const answer = await askForToken(realm, wanted, options)
  if (answer.status === 401 || answer.status === 403) return undefined
  const token = answer.status === 200 ? tokenIn(answer.body.toString('utf8')) : undefined
  if (token === undefined) {
    throw refusal(
      `${realm.host}, the token server of ${registry.host}, answered ${answer.status} without a token`,
      LATER,
    )
  }
  options.mask(token)
  return `Bearer ${token}`
}

const LATER = 'Run this again; if it stays so, ask who runs the registry.'

function askForToken(
  realm: URL,
  wanted: Readonly<Record<string, string>>,
  { http, credentials, mask }: LoginOptions,
): Promise<Answer> {
  if (credentials?.type === 'identity') {
    mask(credentials.token)
    const form = { grant_type: 'refresh_token', client_id: 'rollsafe', ...wanted, refresh_token: credentials.token }
    return http.ask({
      method: 'POST',
      url: realm,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    })
  }
  const url = new URL(realm)
  for (const [name, value] of Object.entries(wanted)) url.searchParams.set(name, value)
  const authorization = basic({ credentials, mask })
  return http.ask({ method: 'GET', url, ...(authorization !== undefined && { headers: { authorization } }) })
}

/** Credentials go there: only with TLS, save from a registry on this machine to a server on this machine. */
function realmOf(text: string, registry: URL): URL {
  const realm = URL.canParse(text) ? new URL(text) : undefined
  const isLocal = realm !== undefined && isLoopback(realm)
  const isSafe = isLocal ? isLoopback(registry) && /^https?:$/.test(realm.protocol) : realm?.protocol === 'https:'
  if (realm && isSafe && realm.username === '' && realm.password === '') return realm
  throw refusal(
    `${registry.host} sends its clients to ${JSON.stringify(text)} for tokens, which is not safe`,
    'The address must begin with https. Ask who runs the registry.',
  )
}

function tokenIn(body: string): string | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return undefined
  }
  if (!isObject(parsed)) return undefined
  const token = parsed['token'] || parsed['access_token']
  return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? token : undefined
}
