import { parseImageReference } from '../manifest/image-reference.ts'
import { parseLines, trimSpace } from './parse.ts'
import type { InputReader } from './reader.ts'

/** One line of the input `images`. */
export interface ImageRequest {
  /** A repository or the name of a container. Absent: the reference's own repository is looked for. */
  readonly name?: string
  readonly reference: string
  /** The line as it was written. */
  readonly line: string
}

/** Reads `images`, and notes what is wrong with its lines in the reader. */
export function readImages(reader: InputReader<'images'>): ImageRequest[] {
  return parseLines(reader.text('images')).flatMap((line): ImageRequest[] => {
    const equals = line.indexOf('=')
    const name = trimSpace(line.slice(0, Math.max(0, equals)))
    const reference = trimSpace(line.slice(equals + 1))
    const parsed = parseImageReference(reference)
    if (!parsed || /\s/.test(name) || (equals >= 0 && name === '')) {
      const hint =
        'Write name=registry/path:tag, or registry/path:tag. A tag from an empty variable leaves such a line.'
      reader.refuse('images', `has the line "${line}", which is no image`, hint)
      return []
    }
    if (equals < 0 && parsed.tag === undefined && parsed.digest === undefined) {
      reader.refuse(
        'images',
        `has the line "${line}", which has neither tag nor digest`,
        `Write which one: ${line}:TAG.`,
      )
      return []
    }
    return [{ ...(equals >= 0 && { name }), reference, line }]
  })
}
