import { groupOf, type KubeObject } from './object.ts'
import { CONTAINER_FIELDS, objectsIn, podTemplateOf } from './pod-template.ts'

/** A mapping of which Kubernetes takes only text as values. */
export interface TextMap {
  readonly path: readonly (string | number)[]
  /** A mapping, if the manifest is right. */
  readonly value: unknown
}

/**
 * The places of an object where a number or a boolean is written by mistake for a text most often: labels, annotations, the
 * data of a ConfigMap or Secret, and the values of environment variables. The API server would refuse them with the name
 * of a Go type instead of a line.
 */
export function textMapsOf(object: KubeObject): TextMap[] {
  return [...metadataMaps(object.metadata, ['metadata']), ...dataMaps(object), ...podTemplateMaps(object)].filter(
    ({ value }) => value !== undefined && value !== null,
  )
}

function metadataMaps(metadata: object, path: readonly string[]): TextMap[] {
  const fields: Record<string, unknown> = { ...metadata }
  return ['labels', 'annotations'].map((field) => ({ path: [...path, field], value: fields[field] }))
}

const DATA_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['ConfigMap', ['data', 'binaryData']],
  ['Secret', ['data', 'stringData']],
])

function dataMaps(object: KubeObject): TextMap[] {
  const fields = groupOf(object.apiVersion) === '' ? (DATA_FIELDS.get(object.kind) ?? []) : []
  return fields.map((field) => ({ path: [field], value: object[field] }))
}

function podTemplateMaps(object: KubeObject): TextMap[] {
  const template = podTemplateOf(object)
  if (!template) return []
  const { path, metadata, spec } = template
  const variables = CONTAINER_FIELDS.flatMap((field) =>
    objectsIn(spec[field]).flatMap(({ index, item: container }) =>
      objectsIn(container['env'])
        // A variable without a value is empty, which is allowed.
        .filter(({ item: variable }) => (variable['value'] ?? undefined) !== undefined)
        .map(({ index: position, item: variable }) => ({
          path: [...path, 'spec', field, index, 'env', position],
          value: { value: variable['value'] },
        })),
    ),
  )
  return [...(path.length === 0 ? [] : metadataMaps(metadata, [...path, 'metadata'])), ...variables]
}
