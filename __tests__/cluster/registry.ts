/** Real container registries on the loopback, with what is pushed to them kept in memory; and the two ways of logging in to them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buildTool } from '../../testbed/build.ts'

const PROGRAM = join(await buildTool('registry', (line) => process.stderr.write(`testbed: ${line}\n`)), 'registry')

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'

export interface TestRegistry extends AsyncDisposable {
  /** As in references: `127.0.0.1:40123`. */
  readonly host: string
  /** Of the user that a registry with htpasswd makes for itself; empty for others. */
  readonly password: string
  /** Pushes an image that nobody has pushed before, and returns its digest. */
  push(repository: string, tag: string, authorization?: string): Promise<string>
  /** The same for an index of several platforms. */
  pushIndex(repository: string, tag: string): Promise<string>
}

/** Login by password is for the user `docker`. */
export const HTPASSWD_USER = 'docker'

export interface TokenAuth {
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** JSON Web Keys of who signs the tokens. */
  readonly keys: object
}

/** Starts a registry; removed with `await using`. */
export async function startRegistry(auth?: 'htpasswd' | TokenAuth): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'rollsafe-registry-'))
  const config = {
    version: 0.1,
    log: { level: 'info', formatter: 'json' },
    storage: { inmemory: {} },
    http: { addr: '127.0.0.1:0', secret: randomBytes(16).toString('hex') },
    ...(auth === 'htpasswd' && { auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } } }),
    ...(typeof auth === 'object' && { auth: { token: await tokenOptions(auth, folder) } }),
  }
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config))
  const child = spawn(PROGRAM, ['serve', join(folder, 'config.yml')], { stdio: ['ignore', 'ignore', 'pipe'] })
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('close', resolve))
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const { host, password } = await listening(child)
    const put = (path: string, tag: string, manifest: object, type: string, authorization?: string) =>
      putManifest(`http://${host}/v2/${path}`, tag, { manifest, type }, authorization)
    const image = async (path: string, tag: string, authorization?: string) => {
      const blob = await putBlob(`http://${host}/v2/${path}`, '{}', authorization)
      const manifest = {
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...blob },
        layers: [],
        annotations: { unique: randomBytes(8).toString('hex') },
      }
      return put(path, tag, manifest, OCI_MANIFEST, authorization)
    }
    return {
      host,
      password,
      push: async (path, tag, authorization) => (await image(path, tag, authorization)).digest,
      async pushIndex(path, tag) {
        const platforms = [await image(path, `${tag}-amd64`), await image(path, `${tag}-arm64`)]
        const manifests = platforms.map((one, index) => ({
          mediaType: OCI_MANIFEST,
          ...one,
          platform: { os: 'linux', architecture: index === 0 ? 'amd64' : 'arm64' },
        }))
        return (await put(path, tag, { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX)).digest
      },
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function tokenOptions({ keys, ...auth }: TokenAuth, folder: string): Promise<object> {
  const jwks = join(folder, 'keys.json')
  await writeFile(jwks, JSON.stringify(keys))
  return { ...auth, jwks, signingalgorithms: ['ES256'] }
}

/** Reads the log until the registry listens. */
async function listening(child: ChildProcess): Promise<{ host: string; password: string }> {
  if (!child.stderr) throw new Error('the log of the registry is not there')
  let password = ''
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line)
    const entry = line.startsWith('{') ? (JSON.parse(line) as { msg?: string; password?: string }) : {}
    password = entry.password ?? password
    const [, host] = /^listening on (\S+)$/.exec(entry.msg ?? '') ?? []
    if (host === undefined) continue
    // A full pipe would stop the registry.
    child.stderr.resume()
    return { host, password }
  }
  throw new Error(`the registry did not start:\n${lines.join('\n')}`)
}

interface Descriptor {
  readonly digest: string
  readonly size: number
}

async function putBlob(repository: string, content: string, authorization?: string): Promise<Descriptor> {
  const headers = authorization === undefined ? {} : { authorization }
  const begun = await fetch(`${repository}/blobs/uploads/`, { method: 'POST', headers })
  const location = new URL(begun.headers.get('location') ?? '', repository)
  const descriptor = describe(content)
  location.searchParams.set('digest', descriptor.digest)
  await accepted(await fetch(location, { method: 'PUT', headers, body: content }))
  return descriptor
}

async function putManifest(
  repository: string,
  tag: string,
  { manifest, type }: { manifest: object; type: string },
  authorization?: string,
): Promise<Descriptor> {
  const body = JSON.stringify(manifest)
  const headers = { 'content-type': type, ...(authorization !== undefined && { authorization }) }
  await accepted(await fetch(`${repository}/manifests/${tag}`, { method: 'PUT', headers, body }))
  return describe(body)
}

async function accepted(response: Response): Promise<void> {
  if (response.status !== 201) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`)
}

function describe(content: string): Descriptor {
  return { digest: `sha256:${createHash('sha256').update(content).digest('hex')}`, size: Buffer.byteLength(content) }
}

export interface TokenServer extends AsyncDisposable {
  readonly auth: TokenAuth
  readonly user: string
  readonly password: string
  readonly identityToken: string
  /** `Bearer …`, good for everything in a repository. */
  authorization(repository: string): string
  /** Method, and what was asked for, of every request. */
  readonly requests: readonly string[]
}

/** Gives tokens that a real registry checks, to one user, by password or by identity token; to everybody for `public/…`. */
export async function startTokenServer(): Promise<TokenServer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const secret = () => randomBytes(18).toString('base64url')
  const [user, password, identityToken, kid] = ['mona', secret(), secret(), secret()]
  const requests: string[] = []
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  function token(name: string, actions: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000)
    const times = { iat: now - 10, nbf: now - 10, exp: now + 300 }
    const access = [{ type: 'repository', name, actions }]
    const claims = { iss: 'test', sub: user, aud: 'registry', jti: secret(), ...times, access }
    const text = `${part({ alg: 'ES256', typ: 'JWT', kid })}.${part(claims)}`
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${text}.${signature.toString('base64url')}`
  }
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const query = new URL(request.url ?? '', 'http://localhost').searchParams
    const asked = request.method === 'POST' ? new URLSearchParams(body) : query
    const [, name = ''] = /^repository:([^:]+):pull$/.exec(asked.get('scope') ?? '') ?? []
    requests.push(`${request.method} ${asked.get('service')} ${asked.get('scope')}`)
    const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    const isKnown = request.headers.authorization === basic || asked.get('refresh_token') === identityToken
    const isAllowed = isKnown || (name.startsWith('public/') && request.headers.authorization === undefined)
    response.writeHead(isAllowed ? 200 : 401, { 'content-type': 'application/json' })
    const given = token(name, ['pull'])
    const field = request.method === 'POST' ? { access_token: given } : { token: given }
    response.end(JSON.stringify(isAllowed ? field : { details: 'incorrect username or password' }))
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const key = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' }
  return {
    auth: { realm: `http://127.0.0.1:${port}/token`, service: 'registry', issuer: 'test', keys: { keys: [key] } },
    user,
    password,
    identityToken,
    authorization: (repository) => `Bearer ${token(repository, ['pull', 'push'])}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A folder for DOCKER_CONFIG, as `docker login` leaves it. */
export async function dockerConfig(config: object): Promise<{ folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'rollsafe-docker-'))
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

/** An entry of `auths`. */
export function passwordEntry(user: string, password: string): { auth: string } {
  return { auth: Buffer.from(`${user}:${password}`).toString('base64') }
}
