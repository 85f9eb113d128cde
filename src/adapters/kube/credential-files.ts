import { readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { messageOf } from '../../errors.ts'
import { isInside } from '../inside.ts'
import { type Entry, type Refuse, textOf } from './fields.ts'

/** Far more than a chain of certificates needs. */
const MAX_BYTES = 1024 * 1024
/** Not files but windows into the machine: /proc/self/environ as a token would send the environment of the job to a server. */
const SPECIAL = ['/proc', '/sys', '/dev']

const USE_DATA = 'put the content into the kubeconfig, for instance with kubectl config view --raw --flatten'

export interface Fault {
  readonly fault: string
  readonly hint: string
}

/** Where a kubeconfig is from, and where nothing may be read. */
export interface Place {
  /** Where relative paths start from; absent when the kubeconfig did not come from a file. */
  readonly folder: string | undefined
  readonly workspace: string
}

/**
 * Reads a file with credentials that a kubeconfig names. It is refused where it really lies in the checkout: whoever can change
 * that would choose who is trusted, or what is sent as a token.
 */
export async function readCredentialFile(path: string, { folder, workspace }: Place): Promise<string | Fault> {
  if (!isAbsolute(path) && folder === undefined) {
    return {
      fault: `is the relative path ${JSON.stringify(path)}, but the kubeconfig did not come from a file`,
      hint: USE_DATA,
    }
  }
  try {
    const real = await realpath(resolve(folder ?? '/', path))
    const root = await realpath(workspace).catch(() => workspace)
    if (isInside(root, real)) {
      const hint = 'keep what a login trusts or sends out of the checkout, for instance in RUNNER_TEMP'
      return { fault: `leads into the checkout (${JSON.stringify(path)})`, hint }
    }
    const found = await stat(real)
    if (!found.isFile() || SPECIAL.some((special) => isInside(special, real))) {
      return { fault: `is no ordinary file (${JSON.stringify(path)})`, hint: USE_DATA }
    }
    if (found.size > MAX_BYTES) return { fault: `is larger than 1 MiB (${JSON.stringify(path)})`, hint: USE_DATA }
    return await readFile(real, 'utf8')
  } catch (error) {
    return { fault: `cannot be read: ${messageOf(error).replaceAll(/\s+/g, ' ')}`, hint: USE_DATA }
  }
}

/** A certificate or key in PEM: from the field that ends in `-data`, else from the file that the field names. */
export async function readPem(
  field: 'certificate-authority' | 'client-certificate' | 'client-key',
  entry: Entry,
  place: Place,
  refuse: Refuse,
): Promise<string | undefined> {
  const data = textOf(entry, `${field}-data`, refuse)
  const path = textOf(entry, field, refuse)
  if (data !== undefined && path !== undefined) {
    refuse(`${field} and ${field}-data are both given`, `remove one of the two`)
    return undefined
  }
  if (data === undefined && path === undefined) return undefined
  const content =
    data === undefined ? await readCredentialFile(path ?? '', place) : Buffer.from(data, 'base64').toString('utf8')
  if (typeof content !== 'string') {
    refuse(`${field} ${content.fault}`, content.hint)
  } else if (!content.includes('-----BEGIN ')) {
    refuse(
      `${data === undefined ? field : `${field}-data`} holds nothing in PEM`,
      'take it from where kubectl works, with kubectl config view --raw --flatten',
    )
  } else return content
  return undefined
}
