/**
 * A container image's reference, taken apart as container runtimes do it.
 * https://github.com/distribution/reference/blob/v0.6.0/reference.go
 */
export interface ImageReference {
  /** Host, with its port if it has one. `docker.io` when none is written. */
  readonly registry: string
  /** Path in the registry. On Docker Hub a single word is in `library/`. */
  readonly path: string
  readonly tag?: string
  /** `sha256:…` */
  readonly digest?: string
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)
const HOST =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^[a-z][a-z0-9]*(?:[-_+.][a-z][a-z0-9]*)*:[0-9a-fA-F]{32,}$/
const SHA256 = /^sha256:[0-9a-f]{64}$/
const LONGEST_NAME = 255
/** A name, a tag of 128 and the longest digest in use. */
const LONGEST_REFERENCE = 640
const DOCKER_HUB: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io'])

/** Undefined when the text is no image reference. Short names are those of Docker Hub: `nginx` is `docker.io/library/nginx`. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > LONGEST_REFERENCE) return undefined
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !isDigest(digest)) return undefined
  const named = at < 0 ? text : text.slice(0, at)
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const tag = colon < 0 ? undefined : named.slice(colon + 1)
  if (tag !== undefined && !TAG.test(tag)) return undefined
  const { registry, path } = inRegistry(colon < 0 ? named : named.slice(0, colon))
  if (!HOST.test(registry) || !PATH.test(path) || registry.length + 1 + path.length > LONGEST_NAME) return undefined
  return { registry, path, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) }
}

/** One string for one repository, however it is written. */
export function repositoryOf({ registry, path }: ImageReference): string {
  return `${registry}/${path}`
}

function isDigest(digest: string): boolean {
  return digest.startsWith('sha256:') ? SHA256.test(digest) : DIGEST.test(digest)
}

/** The first component is a host when it could not be a part of a path on Docker Hub. */
function inRegistry(name: string): { registry: string; path: string } {
  const slash = name.indexOf('/')
  const first = name.slice(0, slash)
  const isHost = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())
  if (isHost && !DOCKER_HUB.has(first)) return { registry: first, path: name.slice(slash + 1) }
  const path = isHost ? name.slice(slash + 1) : name
  return { registry: 'docker.io', path: path.includes('/') ? path : `library/${path}` }
}
