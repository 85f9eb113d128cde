/** YAML text as a tree of nodes that know their line; aliases still point at what they repeat. */
import { EVENT_ID, getScalarValue, SCALAR_STYLE, type AliasEvent, type Event, type ScalarEvent } from 'js-yaml'
import { parseTolerantly, shown, YamlError, type Lines } from './yaml-events.ts'

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

/** The most values in one file, each counted again for every alias that repeats it. */
export const MAX_NODES = 1_000_000

/** A piece of a file (see yaml-pieces.ts), which begins on `firstLine`, as one node for each document. Throws YamlError. */
export function parseNodes(text: string, firstLine: number): YamlNode[] {
  const separator = /^---[ \t]*([^#\s].*)/.exec(text)
  if (separator) {
    const hint = 'Put what follows it on a line of its own.'
    throw new YamlError(`${shown(separator[1] ?? '')} stands behind a document separator`, firstLine, hint)
  }
  const { source, events, lines } = parseTolerantly(text, firstLine)
  // Every scalar makes one event, every collection two.
  if (events.length > 2 * MAX_NODES) throw tooManyNodes(firstLine)
  return new NodeReader(source, events, lines).documents()
}

export function tooManyNodes(line: number): YamlError {
  const hint = 'An alias counts for all that it repeats. Write less with aliases, or split the file.'
  return new YamlError(`the file holds more than ${MAX_NODES} values`, line, hint)
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
    throw new YamlError(`the alias ${shown(`*${anchor}`)} has no anchor`, line, hint)
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
