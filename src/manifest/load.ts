import { RejectedError, rejectIfAny, type Problem } from '../errors.ts'
import type { SourceFile } from '../ports.ts'
import { textMapsOf } from './text-maps.ts'
import { describe, groupOf, isObject, keyOf, refOf, type KubeObject, type Manifest } from './object.ts'
import { TotalBudget } from './yaml-expansion.ts'
import { readYaml, type YamlDocument } from './yaml.ts'

/** A value of a document, and the path to it. */
interface Candidate {
  readonly value: unknown
  readonly path: readonly (string | number)[]
  readonly document: YamlDocument
  readonly file: string
}

/**
 * The Kubernetes objects of the files, in the order in which they are written: lists taken apart, empty documents left out.
 * Throws one RejectedError with an InvalidManifest problem for everything that is not an object, or not a sound one.
 */
export function loadManifests(files: readonly SourceFile[]): Manifest[] {
  const manifests: Manifest[] = []
  const problems: Problem[] = []
  const total = new TotalBudget()
  for (const candidate of files.flatMap((file) => candidatesOf(file, total, problems))) {
    const found = problemsOf(candidate)
    if (found.length === 0 && isKubeObject(candidate.value))
      manifests.push({ object: candidate.value, at: placeOf(candidate) })
    else problems.push(...found)
  }
  if (manifests.length === 0 && problems.length === 0) {
    const names = files.map(({ path }) => path).join(', ')
    problems.push({
      code: 'InvalidManifest',
      message: `there is no Kubernetes object in ${names === '' ? 'no files' : names}`,
      hint: 'Files that hold only comments make no release. List the files that hold the objects.',
    })
  }
  rejectIfAny(problems)
  return manifests
}

/**
 * Throws a RejectedError when an object is written down twice; its problems name both places. To be called when every object
 * has its namespace, as only then it is known which objects are the same.
 */
export function assertNoDuplicates(manifests: readonly Manifest[]): void {
  const first = new Map<string, Manifest>()
  const problems: Problem[] = []
  for (const manifest of manifests) {
    const ref = refOf(manifest.object)
    const earlier = first.get(keyOf(ref))
    if (!earlier) first.set(keyOf(ref), manifest)
    else {
      const place = `${earlier.at.file}:${earlier.at.line}`
      problems.push({
        code: 'InvalidManifest',
        message: `${describe(ref)} is written down twice, at ${place} and at ${manifest.at.file}:${manifest.at.line}`,
        hint: 'Remove one of the two, or give one another name or namespace.',
        at: manifest.at,
      })
    }
  }
  rejectIfAny(problems)
}

function candidatesOf(file: SourceFile, total: TotalBudget, problems: Problem[]): Candidate[] {
  // One problem is enough to say so.
  if (total.exhausted) return []
  try {
    return readYaml(file, total).flatMap((document) =>
      takenApart({ value: document.value, path: [], document, file: file.path }),
    )
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error
    problems.push(...error.problems)
    return []
  }
}

/** The items of a List, or of a list of one kind such as ConfigMapList, whose items need not repeat their kind. */
function takenApart(candidate: Candidate): Candidate[] {
  const { value, path } = candidate
  if (!isObject(value) || typeof value['kind'] !== 'string' || !value['kind'].endsWith('List')) return [candidate]
  if (!Array.isArray(value['items'])) return [candidate]
  const itemKind = value['kind'].slice(0, -'List'.length)
  const inherited = itemKind === '' ? {} : { apiVersion: value['apiVersion'], kind: itemKind }
  const items: unknown[] = value['items']
  return items.flatMap((item, index) =>
    takenApart({
      ...candidate,
      value: isObject(item) && item['kind'] === undefined ? { ...item, ...inherited } : item,
      path: [...path, 'items', index],
    }),
  )
}

function placeOf({ file, document, path }: Candidate, ...field: (string | number)[]): { file: string; line: number } {
  return { file, line: document.lineOf([...path, ...field]) }
}

