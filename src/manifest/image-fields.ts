/** Images in fields that somebody has named, for kinds of which Rollsafe does not know where they keep them. */
import type { Problem } from '../errors.ts'
import type { FieldOfKind } from '../inputs/images.ts'
import { fieldPathText, lastPlaceOn, type Place, placesAt } from './field-path.ts'
import { type ImageSlot, slotAtPlace } from './image-slots.ts'
import { describe, groupKindOf, isObject, type Manifest, refOf } from './object.ts'

/** What a line of the input images that names a field is for, and what is wrong with that. */
export interface FieldMatch {
  readonly slots: readonly ImageSlot[]
  readonly problems: readonly Problem[]
}

/** Looks the field up in all manifests of its kind. One is enough that has it, but none may have anything else than text there. */
export function matchField(line: string, field: FieldOfKind, manifests: readonly Manifest[]): FieldMatch {
  const ofKind = manifests.filter(({ object }) => groupKindOf(object) === field.groupKind)
  const found = ofKind.flatMap((manifest) =>
    placesAt(manifest.object, field.path).map((place) => ({ manifest, ...place })),
  )
  if (found.length === 0) return { slots: [], problems: [notThere(line, field, ofKind, manifests)] }
  return {
    slots: found.map(({ manifest, ...place }) => slotAtPlace(manifest, place)),
    problems: found.filter(({ value }) => !isText(value)).map((place) => noText(line, place)),
  }
}

/** A field without a value is left open. */
function isText(value: unknown): boolean {
  return typeof value === 'string' || value === null
}

function notThere(
  line: string,
  { groupKind, path }: FieldOfKind,
  [first]: readonly Manifest[],
  all: readonly Manifest[],
): Problem {
  if (!first) {
    const kinds = [...new Set(all.map(({ object }) => groupKindOf(object)))].toSorted()
    return {
      code: 'ImageNotMatched',
      message: `images: "${line}" is for ${groupKind}, and the manifests have only ${kinds.join(', ')}`,
      hint: 'Write the kind with its group and without a version, as in Cluster.postgresql.cnpg.io.',
    }
  }
  const last = lastPlaceOn(first.object, path)
  const where = last.path.length === 0 ? '' : ` at ${fieldPathText(last.path)}`
  return {
    code: 'ImageNotMatched',
    message: `images: "${line}" matches nothing: ${describe(refOf(first.object))} has${where} ${contentsOf(last.value)}`,
    hint: 'Use a field that is listed. One that is to be filled in must be in the manifest, with an empty text.',
    at: first.at,
  }
}

const MOST_LISTED = 20

function contentsOf(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (!isObject(value)) return typeof value === 'string' ? 'a text' : 'no fields'
  const fields = Object.keys(value)
  if (fields.length === 0) return 'no fields'
  const more = fields.length > MOST_LISTED ? ` and ${fields.length - MOST_LISTED} more` : ''
  return `${fields.slice(0, MOST_LISTED).join(', ')}${more}`
}

function noText(line: string, { manifest, path }: Place & { readonly manifest: Manifest }): Problem {
  return {
    code: 'InvalidInput',
    message: `images: "${line}" is for ${fieldPathText(path)} of ${describe(refOf(manifest.object))}, which is no text`,
    hint: 'Name the field that holds the whole reference. One that is split into repository and tag cannot be put in.',
    at: manifest.at,
  }
}
