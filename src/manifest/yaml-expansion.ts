/** From YAML nodes to plain JSON: aliases copied, merges done, and every limit held while it happens. */
import type { Json, JsonObject } from './object.ts'
import { MAX_DEPTH, shown, YamlError } from './yaml-events.ts'
import { MAX_NODES, tooManyNodes, type MappingNode, type ScalarNode, type YamlNode } from './yaml-nodes.ts'
import { keyText, resolvePlain, resolveTagged, type ScalarValue } from './yaml-scalars.ts'

/** The largest text of one file, in characters, and the most text that its aliases may make of it. */
export const MAX_CHARACTERS = 10 * 1024 * 1024
/** Of all files of a release. */
const MAX_TOTAL_NODES = 4_000_000
/** Keys with a meaning of their own in JavaScript. No Kubernetes field is named so, but a key of a ConfigMap may be. */
const TREACHEROUS_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
/** Fields whose keys are free text: maps of data and labels, and the properties of a CustomResourceDefinition's schema. */
const FREE_KEYS: ReadonlySet<string> = new Set([
  'data',
  'binaryData',
  'stringData',
  'labels',
  'annotations',
  'matchLabels',
  'nodeSelector',
  'properties',
])

/** What all files of a release may expand to together: a few small files with many aliases would fill the memory. */
export class TotalBudget {
  #nodes = 0

  /** Takes one value. False when nothing is left. */
  take(): boolean {
    return ++this.#nodes <= MAX_TOTAL_NODES
  }

  get exhausted(): boolean {
    return this.#nodes > MAX_TOTAL_NODES
  }
}

/** Expands the documents of one file, which share one budget of values and text. */
export class Expansion {
  readonly #total: TotalBudget
  #nodes = 0
  #characters = 0
  /** The collections being expanded. */
  readonly #open = new Set<YamlNode>()

  constructor(total: TotalBudget) {
    this.#total = total
  }

  /** True when the file has used up its values or its text: nothing more of it can be expanded. */
  get exhausted(): boolean {
    return this.#nodes > MAX_NODES || this.#characters > MAX_CHARACTERS || this.#total.exhausted
  }

  /** Throws YamlError. */
  document(root: YamlNode): Json {
    return this.#value(root, 0, '')
  }

  /** @param field the field that holds the node; items of a list have their list's. */
  #value(node: YamlNode, depth: number, field: string): Json {
    if (++this.#nodes > MAX_NODES) throw tooManyNodes(node.line)
    if (!this.#total.take()) {
      throw new YamlError(
        `the files hold more than ${MAX_TOTAL_NODES} values together`,
        node.line,
        'An alias counts for all that it repeats. Write less with aliases, or make several releases of it.',
      )
    }
    if (depth > MAX_DEPTH) {
      throw new YamlError(`collections are nested more than ${MAX_DEPTH} deep`, node.line, 'Flatten the document.')
    }
    switch (node.kind) {
      case 'alias':
        this.#refuseLoop(node.target, node.line)
        return this.#value(node.target, depth, field)
      case 'sequence':
        return this.#inside(node, () => node.items.map((item) => this.#value(item, depth + 1, field)))
      case 'mapping': {
        const object: JsonObject = {}
        this.#inside(node, () => this.#fill(object, node, depth + 1, field))
        return object
      }
      case 'scalar':
        return this.#scalar(node)
    }
    return node satisfies never
  }

