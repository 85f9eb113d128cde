import { glob, open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, extname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { messageOf, rejectIfAny, type Problem } from '../../errors.ts'
import type { SourceFile } from '../../ports.ts'
import { isInside } from '../inside.ts'
import { isUrl } from './checkout-path.ts'
import { KUSTOMIZATION_FILES } from './kustomization.ts'
import { MAX_FILE_BYTES, MAX_TOTAL_BYTES } from './limits.ts'
import { nearestName } from './nearest-name.ts'

/** As kubectl takes them from a directory: resource.FileExtensions in k8s.io/cli-runtime. */
const EXTENSIONS: ReadonlySet<string> = new Set(['.json', '.yaml', '.yml'])
const MANIFESTS_BELOW = '**/*.{json,yaml,yml}'
/** Files that make a directory something to be rendered, and the input that it belongs into. */
const FOR_OTHER_TOOLS: ReadonlyMap<string, string> = new Map([
  ...KUSTOMIZATION_FILES.map((name) => [name, 'kustomize'] as const),
  ['Chart.yaml', 'helm-chart'],
])

/**
 * Reads manifests from files of the checkout. A file is read whatever its name; of a directory the .json, .yaml and .yml files
 * directly in it, like `kubectl apply -f`; of a glob those among its matches. Files come in the order of the lines, those of
 * one line sorted, each file once. Nothing outside `root`, the real path of the workspace, is read, not even by way of a symbolic link.
 */
export async function readManifestFiles(
  root: string,
  manifests: readonly string[],
  signal?: AbortSignal,
): Promise<SourceFile[]> {
  const problems: Problem[] = []
  const checkout = new Checkout(root, problems)
  const paths = new Set<string>()
  for (const line of manifests) {
    signal?.throwIfAborted()
    for (const path of await checkout.find(line)) paths.add(path)
  }
  const files: SourceFile[] = []
  for (const path of paths) {
    signal?.throwIfAborted()
    const file = await checkout.read(path)
    if (file) files.push(file)
  }
  rejectIfAny(problems)
  return files
}

class Checkout {
  /** Its real path. */
  readonly #root: string
  readonly #problems: Problem[]
  #bytesLeft = MAX_TOTAL_BYTES

  constructor(root: string, problems: Problem[]) {
    this.#root = root
    this.#problems = problems
  }

  /** The real paths of the files that one line of the input stands for. */
  async find(line: string): Promise<string[]> {
    if (isUrl(line)) {
      return this.#refuse(
        `"${line}" is a URL`,
        'Download it in a step before this one, check what it is, and list the file.',
      )
    }
    const path = await realpath(resolve(this.#root, line)).catch(() => undefined)
    if (path === undefined) return /[*?[{]|[!+@]\(/.test(line) ? this.#findByGlob(line) : this.#missing(line)
    if (!this.#contains(path)) return this.#outside(line)
    const found = await stat(path)
    if (found.isDirectory()) return this.#findInDirectory(line, path)
    if (found.isFile()) return [path]
    return this.#refuse(`"${line}" is neither a file nor a directory`, 'List regular files.')
  }

  async #findInDirectory(line: string, directory: string): Promise<string[]> {
    const names = (await readdir(directory)).toSorted()
    const marker = names.find((name) => FOR_OTHER_TOOLS.has(name))
    if (marker !== undefined) {
      return this.#refuse(
        `the directory "${line}" holds a ${marker}, so it must be rendered first`,
        `Write "${FOR_OTHER_TOOLS.get(marker)}: ${line}" instead; the inputs may be combined.`,
      )
    }
    const files = await this.#manifestsAmong(
      line,
      names.map((name) => join(directory, name)),
    )
    if (files.length > 0) return files
    for await (const below of glob(MANIFESTS_BELOW, { cwd: directory })) {
      const hint = `Folders inside a directory are not read, as with kubectl. Write ${join(line, '**', '*')} to read them, or list the folders.`
      return this.#refuse(`the directory "${line}" has manifests only in folders inside it, such as ${below}`, hint)
    }
    return this.#refuse(
      `the directory "${line}" has no .json, .yaml or .yml file`,
      'List the directory that holds the manifests.',
    )
  }

  async #findByGlob(line: string): Promise<string[]> {
    const steps = line.split('/')
    const fixed = steps.slice(
      0,
      steps.findIndex((step) => /[*?[{(]/.test(step)),
    )
    const start = fixed.join('/') || (isAbsolute(line) ? '/' : '.')
    const base = await realpath(resolve(this.#root, start)).catch(() => undefined)
    if (base === undefined) return this.#missing(start)
    if (!this.#contains(base) || steps.slice(fixed.length).includes('..')) return this.#outside(line)
    const matches: string[] = []
    const exclude = line.includes('node_modules') ? () => false : (name: string) => basename(name) === 'node_modules'
    for await (const match of glob(line, { cwd: this.#root, exclude })) matches.push(resolve(this.#root, match))
    const files = await this.#manifestsAmong(line, matches.toSorted())
    if (files.length > 0) return files
    const what = matches.length === 0 ? 'matches nothing' : 'matches no .json, .yaml or .yml file'
    const hint = 'Globs begin at the top of the checkout; ** stands for folders at any depth.'
    return this.#refuse(`the glob "${line}" ${what}`, hint)
  }

  /** The real paths of those that are manifests by their name, and files. */
  async #manifestsAmong(line: string, paths: readonly string[]): Promise<string[]> {
    const files: string[] = []
    for (const path of paths.filter((candidate) => EXTENSIONS.has(extname(candidate)))) {
      const real = await realpath(path).catch(() => undefined)
      if (real === undefined)
        this.#refuse(`"${relative(this.#root, path)}" is a link to nothing`, 'Mend the link, or remove it.')
      else if (!this.#contains(real)) this.#outside(relative(this.#root, path), line)
      else if ((await stat(real)).isFile()) files.push(real)
    }
    return files
  }

  async read(path: string): Promise<SourceFile | undefined> {
    const name = relative(this.#root, path).split(sep).join('/')
    const refuse = (message: string, hint: string): undefined => {
      this.#problems.push({ code: 'InvalidManifest', message: `${name} ${message}`, hint, at: { file: name, line: 1 } })
    }
    let bytes: Uint8Array
    try {
      await using file = await open(path)
      const { size } = await file.stat()
      if (size > MAX_FILE_BYTES) return refuse('is larger than 10 MiB', 'Split it, and keep data out of it.')
      this.#bytesLeft -= size
      if (this.#bytesLeft < 0) return refuse('makes the manifests larger than 64 MiB together', 'List fewer files.')
      bytes = await file.readFile()
    } catch (error) {
      return refuse(`cannot be read: ${messageOf(error)}`, 'Let the user of the runner read it.')
    }
    try {
      return { path: name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
    } catch {
      return refuse('is not a text file in UTF-8', 'Save it as UTF-8, or leave it out.')
    }
  }

  #contains(path: string): boolean {
    return isInside(this.#root, path)
  }

  #outside(line: string, because?: string): [] {
    const whose = because === undefined ? '' : `, which "${because}" names,`
    return this.#refuse(
      `"${line}"${whose} leads outside the workspace`,
      'Copy the file into the checkout and list it there. Links that lead out are not followed.',
    )
  }

  async #missing(line: string): Promise<[]> {
    const path = resolve(this.#root, line)
    if (!this.#contains(path)) return this.#outside(line)
    return this.#refuse(`there is no file or directory "${line}"`, await this.#near(line))
  }

  /** A hint at what may have been meant. */
  async #near(line: string): Promise<string> {
    let folder = this.#root
    const checkout = await readdir(this.#root)
    if (checkout.length === 0) return 'The workspace is empty: run actions/checkout in a step before this one.'
    for (const step of relative(this.#root, resolve(this.#root, line)).split(sep)) {
      const names = await readdir(folder).catch((): string[] => [])
      if (!names.includes(step)) {
        const near = nearestName(step, names)
        const place = relative(this.#root, folder)
        if (near !== undefined) return `There is "${join(place, near)}": is it that one?`
        return `Check the spelling${place === '' ? '' : ` of what is in "${place}"`}, and whether the file is committed or made by an earlier step.`
      }
      folder = join(folder, step)
    }
    return 'Check the spelling.'
  }

  #refuse(fault: string, hint: string): [] {
    this.#problems.push({ code: 'InvalidInput', message: `the input manifests: ${fault}`, hint })
    return []
  }
}
