/** Services and Ingresses. What gives them an address is outside of the release, so none of this holds one up. */
import type { Ingress, Service } from '../manifest/kinds.ts'
import type { Status } from './state.ts'

/** A LoadBalancer may wait for its address for ever, for instance in a cluster without a cloud. */
export function serviceStatus({ spec, status }: Service): Status {
  switch (spec?.type) {
    case 'LoadBalancer':
      return { state: 'healthy', message: reachableAt(status?.loadBalancer?.ingress) }
    case 'ExternalName':
      return { state: 'healthy', message: `leads to ${spec.externalName ?? ''}` }
    default:
      return { state: 'healthy', message: 'is applied' }
  }
}

/** Its controller writes the address; some never do. */
export function ingressStatus({ status }: Ingress): Status {
  return { state: 'healthy', message: reachableAt(status?.loadBalancer?.ingress) }
}

function reachableAt(points: readonly { readonly ip?: string; readonly hostname?: string }[] | undefined): string {
  const addresses = (points ?? []).flatMap(({ hostname, ip }) => hostname ?? ip ?? [])
  return addresses.length === 0
    ? 'has no address yet, which is not waited for'
    : `has the address ${addresses.join(', ')}`
}
