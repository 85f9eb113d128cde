import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { messageOf, type Problem, RejectedError } from '../../errors.ts'
import {
  fetchedByPlugin,
  looksRemote,
  type Reference,
  referencesOf,
  withoutLogin,
} from '../../manifest/kustomization.ts'
import { readYaml, type YamlDocument } from '../../manifest/yaml.ts'
import { isInside } from '../inside.ts'
import { MAX_FILE_BYTES } from './limits.ts'

/** https://kubectl.docs.kubernetes.io/references/kustomize/glossary/#kustomization */
export const KUSTOMIZATION_FILES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']
/** A checkout with more is a mistake or an attack. */
const MOST_KUSTOMIZATIONS = 1000

/**
 * What stands in the way of building a kustomization safely: it, or one that it includes, names something that is remote, not
 * there, or outside of the workspace. `root` and `directory` are real paths.
 */
export async function kustomizationProblems(root: string, directory: string): Promise<Problem[]> {
  const walk = new Walk(root)
  await walk.enter(directory, false, undefined)
  return walk.problems
}

class Walk {
  readonly problems: Problem[] = []
  readonly #root: string
  readonly #visited = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  async enter(directory: string, isPlugin: boolean, from: Problem['at']): Promise<void> {
    if (this.#visited.has(`${isPlugin} ${directory}`) || this.#visited.size > MOST_KUSTOMIZATIONS) return
    this.#visited.add(`${isPlugin} ${directory}`)
    const files = (await readdir(directory)).filter((name) => KUSTOMIZATION_FILES.includes(name))
    const [name] = files
    if (name === undefined || files.length > 1) {
      const found = name === undefined ? `no ${KUSTOMIZATION_FILES[0]}` : `more than one of ${files.join(', ')}`
      this.#refuse(`the directory ${this.#shown(directory)} has ${found}`, 'Name a directory that has one.', from)
      return
    }
    const file = join(directory, name)
    const documents = await this.#read(file, from)
    if (documents.length > 1) {
      this.#refuse(`${this.#shown(file)} has more than one document`, 'Keep one, and put the others into files.', from)
    }
    for (const document of documents) {
      for (const reference of referencesOf(document, this.#shown(file), this.problems)) {
        await this.#follow(reference, file, isPlugin)
      }
      if (isPlugin) this.#checkPlugin(document, this.#shown(file))
    }
  }

  async #follow(reference: Reference, file: string, inPlugin: boolean): Promise<void> {
    const { path, field, line, mayBeDirectory } = reference
    const at = { file: this.#shown(file), line }
    const refuse = (fault: string, hint: string) =>
      this.#refuse(`${at.file}:${line}: ${JSON.stringify(withoutLogin(path))} in ${field} ${fault}`, hint, at)
    if (looksRemote(path)) {
      const hint =
        'Fetch it in a step before this one, at a fixed commit, and name the copy in the checkout; write ./ before a local path with such a name.'
      return refuse('is, or looks like, something to be fetched from elsewhere, which is not done', hint)
    }
    const target = resolve(dirname(file), path)
    const real = await realpath(target).catch(() => undefined)
    if (!isInside(this.#root, real ?? target) || isAbsolute(path)) {
      return refuse('leads outside the workspace, or is no relative path', 'Copy it into the checkout.')
    }
    if (real === undefined) return refuse('is not there', 'Check the spelling, and whether it is committed.')
    const isPlugin = inPlugin || reference.isPlugin
    if ((await stat(real)).isDirectory()) {
      if (mayBeDirectory) await this.enter(real, isPlugin, at)
    } else if (isPlugin && mayBeDirectory) {
      for (const document of await this.#read(real, at)) this.#checkPlugin(document, this.#shown(real))
    }
  }

  #checkPlugin(document: YamlDocument, file: string): void {
    const line = document.lineOf([])
    for (const path of fetchedByPlugin(document.value)) {
      const hint = 'Fetch it in a step before this one, and name the copy in the checkout.'
      this.#refuse(`${file}:${line}: "${path}" would be fetched, which is not done`, hint, { file, line })
    }
  }

  async #read(file: string, from: Problem['at']): Promise<YamlDocument[]> {
    const name = this.#shown(file)
    try {
      const real = await realpath(file)
      if (!isInside(this.#root, real)) throw new Error('it leads outside the workspace')
      if ((await stat(real)).size > MAX_FILE_BYTES) throw new Error('it is larger than 10 MiB')
      return readYaml({ path: name, text: await readFile(real, 'utf8') })
    } catch (error) {
      if (error instanceof RejectedError) this.problems.push(...error.problems)
      else this.#refuse(`${name} cannot be read: ${messageOf(error)}`, 'Put a readable file there.', from)
      return []
    }
  }

  #refuse(message: string, hint: string, at: Problem['at']): void {
    this.problems.push({ code: 'InvalidManifest', message, hint, ...(at && { at }) })
  }

  #shown(path: string): string {
    return relative(this.#root, path).split(sep).join('/') || basename(path)
  }
}
