/** YAML text as a tree of nodes that know their line; aliases still point at what they repeat. */
import {
  EVENT_ID,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  YAMLException,
  type AliasEvent,
  type Event,
  type ScalarEvent,
} from 'js-yaml'

export type YamlNode = CollectionNode | ScalarNode | AliasNode
export type CollectionNode = SequenceNode | MappingNode

interface Located {
  /** 1-based, in the file. */
  readonly line: number
}
export interface ScalarNode extends Located {
  readonly kind: 'scalar'
  readonly text: string
  /** Full name of an explicit tag, such as `tag:yaml.org,2002:int`. */
  readonly tag?: string
  /** Written without quotes and without a tag: what it means depends on the text. */
  readonly plain: boolean
}
export interface SequenceNode extends Located {
  readonly kind: 'sequence'
  readonly items: YamlNode[]
}
export interface MappingNode extends Located {
  readonly kind: 'mapping'
  readonly pairs: { readonly key: YamlNode; readonly value: YamlNode }[]
}
export interface AliasNode extends Located {
  readonly kind: 'alias'
  readonly target: CollectionNode | ScalarNode
}

/** The deepest nesting of collections, with aliases followed. */
export const MAX_DEPTH = 100
/** The most values in one file, each counted again for every alias that repeats it. */
export const MAX_NODES = 1_000_000

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

/** A piece of a file (see yaml-pieces.ts), which begins on `firstLine`, as one node for each document. Throws YamlError. */
export function parseNodes(text: string, firstLine: number): YamlNode[] {
  const separator = /^---[ \t]*([^#\s].*)/.exec(text)
  if (separator) {
    const hint = 'Put what follows it on a line of its own.'
    throw new YamlError(`"${separator[1]}" stands behind a document separator`, firstLine, hint)
  }
  const { source, events, lines } = parse(text, firstLine)
  // Every scalar makes one event, every collection two.
  if (events.length > 2 * MAX_NODES) throw tooManyNodes(firstLine)
  return new NodeReader(source, events, lines).documents()
}

export function tooManyNodes(line: number): YamlError {
  const hint = 'An alias counts for all that it repeats. Write less with aliases, or split the file.'
  return new YamlError(`the file holds more than ${MAX_NODES} values`, line, hint)
}

/** Lines mended per piece; beyond it the text is refused as js-yaml refuses it. */
const MAX_MENDED_LINES = 500
const DEEP_INDENTATION = ' '.repeat(1024)

/**
 * kubectl accepts a closing bracket, or the next line of a quoted text, at the indentation of its key; YAML 1.2 and js-yaml
 * do not. Inside brackets and quotes indentation means nothing, so such lines are indented until js-yaml is content.
 */
function parse(text: string, firstLine: number): { source: string; events: readonly Event[]; lines: Lines } {
  let source = text
  for (let mended = 0; ; mended++) {
    const lines = new Lines(source, firstLine)
    try {
      return { source, lines, events: parseEvents(source, { maxDepth: MAX_DEPTH }) }
    } catch (error) {
      if (!(error instanceof YAMLException)) throw error
      const line = lines.at(error.mark?.position ?? 0)
      const start = lines.startOf(line)
      const indented = source.startsWith(DEEP_INDENTATION, start)
      if (error.reason !== 'deficient indentation' || mended === MAX_MENDED_LINES || indented) {
        throw new YamlError(`this is not valid YAML: ${error.reason}`, line, hintFor(lines.textOf(line), error.reason))
      }
      source = source.slice(0, start) + DEEP_INDENTATION + source.slice(start).replace(/^[ \t]+/, '')
    }
  }
}

function hintFor(line: string, reason: string): string {
  if (line.includes('{{')) return 'This looks like a template. Render it first, and list what comes out.'
  if (line.startsWith('%')) return 'Remove this directive: kubectl does not read it either.'
  if (reason.includes('tab')) return 'YAML is indented with spaces: replace the tabs on this line.'
  if (reason.includes('maxDepth')) return `Lists and mappings may be nested ${MAX_DEPTH} deep: flatten the document.`
  return 'Look at this line and the one before it: indentation, a missing colon, or a quote that does not end.'
}

/** Turns offsets into line numbers. */
class Lines {
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

const ABSENT = -1

class NodeReader {
  readonly #text: string
  readonly #events: readonly Event[]
  readonly #lines: Lines
  #next = 0
  /** Of the last node: an empty value has no place of its own. */
  #line = 1
  #anchors = new Map<string, CollectionNode | ScalarNode>()

  constructor(text: string, events: readonly Event[], lines: Lines) {
    this.#text = text
    this.#events = events
    this.#lines = lines
  }

  documents(): YamlNode[] {
    const documents: YamlNode[] = []
    while (this.#events[this.#next++]?.type === EVENT_ID.DOCUMENT) {
      this.#anchors = new Map()
      for (let node = this.#node(); node; node = this.#node()) documents.push(node)
    }
    return documents
  }

  /** The next node, or undefined where the collection or document around it ends. */
  #node(): YamlNode | undefined {
    const event = this.#events[this.#next++]
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return this.#anchored(event, this.#scalar(event))
      case EVENT_ID.SEQUENCE: {
        const sequence: SequenceNode = { kind: 'sequence', line: this.#lineAt(event.start), items: [] }
        this.#anchored(event, sequence)
        for (let item = this.#node(); item; item = this.#node()) sequence.items.push(item)
        return sequence
      }
      case EVENT_ID.MAPPING: {
        const mapping: MappingNode = { kind: 'mapping', line: this.#lineAt(event.start), pairs: [] }
        this.#anchored(event, mapping)
        for (let key = this.#node(); key; key = this.#node()) {
          const value = this.#node()
          if (value) mapping.pairs.push({ key, value })
        }
        return mapping
      }
      case EVENT_ID.ALIAS:
        return this.#alias(event)
      case EVENT_ID.DOCUMENT:
      case EVENT_ID.POP:
      case undefined:
        return undefined
    }
    return event satisfies never
  }

  #scalar(event: ScalarEvent): ScalarNode {
    const line = this.#lineAt(event.valueStart === ABSENT ? event.tagStart : event.valueStart)
    const tag = event.tagStart === ABSENT ? undefined : fullTag(this.#text.slice(event.tagStart, event.tagEnd))
    const plain = event.style === SCALAR_STYLE.PLAIN && tag === undefined
    return { kind: 'scalar', line, text: getScalarValue(this.#text, event), plain, ...(tag !== undefined && { tag }) }
  }

  #alias(event: AliasEvent): AliasNode {
    const line = this.#lineAt(event.anchorStart)
    const anchor = this.#text.slice(event.anchorStart, event.anchorEnd)
    const target = this.#anchors.get(anchor)
    if (target) return { kind: 'alias', line, target }
    const hint = 'An anchor (&name) must stand before its alias (*name), in the same document. Quote a * that is text.'
    throw new YamlError(`the alias *${anchor} has no anchor`, line, hint)
  }

  /** Registers a node before its children are read, so that an alias among them is seen to repeat itself. */
  #anchored<Node extends CollectionNode | ScalarNode>(
    event: { anchorStart: number; anchorEnd: number },
    node: Node,
  ): Node {
    if (event.anchorStart !== ABSENT) this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), node)
    return node
  }

  #lineAt(offset: number): number {
    if (offset !== ABSENT) this.#line = this.#lines.at(offset)
    return this.#line
  }
}

function fullTag(raw: string): string {
  if (raw.startsWith('!<')) return raw.slice(2, -1)
  return raw.startsWith('!!') ? `tag:yaml.org,2002:${raw.slice(2)}` : raw
}
