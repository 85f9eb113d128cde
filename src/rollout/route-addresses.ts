/** Where people reach what an HTTPRoute leads to. https://gateway-api.sigs.k8s.io/reference/spec/#httproute */
import { isObject, keyOf, type KubeObject, type ObjectRef } from '../manifest/object.ts'
import { conditionOf, conditionsIn } from './conditions.ts'
import { isOneHost, urlOf } from './urls.ts'

const GATEWAY_GROUP = 'gateway.networking.k8s.io'

interface Parent {
  readonly gateway: ObjectRef
  readonly sectionName: unknown
  readonly port: unknown
}

/** The Gateways that have accepted the route as it is now, each once. */
export function gatewaysOf(route: KubeObject): ObjectRef[] {
  const refs = parentsOf(route).map(({ gateway }) => [keyOf(gateway), gateway] as const)
  return [...new Map(refs).values()]
}

/** URLs of the route, with https first. A Gateway that may not be read counts as one that ends TLS, as most do. */
export function routeUrls(route: KubeObject, gateways: ReadonlyMap<string, KubeObject>): string[] {
  const urls = parentsOf(route).flatMap((parent) => {
    const gateway = gateways.get(keyOf(parent.gateway))
    return gateway
      ? urlsBehind(route, gateway, parent)
      : hostnamesOf(route).map((host) => urlOf('https', host, pathOf(route)))
  })
  return urls.toSorted((a, b) => Number(b.startsWith('https:')) - Number(a.startsWith('https:')))
}

function parentsOf(route: KubeObject): Parent[] {
  const parents = isObject(route['status']) ? route['status']['parents'] : undefined
  return objectsIn(parents).flatMap(({ parentRef, conditions }): Parent[] => {
    const accepted = conditionsIn(conditions).find(({ type }) => type === 'Accepted')
    const newest = route.metadata.generation ?? 0
    const isAccepted = accepted?.status === 'True' && (accepted.observedGeneration ?? newest) >= newest
    if (!isAccepted || !isObject(parentRef) || typeof parentRef['name'] !== 'string') return []
    const { group = GATEWAY_GROUP, kind = 'Gateway', namespace = route.metadata.namespace, name } = parentRef
    if (group !== GATEWAY_GROUP || kind !== 'Gateway' || typeof namespace !== 'string') return []
    const gateway = { apiVersion: `${GATEWAY_GROUP}/v1`, kind, namespace, name }
    return [{ gateway, sectionName: parentRef['sectionName'], port: parentRef['port'] }]
  })
}

/** Of the listeners that the route may use; none for a Gateway that is not programmed. */
function urlsBehind(route: KubeObject, gateway: KubeObject, { sectionName, port }: Parent): string[] {
  if (conditionOf(gateway, 'Programmed')?.status === 'False') return []
  const listeners = objectsIn(isObject(gateway['spec']) ? gateway['spec']['listeners'] : undefined)
  return listeners
    .filter(
      (one) =>
        (sectionName === undefined || one['name'] === sectionName) && (port === undefined || one['port'] === port),
    )
    .flatMap((listener) => {
      const { protocol, port: number } = listener
      if (protocol !== 'HTTP' && protocol !== 'HTTPS') return []
      const hosts = [...hostnamesOf(route), listener['hostname'], ...addressesOf(gateway)].filter(isOneHost)
      const [host] = hosts.filter((one) => isServed(one, listener['hostname']))
      const scheme = protocol === 'HTTPS' ? 'https' : 'http'
      return host === undefined
        ? []
        : [urlOf(scheme, host, pathOf(route), typeof number === 'number' ? number : undefined)]
    })
}

/** Whether a listener serves the host: `*.example.com` all below it. */
function isServed(host: string, hostname: unknown): boolean {
  if (typeof hostname !== 'string' || hostname === '') return true
  return hostname.startsWith('*.') ? host.endsWith(hostname.slice(1)) : host === hostname
}

function hostnamesOf({ spec }: KubeObject): string[] {
  const hostnames = isObject(spec) ? spec['hostnames'] : undefined
  return Array.isArray(hostnames) ? hostnames.filter(isOneHost) : []
}

function addressesOf({ status }: KubeObject): unknown[] {
  return objectsIn(isObject(status) ? status['addresses'] : undefined).map(({ value }) => value)
}

/** The root if a rule leads there, else the first path that one does. */
function pathOf({ spec }: KubeObject): string {
  const rules = objectsIn(isObject(spec) ? spec['rules'] : undefined)
  const paths = rules.flatMap(({ matches }) => {
    const all = objectsIn(matches)
    return all.length === 0 ? ['/'] : all.map(({ path }) => (isObject(path) ? pathIn(path) : '/'))
  })
  return paths.includes('/') ? '/' : (paths.find((path) => path !== undefined) ?? '/')
}

function pathIn({ type = 'PathPrefix', value = '/' }: Record<string, unknown>): string | undefined {
  return typeof value === 'string' && (type === 'PathPrefix' || type === 'Exact') ? value : undefined
}

function objectsIn(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}
