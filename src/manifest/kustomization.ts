/**
 * What a kustomization reads beside itself. kustomize fetches what looks remote before it looks for a file of that name, so
 * everything that a kustomization names is found out before kustomize is run
 * (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/).
 */
import { type Problem, RejectedError } from '../errors.ts'
import { isObject } from './object.ts'
import { readYaml, type YamlDocument } from './yaml.ts'

export interface Reference {
  /** As it is written. */
  readonly path: string
  /** The field that names it: `resources`. */
  readonly field: string
  readonly line: number
  /** A directory there is a kustomization in turn. */
  readonly mayBeDirectory: boolean
  /** What is there tells kustomize to make or change objects, and may itself name files. */
  readonly isPlugin: boolean
}

type Fields = Readonly<Record<string, unknown>>
type Shape = 'plain' | 'directories' | 'plugins' | 'files' | 'patches' | 'generators' | 'one' | 'helm'

/** By their names in lower case, as kustomize does not tell case apart. A field that is not here is refused. */
const SHAPES: ReadonlyMap<string, Shape> = new Map(
  Object.entries({
    plain:
      'apiVersion kind metadata namePrefix nameSuffix namespace commonLabels labels commonAnnotations images imageTags replicas vars sortOptions generatorOptions inventory buildMetadata',
    directories: 'resources bases components',
    plugins: 'generators transformers validators',
    files: 'crds configurations',
    patches: 'patches patchesJson6902 patchesStrategicMerge replacements',
    generators: 'configMapGenerator secretGenerator',
    one: 'openapi',
    helm: 'helmCharts helmGlobals helmChartInflationGenerator',
  } satisfies Record<Shape, string>).flatMap(([shape, names]) =>
    names.split(' ').map((name) => [folded(name), shape as Shape] as const),
  ),
)
const FILE_FIELDS = ['path', 'paths', 'files', 'envs', 'env']

/** Everything that a kustomization, which is a document of `file`, names. What cannot be followed is noted in `problems`. */
export function referencesOf(document: YamlDocument, file: string, problems: Problem[]): Reference[] {
  const { value } = document
  const refuse = (message: string, hint: string, line: number) =>
    problems.push({ code: 'InvalidManifest', message: `${file}:${line}: ${message}`, hint, at: { file, line } })
  if (!isObject(value)) {
    refuse('this is no kustomization', 'Write its fields as a mapping.', document.lineOf([]))
    return []
  }
  return Object.entries(value).flatMap(([field, content]): Reference[] => {
    const shape = SHAPES.get(folded(field))
    const line = document.lineOf([field])
    if (shape === undefined) {
      refuse(`"${field}" is not a field that Rollsafe knows of a kustomization`, 'Check the spelling.', line)
    }
    if (shape === 'helm') {
      const hint = 'Give the chart to Rollsafe by the input helm-chart; it may be combined with kustomize.'
      refuse(`"${field}" would have kustomize run helm`, hint, line)
    }
    if (shape === undefined || shape === 'helm' || shape === 'plain') return []
    const items = shape === 'one' ? [content] : listOf(content)
    for (const path of shape === 'plugins'
      ? items.flatMap((item) => inlineObjects(item, shape)).flatMap(fetchedByPlugin)
      : []) {
      refuse(`"${path}" would be fetched, which is not done`, 'Fetch it in a step before this one.', line)
    }
    return items.flatMap((item, index) =>
      pathsOf(item, shape).map((path) => ({
        path,
        field,
        line: document.lineOf(shape === 'one' ? [field] : [field, index]),
        mayBeDirectory: shape === 'directories' || shape === 'plugins',
        isPlugin: shape === 'plugins',
      })),
    )
  })
}

function pathsOf(item: unknown, shape: Shape): string[] {
  if (typeof item === 'string') return inlineObjects(item, shape).length > 0 ? [] : [item]
  if (!isObject(item)) return []
  if (shape !== 'generators') return textsIn(item, ['path'])
  // `files` may give the key: `name=path`.
  return [
    ...textsIn(item, ['files']).map((text) => text.slice(text.indexOf('=') + 1)),
    ...textsIn(item, ['envs', 'env']),
  ]
}

/**
 * The URLs that the configuration of a generator or transformer names where a file could stand, at any depth. kustomize reads
 * its files in the folder of the kustomization only, but fetches what is remote.
 */
export function fetchedByPlugin(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(fetchedByPlugin)
  if (!isObject(value)) return []
  const files = textsIn(value, FILE_FIELDS).filter((text) => /^(?:[^/]*=)?https?:/i.test(text))
  return [...files, ...Object.values(value).flatMap(fetchedByPlugin)].map(withoutLogin)
}

/** The objects that stand where their path could. What does not read as objects is a path, to kustomize as well. */
function inlineObjects(item: unknown, shape: Shape): Fields[] {
  if (typeof item !== 'string' || !(shape === 'patches' || shape === 'plugins') || !item.includes(':')) return []
  try {
    const values = readYaml({ path: 'inline', text: item }).map(({ value }) => value)
    const objects = values.flatMap((value): Fields[] => (isObject(value) && isNamedObject(value) ? [value] : []))
    return objects.length === values.length ? objects : []
  } catch (error) {
    if (error instanceof RejectedError) return []
    throw error
  }
}

function isNamedObject({ kind, metadata }: Fields): boolean {
  return typeof kind === 'string' && isObject(metadata) && typeof metadata['name'] === 'string'
}

/** A URL may hold a password. */
export function withoutLogin(path: string): string {
  return path.replace(/\/\/[^/@]*@/, '//***@')
}

function textsIn(item: Fields, names: readonly string[]): string[] {
  return Object.entries(item)
    .filter(([name]) => names.includes(folded(name)))
    .flatMap(([, value]) => listOf(value))
    .filter((value) => typeof value === 'string')
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value]
}

/** As Go's encoding/json compares the names of fields, some letters beyond ASCII included. */
function folded(name: string): string {
  return name.toUpperCase().toLowerCase()
}

/** Whether kustomize might fetch it: a URL, or an address that git understands. Local paths that look like one are meant too. */
export function looksRemote(path: string): boolean {
  return /^[^/]*[:@]|:\/\/|::|_git\/|^github\.com(?:\/|$)|[?&](?:ref|version)=/i.test(path)
}
