import { realpath, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Problem } from '../../errors.ts'
import { isInside } from '../inside.ts'

/** Whether a text names something of another place by a scheme, as `https://…` or `oci://…` do. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
}

export interface Wanted {
  /** The input that names it. */
  readonly input: string
  readonly kind: 'file' | 'directory'
  /** What to do about a URL. */
  readonly insteadOfUrl: string
}

/**
 * The real path of a file or directory that an input names, `root` being the real path of the workspace. Undefined when it is not
 * there, not what is wanted, or leads outside of the workspace; then a problem is noted.
 */
export async function findInCheckout(
  root: string,
  text: string,
  { input, kind, insteadOfUrl }: Wanted,
  problems: Problem[],
): Promise<string | undefined> {
  const refuse = (fault: string, hint: string): undefined => {
    problems.push({ code: 'InvalidInput', message: `the input ${input}: ${fault}`, hint })
  }
  if (isUrl(text)) return refuse(`"${text}" is a URL`, insteadOfUrl)
  const path = await realpath(resolve(root, text)).catch(() => undefined)
  if (!isInside(root, path ?? resolve(root, text))) {
    const hint = `Copy the ${kind} into the checkout and name it there. Links that lead out are not followed.`
    return refuse(`"${text}" leads outside the workspace`, hint)
  }
  if (path === undefined) {
    const hint = 'Check the spelling, and whether it is committed or made by an earlier step.'
    return refuse(`there is no ${kind} "${text}"`, hint)
  }
  const found = await stat(path)
  if (kind === 'file' ? found.isFile() : found.isDirectory()) return path
  return refuse(`"${text}" is not a ${kind}`, `Name a ${kind}.`)
}
