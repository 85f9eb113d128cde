/** Which rights a release needs, its way back included, and what of them a login has. */
import { groupOf, type KubeObject, type Manifest } from '../manifest/object.ts'
import type { AccessRule, ResourceType } from '../ports.ts'
import { podQueries } from '../rollout/pod-queries.ts'
import { isFollowed } from '../rollout/status.ts'
import type { ReleaseIdentity } from './desired.ts'
import { mayBeRecreated } from './recreate.ts'

/** One verb on the objects of one kind. */
export interface Right {
  readonly verb: string
  readonly group: string
  /** The plural; `pods/log` is a subresource. */
  readonly resource: string
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string
  /** The objects that it is needed for; empty where a rule that names objects would not do. */
  readonly names: readonly string[]
  /** Without it the release is possible; it fails later, says less, or leaves more behind. */
  readonly isOptional: boolean
}

export interface Needs {
  readonly identity: ReleaseIdentity
  /** Each object with its kind, as the server serves it or as the release will have it served. */
  readonly desired: readonly { readonly manifest: Manifest; readonly type: ResourceType | undefined }[]
  /** What goes wrong is taken back. */
  readonly takesBack: boolean
  /** From how many objects of a kind in a namespace on they are listed, and not read one by one. */
  readonly listedFrom: number
}

/** All rights that docs/permissions.md explains, for just these objects. */
export function rightsFor(needs: Needs): Right[] {
  const { desired, identity } = needs
  const kinds = new Map<string, OfOneKind>()
  for (const { manifest, type } of desired) {
    if (!type) continue
    const { object } = manifest
    const key = `${groupOf(type.apiVersion)}/${type.plural}/${object.metadata.namespace ?? ''}`
    const kind = kinds.get(key) ?? { type, objects: [] }
    kinds.set(key, { type, objects: [...kind.objects, object] })
  }
  const ofObjects = [...kinds.values()].flatMap((kind) => rightsForKind(kind, needs))
  const objects = desired.map(({ manifest }) => manifest.object)
  return merged([...ofBookkeeping(identity), ...ofObjects, ...ofEvidence(objects, needs)])
}

/** One right where several parts of a release need the same: Secrets are records, and perhaps objects of the release as well. */
function merged(rights: readonly Right[]): Right[] {
  const same = Map.groupBy(
    rights,
    ({ verb, group, resource, namespace }) => `${verb} ${group}/${resource} ${namespace}`,
  )
  return [...same.values()].flatMap(([first, ...others]) => {
    if (!first) return []
    const all = [first, ...others]
    const isForAll = all.some(({ names }) => names.length === 0)
    const names = isForAll ? [] : [...new Set(all.flatMap((one) => one.names))]
    return [{ ...first, names, isOptional: all.every(({ isOptional }) => isOptional) }]
  })
}

/** Objects of one kind in one namespace. */
interface OfOneKind {
  readonly type: ResourceType
  readonly objects: readonly KubeObject[]
}

function rightsForKind({ type, objects }: OfOneKind, { takesBack, listedFrom }: Needs): Right[] {
  const [first] = objects
  const namespace = first?.metadata.namespace
  const on = { group: groupOf(type.apiVersion), resource: type.plural, ...(namespace !== undefined && { namespace }) }
  const named = (verb: string, isOptional = false): Right => ({
    ...on,
    verb,
    names: objects.map(({ metadata }) => metadata.name),
    isOptional,
  })
  const all = (verb: string, isOptional = false): Right => ({ ...on, verb, names: [], isOptional })
  const isFollowedKind = objects.some(isFollowed)
  const isMadeAnew = objects.some(mayBeRecreated)
  return [
    named('get'),
    all('list', objects.length < listedFrom),
    ...(isFollowedKind ? [all('watch', true)] : []),
    all('create'),
    named('patch'),
    named('update', !takesBack),
    named('delete', !takesBack && !isMadeAnew),
  ]
}

/** The lock and the records. */
function ofBookkeeping({ release, namespace }: ReleaseIdentity): Right[] {
  const lease = { group: 'coordination.k8s.io', resource: 'leases', namespace }
  const secret = { group: '', resource: 'secrets', namespace, names: [] }
  const names = [`rollsafe.${release}`]
  return [
    { ...lease, verb: 'get', names, isOptional: false },
    { ...lease, verb: 'create', names: [], isOptional: false },
    { ...lease, verb: 'update', names, isOptional: false },
    // Without it the lock ends by itself, and old records stay.
    { ...lease, verb: 'delete', names, isOptional: true },
    ...['get', 'list', 'create', 'update'].map((verb) => ({ ...secret, verb, isOptional: false })),
    { ...secret, verb: 'delete', isOptional: true },
  ]
}

/** What shows early that a release fails, and why; whether it has room; and what gets pods out of the way back. */
function ofEvidence(objects: readonly KubeObject[], { takesBack }: Needs): Right[] {
  const watched = Map.groupBy(podQueries(objects), ({ namespace = '' }) => namespace)
  return [...watched].flatMap(([namespace, queries]) => {
    const right = (group: string, resource: string, verb: string): Right => ({
      group,
      resource,
      verb,
      namespace,
      names: [],
      isOptional: true,
    })
    const isWatched = (kind: string) => queries.some((query) => query.kind === kind)
    const replacesPods = objects.some(
      ({ kind, metadata }) => metadata.namespace === namespace && ['StatefulSet', 'DaemonSet'].includes(kind),
    )
    const podVerbs = ['list', 'watch', ...(replacesPods && takesBack ? ['delete'] : [])]
    return [
      ...(isWatched('ReplicaSet') ? ['list', 'watch'].map((verb) => right('apps', 'replicasets', verb)) : []),
      ...podVerbs.map((verb) => right('', 'pods', verb)),
      right('', 'events', 'list'),
      ...(isWatched('Event') ? [right('', 'events', 'watch')] : []),
      right('', 'pods/log', 'get'),
      right('', 'resourcequotas', 'list'),
    ]
  })
}

/** Whether rules that hold in the right's namespace grant it; by names, if need be, each of which may be in another rule. */
export function covers(rules: readonly AccessRule[], { verb, group, resource, names }: Right): boolean {
  const fitting = rules.filter(
    (rule) => has(rule.verbs, verb) && has(rule.apiGroups, group) && hasResource(rule.resources, resource),
  )
  const isNamed = (name: string) => fitting.some(({ resourceNames }) => resourceNames.includes(name))
  return fitting.some(({ resourceNames }) => resourceNames.length === 0) || (names.length > 0 && names.every(isNamed))
}

function has(list: readonly string[], wanted: string): boolean {
  return list.includes('*') || list.includes(wanted)
}

/** `*` is also every subresource, and a `*` before the slash is that subresource of every kind (rbac/v1 ResourceMatches). */
function hasResource(list: readonly string[], wanted: string): boolean {
  const slash = wanted.indexOf('/')
  return has(list, wanted) || (slash >= 0 && list.includes(`*${wanted.slice(slash)}`))
}
