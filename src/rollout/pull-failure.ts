/** Why an image cannot be pulled: whether waiting can help, and what the registry said. */
import { oneLine } from './container-words.ts'

export interface PullFailure {
  readonly gravity: 'fatal' | 'lasting'
  readonly words: string
}

/** Waiting reasons of the kubelet about images (pkg/kubelet/images/types.go; cri-api, pkg/errors/errors.go). */
const REASONS = [
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]

export function isPullReason(reason: string): boolean {
  return REASONS.includes(reason)
}

interface Rule {
  /** What it matches is what is said; the wrapping of everyone whom the answer passed through is left out. */
  readonly pattern: RegExp
  readonly gravity: PullFailure['gravity']
  readonly meaning?: string
}

/**
 * The first that matches decides. Only an answer of the registry that there is no such image cannot heal: a rate limit
 * ends, credentials are rotated or arrive late, networks come back. Docker Hub does not tell a repository that is not there
 * from one that is private, so that answer counts as a question of credentials.
 */
const RULES: readonly Rule[] = [
  {
    pattern: /no match for platform in manifest|no matching manifest for [^:]*|does not match the specified platform.*/,
    gravity: 'fatal',
    meaning: 'it was not built for the operating system and processor of the node',
  },
  { pattern: /toomanyrequests.*|429 Too Many Requests.*/i, gravity: 'lasting' },
  {
    pattern:
      /pull access denied.*|\bdenied: .*|unauthorized.*|no basic auth credentials.*|unexpected status[^:]*(:\/\/\S+)?: 40[13].*|insufficient_scope.*/i,
    gravity: 'lasting',
  },
  {
    pattern: /dial tcp.*|x509: .*|tls: .*|net\/http: .*|read: connection reset.*|context deadline exceeded.*|\bEOF$/,
    gravity: 'lasting',
  },
  { pattern: /manifest unknown.*|name unknown.*|repository \S+ not found.*|\bnot found$/i, gravity: 'fatal' },
]

/** `message` is that of the container's waiting state. Before 1.32, the one of ImagePullBackOff does not tell the cause. */
export function pullFailure(reason: string, message: string): PullFailure {
  if (reason === 'InvalidImageName') return { gravity: 'fatal', words: 'this is not a valid name for an image' }
  if (reason === 'ErrImageNeverPull')
    return { gravity: 'fatal', words: 'it is not on the node, and imagePullPolicy is Never' }
  for (const { pattern, gravity, meaning } of RULES) {
    const said = pattern.exec(message.trim())?.[0]
    if (said !== undefined) return { gravity, words: meaning === undefined ? oneLine(said) : `${meaning} (${said})` }
  }
  return { gravity: 'lasting', words: isBareBackOff(message) ? reason : lastPart(message) }
}

function isBareBackOff(message: string): boolean {
  return message === '' || /^Back-off pulling image "[^"]*"$/.test(message)
}

/** Errors are wrapped from the left, so the last part is the innermost; a bare status code needs the part before it. */
function lastPart(message: string): string {
  const parts = message.split(/: (?=[a-z0-9"])/i)
  const words = parts.at(-1) ?? message
  return oneLine(/^\d+ |^[a-z]{1,5}$/i.test(words) ? parts.slice(-2).join(': ') : words)
}