  /**
   * Adds the pairs of a mapping to an object, in order, as goyaml.v2 does: a later key replaces an earlier one, and so does
   * a merge (`<<`), whose keys count as if they were written where the merge stands.
   */
  #fill(object: JsonObject, mapping: MappingNode, depth: number, field: string): void {
    for (const { key, value } of mapping.pairs) {
      if (isMerge(key)) {
        for (const source of mergeSources(value)) {
          this.#refuseLoop(source, value.line)
          this.#inside(source, () => this.#fill(object, source, depth, field))
        }
        continue
      }
      const name = this.#key(key, field)
      const child = this.#value(value, depth, name)
      // Assigning to `__proto__` would change the prototype; defining it makes an ordinary property.
      Object.defineProperty(object, name, { value: child, enumerable: true, configurable: true, writable: true })
    }
  }

  #key(node: YamlNode, field: string): string {
    const scalar = node.kind === 'alias' ? node.target : node
    if (scalar.kind !== 'scalar') {
      throw new YamlError(
        'a list or a mapping cannot be a key',
        node.line,
        'Quote it if it is text. If it is a template, with {{ }}, render it first.',
      )
    }
    this.#charge(scalar)
    const name = keyText(meaningOf(scalar), scalar.text)
    if (name === undefined) {
      throw new YamlError(
        `the key ${shown(scalar.text)} is not text`,
        node.line,
        'Quote the key if it is meant, or remove the line.',
      )
    }
    if (TREACHEROUS_KEYS.has(name) && !FREE_KEYS.has(field)) {
      throw new YamlError(
        `the key "${name}" is not accepted here`,
        node.line,
        'No Kubernetes field has this name. Remove it.',
      )
    }
    return name
  }

  #scalar(node: ScalarNode): Json {
    this.#charge(node)
    const value = meaningOf(node)
    if (typeof value === 'bigint') {
      const hint = 'Quote it if it is text. Give it a decimal point, as in 1.0, if it may be rounded.'
      throw new YamlError(`the number ${shown(node.text)} is too large to be exact`, node.line, hint)
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new YamlError(`${shown(node.text)} is no number that JSON can hold`, node.line, 'Quote it if it is text.')
    }
    // JSON has no negative zero for the API server.
    return Object.is(value, -0) ? 0 : value
  }

  #charge(scalar: ScalarNode): void {
    this.#characters += scalar.text.length
    if (this.#characters > MAX_CHARACTERS) {
      throw new YamlError(
        'the aliases repeat more than 10 MiB of text',
        scalar.line,
        'Use fewer aliases, or split the file.',
      )
    }
  }

  #inside<Result>(node: YamlNode, expand: () => Result): Result {
    this.#open.add(node)
    const result = expand()
    this.#open.delete(node)
    return result
  }

  #refuseLoop(target: YamlNode, line: number): void {
    if (!this.#open.has(target)) return
    throw new YamlError('an anchor contains an alias to itself', line, 'Write the value out, without the alias.')
  }
}

function meaningOf(scalar: ScalarNode): ScalarValue {
  if (scalar.plain) return resolvePlain(scalar.text)
  if (scalar.tag === undefined) return scalar.text
  const value = resolveTagged(scalar.tag, scalar.text)
  if (value === undefined) {
    const kind = scalar.tag.slice(scalar.tag.lastIndexOf(':') + 1)
    throw new YamlError(
      `${shown(scalar.text)} cannot be read as !!${kind}`,
      scalar.line,
      'Correct the value, or remove the tag.',
    )
  }
  return value
}

function isMerge(key: YamlNode): boolean {
  return key.kind === 'scalar' && key.text === '<<' && (key.plain || key.tag === 'tag:yaml.org,2002:merge')
}

/** The mappings that a merge brings in, the one that wins last. */
function mergeSources(value: YamlNode): MappingNode[] {
  const sources = value.kind === 'sequence' ? value.items.toReversed() : [value]
  return sources.map((source) => {
    const mapping = source.kind === 'alias' ? source.target : source
    if (mapping.kind === 'mapping') return mapping
    throw new YamlError(
      '<< does not name a mapping',
      value.line,
      'Give it an alias of a mapping (<<: *name), or a list of such.',
    )
  })
}

/** The line of the value at a path, for a field that of its key; of what is nearest when the path leads nowhere. */
export function lineAt(root: YamlNode, path: readonly (string | number)[]): number {
  let node = root
  let { line } = root
  for (const step of path) {
    const collection = node.kind === 'alias' ? node.target : node
    if (collection.kind === 'sequence') {
      const item = typeof step === 'number' ? collection.items[step] : undefined
      if (!item) break
      line = item.line
      node = item
    } else if (collection.kind === 'mapping') {
      const pair = collection.pairs.findLast(
        ({ key }) => key.kind === 'scalar' && keyText(meaningOf(key), key.text) === step,
      )
      if (!pair) break
      line = pair.key.line
      node = pair.value
    } else break
  }
  return line
}
