import type { Parsed } from './parse.ts'

/** Where the credentials for the cluster are: in the text itself, or in files that are merged as kubectl merges them. */
export type KubeconfigSource = { readonly content: string } | { readonly paths: readonly string[] }

/**
 * Reads the input `kubeconfig`, or when it is empty the variable KUBECONFIG. There is no third way: a job must never deploy
 * with the credentials of the cluster that its runner happens to be in. Nothing of the input is ever repeated.
 */
export function parseKubeconfig(text: string, variable: string): Parsed<KubeconfigSource> {
  if (text !== '') {
    const content = [text, decoded(text)].find((candidate) => candidate !== undefined && looksLikeKubeconfig(candidate))
    return content === undefined ? { ok: false, ...whyNot(text) } : { ok: true, value: { content } }
  }
  const paths = variable.split(':').filter((path) => path !== '')
  if (paths.length > 0) return { ok: true, value: { paths } }
  return {
    ok: false,
    fault: 'is not given, and the variable KUBECONFIG is not set',
    hint: 'Give the content of a kubeconfig from a secret, or run a login step before this one that sets KUBECONFIG. The cluster a runner is in is never used by itself.',
  }
}

function looksLikeKubeconfig(text: string): boolean {
  return /(?:^|[\n\r{,])\s*["']?clusters["']?\s*:/.test(text)
}

function decoded(text: string): string | undefined {
  const base64 = text.replaceAll(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function whyNot(text: string): { fault: string; hint: string } {
  if (/^[~./\\][^\n]*$/.test(text)) {
    return {
      fault: 'looks like a path, but takes the content of a kubeconfig',
      hint: 'To use a file, set the variable KUBECONFIG of the step to its path and leave this input out.',
    }
  }
  return {
    fault: 'is not a kubeconfig: it has no clusters, neither as it is nor decoded from base64',
    hint: 'Give the whole content of the file, or what "base64 -w0 FILE" prints. Its value is not shown here, as it may hold credentials.',
  }
}
