/** Why a container cannot be made or started: whether waiting can help, and what is missing. */
import type { ReasonCode } from '../errors.ts'
import { oneLine } from './container-words.ts'

export interface StartFailure {
  readonly reason: ReasonCode
  readonly gravity: 'fatal' | 'lasting'
  readonly words: string
}

/** Waiting reasons of the kubelet (pkg/kubelet/container/sync_result.go, pkg/kubelet/kuberuntime/kuberuntime_container.go). */
const WAITING = [
  'RunContainerError',
  'CreateContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
]
/** Terminated reasons of a container that never ran: of containerd and CRI-O, and of cri-dockerd. */
const TERMINATED = ['StartError', 'ContainerCannotRun']

export function isStartReason(reason: string): boolean {
  return WAITING.includes(reason) || TERMINATED.includes(reason)
}

/** Runtimes and programs that are of another processor architecture than the node say nothing but this. */
export const WRONG_ARCHITECTURE = /exec format error/i

interface Rule {
  /** What it matches is what is said. */
  readonly pattern: RegExp
  readonly reason?: ReasonCode
  readonly gravity?: 'lasting'
  readonly meaning?: string
}

/**
 * What the image or the pod template has wrong, which no waiting mends. Everything else may be trouble of the node: a full
 * disk, a runtime that does not answer, a name that is still reserved. Exit codes do not tell the two apart: containerd
 * gives 128 to every container that it cannot start.
 */
const START_RULES: readonly Rule[] = [
  {
    pattern: WRONG_ARCHITECTURE,
    meaning: 'the image was built for another processor architecture than the node has',
  },
  { pattern: /exec: "[^"]*": executable file not found in \$PATH|exec: "[^"]*": [^:]*no such file or directory/ },
  { pattern: /exec:? "?[^":]+"?: (stat [^:]+: )?(no such file or directory|permission denied|is a directory)/ },
  { pattern: /chdir to cwd \("[^"]*"\).*?(no such file or directory|permission denied|not a directory)/ },
  { pattern: /no command specified/, meaning: 'neither the image nor the manifest names a command' },
  { pattern: /unable to find (user|group) [^:]+(: no matching entries in (passwd|group) file)?/ },
  { pattern: /not a directory[^:]*: Are you trying to mount a directory onto a file[^:]*/i },
  {
    pattern: /container init was OOM-killed/,
    reason: 'OutOfMemory',
    gravity: 'lasting',
    meaning: 'its memory limit is too low to even start it',
  },
]

/** From the message of the waiting or terminated state of a container that could not be started. */
export function startFailure(reason: string, message: string): StartFailure {
  for (const { pattern, reason: code = 'StartFailed', gravity = 'fatal', meaning } of START_RULES) {
    const said = pattern.exec(message)?.[0]
    if (said !== undefined)
      return { reason: code, gravity, words: oneLine(meaning === undefined ? said : `${meaning} (${said})`) }
  }
  return { reason: 'StartFailed', gravity: 'lasting', words: labelled(reason, message) }
}

/**
 * From the message of CreateContainerConfigError. The kubelet's own trouble, such as `failed to sync configmap cache`, passes
 * (pkg/kubelet/kubelet_pods.go, pkg/kubelet/util/manager/watch_based_manager.go).
 */
export function configFailure(message: string): StartFailure {
  const missing = missingConfig(message)
  if (missing !== undefined) return { reason: 'ContainerConfig', gravity: 'fatal', words: missing }
  const nonRoot = /container has runAsNonRoot and image .*?(?= \(pod: |$)/.exec(message)?.[0]
  if (nonRoot !== undefined) return { reason: 'ContainerConfig', gravity: 'fatal', words: oneLine(nonRoot) }
  return { reason: 'ContainerConfig', gravity: 'lasting', words: labelled('CreateContainerConfigError', message) }
}

/** `ConfigMap settings does not exist`; undefined when the text speaks of something else. */
export function missingConfig(message: string): string | undefined {
  const object = /\b(configmap|secret) "([^"]+)" not found/i.exec(message)
  if (object) return `${kindOf(object[1])} ${object[2]} does not exist`
  const key = /couldn't find key (.+?) in (ConfigMap|Secret) \S*?\/([^\s/]+)/.exec(message)
  if (key) return `${kindOf(key[2])} ${key[3]} has no key ${key[1]}`
  // Of a volume: `references non-existent secret key: tls.crt` (pkg/volume/secret/secret.go, pkg/volume/configmap/configmap.go).
  const item = /references non-existent (config|secret) key: (\S+)/.exec(message)
  return item ? `its ${item[1] === 'config' ? 'ConfigMap' : 'Secret'} has no key ${item[2]}` : undefined
}

function kindOf(word = ''): string {
  return word.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap'
}

function labelled(reason: string, message: string): string {
  return message === '' ? reason : oneLine(`${reason}: ${message}`)
}
