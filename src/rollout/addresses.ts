/** Where people reach a release: what its live objects tell. */
import type { Ingress, Service } from '../manifest/kinds.ts'
import { groupKindOf, type KubeObject } from '../manifest/object.ts'
import { routeUrls } from './route-addresses.ts'
import { isOneHost, urlOf } from './urls.ts'

/** From the one that says most about how people come in to the one that says least. */
const ENTRANCES = ['HTTPRoute.gateway.networking.k8s.io', 'Ingress.networking.k8s.io', 'Service'] as const

/** Whether people may come in through an object of this kind: of the Services, those of type LoadBalancer. */
export function isEntrance(object: KubeObject): boolean {
  const kind = ENTRANCES.find((one) => one === groupKindOf(object))
  return kind === 'Service' ? (object as Service).spec?.type === 'LoadBalancer' : kind !== undefined
}

/** The URL under which the release is reached, by its live objects and the Gateways (by key) that its routes are at. */
export function addressIn(
  objects: readonly KubeObject[],
  gateways: ReadonlyMap<string, KubeObject>,
): string | undefined {
  const urls = ENTRANCES.flatMap((kind) =>
    objects.filter((object) => groupKindOf(object) === kind).flatMap((object) => urlsOf(kind, object, gateways)),
  )
  return urls[0]
}

function urlsOf(
  kind: (typeof ENTRANCES)[number],
  object: KubeObject,
  gateways: ReadonlyMap<string, KubeObject>,
): string[] {
  switch (kind) {
    case 'HTTPRoute.gateway.networking.k8s.io':
      return routeUrls(object, gateways)
    case 'Ingress.networking.k8s.io':
      return ingressUrls(object)
    case 'Service':
      return serviceUrls(object)
  }
}

/** None before a controller has given it an address: nobody may be listening there. */
function ingressUrls({ spec, status }: Ingress): string[] {
  const [address] = (status?.loadBalancer?.ingress ?? []).flatMap(({ hostname, ip }) => hostname ?? ip ?? [])
  if (address === undefined) return []
  const tls = spec?.tls ?? []
  const rules = (spec?.rules ?? []).filter(({ host }) => host === undefined || isOneHost(host))
  const named = rules.filter(({ host }) => host !== undefined)
  return [...named, ...rules, {}].flatMap(({ host, http }: NonNullable<typeof rules>[number]) => {
    const paths = (http?.paths ?? []).filter(({ pathType }) => pathType !== 'ImplementationSpecific')
    const path = paths.some((one) => (one.path ?? '/') === '/') ? '/' : (paths[0]?.path ?? '/')
    if (host === undefined) return isOneHost(address) ? [urlOf('http', address, path)] : []
    const isSecure = tls.some(({ hosts = [] }) => hosts.length === 0 || hosts.some((one) => isCovered(host, one)))
    return [urlOf(isSecure ? 'https' : 'http', host, path)]
  })
}

/** A wildcard covers one label: https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards */
function isCovered(host: string, by: string): boolean {
  return by.startsWith('*.') ? host.slice(host.indexOf('.')) === by.slice(1) : host === by
}

function serviceUrls({ spec, status }: Service): string[] {
  if (spec?.type !== 'LoadBalancer') return []
  const ports = (spec.ports ?? []).filter(({ protocol }) => protocol === undefined || protocol === 'TCP')
  const port = ports.find(isHttps) ?? ports.find((one) => one.port === 80) ?? ports[0]
  return (status?.loadBalancer?.ingress ?? [])
    .flatMap(({ hostname, ip }) => hostname ?? ip ?? [])
    .flatMap((host) => (port && isOneHost(host) ? [urlOf(isHttps(port) ? 'https' : 'http', host, '/', port.port)] : []))
}

function isHttps({ name, port, appProtocol }: { name?: string; port: number; appProtocol?: string }): boolean {
  return port === 443 || appProtocol === 'https' || name === 'https'
}
