/** Container registries, over HTTP (https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests). */
import { createHash } from 'node:crypto'
import type { Environment } from '../../inputs/run.ts'
import { type ImageReference, parseImageReference } from '../../manifest/image-reference.ts'
import { isObject } from '../../manifest/object.ts'
import type { Registry } from '../../ports.ts'
import { type Credentials, readCredentials } from './docker-config.ts'
import { type Answer, openRegistryHttp, type RegistryHttp } from './http.ts'
import { failureOf } from './failure.ts'
import { authorizationFor } from './login.ts'
import { isLoopback } from '../../inputs/loopback.ts'
import { refusal } from './refusal.ts'

export interface RegistryOptions {
  /** `DOCKER_CONFIG` and `HOME` tell where the logins are, `HTTPS_PROXY` and `NO_PROXY` the way. */
  readonly env: Environment
  /** Told every credential before it is used, so that it can be hidden from the log. */
  readonly mask: (secret: string) => void
  /** For one image, with all that it takes; 15 s if not given. */
  readonly timeLimitMs?: number
}

const TIME_LIMIT_MS = 15_000
/** An index comes first: without it, a registry would give the manifest of one platform, under another digest. */
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')
const SHA256 = /^sha256:[0-9a-f]{64}$/
/** Of servers that do not know HEAD for manifests. */
const NO_HEAD: ReadonlySet<number> = new Set([404, 405, 501])

export function createRegistry({ env, mask, timeLimitMs = TIME_LIMIT_MS }: RegistryOptions): Registry {
  return {
    async resolve(reference, signal) {
      const image = parseImageReference(reference)
      if (image?.tag === undefined) throw new Error(`${reference} has no tag to resolve`)
      const limit = AbortSignal.timeout(timeLimitMs)
      const http = openRegistryHttp({ signal: AbortSignal.any([signal, limit]), env, mask })
      try {
        return await digestOf(image, http, { env, mask })
      } catch (error) {
        signal.throwIfAborted()
        if (!limit.aborted) throw error
        throw refusal(
          `${image.registry} did not tell its digest within ${timeLimitMs / 1000} s`,
          'Check whether this runner can reach the registry, then run this again.',
        )
      } finally {
        await http.close()
      }
    },
  }
}

function manifestUrl({ registry, path, tag }: ImageReference): URL {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
  const address = `${host}/v2/${path}/manifests/${tag}`
  if (!URL.canParse(`https://${address}`)) {
    throw refusal(`${registry} is no address of a registry`, 'Check its port.', 'InvalidInput')
  }
  const url = new URL(`https://${address}`)
  return isLoopback(url) ? new URL(`http://${address}`) : url
}

async function digestOf(image: ImageReference, http: RegistryHttp, { env, mask }: RegistryOptions): Promise<string> {
  const url = manifestUrl(image)
  const ask = (method: 'HEAD' | 'GET', authorization?: string) =>
    http.ask({
      method,
      url,
      headers: { accept: MANIFESTS, ...(authorization !== undefined && { authorization }) },
      follow: true,
    })
  let credentials: Credentials | undefined
  let authorization: string | undefined
  let answer = await ask('HEAD')
  // Only the registry itself is logged in to, and not where it may point.
  if (answer.status === 401 && answer.url.origin === url.origin) {
    credentials = await readCredentials(image.registry, env)
    authorization = await authorizationFor(answer, { http, path: image.path, credentials, mask })
    if (authorization !== undefined) answer = await ask('HEAD', authorization)
  }
  const told = answer.status === 200 ? toldDigest(answer) : undefined
  if (told !== undefined) return told
  if (answer.status === 200 || NO_HEAD.has(answer.status)) answer = await ask('GET', authorization)
  if (answer.status !== 200) throw failureOf(answer, image.registry, credentials)
  return checkedDigest(answer, image.registry)
}

function toldDigest(answer: Answer): string | undefined {
  const [digest] = answer.header('docker-content-digest')
  return digest !== undefined && SHA256.test(digest) ? digest : undefined
}

/** That of the body, which has to be the one that the registry tells, if it tells one. */
function checkedDigest(answer: Answer, registry: string): string {
  if (!isManifest(answer.body)) {
    throw refusal(
      `${answer.url.host} answers with something that is no manifest of an image`,
      'Check the name of the registry: it may be that of its web pages.',
    )
  }
  const digest = `sha256:${createHash('sha256').update(answer.body).digest('hex')}`
  const told = toldDigest(answer)
  if (told === undefined || told === digest) return digest
  throw refusal(
    `${registry} says that its digest is ${told}, and what it sends has ${digest}`,
    'Something on the way changes what the registry sends. Do not deploy this before you know what.',
  )
}

/** Any other server would have some answer too, and its hash would be deployed. */
function isManifest(body: Buffer): boolean {
  try {
    const manifest: unknown = JSON.parse(body.toString('utf8'))
    return isObject(manifest) && manifest['schemaVersion'] === 2
  } catch {
    return false
  }
}
