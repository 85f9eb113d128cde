/** Which values of a Kubernetes object are secrets, and which of its words are known to everybody. */
import { isObject, type KubeObject } from '../manifest/object.ts'
import { CONTAINER_FIELDS, objectsIn, podTemplateOf } from '../manifest/pod-template.ts'
import { LAST_APPLIED } from '../redact.ts'
import { isSecretName } from './names.ts'

/** Rollsafe's own Secrets hold a release in compressed form: what is secret in there is known once it is read. */
const RECORD_TYPE = /^rollsafe\.dev\//

/** How deep base64 in base64, JSON in JSON and copies of objects in annotations are looked into. */
const DEEPEST = 4

/**
 * Everything secret that an object holds: all values of a Secret; in other objects what is secret by its
 * name (variables, entries, options on a command line) or is the password in a URL; and the same in the copy that kubectl keeps
 * in an annotation. Of a structured value (a Docker login, JSON, settings in lines, base64) its parts as well.
 */
export function secretValuesOf(object: KubeObject): string[] {
  return [...new Set(valuesIn(object, 0))]
}

/**
 * What may be secret in a file with manifests that cannot be read, and that is quoted where it cannot: the values in documents
 * that call themselves a Secret, and elsewhere those whose names tell.
 */
export function secretTextsIn(file: string): string[] {
  return file.split(/^---/m).flatMap((document) => {
    if (!/\bkind\W{1,4}Secret\b/.test(document)) return settingsIn(document)
    return document.split('\n').map((line) =>
      line
        .replace(/^[^:]*:/, '')
        .trim()
        .replace(/^(["'])(.*)\1$/, '$2'),
    )
  })
}

/**
 * The names by which an object and its parts are called, and the hosts at which they are reached: they are printed everywhere,
 * whatever else they are.
 */
export function namesIn(object: KubeObject): string[] {
  const { apiVersion, kind, metadata } = object
  const { name, namespace = '' } = metadata
  const own = [
    apiVersion,
    kind,
    name,
    namespace,
    ...(kind === 'Service' ? [`${name}.${namespace}.svc.cluster.local`] : []),
  ]
  const entries = ['data', 'stringData'].flatMap((field) => Object.keys(isObject(object[field]) ? object[field] : {}))
  const containers = containersOf(object).flatMap((container) => [container['name'], container['image']])
  const hosts = hostsOf(object).flatMap((host) => [host, `https://${host}`])
  return [...own, ...entries, ...textsIn(containers), ...hosts].filter((one) => one !== '')
}

/** Of an Ingress, or a Gateway and its routes. */
function hostsOf({ spec }: KubeObject): string[] {
  if (!isObject(spec)) return []
  const lists = ['rules', 'listeners'].flatMap((field) => objectsIn(spec[field]).map(({ item }) => item))
  return textsIn([spec['hostnames'], lists.flatMap(({ host, hostname }) => [host, hostname])])
}

function valuesIn(object: KubeObject, depth: number): string[] {
  if (depth > DEEPEST) return []
  const { status: _status, metadata, ...fields } = object
  const isSecret = object.kind === 'Secret' && object.apiVersion === 'v1'
  return [
    ...(isSecret ? valuesOfSecret(object) : [...valuesOfEntries(object), ...valuesOfContainers(object)]),
    ...(isSecret ? [] : textsIn([fields, metadata?.annotations]).flatMap(passwordsInUrls)),
    ...lastApplied(object, depth),
  ]
}

function valuesOfSecret(object: KubeObject): string[] {
  if (RECORD_TYPE.test(String(object['type']))) return []
  // What is not the base64 of a text, and what was written there by mistake, is hidden as it stands.
  const decoded = scalarsOf(object['data']).map((value) => fromBase64(value) ?? value)
  return [...decoded, ...scalarsOf(object['stringData'])].flatMap((value) => partsOf(value))
}

/** Of a ConfigMap, say: entries whose names tell. */
function valuesOfEntries(object: KubeObject): string[] {
  const { data } = object
  if (!isObject(data)) return []
  return Object.entries(data).flatMap(([name, value]) => {
    if (typeof value !== 'string') return []
    return isSecretName(name) ? partsOf(value) : value.includes('\n') ? settingsIn(value) : []
  })
}

function valuesOfContainers(object: KubeObject): string[] {
  return containersOf(object).flatMap((container) => [
    ...objectsIn(container['env']).flatMap(({ item: { name, value } }) =>
      typeof name === 'string' && typeof value === 'string' && isSecretName(name) ? partsOf(value) : [],
    ),
    ...optionsIn([...textsIn(container['command']), ...textsIn(container['args'])]),
  ])
}

function containersOf(object: KubeObject): Record<string, unknown>[] {
  const spec = podTemplateOf(object)?.spec
  return CONTAINER_FIELDS.flatMap((field) => objectsIn(spec?.[field]).map(({ item }) => item))
}

/** The values of options whose names tell: of `--password=value` and `--password value`. */
export function optionsIn(words: readonly string[]): string[] {
  return words.flatMap((word, index) => {
    const [, name = '', value] = /^--?([\w.-]+)(?:=([\s\S]+))?$/.exec(word) ?? []
    if (!isSecretName(name)) return []
    const next = words[index + 1]
    return value === undefined ? (next === undefined || next.startsWith('-') ? [] : [next]) : [value]
  })
}

function lastApplied({ metadata }: KubeObject, depth: number): string[] {
  const copy = parseJson(metadata?.annotations?.[LAST_APPLIED])
  return isObject(copy) && isObject(copy['metadata']) ? valuesIn(copy as KubeObject, depth + 1) : []
}

/** A secret value, and what it holds that is secret by itself. */
function partsOf(value: string, depth = 0): string[] {
  if (depth > DEEPEST) return [value]
  const inner = textFromBase64(value)
  const json = parseJson(value)
  return [
    value,
    ...(inner === undefined ? [] : partsOf(inner, depth + 1)),
    ...(json === undefined ? [] : secretsInJson(json, depth)),
    ...(value.includes('\n') && json === undefined ? settingsIn(value) : []),
    ...passwordsInUrls(value),
  ]
}

/** Values in JSON whose names tell, and those of `auths` (https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets). */
function secretsInJson(json: unknown, depth: number): string[] {
  if (Array.isArray(json)) return json.flatMap((item) => secretsInJson(item, depth))
  if (!isObject(json)) return []
  return Object.entries(json).flatMap(([name, value]) => {
    if (typeof value !== 'string') return secretsInJson(value, depth)
    const inUrl = passwordsInUrls(value)
    if (!isSecretName(name)) return inUrl
    const login = name === 'auth' ? textFromBase64(value) : undefined
    const password = login === undefined ? [] : [login, login.slice(login.indexOf(':') + 1)]
    return [...partsOf(value, depth + 1), ...password, ...inUrl]
  })
}

/** Values in lines of `name=value` and `name: value` (an env file, properties, YAML) whose names tell. */
function settingsIn(text: string): string[] {
  return text.split(/\r\n|[\r\n]/).flatMap((line) => {
    const [, name = '', value = ''] = /^\s*(?:export\s+|-\s+)?["']?([\w.-]+)["']?\s*[=:]\s*(.+?)\s*,?$/.exec(line) ?? []
    return value !== '' && isSecretName(name) ? [value, value.replace(/^(["'])(.*)\1$/, '$2')] : []
  })
}

/**
 * The passwords of URLs, as written and without escapes. One ends at the last @ before the path, or at the last of all when
 * somebody has not escaped it: both are taken.
 */
export function passwordsInUrls(text: string): string[] {
  if (!text.includes('://')) return []
  return [...text.matchAll(/:\/\/[^\s:@/]{0,256}:(?=([^\s/?#]{1,1024}@)?)(\S{1,1024})@/g)].flatMap(
    ([, short = '', long = '']) => [short.slice(0, -1), long].filter(Boolean).flatMap((one) => [one, unescaped(one)]),
  )
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function scalarsOf(map: unknown): string[] {
  if (!isObject(map)) return typeof map === 'string' ? [map] : []
  return Object.values(map).flatMap((value) =>
    typeof value === 'string' || typeof value === 'number' ? [String(value)] : [],
  )
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isObject(value) ? Object.values(value).flatMap(textsIn) : []
}

function parseJson(text: string | undefined): unknown {
  if (text === undefined || !/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Undefined for what is no base64, or not that of text. */
function fromBase64(value: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(value), (character) => character.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** For what may just as well be no base64: long enough, and readable when decoded. */
function textFromBase64(value: string): string | undefined {
  const written = value.trim()
  if (written.length < 8 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(written.replaceAll(/[\r\n]/g, ''))) return undefined
  const text = fromBase64(written.replaceAll('-', '+').replaceAll('_', '/'))
  return text !== undefined && /^[\p{L}\p{N}\p{P}\p{S}\s]+$/u.test(text) ? text : undefined
}
