import { BlockList, isIP } from 'node:net'

/** Where a connection goes. */
interface Destination {
  /** In lower case and without brackets, as WHATWG's URL has it. */
  readonly host: string
  readonly port: string
}

/**
 * Whether a server is reached directly although there is a proxy, by the rules of Go's httpproxy package, which kubectl follows
 * (https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config). undici has rules of its own: it knows no CIDR, and lets `.a.b` stand
 * for `a.b` too. The machine itself is never reached through a proxy.
 */
export function isReachedDirectly(server: URL, noProxy: string): boolean {
  const destination = destinationOf(server)
  if (destination.host === 'localhost' || isLoopback(destination.host)) return true
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry === '*' || isFor(entry, destination))
}

function destinationOf({ hostname, port, protocol }: URL): Destination {
  const defaultPort = protocol === 'https:' ? '443' : '80'
  return { host: hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1'), port: port === '' ? defaultPort : port }
}

function isFor(entry: string, { host, port }: Destination): boolean {
  const range = /^([^/]+)\/(\d{1,3})$/.exec(entry)
  if (range) return isInRange(host, range[1] ?? '', Number(range[2]))
  const [name, onlyPort] = splitPort(entry)
  if (onlyPort !== undefined && onlyPort !== port) return false
  if (isIP(name) !== 0) return isInRange(host, name, isIP(name) === 4 ? 32 : 128)
  if (isIP(host) !== 0 || name === '') return false
  const suffix = name.replace(/^\*\./, '.')
  return suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix || host.endsWith(`.${suffix}`)
}

/** `name:port` or `[IPv6]:port`, or a name or an address alone. */
function splitPort(entry: string): [name: string, port: string | undefined] {
  const bracketed = /^\[(.+)\]:(\d+)$/.exec(entry)
  if (bracketed) return [bracketed[1] ?? '', bracketed[2]]
  const named = isIP(entry) === 0 ? /^([^:]*):(\d+)$/.exec(entry) : undefined
  return named ? [named[1] ?? '', named[2]] : [entry, undefined]
}

function isLoopback(host: string): boolean {
  return isInRange(host, '127.0.0.0', 8) || isInRange(host, '::1', 128)
}

function isInRange(host: string, network: string, bits: number): boolean {
  const family = isIP(network)
  if (isIP(host) === 0 || family === 0 || bits > (family === 4 ? 32 : 128)) return false
  const range = new BlockList()
  range.addSubnet(network, bits, family === 4 ? 'ipv4' : 'ipv6')
  return range.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6')
}
