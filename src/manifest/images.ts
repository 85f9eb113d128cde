import { rejectIfAny, type Problem } from '../errors.ts'
import type { ImageRequest } from '../inputs/images.ts'
import { parseImageReference, repositoryOf, type ImageReference } from './image-reference.ts'
import { fieldPathText, setAt } from './field-path.ts'
import { matchField } from './image-fields.ts'
import { type ImageSlot, imageSlotsOf } from './image-slots.ts'
import { refOf, type Manifest, type ObjectRef } from './object.ts'

/** An image that was put in; `from` is absent when the manifest left it open. */
export interface ImageSubstitution {
  readonly object: ObjectRef
  /** Name of the container, of the volume when the image is one, or the path of a field that was named. */
  readonly container: string
  readonly from?: string
  readonly to: string
}

/**
 * Puts the images that were asked for into the manifests: into containers of every sort, image volumes, and fields that are named.
 *
 * A request `name=reference` is for the images whose repository is `name` (and whose tag or digest is that of `name`, when it
 * has one); if there is none, for the containers called `name`, as in kubectl set image. A request `reference` is for the
 * images of the same repository. `Kind.group:path=reference` is for that field. The manifests that were given stay as they are.
 *
 * Throws one RejectedError: ImageNotMatched for a request that is for no image, InvalidInput for two that are for the same.
 */
export function setImages(
  manifests: readonly Manifest[],
  requests: readonly ImageRequest[],
): { manifests: Manifest[]; changes: ImageSubstitution[] } {
  const slots = requests.length === 0 ? [] : manifests.flatMap(imageSlotsOf)
  const chosen: Choice[] = []
  const problems: Problem[] = []
  for (const request of requests) {
    const matched = match(request, slots, manifests)
    problems.push(...matched.problems)
    for (const slot of matched.slots) {
      const other = chosen.find((choice) => isSamePlace(choice.slot, slot))
      if (other) problems.push(askedTwice(slot, other.request, request))
      else chosen.push({ slot, request })
    }
  }
  rejectIfAny(problems)
  const changes = chosen.map(({ slot, request }): ImageSubstitution => {
    const from = slot.image === '' ? {} : { from: slot.image }
    return { object: refOf(slot.manifest.object), container: slot.name, ...from, to: request.reference }
  })
  const byManifest = Map.groupBy(chosen, ({ slot }) => slot.manifest)
  return { manifests: manifests.map((manifest) => put(manifest, byManifest.get(manifest) ?? [])), changes }
}

interface Choice {
  readonly slot: ImageSlot
  readonly request: ImageRequest
}

/** The manifest itself, when there is nothing to put in. */
function put(manifest: Manifest, choices: readonly Choice[]): Manifest {
  if (choices.length === 0) return manifest
  const copy = structuredClone(manifest)
  for (const { slot, request } of choices) setAt(copy.object, slot.path, request.reference)
  return copy
}

function isSamePlace(one: ImageSlot, other: ImageSlot): boolean {
  return one.manifest === other.manifest && fieldPathText(one.path) === fieldPathText(other.path)
}

function match(
  request: ImageRequest,
  slots: readonly ImageSlot[],
  manifests: readonly Manifest[],
): { readonly slots: readonly ImageSlot[]; readonly problems: readonly Problem[] } {
  if (request.field) return matchField(request.line, request.field, manifests)
  const matches = matchesOf(request, slots)
  return { slots: matches, problems: matches.length === 0 ? [notMatched(request, slots)] : [] }
}

function matchesOf({ name, reference }: ImageRequest, slots: readonly ImageSlot[]): ImageSlot[] {
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

function notMatched(request: ImageRequest, slots: readonly ImageSlot[]): Problem {
  const there = [...new Set(slots.map(({ name, image }) => `${image === '' ? '(none)' : image} (${name})`))]
  const listed = there.length === 0 ? 'none at all' : there.slice(0, 20).join(', ')
  const more = there.length > 20 ? ` and ${there.length - 20} more` : ''
  const other = request.name === undefined ? ' To put it in place of another repository, write name=reference.' : ''
  const byField = ' For an image elsewhere in a custom kind, write Kind.group:path.to.field=reference.'
  return {
    code: 'ImageNotMatched',
    message: `images: "${request.line}" matches no image of the manifests, which have ${listed}${more}`,
    hint: `Use a repository or the name of a container that is listed.${other}${byField}`,
  }
}

function askedTwice(slot: ImageSlot, first: ImageRequest, second: ImageRequest): Problem {
  const { kind, name } = refOf(slot.manifest.object)
  return {
    code: 'InvalidInput',
    message: `images: "${first.line}" and "${second.line}" are both for ${slot.name} of ${kind} ${name}`,
    hint: 'Keep one of the two lines.',
  }
}
