/** What differs between two versions of an object, field by field, for people: `kubectl diff` with less noise. */
import { dump } from 'js-yaml'
import { isObject, type KubeObject } from '../manifest/object.ts'
import { LAST_APPLIED } from '../redact.ts'
import type { ReplaceKnown } from '../secrets/redactor.ts'
import { content } from './change.ts'
import { isEqual } from './json.ts'
import { diffLines, diffTexts, type DiffLine } from './line-diff.ts'
import { createMask, marksIn, type OtherVersion, withoutMarks } from './mask.ts'
import { keyedItems, type KeyedItems } from './merge-keys.ts'

/** One field that differs. */
export interface FieldChange {
  /** As people write it: `spec.template.spec.containers[web].image`, `data[app.yaml]`. */
  readonly path: string
  /** YAML, of one or more lines; absent when the field is new, and with `lines`. */
  readonly before?: string
  /** Absent when the field goes, and with `lines`. */
  readonly after?: string
  /** Of a text of many lines, and of a long list of plain values: the lines that differ, with their neighbours. */
  readonly lines?: readonly DiffLine[]
}

/** A list of plain values is shown in one line up to this length. */
const LONGEST_FLOW = 80

/** Characters without a shape, as they would look like no change. Tabs and line breaks have one. */
const SHAPELESS = /(?![\t\n])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Cs}\u2028\u2029]/gu

/**
 * The fields in which two versions of an object differ, without what the server keeps for itself (status, managed fields …),
 * and with secrets hidden: a change of one is `*** (before)` and `*** (after)`. Items of lists are matched by what Kubernetes
 * merges them by. A version that is undefined has no fields: of a new object all are shown, but for its address. Give for
 * it what was written, not the server's answer, which is full of defaults.
 */
export function diffObjects(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
  replaceKnown: ReplaceKnown,
): FieldChange[] {
  const cover = createMask(replaceKnown)
  const isWhole = before === undefined || after === undefined
  const shown = (object: KubeObject | undefined): Record<string, unknown> => {
    if (!object) return {}
    // What is a secret depends on the kind, which is a part of the address.
    const covered = cover(withoutServerFields(object))
    return isWhole ? withoutAddress(covered) : covered
  }
  return fieldChanges('', shown(before), shown(after))
}

function withoutServerFields(object: KubeObject): Record<string, unknown> {
  if (!isObject(object.metadata)) return object
  const { metadata, ...rest } = content(object)
  if (!isObject(metadata)) return rest
  const { uid: _uid, creationTimestamp: _created, deletionTimestamp: _deleted, selfLink: _link, ...mine } = metadata
  const { annotations } = mine
  if (!isObject(annotations) || !Object.hasOwn(annotations, LAST_APPLIED)) return { metadata: mine, ...rest }
  const { [LAST_APPLIED]: _applied, ...others } = annotations
  const { annotations: _annotations, ...bare } = mine
  return { metadata: Object.keys(others).length === 0 ? bare : { ...bare, annotations: others }, ...rest }
}

function withoutAddress(fields: Record<string, unknown>): Record<string, unknown> {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = fields
  if (!isObject(metadata)) return metadata === undefined ? rest : { metadata, ...rest }
  const { name: _name, namespace: _namespace, ...more } = metadata
  return Object.keys(more).length === 0 ? rest : { metadata: more, ...rest }
}

function changesOf(path: string, before: unknown, after: unknown): FieldChange[] {
  if (isEqual(before, after)) return []
  if (isObject(before) && isObject(after)) return fieldChanges(path, before, after)
  if (Array.isArray(before) && Array.isArray(after)) return listChanges(path, before, after)
  if (typeof before === 'string' && typeof after === 'string' && `${before}${after}`.includes('\n')) {
    const lines = diffTexts(before, after)
    if (lines.length > 0) return [changeOfLines(path, lines, before, after)]
  }
  return [changeOf(path, yamlOf(before), yamlOf(after))]
}

function fieldChanges(path: string, before: Record<string, unknown>, after: Record<string, unknown>): FieldChange[] {
  return unionOf(Object.keys(before), Object.keys(after)).flatMap((name) => {
    const field = fieldPath(path, name)
    if (!Object.hasOwn(before, name)) return [changeOf(field, undefined, yamlOf(after[name]))]
    if (!Object.hasOwn(after, name)) return [changeOf(field, yamlOf(before[name]), undefined)]
    return changesOf(field, before[name], after[name])
  })
}

