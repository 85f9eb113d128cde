import { isObject } from '../../manifest/object.ts'
import { readYaml } from '../../manifest/yaml.ts'
import { isSecretName } from '../../secrets/names.ts'
import { optionsIn, passwordsInUrls } from '../../secrets/values.ts'

/**
 * Every credential that a kubeconfig holds, whichever context is chosen in the end: what is wrong with it may be told before
 * anybody logs in. Keys are given as PEM and as they are written.
 */
export function credentialsIn(kubeconfig: string): string[] {
  const content = parse(kubeconfig)
  if (!isObject(content)) return []
  const users = entriesOf(content['users']).flatMap(({ user }) => (isObject(user) ? credentialsOf(user) : []))
  const proxies = entriesOf(content['clusters']).flatMap(({ cluster }) =>
    isObject(cluster) ? ['server', 'proxy-url'].flatMap((field) => passwordsInUrls(String(cluster[field]))) : [],
  )
  return [...new Set([...users, ...proxies])]
}

function credentialsOf(user: Record<string, unknown>): string[] {
  const { token, username, password, exec } = user
  const key = user['client-key-data']
  const provider = isObject(user['auth-provider']) ? user['auth-provider']['config'] : undefined
  const basic =
    typeof username === 'string' && typeof password === 'string' ? [toBase64(`${username}:${password}`)] : []
  const all = [token, password, key, ...basic, ...named(Object.entries(isObject(provider) ? provider : {}))]
  if (typeof key === 'string') all.push(Buffer.from(key, 'base64').toString('utf8'))
  if (isObject(exec)) {
    all.push(...named(entriesOf(exec['env']).map(({ name, value }) => [String(name), value])))
    all.push(...optionsIn(Array.isArray(exec['args']) ? exec['args'].map(String) : []))
  }
  return all.filter((value) => typeof value === 'string' && value !== '') as string[]
}

function named(entries: readonly (readonly [string, unknown])[]): unknown[] {
  return entries.flatMap(([name, value]) => (isSecretName(name) ? [value] : []))
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function entriesOf(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

function parse(text: string): unknown {
  try {
    // Within limits: an alias may stand for a thousand million others.
    return readYaml({ path: 'kubeconfig', text })[0]?.value
  } catch {
    // Nothing of it is ever told then.
    return undefined
  }
}
