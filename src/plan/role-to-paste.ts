/** RBAC manifests that grant what a login lacks, for somebody else to apply. */
import type { Right } from './access.ts'

/** As they are read best. */
const VERBS = ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete']

/** Resources of one group that need the same verbs. */
export interface MergedRule {
  readonly group: string
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/** The fewest rules that grant just these rights; all of one namespace, or all of none. */
export function mergedRules(rights: readonly Right[]): MergedRule[] {
  const byResource = Map.groupBy(rights, ({ group, resource }) => `${group}/${resource}`)
  const single = [...byResource.values()].map((same) => ({
    group: same[0]?.group ?? '',
    resource: same[0]?.resource ?? '',
    verbs: VERBS.filter((verb) => same.some((right) => right.verb === verb)),
  }))
  return [...Map.groupBy(single, ({ group, verbs }) => `${group} ${verbs.join()}`).values()].map((alike) => ({
    group: alike[0]?.group ?? '',
    resources: alike.map(({ resource }) => resource),
    verbs: alike[0]?.verbs ?? [],
  }))
}

/** For people: `get, patch on deployments.apps, statefulsets.apps`. */
export function describeRule({ group, resources, verbs }: MergedRule): string {
  const names = resources.map((resource) => {
    const [plural = '', ...subresource] = resource.split('/')
    return [group === '' ? plural : `${plural}.${group}`, ...subresource].join('/')
  })
  return `${verbs.join(', ')} on ${names.join(', ')}`
}

/**
 * A Role and a RoleBinding for each namespace, and a ClusterRole and its binding for what has none. `user` is whom the API server
 * takes the login for; without it there are no bindings. Their names tell what is in them: applying them takes away nothing
 * that was granted before.
 */
export function roleToPaste(rights: readonly Right[], release: string, user: string): string {
  const places = [...Map.groupBy(rights, ({ namespace }) => namespace)]
  return places.map(([namespace, own]) => grant(mergedRules(own), namespace, release, user)).join('\n---\n')
}

function grant(rules: readonly MergedRule[], namespace: string | undefined, release: string, user: string): string {
  const scope = namespace === undefined ? 'Cluster' : ''
  const body = rules.flatMap(({ group, resources, verbs }) => [
    `  - apiGroups: ${listOf([group])}`,
    `    resources: ${listOf(resources)}`,
    `    verbs: ${listOf(verbs)}`,
  ])
  const name = `rollsafe-${release}-${fingerprint([user, ...body].join('\n'))}`
  const metadata = [
    'metadata:',
    `  name: ${name}`,
    ...(namespace === undefined ? [] : [`  namespace: ${text(namespace)}`]),
  ]
  const head = (kind: string) => ['apiVersion: rbac.authorization.k8s.io/v1', `kind: ${kind}`, ...metadata]
  const role = [...head(`${scope}Role`), 'rules:', ...body]
  if (user === '') return role.join('\n')
  const binding = [
    ...head(`${scope}RoleBinding`),
    'roleRef:',
    '  apiGroup: rbac.authorization.k8s.io',
    `  kind: ${scope}Role`,
    `  name: ${name}`,
    'subjects:',
    ...subject(user),
  ]
  return [...role, '---', ...binding].join('\n')
}

/** https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/: the user name of a ServiceAccount has a form. */
function subject(user: string): string[] {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? []
  return namespace !== undefined && name !== undefined
    ? ['  - kind: ServiceAccount', `    name: ${text(name)}`, `    namespace: ${text(namespace)}`]
    : ['  - kind: User', '    apiGroup: rbac.authorization.k8s.io', `    name: ${text(user)}`]
}

function listOf(items: readonly string[]): string {
  return `[${items.map(text).join(', ')}]`
}

/** JSON is YAML, too, and what could be read as anything but a text is written so. */
function text(value: string): string {
  return /^[a-z][a-z0-9./-]*$/.test(value) && !/^(?:true|false|null|yes|no|on|off|y|n)$/.test(value)
    ? value
    : JSON.stringify(value)
}

/** Eight hexadecimal digits: FNV-1a of 32 bits, which tells a few Roles apart and is no secret. */
function fingerprint(content: string): string {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(content)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
