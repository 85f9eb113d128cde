/** A host that a browser can open: no wildcard, and nothing that would be another part of a URL. */
export function isOneHost(host: unknown): host is string {
  return (
    typeof host === 'string' && /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$|^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$/.test(host)
  )
}

/** The URL of a host name or IP address. The port is left out where it goes without saying, and the path where it is the root. */
export function urlOf(scheme: 'http' | 'https', host: string, path = '/', port?: number): string {
  const url = new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}`)
  url.port = String(port ?? '')
  url.pathname = path
  return path === '/' ? url.origin : url.href
}
