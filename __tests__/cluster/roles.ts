/** The rights that docs/permissions.md tells people to give to the login, for the namespace of a test. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadAll } from 'js-yaml'
import { isObject, type KubeObject } from '../../src/manifest/object.ts'

const PAGE = resolve(import.meta.dirname, '../../docs/permissions.md')
/** What the page calls them. */
const NAMESPACE = 'shop'
export const ACCOUNT = 'rollsafe'

/** What a login may have beyond the Role: the name of the Role or ClusterRole on the page. */
export type Extra = 'rollsafe-room' | 'rollsafe-cluster-scoped' | 'rollsafe-previews' | 'rollsafe-rbac'

/** Every RBAC manifest of the page. */
function documented(): KubeObject[] {
  const blocks = [...readFileSync(PAGE, 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```/gm)]
  return blocks.flatMap(([, yaml = '']) => loadAll(yaml).filter(isObject)) as unknown as KubeObject[]
}

function documentedAs(kind: RegExp, name: string): KubeObject {
  const found = documented().find((object) => kind.test(object.kind) && object.metadata.name === name)
  if (!found) throw new Error(`docs/permissions.md has no ${kind.source} ${name}`)
  return found
}

/** The ServiceAccount, in the namespace of the release. */
export function serviceAccount(namespace: string): KubeObject {
  return { ...documentedAs(/^ServiceAccount$/, ACCOUNT), metadata: { name: ACCOUNT, namespace } }
}

/** The Role in a namespace, and the binding that gives it to the ServiceAccount of the release's namespace. */
export function roleFor(home: string, namespace: string = home): KubeObject[] {
  const role = documentedAs(/^Role$/, ACCOUNT)
  const binding = documentedAs(/^RoleBinding$/, ACCOUNT)
  return [
    { ...role, metadata: { name: ACCOUNT, namespace } },
    { ...binding, metadata: { name: ACCOUNT, namespace }, subjects: [subjectIn(home)] },
  ]
}

function subjectIn(namespace: string): object {
  const [subject, ...others] = documentedAs(/^RoleBinding$/, ACCOUNT)['subjects'] as Record<string, unknown>[]
  if (others.length > 0 || subject?.['namespace'] !== NAMESPACE) throw new Error('the binding is not for one account')
  return { ...subject, namespace }
}

/** What a chapter of the page has for a login beyond the Role. It goes when the namespace goes. */
export function extraFor(home: KubeObject, extra: Extra): KubeObject[] {
  const role = documentedAs(/^(Cluster)?Role$/, extra)
  return extra === 'rollsafe-previews' ? [...bound(home, role), ...bound(home, everywhere())] : bound(home, role)
}

/** The same rules in a ClusterRole, as the page has it for what is in a namespace that is not there before. */
function everywhere(): KubeObject {
  const { apiVersion, rules } = documentedAs(/^Role$/, ACCOUNT)
  return { apiVersion, kind: 'ClusterRole', metadata: { name: 'rollsafe-everywhere' }, rules }
}

/** A Role or ClusterRole with the binding that gives it to the ServiceAccount of the namespace. */
function bound(home: KubeObject, role: KubeObject): KubeObject[] {
  const { name: namespace, uid = '' } = home.metadata
  const { name } = role.metadata
  const metadata =
    role.kind === 'Role'
      ? { name, namespace }
      : {
          name: `${name}-${namespace}`,
          ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: namespace, uid }],
        }
  return [
    { ...role, metadata },
    {
      apiVersion: role.apiVersion,
      kind: `${role.kind}Binding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role.kind, name: metadata.name },
      subjects: [subjectIn(namespace)],
    },
  ]
}

/** Every verb on every resource that the Role grants. */
export function documentedRights(): { group: string; resource: string; verb: string }[] {
  const rules = documentedAs(/^Role$/, ACCOUNT)['rules'] as {
    apiGroups: string[]
    resources: string[]
    verbs: string[]
  }[]
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => ({ group, resource, verb })))),
  )
}
