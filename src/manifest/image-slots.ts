/** Where in a manifest images are named. */
import { fieldPathText, parseFieldPath, type Place, placesAt } from './field-path.ts'
import { parseImageReference, type ImageReference } from './image-reference.ts'
import { groupKindOf, isObject, type Manifest } from './object.ts'
import { CONTAINER_FIELDS, podTemplateOf } from './pod-template.ts'

/** A place in a manifest that names an image. */
export interface ImageSlot {
  readonly manifest: Manifest
  /** From the object to the field that holds the reference, which may not be there yet. */
  readonly path: readonly (string | number)[]
  /** Of the container, of the volume if the image is one, or the path. */
  readonly name: string
  /** A container can be asked for by its name, an image volume cannot. */
  readonly isContainer: boolean
  /** Empty when the manifest leaves it open. */
  readonly image: string
  readonly parsed: ImageReference | undefined
}

/** Where custom kinds keep the specification of an Argo workflow (https://argo-workflows.readthedocs.io/en/latest/fields/). */
const WORKFLOW_PATHS: ReadonlyMap<string, string> = new Map([
  ['Workflow.argoproj.io', 'spec'],
  ['WorkflowTemplate.argoproj.io', 'spec'],
  ['ClusterWorkflowTemplate.argoproj.io', 'spec'],
  ['CronWorkflow.argoproj.io', 'spec.workflowSpec'],
])
/** Templates in such a specification; an inline template cannot hold another. */
const TEMPLATE_PATHS = [
  'templateDefaults',
  'templates[*]',
  'templates[*].steps[*][*].inline',
  'templates[*].dag.tasks[*].inline',
]
/** Containers in such a template. The first two have no name, and go by that of the template. */
const CONTAINER_PATHS = ['container', 'script', 'initContainers[*]', 'sidecars[*]', 'containerSet.containers[*]']

/** The places of a manifest that are known to name an image: containers of every sort, and image volumes. */
export function imageSlotsOf(manifest: Manifest): ImageSlot[] {
  const workflow = WORKFLOW_PATHS.get(groupKindOf(manifest.object))
  if (workflow !== undefined) return workflowSlots(manifest, workflow)
  const template = podTemplateOf(manifest.object)
  if (!template) return []
  const spec = { path: [...template.path, 'spec'], value: template.spec }
  return [
    ...CONTAINER_FIELDS.flatMap((field) => containersAt(manifest, spec, `${field}[*]`)),
    ...volumesAt(manifest, spec),
  ]
}

/** The slot at a place that somebody has named. A value that is no text counts as left open. */
export function slotAtPlace(manifest: Manifest, { path, value }: Place): ImageSlot {
  return slot(manifest, { path, name: fieldPathText(path), isContainer: false }, value)
}

function workflowSlots(manifest: Manifest, path: string): ImageSlot[] {
  const spec = placesIn({ path: [], value: manifest.object }, path)
  const templates = spec.flatMap((place) => TEMPLATE_PATHS.flatMap((field) => placesIn(place, field)))
  return [
    ...templates.flatMap((template) => CONTAINER_PATHS.flatMap((field) => containersAt(manifest, template, field))),
    ...[...templates, ...spec].flatMap((place) => volumesAt(manifest, place)),
  ]
}

function containersAt(manifest: Manifest, around: Place, path: string): ImageSlot[] {
  return placesIn(around, path).flatMap((place) => {
    const { value: container } = place
    if (!isObject(container)) return []
    const name = textIn(container, 'name') || textIn(around.value, 'name') || path
    return [slot(manifest, { path: [...place.path, 'image'], name, isContainer: true }, container['image'])]
  })
}

function volumesAt(manifest: Manifest, around: Place): ImageSlot[] {
  return placesIn(around, 'volumes[*]').flatMap(({ path, value: volume }) => {
    if (!isObject(volume) || !isObject(volume['image'])) return []
    const at = { path: [...path, 'image', 'reference'], name: textIn(volume, 'name'), isContainer: false }
    return [slot(manifest, at, volume['image']['reference'])]
  })
}

function placesIn({ path, value }: Place, way: string): Place[] {
  const found = placesAt(value, parseFieldPath(way) ?? [])
  return found.map((place) => ({ path: [...path, ...place.path], value: place.value }))
}

function slot(manifest: Manifest, at: Pick<ImageSlot, 'path' | 'name' | 'isContainer'>, value: unknown): ImageSlot {
  const image = typeof value === 'string' ? value : ''
  return { manifest, ...at, image, parsed: parseImageReference(image) }
}

function textIn(holder: unknown, field: string): string {
  const value = isObject(holder) ? holder[field] : undefined
  return typeof value === 'string' ? value : ''
}
