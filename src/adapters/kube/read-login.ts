import { readCredentialFile, readPem, type Place } from './credential-files.ts'
import { createExecLogin, isToken } from './exec-login.ts'
import { type ExecSurroundings, readExecPlugin } from './exec-plugin.ts'
import { type Refuse, textOf } from './fields.ts'
import type { KubeconfigContext } from './kubeconfig.ts'
import { type ClientCertificate, createTokenFileLogin, type Login, loginWithoutRefresh } from './login.ts'

export interface LoginOptions extends ExecSurroundings {
  readonly mask: (secret: string) => void
  /** `spec.cluster` for a login command that wants it. */
  readonly execCluster: object
  readonly refuse: Refuse
}

/** A login that nobody will use, as the kubeconfig is refused. */
const NO_LOGIN = loginWithoutRefresh()

/**
 * Exactly the login that is written down: where client-go would choose between several, they are refused, so that nobody deploys as
 * somebody else than was meant.
 */
export async function readLogin(context: KubeconfigContext, options: LoginOptions): Promise<Login> {
  const { user } = context
  const { mask, refuse } = options
  const text = (field: string) => textOf(user, field, refuse)
  const token = text('token')
  const tokenFile = text('tokenFile')
  const username = text('username')
  const password = text('password')
  const exec = user['exec'] ?? undefined
  for (const secret of [token, password]) if (secret !== undefined) mask(secret)

  const place = { folder: context.userFolder, workspace: options.workspace }
  const certificate = await readCertificate(context, place, options)
  if ((user['auth-provider'] ?? undefined) !== undefined) {
    refuse(
      'auth-provider runs commands from the kubeconfig and was removed from kubectl in 1.26',
      "use the provider's exec plugin",
    )
  }
  const isBasic = username !== undefined || password !== undefined
  const ways = [
    (token ?? tokenFile) !== undefined && 'a token',
    isBasic && 'a password',
    exec !== undefined && 'a login command',
    exec !== undefined && certificate !== undefined && 'a client certificate',
  ].filter((way) => typeof way === 'string')
  if (ways.length > 1) {
    refuse(`the user logs in by ${ways.join(' and by ')}, and it is not clear as whom`, 'keep one of them')
  }

  const withCertificate = certificate && { certificate }
  if (exec !== undefined) {
    const plugin = await readExecPlugin(exec, options, refuse)
    return plugin ? createExecLogin(plugin, { ...options, cluster: options.execCluster }) : NO_LOGIN
  }
  // tokenFile wins over token, as in client-go (transport/round_trippers.go).
  if (tokenFile !== undefined) return readTokenFile(tokenFile, place, certificate, options)
  if (token !== undefined) {
    if (!isToken(token)) refuse('token is not one word of plain characters', 'give the token as it was issued')
    return loginWithoutRefresh({ authorization: `Bearer ${token}`, ...withCertificate })
  }
  if (isBasic) {
    const basic = Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')
    mask(basic)
    return loginWithoutRefresh({ authorization: `Basic ${basic}`, ...withCertificate })
  }
  return loginWithoutRefresh({ ...withCertificate })
}

async function readCertificate(
  { user }: KubeconfigContext,
  place: Place,
  { mask, refuse }: LoginOptions,
): Promise<ClientCertificate | undefined> {
  const key = await readPem('client-key', user, place, refuse)
  if (key !== undefined) mask(key)
  const cert = await readPem('client-certificate', user, place, refuse)
  if (cert !== undefined && key !== undefined) return { cert, key }
  const has = (field: string) => Boolean(user[field]) || Boolean(user[`${field}-data`])
  if (has('client-certificate') !== has('client-key')) {
    refuse('only one of client-certificate and client-key is given', 'give both, or neither')
  }
  return undefined
}

async function readTokenFile(
  path: string,
  place: Place,
  certificate: ClientCertificate | undefined,
  { mask, refuse }: LoginOptions,
): Promise<Login> {
  const read = async () => {
    const content = await readCredentialFile(path, place)
    if (typeof content !== 'string') return content
    const token = content.trim()
    const hint = 'name a file that holds a token and nothing else'
    if (!isToken(token)) return { fault: 'does not hold a token', hint }
    mask(token)
    return token
  }
  const first = await read()
  if (typeof first !== 'string') {
    refuse(`tokenFile ${first.fault}`, first.hint)
    return NO_LOGIN
  }
  return createTokenFileLogin(first, {
    read: async () => {
      const token = await read()
      return typeof token === 'string' ? token : undefined
    },
    now: () => performance.now(),
    ...(certificate && { certificate }),
  })
}
