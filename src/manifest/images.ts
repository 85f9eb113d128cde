import { rejectIfAny, type Problem } from '../errors.ts'
import type { ImageRequest } from '../inputs/images.ts'
import { parseImageReference, repositoryOf, type ImageReference } from './image-reference.ts'
import { isObject, refOf, type Manifest, type ObjectRef } from './object.ts'
import { CONTAINER_FIELDS, objectsIn, podTemplateOf } from './pod-template.ts'

/** An image that was put in; `from` is absent when the manifest left it open. */
export interface ImageSubstitution {
  readonly object: ObjectRef
  /** Name of the container, or of the volume when the image is one. */
  readonly container: string
  readonly from?: string
  readonly to: string
}

/** A place in a manifest that names an image. */
interface Slot {
  readonly manifest: Manifest
  readonly name: string
  /** A container can be asked for by its name, an image volume cannot. */
  readonly isContainer: boolean
  /** Empty when the manifest leaves it open. */
  readonly image: string
  readonly parsed: ImageReference | undefined
  set(image: string): void
}

/**
 * Puts the images that were asked for into the pod templates: containers of every sort, and image volumes.
 *
 * A request `name=reference` is for the images whose repository is `name` (and whose tag or digest is that of `name`, when it
 * has one); if there is none, for the containers called `name`, as in kubectl set image. A request `reference` is for the
 * images of the same repository. The manifests that were given stay as they are.
 *
 * Throws one RejectedError: ImageNotMatched for a request that is for no image, InvalidInput for two that are for the same.
 */
export function setImages(
  manifests: readonly Manifest[],
  requests: readonly ImageRequest[],
): { manifests: Manifest[]; changes: ImageSubstitution[] } {
  if (requests.length === 0) return { manifests: [...manifests], changes: [] }
  const copies = manifests.map((manifest) => (podTemplateOf(manifest.object) ? structuredClone(manifest) : manifest))
  const slots = copies.flatMap(slotsOf)
  const chosen = new Map<Slot, ImageRequest>()
  const problems: Problem[] = []
  for (const request of requests) {
    const matches = matchesOf(request, slots)
    if (matches.length === 0) problems.push(notMatched(request, slots))
    for (const slot of matches) {
      const other = chosen.get(slot)
      if (other) problems.push(askedTwice(slot, other, request))
      else chosen.set(slot, request)
    }
  }
  rejectIfAny(problems)
  const changes = [...chosen].map(([slot, { reference }]): ImageSubstitution => {
    slot.set(reference)
    const from = slot.image === '' ? {} : { from: slot.image }
    return { object: refOf(slot.manifest.object), container: slot.name, ...from, to: reference }
  })
  return { manifests: copies, changes }
}

function slotsOf(manifest: Manifest): Slot[] {
  const spec = podTemplateOf(manifest.object)?.spec
  if (!spec) return []
  const containers = CONTAINER_FIELDS.flatMap((field) =>
    objectsIn(spec[field]).map(({ item }) => slotAt(manifest, item, 'image', textIn(item, 'name'), true)),
  )
  const volumes = objectsIn(spec['volumes']).flatMap(({ item }) =>
    isObject(item['image']) ? [slotAt(manifest, item['image'], 'reference', textIn(item, 'name'), false)] : [],
  )
  return [...containers, ...volumes]
}

function slotAt(
  manifest: Manifest,
  holder: Record<string, unknown>,
  field: string,
  name: string,
  isContainer: boolean,
): Slot {
  const image = textIn(holder, field)
  return {
    manifest,
    name,
    isContainer,
    image,
    parsed: parseImageReference(image),
    set: (reference) => {
      holder[field] = reference
    },
  }
}

function textIn(holder: Record<string, unknown>, field: string): string {
  const value = holder[field]
  return typeof value === 'string' ? value : ''
}

function matchesOf({ name, reference }: ImageRequest, slots: readonly Slot[]): Slot[] {
  if (name === undefined) {
    const wanted = parseImageReference(reference)
    return slots.filter(({ parsed }) => wanted && parsed && repositoryOf(parsed) === repositoryOf(wanted))
  }
  const wanted = parseImageReference(name)
  // A placeholder such as IMAGE is no reference, but it is what the manifest says.
  const byImage = slots.filter(({ image, parsed }) => (wanted && parsed ? isImageOf(parsed, wanted) : image === name))
  return byImage.length > 0 ? byImage : slots.filter((slot) => slot.isContainer && slot.name === name)
}

function isImageOf(image: ImageReference, wanted: ImageReference): boolean {
  if (repositoryOf(image) !== repositoryOf(wanted)) return false
  const sameTag = wanted.tag === undefined || wanted.tag === image.tag
  return sameTag && (wanted.digest === undefined || wanted.digest === image.digest)
}

function notMatched(request: ImageRequest, slots: readonly Slot[]): Problem {
  const there = [...new Set(slots.map(({ name, image }) => `${image === '' ? '(none)' : image} (${name})`))]
  const listed = there.length === 0 ? 'none at all' : there.slice(0, 20).join(', ')
  const more = there.length > 20 ? ` and ${there.length - 20} more` : ''
  const other = request.name === undefined ? ' To put it in place of another repository, write name=reference.' : ''
  return {
    code: 'ImageNotMatched',
    message: `images: "${request.line}" matches no image of the manifests, which have ${listed}${more}`,
    hint: `Use a repository or the name of a container that is listed.${other}`,
  }
}

function askedTwice(slot: Slot, first: ImageRequest, second: ImageRequest): Problem {
  const { kind, name } = refOf(slot.manifest.object)
  return {
    code: 'InvalidInput',
    message: `images: "${first.line}" and "${second.line}" are both for ${slot.name} of ${kind} ${name}`,
    hint: 'Keep one of the two lines.',
  }
}
