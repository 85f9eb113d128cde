import { basename, isAbsolute } from 'node:path'
import { isObject } from '../../manifest/object.ts'
import { findProgram } from '../process.ts'
import { namesCheckout, readExecEnv } from './exec-environment.ts'
import { type Entry, flagOf, type Refuse, textOf, textsOf } from './fields.ts'

/** A login command that may be run. */
export interface ExecPlugin {
  /** For messages. */
  readonly name: string
  /** Where it is, absolute. */
  readonly path: string
  readonly args: readonly string[]
  /** What the kubeconfig adds to its environment. */
  readonly env: Readonly<Record<string, string>>
  readonly apiVersion: string
  /** Whether it is told about the cluster. */
  readonly wantsCluster: boolean
}

/**
 * The login commands of the clouds' own tools, and the words of theirs that log in. Anything else in a kubeconfig would be a command
 * of its author's choice, run with the credentials of the job.
 */
const KNOWN_PLUGINS: Readonly<Record<string, readonly string[]>> = {
  aws: ['eks', 'get-token'],
  'aws-iam-authenticator': ['token'],
  doctl: ['kubernetes', 'cluster', 'kubeconfig', 'exec-credential'],
  'gke-gcloud-auth-plugin': [],
  kubelogin: ['get-token'],
}
/** Of kubelogin (https://github.com/int128/kubelogin/blob/master/docs/usage.md). */
const STARTS_A_PROGRAM = /^--browser-command(?:=|$)/
const API_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

export interface ExecSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly workspace: string
}

/**
 * Checks the `exec` section of a user
 * (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins) and finds its program.
 * Undefined when it was refused.
 */
export async function readExecPlugin(
  exec: unknown,
  { env, workspace }: ExecSurroundings,
  refuse: Refuse,
): Promise<ExecPlugin | undefined> {
  const section: Entry = isObject(exec) ? exec : {}
  const command = textOf(section, 'command', refuse) ?? ''
  const name = basename(command)
  const words = Object.hasOwn(KNOWN_PLUGINS, name) ? KNOWN_PLUGINS[name] : undefined
  if (!words || (name !== command && !isAbsolute(command))) {
    refuse(
      `the login command ${JSON.stringify(command)} is not one that Rollsafe runs`,
      `known are ${Object.keys(KNOWN_PLUGINS).join(', ')}, by name or by an absolute path; for other logins use a ServiceAccount token`,
    )
    return undefined
  }
  const args = textsOf(section, 'args', refuse)
  if (!beginWith(args, words)) {
    refuse(
      `the login command ${name} does not begin with ${JSON.stringify(words.join(' '))}, so it would do something else than log in`,
      `take the kubeconfig from where kubectl works; Rollsafe runs ${name} only to log in`,
    )
  }
  for (const arg of args) {
    if (STARTS_A_PROGRAM.test(arg)) {
      refuse(`the argument ${JSON.stringify(arg)} of the login command ${name} would start a program`, 'remove it')
    } else if (await namesCheckout(arg, workspace)) {
      refuse(
        `an argument of the login command ${name} leads into the checkout (${JSON.stringify(arg)})`,
        'keep the configuration of logins out of the checkout',
      )
    }
  }
  const apiVersion = textOf(section, 'apiVersion', refuse) ?? ''
  if (!API_VERSIONS.includes(apiVersion)) {
    refuse(
      `the login command ${name} speaks ${JSON.stringify(apiVersion)}`,
      `update it, and write ${API_VERSIONS.join(' or ')} as the apiVersion of its section`,
    )
  }
  const mode = textOf(section, 'interactiveMode', refuse) ?? 'IfAvailable'
  if (!['Never', 'IfAvailable'].includes(mode)) {
    refuse(
      `the login command ${name} wants to ask somebody (interactiveMode ${JSON.stringify(mode)}), and nobody is there`,
      'use a login that needs no answers, and interactiveMode: Never',
    )
  }
  const added = await readExecEnv(section['env'], workspace, refuse)
  const wantsCluster = flagOf(section, 'provideClusterInfo', refuse)
  const found = await findProgram(command, { path: env['PATH'] ?? '', workspace })
  if (found === undefined) {
    refuse(
      `the login command ${JSON.stringify(command)} is not installed on this runner`,
      'install it in a step before this one, or use the login action of the cloud',
    )
  } else if ('inCheckout' in found) {
    refuse(
      `the login command ${JSON.stringify(command)} is found only in the checkout (${JSON.stringify(found.inCheckout)})`,
      'install it outside of the checkout: what a checkout brings is not run',
    )
  }
  return found && 'path' in found ? { name, path: found.path, args, env: added, apiVersion, wantsCluster } : undefined
}

/** Whether these words are the first of the arguments, apart from options. */
function beginWith(args: readonly string[], words: readonly string[]): boolean {
  const found: string[] = []
  for (let at = 0; at < args.length && found.length < words.length; at++) {
    const arg = args[at] ?? ''
    if (!arg.startsWith('-')) found.push(arg)
    // `--region eu-west-1`, but not `--region=eu-west-1` and not `--debug`.
    else if (!arg.includes('=') && !/^--(?:no-.*|debug)$/.test(arg)) at++
  }
  return words.every((word, index) => found[index] === word)
}
