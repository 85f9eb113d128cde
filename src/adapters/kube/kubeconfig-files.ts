import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { messageOf, type Problem, rejectIfAny } from '../../errors.ts'
import type { KubeconfigSource } from '../../inputs/kubeconfig.ts'
import { isObject } from '../../manifest/object.ts'
import type { KubeconfigText } from './kubeconfig.ts'

/** A kubeconfig of this size would hold thousands of clusters. */
const MAX_BYTES = 10 * 1024 * 1024

/**
 * The kubeconfigs of a run. Of the files that KUBECONFIG lists, those that do not exist are left out, as kubectl does; one at least
 * must exist. A file in the checkout is taken, as login actions write it there: whoever set KUBECONFIG has named it. What a
 * kubeconfig may lead to is checked wherever it is from (credential-files.ts, exec-plugin.ts). Throws RejectedError.
 */
export async function readKubeconfigs(source: KubeconfigSource): Promise<KubeconfigText[]> {
  if ('content' in source) return [{ text: source.content, name: 'the input kubeconfig' }]
  const problems: Problem[] = []
  const refuse = (message: string, hint: string) => problems.push({ code: 'InvalidInput', message, hint })
  const texts: KubeconfigText[] = []
  for (const path of new Set(source.paths)) {
    const named = `the kubeconfig ${path}, which the variable KUBECONFIG names,`
    try {
      const found = await stat(path)
      if (!found.isFile()) refuse(`${named} is not a file`, 'let KUBECONFIG name files')
      else if (found.size > MAX_BYTES) refuse(`${named} is larger than 10 MiB`, 'keep only the context that is needed')
      else texts.push({ text: await readFile(path, 'utf8'), name: path, folder: dirname(resolve(path)) })
    } catch (error) {
      if (isObject(error) && error['code'] === 'ENOENT') continue
      refuse(
        `${named} cannot be read: ${messageOf(error)}`,
        'correct KUBECONFIG, or pass the content as the input kubeconfig',
      )
    }
  }
  if (texts.length === 0 && problems.length === 0) {
    refuse(
      `there is no file ${source.paths.join(', ')}, which the variable KUBECONFIG names`,
      'run the login step before this one, correct KUBECONFIG, or pass the content as the input kubeconfig',
    )
  }
  rejectIfAny(problems)
  return texts
}
