import { isReachedDirectly } from './no-proxy.ts'

/** A proxy on the way to a server. */
export interface Proxy {
  /** Without credentials. */
  readonly url: string
  /** The Proxy-Authorization header. */
  readonly authorization?: string
}

export interface ProxySources {
  /** `proxy-url` of the kubeconfig. It wins over the environment, and is not subject to NO_PROXY, as in client-go. */
  readonly proxyUrl: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly mask: (secret: string) => void
  /** Called with what is wrong and a hint: nothing is returned then. */
  readonly refuse: (message: string, hint: string) => void
}

/** The proxy for a server: of the kubeconfig, else of the environment; undefined when the server is reached directly. */
export function chooseProxy(server: URL, { proxyUrl, env, mask, refuse }: ProxySources): Proxy | undefined {
  if (proxyUrl !== undefined) return parseProxy(proxyUrl, 'proxy-url', mask, refuse)
  const name = server.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = fromEnvironment(env, name)
  if (value === '' || isReachedDirectly(server, fromEnvironment(env, 'NO_PROXY'))) return undefined
  // Go takes `proxy:3128` for `http://proxy:3128`.
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`
  return parseProxy(address, `the variable ${name}`, mask, refuse)
}

/** The lower-case name first, as Go reads them. */
function fromEnvironment(env: ProxySources['env'], name: string): string {
  return (env[name.toLowerCase()] || env[name] || '').trim()
}

function parseProxy(
  address: string,
  name: string,
  mask: ProxySources['mask'],
  refuse: ProxySources['refuse'],
): Proxy | undefined {
  // The address itself is not told, as it may hold a password.
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol.startsWith('socks')) {
    refuse(`${name} is a SOCKS proxy, which Rollsafe does not speak`, 'name an http:// or https:// proxy')
    return undefined
  }
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    refuse(`${name} is not the address of a proxy`, 'write it as http://proxy.example.com:3128')
    return undefined
  }
  const username = decoded(url.username)
  const password = decoded(url.password)
  const authorization = Buffer.from(`${username}:${password}`).toString('base64')
  if (username === '' && password === '') return { url: url.origin }
  // Without a password the name is the secret, as with some tokens.
  for (const secret of [password || username, url.password || url.username, authorization]) mask(secret)
  return { url: url.origin, authorization: `Basic ${authorization}` }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
