import { readFile } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { type Problem, messageOf, rejectIfAny } from '../../errors.ts'
import { createExecLogin, type Login, loginWithoutRefresh } from './login.ts'
import type { KubeconfigContext } from './kubeconfig.ts'

/** How to reach an API server and to log in there. */
export interface ClusterAccess extends Login {
  readonly server: string
  readonly namespace: string | undefined
  readonly tls: {
    readonly rejectUnauthorized: boolean
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly servername?: string
  }
  readonly headers: Readonly<Record<string, string>>
}

export interface AccessOptions {
  readonly allowInsecure: boolean
  /** Told every credential before it is used, so that it can be hidden from the log. */
  readonly mask: (secret: string) => void
}

/** Checks a kubeconfig context and turns it into an access. Throws RejectedError with everything that is wrong with it. */
export async function openAccess(context: KubeconfigContext, options: AccessOptions): Promise<ClusterAccess> {
  const problems: Problem[] = []
  const refuse = (message: string, hint: string) =>
    problems.push({ code: 'InvalidInput', message: `kubeconfig: ${message}`, hint })
  const { cluster, user } = context

  const server = typeof cluster['server'] === 'string' ? cluster['server'] : ''
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    refuse(
      `the cluster's server ${JSON.stringify(server)} is not an https:// address`,
      'take the kubeconfig from where kubectl works, for instance with kubectl config view --raw --minify',
    )
  } else if (url.protocol === 'http:' && !options.allowInsecure) {
    refuse(
      `the server ${url.origin} is plain http, so credentials would travel unencrypted`,
      'use https, or set allow-insecure: true for a cluster on this machine',
    )
  }
  const insecure = cluster['insecure-skip-tls-verify'] === true
  if (insecure && !options.allowInsecure) {
    refuse(
      'insecure-skip-tls-verify is set, so the server cannot be told from an impostor',
      'add certificate-authority-data instead, or set allow-insecure: true',
    )
  }
  if (cluster['proxy-url'] !== undefined) {
    refuse('proxy-url is not supported by this version', 'reach the API server directly')
  }
  if (user['auth-provider'] !== undefined) {
    refuse(
      'auth-provider runs commands from the kubeconfig and was removed from kubectl in 1.26',
      "use the provider's exec plugin",
    )
  }
  for (const field of ['as', 'as-uid', 'as-groups', 'as-user-extra']) {
    if (user[field] !== undefined)
      refuse(
        `impersonation (${field}) is not supported by this version`,
        'use a ServiceAccount with just the rights that are needed',
      )
  }

  const read = async (entry: Readonly<Record<string, unknown>>, folder: string | undefined, field: string) => {
    const data = entry[`${field}-data`]
    if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64').toString('utf8')
    const path = entry[field]
    if (typeof path !== 'string' || path === '') return undefined
    if (!isAbsolute(path) && folder === undefined) {
      refuse(
        `${field} is the relative path ${JSON.stringify(path)}, but the kubeconfig did not come from a file`,
        `use ${field}-data, for instance with kubectl config view --raw --flatten`,
      )
      return undefined
    }
    try {
      return await readFile(resolve(folder ?? '/', path), 'utf8')
    } catch (error) {
      refuse(
        `${field} cannot be read: ${messageOf(error)}`,
        `use ${field}-data, for instance with kubectl config view --raw --flatten`,
      )
      return undefined
    }
  }
  const ca = await read(cluster, context.clusterFolder, 'certificate-authority')
  const cert = await read(user, context.userFolder, 'client-certificate')
  const key = await read(user, context.userFolder, 'client-key')
  const tokenFile = await read({ token: user['tokenFile'] }, context.userFolder, 'token')
  const login = chooseLogin(context, tokenFile, options, refuse)
  rejectIfAny(problems)

  if (key !== undefined) options.mask(key)
  const servername = cluster['tls-server-name']
  return {
    server,
    namespace: context.namespace,
    tls: {
      // Said out loud so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the job's environment cannot switch it off.
      rejectUnauthorized: !insecure,
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(typeof servername === 'string' && { servername }),
    },
    headers: {},
    ...login,
  }
}

function chooseLogin(
  { user, userName }: KubeconfigContext,
  tokenFile: string | undefined,
  { mask }: AccessOptions,
  refuse: (message: string, hint: string) => void,
): Login {
  const { token, username, password, exec } = user
  if (exec !== undefined) return createExecLogin(exec, userName, mask, refuse)
  // tokenFile wins over token, as in client-go (rest/config.go).
  const bearer = tokenFile?.trim() ?? (typeof token === 'string' && token !== '' ? token : undefined)
  if (bearer !== undefined) {
    mask(bearer)
    return loginWithoutRefresh(`Bearer ${bearer}`)
  }
  if (typeof username === 'string' && typeof password === 'string') {
    mask(password)
    const basic = Buffer.from(`${username}:${password}`).toString('base64')
    mask(basic)
    return loginWithoutRefresh(`Basic ${basic}`)
  }
  return loginWithoutRefresh(undefined)
}