function listChanges(path: string, before: readonly unknown[], after: readonly unknown[]): FieldChange[] {
  const keyed = keyedItems(before, after)
  if (keyed) return keyedChanges(path, ...keyed)
  if ([...before, ...after].every(isShort)) return [plainListChange(path, before, after)]
  return itemChanges(path, before, after)
}

function keyedChanges(path: string, before: KeyedItems, after: KeyedItems): FieldChange[] {
  const changes = unionOf([...before.keys()], [...after.keys()]).flatMap((key) => {
    const item = itemPath(path, key)
    const old = before.get(key)
    const now = after.get(key)
    if (old && now) return changesOf(item, old, now)
    return [changeOf(item, old && yamlOf(old), now && yamlOf(now))]
  })
  const order = [...before.keys()].filter((key) => after.has(key))
  const newOrder = [...after.keys()].filter((key) => before.has(key))
  return isEqual(order, newOrder) ? changes : [...changes, changeOf(`${path} (order)`, flowOf(order), flowOf(newOrder))]
}

/** In one line each if that is short, else one line an item. */
function plainListChange(path: string, before: readonly unknown[], after: readonly unknown[]): FieldChange {
  const old = flowOf(before)
  const now = flowOf(after)
  if (Math.max(old.length, now.length) <= LONGEST_FLOW) return changeOf(path, old, now)
  const itemsOf = (list: readonly unknown[]): string[] => list.map((item) => `- ${yamlOf(item)}`)
  return changeOfLines(path, diffLines(itemsOf(before), itemsOf(after)), old, now)
}

/** Items that nothing tells apart: what is left between those that are the same at both ends is compared in order. */
function itemChanges(path: string, before: readonly unknown[], after: readonly unknown[]): FieldChange[] {
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && isEqual(before[start], after[start])) start += 1
  let end = 0
  while (end < most - start && isEqual(before.at(-1 - end), after.at(-1 - end))) end += 1
  const old = before.slice(start, before.length - end)
  const now = after.slice(start, after.length - end)
  return Array.from({ length: Math.max(old.length, now.length) }).flatMap((_nothing, index) => {
    const item = itemPath(path, String(start + index))
    if (index >= old.length) return [changeOf(item, undefined, yamlOf(now[index]))]
    if (index >= now.length) return [changeOf(item, yamlOf(old[index]), undefined)]
    return changesOf(item, old[index], now[index])
  })
}

function changeOf(path: string, before: string | undefined, after: string | undefined): FieldChange {
  const [old, now] = before !== undefined && after !== undefined ? bothVersions(before, after) : []
  return {
    path: textOf(path),
    ...(before !== undefined && { before: textOf(before, old) }),
    ...(after !== undefined && { after: textOf(after, now) }),
  }
}

function changeOfLines(path: string, lines: readonly DiffLine[], before: string, after: string): FieldChange {
  const [old, now] = bothVersions(before, after)
  const otherOf = { '-': old, '+': now, ' ': undefined, '@': undefined }
  return { path: textOf(path), lines: lines.map(({ kind, text }) => ({ kind, text: textOf(text, otherOf[kind]) })) }
}

function bothVersions(before: string, after: string): [OtherVersion, OtherVersion] {
  return [
    { marks: marksIn(after), here: 'before' },
    { marks: marksIn(before), here: 'after' },
  ]
}

/** As it may be shown: secrets hidden, and characters without a shape in their escaped form. */
function textOf(text: string, other?: OtherVersion): string {
  return withoutMarks(text, other).replaceAll(
    SHAPELESS,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

function yamlOf(value: unknown): string {
  return dump(value, { lineWidth: -1, noRefs: true }).replace(/\n$/, '')
}

function flowOf(list: readonly unknown[]): string {
  return dump(list, { lineWidth: -1, noRefs: true, flowLevel: 0 }).trimEnd()
}

function isShort(item: unknown): boolean {
  return (typeof item !== 'object' || item === null) && !(typeof item === 'string' && item.includes('\n'))
}

function fieldPath(path: string, name: string): string {
  if (!/^[A-Za-z_][\w-]*$/.test(name)) return itemPath(path, name)
  return path === '' ? name : `${path}.${name}`
}

function itemPath(path: string, key: string): string {
  return `${path}[${/^[^\s"'[\]]+$/.test(key) ? key : JSON.stringify(key)}]`
}

function unionOf(before: readonly string[], after: readonly string[]): string[] {
  return [...new Set([...before, ...after])]
}
