/** Runs js-yaml's parser over a document, as tolerantly as kubectl does, and says what is wrong in a person's words. */
import { parseEvents, YAMLException, type Event } from 'js-yaml'

/** The deepest nesting of collections, with aliases followed. */
export const MAX_DEPTH = 100

/** What makes a text unreadable, and the line of it. */
export class YamlError extends Error {
  override readonly name = 'YamlError'
  readonly line: number
  readonly hint: string

  constructor(message: string, line: number, hint: string) {
    super(message)
    this.line = line
    this.hint = hint
  }
}

/** A piece of the file for a message: enough to know it by. */
export function shown(text: string): string {
  return text.length > 60 ? `"${text.slice(0, 60)}…"` : `"${text}"`
}

/** Characters parsed again per piece, to mend lines; beyond it the text is refused as js-yaml refuses it. */
const MAX_PARSED_AGAIN = 64 * 1024 * 1024
const DEEP_INDENTATION = ' '.repeat(1024)

/**
 * kubectl accepts a closing bracket, or the next line of a quoted text, at the indentation of its key; YAML 1.2 and js-yaml
 * do not. Inside brackets and quotes indentation means nothing, so such lines are indented until js-yaml is content.
 */
export function parseTolerantly(
  text: string,
  firstLine: number,
): { source: string; events: readonly Event[]; lines: Lines } {
  let source = text
  for (let parsedAgain = 0; ; parsedAgain += source.length) {
    const lines = new Lines(source, firstLine)
    try {
      return { source, lines, events: parseEvents(source, { maxDepth: MAX_DEPTH }) }
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error
      // What is missing at the end of a text is missing in its last line.
      const offset = Math.min(error.mark?.position ?? 0, source.trimEnd().length)
      const line = lines.at(offset)
      const start = lines.startOf(line)
      const indentation = source.slice(start, offset)
      const isMendable = error.reason === 'deficient indentation' && parsedAgain < MAX_PARSED_AGAIN
      if (!isMendable || /\S/.test(indentation) || indentation.startsWith(DEEP_INDENTATION)) {
        throw new YamlError(`this is not valid YAML: ${error.reason}`, line, hintFor(lines.textOf(line), error.reason))
      }
      source = source.slice(0, start) + DEEP_INDENTATION + source.slice(offset)
    }
  }
}

function hintFor(line: string, reason: string): string {
  if (line.includes('{{')) return 'This looks like a template. Render it first, and list what comes out.'
  if (line.startsWith('%')) return 'Remove this directive: kubectl does not read it either.'
  if (line.includes('\t')) return 'Replace the tabs on this line with spaces.'
  if (reason.includes('maxDepth')) return `Lists and mappings may be nested ${MAX_DEPTH} deep: flatten the document.`
  return 'Look at this line and the one before it: indentation, a missing colon, or a quote that does not end.'
}

/** Turns offsets into line numbers. */
export class Lines {
  readonly #text: string
  readonly #first: number
  readonly #starts: number[] = [0]

  constructor(text: string, first: number) {
    this.#text = text
    this.#first = first
    for (const found of text.matchAll(/\r\n?|\n/g)) this.#starts.push(found.index + found[0].length)
  }

  at(offset: number): number {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low + this.#first
  }

  startOf(line: number): number {
    return this.#starts[line - this.#first] ?? 0
  }

  textOf(line: number): string {
    return this.#text.slice(this.startOf(line), this.#starts[line - this.#first + 1])
  }
}
