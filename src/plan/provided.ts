/** What a release brings along that its own objects need: namespaces, kinds, and roles. */
import { groupOf, isObject, keyOf, type KubeObject, type Manifest, refOf } from '../manifest/object.ts'
import type { ResourceType } from '../ports.ts'

/** The kinds that the release's own CustomResourceDefinitions will make the cluster serve. */
export function providedTypes(manifests: readonly Manifest[]): ResourceType[] {
  return manifests.flatMap(({ object }) => (object.kind === 'CustomResourceDefinition' ? typesOf(object) : []))
}

function typesOf(definition: KubeObject): ResourceType[] {
  const { spec } = definition
  if (!isObject(spec) || !isObject(spec['names']) || !Array.isArray(spec['versions'])) return []
  const { names } = spec
  return spec['versions'].filter(isObject).flatMap((version) =>
    version['served'] === true
      ? [
          {
            apiVersion: `${String(spec['group'])}/${String(version['name'])}`,
            kind: String(names['kind']),
            plural: String(names['plural']),
            namespaced: spec['scope'] !== 'Cluster',
            verbs: ['get', 'list', 'watch', 'patch', 'update', 'delete'],
          },
        ]
      : [],
  )
}

/**
 * The key of the role that a binding gives, where it is one of these objects. Who may not do everything can give only rights that they
 * hold, so the API server has to see the role first
 * (https://kubernetes.io/docs/reference/access-authn-authz/rbac/#restrictions-on-role-binding-creation-or-update).
 */
export function providedRole({ object }: Manifest, among: readonly Manifest[]): string | undefined {
  const { roleRef, metadata } = object
  if (groupOf(object.apiVersion) !== RBAC || !object.kind.endsWith('Binding') || !isObject(roleRef)) return undefined
  const isNamespaced = roleRef['kind'] === 'Role' && metadata.namespace !== undefined
  const key = keyOf({
    apiVersion: `${RBAC}/v1`,
    kind: String(roleRef['kind']),
    name: String(roleRef['name']),
    ...(isNamespaced && { namespace: metadata.namespace }),
  })
  return among.some((one) => keyOf(refOf(one.object)) === key) ? key : undefined
}

const RBAC = 'rbac.authorization.k8s.io'

export function providedNamespaces(manifests: readonly Manifest[]): Set<string> {
  const namespaces = manifests.filter(({ object }) => object.kind === 'Namespace' && groupOf(object.apiVersion) === '')
  return new Set(namespaces.map(({ object }) => object.metadata.name))
}
