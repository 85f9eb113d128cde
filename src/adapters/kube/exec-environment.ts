/** What a login command of a kubeconfig sees of the environment, and what the kubeconfig may add to it. */
import { realpath } from 'node:fs/promises'
import { delimiter, isAbsolute, resolve } from 'node:path'
import { isObject } from '../../manifest/object.ts'
import { isInside } from '../inside.ts'
import type { Refuse } from './fields.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Not for login commands: the inputs of this step and what it saved, the tokens that GitHub gives to the job, and the files by which
 * a step steers the steps after it. ACTIONS_ID_TOKEN_REQUEST_* stay: with them kubelogin and others log in by OpenID Connect.
 */
const WITHHELD =
  /^(?:INPUT_.*|STATE_.*|GITHUB_TOKEN|GH_TOKEN|ACTIONS_RUNTIME_TOKEN|ACTIONS_CACHE_.*|GITHUB_(?:ENV|PATH|OUTPUT|STATE|STEP_SUMMARY))$/i

/**
 * What a kubeconfig may set, so that a login command knows which account, region or certificate to use. All else could change which
 * program runs (PATH, LD_PRELOAD, PYTHONPATH, NODE_OPTIONS …).
 */
const SETTABLE =
  /^(?:AWS|AZURE|AAD|ARM|GOOGLE|CLOUDSDK|GKE|DIGITALOCEAN)_[A-Z0-9_]+$|^(?:USE_GKE_GCLOUD_AUTH_PLUGIN|(?:HTTPS?|NO)_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|KUBECACHEDIR)$/i
/** Of those, the ones that name a program after all. */
const NAMES_A_PROGRAM = /^(?:AWS_PAGER|CLOUDSDK_PYTHON.*|GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES)$/i

/** The folder in which login commands run: not the checkout, whose files some programs would heed. */
export const EXEC_FOLDER = '/'

/** The environment of a login command. */
export async function execEnvironment(
  env: Environment,
  added: Readonly<Record<string, string>>,
  workspace: string,
): Promise<Record<string, string>> {
  const inherited = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !WITHHELD.test(entry[0]),
  )
  return { ...Object.fromEntries(inherited), PATH: await pathWithout(env['PATH'] ?? '', workspace), ...added }
}

/** Programs start others by name, such as the interpreter they are written for: none of the checkout. */
async function pathWithout(path: string, workspace: string): Promise<string> {
  const absolute = path.split(delimiter).filter((folder) => isAbsolute(folder))
  const folders = await Promise.all(
    absolute.map(async (folder) => ((await leadsInto(workspace, folder)) ? [] : [folder])),
  )
  return folders.flat().join(delimiter)
}

/** Whether a text names something in the checkout, also as a part of it: `--option=path`, `one:two`, `file://path`. */
export async function namesCheckout(text: string, workspace: string): Promise<boolean> {
  const parts = [text, ...text.split(/[=:,]/)].filter((part) => part !== '')
  return (await Promise.all(parts.map((part) => leadsInto(workspace, resolve(EXEC_FOLDER, part))))).includes(true)
}

/** Whether a path leads into the workspace, as it is written or as it really is. */
async function leadsInto(workspace: string, path: string): Promise<boolean> {
  const [real, root] = await Promise.all([path, workspace].map((one) => realpath(one).catch(() => resolve(one))))
  return isInside(workspace, resolve(path)) || isInside(root ?? workspace, real ?? path)
}

/** Reads `env` of an exec section. */
export async function readExecEnv(
  given: unknown,
  workspace: string,
  refuse: Refuse,
): Promise<Readonly<Record<string, string>>> {
  const env: Record<string, string> = {}
  if (given === undefined || given === null) return env
  const entries = Array.isArray(given) ? given : [given]
  for (const entry of entries) {
    const { name, value } = isObject(entry) ? entry : {}
    if (typeof name !== 'string' || typeof value !== 'string') {
      refuse('env of the login command has an entry without a name and a value', 'write each as "- name:" and "value:"')
    } else if (!SETTABLE.test(name) || NAMES_A_PROGRAM.test(name)) {
      refuse(
        `the login command would run with the variable ${JSON.stringify(name)}, which a kubeconfig may not set`,
        'set it for the whole step if it is needed; a kubeconfig may choose accounts and regions (AWS_…, AZURE_…, AAD_…, CLOUDSDK_…, GOOGLE_…)',
      )
    } else if (/^~|\$/.test(value)) {
      refuse(`the variable ${name} of the login command would be expanded by it`, 'write the path out, without ~ and $')
    } else if (await namesCheckout(value, workspace)) {
      refuse(
        `the variable ${name} of the login command leads into the checkout`,
        'keep the configuration of logins out of the checkout',
      )
    } else env[name] = value
  }
  return env
}
