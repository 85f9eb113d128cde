/**
 * Builds the testbed's programs into the user's cache folder, once, most of them from Go modules: a result is keyed by everything
 * that goes into it. It is made in a folder of its own and moved into place, so that a half-made one is never used.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.ts'
import { run } from './run.ts'
import { KUBERNETES, KUBERNETES_BUILD_FLAGS, KUBERNETES_PROGRAMS, TOOLS, type Tool } from './versions.ts'

const SOURCE = fileURLToPath(new URL('kubernetes/', import.meta.url))

/** Says what is going on, in one line: a first build takes minutes. */
export type Tell = (line: string) => void

/** The folder that holds all results; also what a CI workflow keeps between runs. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'rollsafe-testbed')
}

/** Folder with `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler` and `kubectl`. */
export async function buildKubernetes(tell: Tell): Promise<string> {
  const inputs = ['go.mod', 'go.sum', 'main.go'].map((file) => readFileSync(join(SOURCE, file), 'utf8'))
  return build(`kubernetes-${KUBERNETES}`, [...inputs, ...KUBERNETES_BUILD_FLAGS], tell, async (folder) => {
    await go(['build', ...KUBERNETES_BUILD_FLAGS, '-o', join(folder, 'kubernetes'), '.'], { cwd: SOURCE })
    for (const program of KUBERNETES_PROGRAMS) symlinkSync('kubernetes', join(folder, program))
  })
}

/** Folder with the programs of a tool, by their own names. */
export async function buildTool(tool: Tool, tell: Tell): Promise<string> {
  const { version, packages } = TOOLS[tool]
  return build(`${tool}-${version}`, packages, tell, async (folder) => {
    await go(['install', '-trimpath', ...packages.map((path) => `${path}@${version}`)], { env: { GOBIN: folder } })
  })
}

/** Folder that `make` has filled, in this process or another, now or at an earlier time with the same inputs. */
export async function build(
  name: string,
  inputs: readonly string[],
  tell: Tell,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([process.platform, process.arch, ...inputs]))
  const key = `${name}-${hash.digest('hex').slice(0, 12)}`
  const cache = cacheFolder()
  const done = join(cache, key)
  if (existsSync(done)) return done

  mkdirSync(cache, { recursive: true })
  await withLock(
    `${done}.lock`,
    () => tell(`waiting for another process that builds ${name}`),
    async () => {
      if (existsSync(done)) return
      tell(`building ${name} (the first time this takes minutes; it is then kept in ${cache})`)
      const started = Date.now()
      const folder = `${done}.part`
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder)
      const minutes = () => Math.round((Date.now() - started) / 60_000)
      const pulse = setInterval(() => tell(`still building ${name}, after ${minutes()} min`), 60_000)
      try {
        await make(folder)
      } finally {
        clearInterval(pulse)
      }
      renameSync(folder, done)
      tell(`built ${name} in ${Math.round((Date.now() - started) / 1000)} s`)
    },
  )
  return done
}

/** Runs Go. Throws an error that says what is missing on this machine, where that can be told. */
async function go(args: string[], options: { cwd?: string; env?: Record<string, string> }): Promise<void> {
  try {
    await run('go', args, { ...options, env: { CGO_ENABLED: '0', ...options.env } })
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new Error(`${text}\n${hintFor(text)}`, { cause: error })
  }
}

function hintFor(text: string): string {
  if (/ENOENT/.test(text)) {
    return 'The testbed is built with Go, which is not on the PATH. Install Go 1.26 or later (https://go.dev/dl/) and run this again, or set TESTBED_KUBECONFIG to use a cluster that already runs.'
  }
  if (/requires go >=|toolchain not available/.test(text)) {
    return 'The Go on the PATH is too old. Install the version named above (https://go.dev/dl/), or let Go fetch it with GOTOOLCHAIN=auto.'
  }
  if (/dial tcp|no such host|i\/o timeout|connection refused|proxyconnect|TLS handshake|50\d /.test(text)) {
    return 'Go modules could not be downloaded. Allow access to a Go module proxy, or name one that can be reached in GOPROXY.'
  }
  if (/no space left on device/.test(text)) {
    return 'The disk is full. A first build takes about 8 GB in the folders of `go env GOCACHE GOMODCACHE`.'
  }
  return 'If the cause is not clear from the lines above, run the command by hand.'
}