function isKubeObject(value: unknown): value is KubeObject {
  if (!isObject(value) || !isObject(value['metadata'])) return false
  return isText(value['apiVersion']) && isText(value['kind']) && isText(value['metadata']['name'])
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function problemsOf(candidate: Candidate): Problem[] {
  const { value } = candidate
  const problem: ProblemAt = (message, hint, ...field) => ({
    code: 'InvalidManifest',
    message,
    hint,
    at: placeOf(candidate, ...field),
  })
  if (!isObject(value)) {
    return [
      problem(`${shapeOf(value)} stands where a Kubernetes object is expected`, 'Remove it, or leave this file out.'),
    ]
  }
  const { apiVersion, kind, metadata } = value
  if (!isText(apiVersion) || !isText(kind)) {
    const missing = [!isText(apiVersion) && 'apiVersion', !isText(kind) && 'kind'].filter((field) => field !== false)
    const hint =
      'Write both, as in "apiVersion: apps/v1" and "kind: Deployment". Leave files out that are no Kubernetes objects.'
    return [problem(`an object has no ${missing.join(' and no ')}, or one that is not text`, hint)]
  }
  if (groupOf(apiVersion) === 'kustomize.config.k8s.io') {
    const hint = 'Give its directory to the input kustomize, and leave this file out.'
    return [problem(`a ${kind} is for kustomize, not for the cluster`, hint)]
  }
  if (!isObject(metadata)) {
    return [problem(`a ${kind} has no metadata`, 'Write metadata with a name.', 'metadata')]
  }
  const found = nameProblems(kind, metadata, problem)
  return isKubeObject(value) ? [...found, ...textProblems(value, problem)] : found
}

type ProblemAt = (message: string, hint: string, ...field: (string | number)[]) => Problem

function textProblems(object: KubeObject, problem: ProblemAt): Problem[] {
  const name = `${object.kind} ${object.metadata.name}`
  return textMapsOf(object).flatMap(({ path, value }) => {
    const place = path.join('.')
    if (!isObject(value)) {
      return [
        problem(`${name}: ${place} is ${shapeOf(value)}, not a mapping`, 'Write it as lines of "key: value".', ...path),
      ]
    }
    return Object.entries(value)
      .filter(([, text]) => typeof text !== 'string')
      .map(([key, text]) =>
        problem(`${name}: ${place}.${key} is ${shapeOf(text)}, not text`, textHint(key, text), ...path, key),
      )
  })
}

function textHint(key: string, value: unknown): string {
  if (value === null) return `Write ${key}: "" if it is meant to be empty.`
  if (typeof value === 'boolean')
    return 'Put the value in quotes: yes, no, on and off are booleans, like true and false.'
  if (typeof value === 'number') return 'Put the value in quotes.'
  return 'Only text can stand here. For text of several lines, write a block (key: |).'
}

function nameProblems(kind: string, metadata: Record<string, unknown>, problem: ProblemAt): Problem[] {
  const { name, namespace, generateName } = metadata
  const problems: Problem[] = []
  if (name === undefined && generateName !== undefined) {
    const hint = 'Give it a name: an object with a new name in every run cannot be updated or taken back.'
    problems.push(problem(`a ${kind} has generateName and no name`, hint, 'metadata', 'generateName'))
  } else if (!isText(name)) {
    const hint =
      typeof name === 'number' || typeof name === 'boolean' ? `Quote it: name: "${name}".` : 'Write metadata.name.'
    problems.push(
      problem(
        `a ${kind} has ${name === undefined ? 'no name' : `${shapeOf(name)} as its name`}`,
        hint,
        'metadata',
        'name',
      ),
    )
  }
  if (namespace !== undefined && !isText(namespace)) {
    const message = `${kind} ${String(name)} has ${shapeOf(namespace)} as its namespace`
    problems.push(
      problem(message, 'Write a name (quote it if it is a number), or remove the line.', 'metadata', 'namespace'),
    )
  }
  return problems
}

/** For people. It does not show the value, which may be a secret. */
function shapeOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (isObject(value)) return 'a mapping'
  if (value === '') return 'an empty text'
  return typeof value === 'string' ? 'text' : `a ${typeof value}`
}
