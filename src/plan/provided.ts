/** What a release brings along that its own objects need: namespaces, and kinds. */
import { groupOf, isObject, type KubeObject, type Manifest } from '../manifest/object.ts'
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

export function providedNamespaces(manifests: readonly Manifest[]): Set<string> {
  const namespaces = manifests.filter(({ object }) => object.kind === 'Namespace' && groupOf(object.apiVersion) === '')
  return new Set(namespaces.map(({ object }) => object.metadata.name))
}
