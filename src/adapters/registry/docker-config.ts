/** What `docker login` has left on this machine (https://docs.docker.com/reference/cli/docker/login/#credential-stores). */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../../inputs/run.ts'
import { isObject } from '../../manifest/object.ts'
import { refusal } from './refusal.ts'

export type Credentials =
  | { readonly type: 'password'; readonly user: string; readonly password: string }
  /** Good for tokens only. */
  | { readonly type: 'identity'; readonly token: string }
  /** They are with a program, which is not run: nobody has said that it may be. */
  | { readonly type: 'helper'; readonly program: string }

const DOCKER_HUB: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

/** Credentials for a registry by its name in references; undefined without a login. Throws RejectedError for a file that is damaged. */
export async function readCredentials(registry: string, env: Environment): Promise<Credentials | undefined> {
  const folder = env['DOCKER_CONFIG'] || (env['HOME'] ? join(env['HOME'], '.docker') : undefined)
  if (folder === undefined) return undefined
  const path = join(folder, 'config.json')
  const config = await readConfig(path)
  const entries = isObject(config['auths']) ? Object.entries(config['auths']) : []
  const [, entry] = entries.find(([server]) => isSame(hostOf(server), registry)) ?? []
  const found = isObject(entry) ? readEntry(entry, registry, path) : undefined
  if (found) return found
  const helpers = isObject(config['credHelpers']) ? Object.entries(config['credHelpers']) : []
  const [, named] = helpers.find(([server]) => isSame(hostOf(server), registry)) ?? []
  const helper = named ?? config['credsStore']
  return typeof helper === 'string' && helper !== ''
    ? { type: 'helper', program: `docker-credential-${helper}` }
    : undefined
}

async function readConfig(path: string): Promise<Record<string, unknown>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    // Nobody has logged in on this machine, or not this user.
    return {}
  }
  try {
    const config: unknown = JSON.parse(text)
    if (isObject(config)) return config
  } catch {
    // Told below, without what the parser quotes of the file.
  }
  throw refusal(`${path} is no JSON object`, 'Log in with docker/login-action before this step.', 'InvalidInput')
}

function readEntry(entry: Record<string, unknown>, registry: string, path: string): Credentials | undefined {
  const { auth, identitytoken: token, username, password } = entry
  if (typeof token === 'string' && token !== '') return { type: 'identity', token }
  if (typeof auth === 'string' && auth !== '') {
    const [, user, secret] = /^([^:]+):(.+?)\0*$/s.exec(Buffer.from(auth, 'base64').toString('utf8')) ?? []
    if (user !== undefined && secret !== undefined) return { type: 'password', user, password: secret }
    throw refusal(
      `${path} has a login for ${registry} that is not base64 of user:password`,
      'Log in again with docker/login-action before this step.',
      'InvalidInput',
    )
  }
  if (typeof username !== 'string' || typeof password !== 'string' || username === '') return undefined
  return { type: 'password', user: username, password }
}

/** Older clients write the address of the API: `https://index.docker.io/v1/`. */
function hostOf(server: string): string {
  return server.replace(/^https?:\/\//, '').replace(/\/.*$/s, '')
}

function isSame(host: string, registry: string): boolean {
  return host === registry || (DOCKER_HUB.has(host) && DOCKER_HUB.has(registry))
}
