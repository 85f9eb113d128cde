import { type FieldPath, parseFieldPath } from '../manifest/field-path.ts'
import { type ImageReference, parseImageReference } from '../manifest/image-reference.ts'
import { parseLines, trimSpace } from './parse.ts'
import type { InputReader } from './reader.ts'

/** A field of all objects of a kind. */
export interface FieldOfKind {
  /** With its group, without a version: `Cluster.postgresql.cnpg.io`. */
  readonly groupKind: string
  readonly path: FieldPath
}

/** One line of the input `images`. */
export interface ImageRequest {
  /** A repository or the name of a container. Without it and without a field, the reference's own repository is looked for. */
  readonly name?: string
  /** Where the image goes, by kind and path: `Cluster.postgresql.cnpg.io:spec.imageName`. There is no name then. */
  readonly field?: FieldOfKind
  readonly reference: string
  /** The registry is asked for the digest of the tag, which is put in too. */
  readonly toDigest?: true
  /** The line as it was written. */
  readonly line: string
}

/** Behind a reference. A digest has a colon, so this cannot be one. */
const RESOLVE = '@resolve'
/**
 * A kind with its group, and a path. No repository looks like that, as it has no capital letter before the first slash unless
 * that is a host; no container's name does; and a placeholder such as IMAGE:TAG has no group.
 */
const FIELD_OF_KIND = /^(?<groupKind>[A-Z][A-Za-z0-9]*(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+):(?<path>[^/]*)$/

type Reader = InputReader<'images'>

/** Reads `images`, and notes what is wrong with its lines in the reader. */
export function readImages(reader: Reader): ImageRequest[] {
  return parseLines(reader.text('images')).flatMap((line) => readLine(reader, line) ?? [])
}

function readLine(reader: Reader, line: string): ImageRequest | undefined {
  const equals = line.indexOf('=')
  const name = trimSpace(line.slice(0, Math.max(0, equals)))
  const written = trimSpace(line.slice(equals + 1))
  const toDigest = written.endsWith(RESOLVE)
  const reference = toDigest ? written.slice(0, -RESOLVE.length) : written
  const parsed = parseImageReference(reference)
  if (!parsed || /\s/.test(name) || (equals >= 0 && name === '')) {
    const hint = 'Write name=registry/path:tag, or registry/path:tag. A tag from an empty variable leaves such a line.'
    reader.refuse('images', `has the line "${line}", which is no image`, hint)
    return undefined
  }
  if (!isExact(reader, line, parsed, { isNamed: equals >= 0, toDigest })) return undefined
  const request = { reference, ...(toDigest && { toDigest }), line }
  if (equals < 0) return request
  const { groupKind, path: pathText = '' } = FIELD_OF_KIND.exec(name)?.groups ?? {}
  if (groupKind === undefined) return { name, ...request }
  const path = parseFieldPath(pathText)
  if (path) return { field: { groupKind, path }, ...request }
  const hint = `Write fields with dots between them, and [*] or [0] for items of a list, as in ${groupKind}:spec.containers[*].image=${written}.`
  reader.refuse('images', `has the line "${line}", in which "${pathText}" is no path to a field`, hint)
  return undefined
}

/** Whether the reference says enough about which image it is, and not too much. */
function isExact(
  reader: Reader,
  line: string,
  { tag, digest }: ImageReference,
  { isNamed, toDigest }: { readonly isNamed: boolean; readonly toDigest: boolean },
): boolean {
  if (toDigest && digest !== undefined) {
    reader.refuse('images', `has the line "${line}", which has a digest already`, `Leave ${RESOLVE} out.`)
    return false
  }
  if (toDigest && tag === undefined) {
    const hint = `Write which one: ${line.slice(0, -RESOLVE.length)}:TAG${RESOLVE}.`
    reader.refuse('images', `has the line "${line}", which has no tag to resolve`, hint)
    return false
  }
  if (!isNamed && tag === undefined && digest === undefined) {
    reader.refuse('images', `has the line "${line}", which has neither tag nor digest`, `Write which one: ${line}:TAG.`)
    return false
  }
  return true
}
