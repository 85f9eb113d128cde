/** Addresses that no workflow is to be led to: what a name, a redirect or a release says must not make the runner ask them. */
import { type LookupAddress, type LookupAllOptions, lookup as resolveName } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/**
 * Where clouds keep the credentials of a machine, and what else only its own network knows (RFC 3927, RFC 4291 2.5.6). Addresses of
 * IPv4 are found in their IPv6 form, too, and as NAT64 writes them.
 */
const FORBIDDEN = new BlockList()
FORBIDDEN.addSubnet('169.254.0.0', 16, 'ipv4')
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6')
FORBIDDEN.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
// Of AWS and Google by IPv6, of Alibaba Cloud and of Azure.
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6')
FORBIDDEN.addAddress('fd20:ce::254', 'ipv6')
FORBIDDEN.addAddress('100.100.100.200', 'ipv4')
FORBIDDEN.addAddress('168.63.129.16', 'ipv4')

/** Throws for such an address. Names are for `carefulLookup`. */
export function refuseMetadataAddress(host: string): void {
  const kind = isIP(host)
  if (kind === 0 || !FORBIDDEN.check(host, kind === 6 ? 'ipv6' : 'ipv4')) return
  throw new Error(`${host} is an address of this machine's own network, where clouds keep credentials: it is not asked`)
}

type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** Looks a name up, and refuses what it must not stand for: a name may point anywhere. What is connected to is what was checked. */
export function carefulLookup(resolve: Resolve = resolveName): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, [])
      try {
        for (const { address } of addresses) refuseMetadataAddress(address)
      } catch (refused) {
        return callback(refused as NodeJS.ErrnoException, [])
      }
      const [first] = addresses
      return options.all === true || !first ? callback(null, addresses) : callback(null, first.address, first.family)
    })
  }
}
