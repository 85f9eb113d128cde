import { basename } from 'node:path'
import type { User } from '@kubernetes/client-node'
import { ClusterError } from '../../errors.ts'
import { isObject } from '../../manifest/object.ts'

/** How a user proves who it is. */
export interface Login {
  /** The Authorization header, fetched from a login plugin when that is how the user logs in. */
  authorization(signal?: AbortSignal): Promise<string | undefined>
  /** After a 401: fetches new credentials. False when there is no way to. */
  refresh(signal?: AbortSignal): Promise<boolean>
}

/** Plugins of the clouds' own command line tools. Anything else in a kubeconfig would be a command of its author's choice. */
const KNOWN_PLUGINS = ['aws', 'aws-iam-authenticator', 'doctl', 'gke-gcloud-auth-plugin', 'kubelogin']
const PLUGIN_TIMEOUT_MS = 30_000

export function loginWithoutRefresh(authorization: string | undefined): Login {
  return { authorization: async () => authorization, refresh: async () => false }
}

/**
 * Login by an exec plugin (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins):
 * one process however many requests wait for it; run again when the token has expired or the server answered 401.
 */
export function createExecLogin(
  exec: unknown,
  userName: string,
  mask: (secret: string) => void,
  refuse: (message: string, hint: string) => void,
): Login {
  const command = isObject(exec) && typeof exec['command'] === 'string' ? exec['command'] : ''
  if (!KNOWN_PLUGINS.includes(command) && !(command.startsWith('/') && KNOWN_PLUGINS.includes(basename(command)))) {
    refuse(
      `the login command ${JSON.stringify(command)} is not one that Rollsafe runs`,
      `known are ${KNOWN_PLUGINS.join(', ')}; for other logins use a ServiceAccount token`,
    )
  }
  let current: Promise<string> | undefined

  async function runPlugin(): Promise<string> {
    const { ExecAuth } = await import('@kubernetes/client-node/dist/exec_auth.js')
    const options: { headers: Record<string, string> } = { headers: {} }
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it did not answer within 30 s')), PLUGIN_TIMEOUT_MS)
    })
    try {
      const user = { name: userName, exec } as User
      await Promise.race([new ExecAuth().applyAuthentication(user, options), tooLong])
    } catch (error) {
      // What the plugin printed is left out: plugins print tokens and account details when they fail.
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      throw new ClusterError(
        missing
          ? `the login command ${command} is not installed on this runner`
          : `the login command ${command} failed`,
        { status: 401, reason: 'LoginFailed', request: 'log in', cause: error },
      )
    } finally {
      clearTimeout(timer)
    }
    const authorization = options.headers['Authorization'] ?? ''
    mask(authorization.replace(/^Bearer /, ''))
    return authorization
  }

  return {
    async authorization() {
      current ??= runPlugin()
      return current
    },
    async refresh() {
      current = runPlugin()
      await current
      return true
    },
  }
}
