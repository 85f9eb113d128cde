import { type Problem, rejectIfAny } from '../../errors.ts'
import { isObject } from '../../manifest/object.ts'
import { readPem } from './credential-files.ts'
import { type Entry, flagOf, type Refuse, textOf } from './fields.ts'
import { impersonationHeaders } from './impersonation.ts'
import type { KubeconfigContext } from './kubeconfig.ts'
import type { Login } from './login.ts'
import { chooseProxy, type Proxy } from '../network/proxy.ts'
import { readLogin } from './read-login.ts'

/** How to reach an API server and to log in there. */
export interface ClusterAccess extends Login {
  readonly server: string
  readonly namespace: string | undefined
  readonly tls: ServerTrust
  readonly proxy?: Proxy
  /** Sent with every request: as whom the user acts. */
  readonly headers: Readonly<Record<string, string | string[]>>
}

/** How the API server is told from an impostor. */
export interface ServerTrust {
  readonly rejectUnauthorized: boolean
  /** In PEM. Absent: the authorities that Node.js trusts. */
  readonly ca?: string
  readonly servername?: string
}

export interface AccessOptions {
  readonly allowInsecure: boolean
  /** Told every credential before it is used, so that it can be hidden from the log. */
  readonly mask: (secret: string) => void
  /** Told what is insecure and was allowed. */
  readonly warn: (message: string) => void
  /** The environment of the process: proxies, and what login commands inherit. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The checkout, from which neither credentials nor programs are taken. */
  readonly workspace: string
}

/** Checks a kubeconfig context and turns it into an access. Throws RejectedError with everything that is wrong with it. */
export async function openAccess(context: KubeconfigContext, options: AccessOptions): Promise<ClusterAccess> {
  const problems: Problem[] = []
  const refuse: Refuse = (message, hint) =>
    problems.push({ code: 'InvalidInput', message: `kubeconfig: ${message}`, hint })
  const { cluster, user } = context
  const { env, workspace, mask } = options
  const warnings: string[] = []

  const server = readServer(cluster, options, refuse, warnings)
  const proxyUrl = textOf(cluster, 'proxy-url', refuse)
  const proxy = server && chooseProxy(server, { proxyUrl, env, mask, refuse })
  const tls = await readTrust(context, options, refuse, warnings)
  const headers = impersonationHeaders(user, refuse)
  const login = await readLogin(context, { env, workspace, mask, refuse, execCluster: execClusterOf(cluster, tls) })
  rejectIfAny(problems)

  for (const warning of warnings) options.warn(warning)
  return {
    server: (server?.href ?? '').replace(/\/+$/, ''),
    namespace: context.namespace,
    tls,
    ...(proxy && { proxy }),
    headers,
    ...login,
  }
}

function readServer(
  cluster: Entry,
  { allowInsecure }: AccessOptions,
  refuse: Refuse,
  warnings: string[],
): URL | undefined {
  const address = textOf(cluster, 'server', refuse) ?? ''
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    // What stands before an @ may be a password.
    const shown = address.includes('@') ? '' : ` ${JSON.stringify(address)}`
    refuse(
      `the cluster's server${shown} is not an https:// address`,
      'take the kubeconfig from where kubectl works, for instance with kubectl config view --raw --minify',
    )
    return undefined
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    refuse(
      `the address of the server ${url.host} holds more than a host, a port and a path`,
      'keep credentials in the users of the kubeconfig, and nothing behind the path',
    )
  }
  if (url.protocol === 'http:') {
    const fault = `the server ${url.origin} is plain http, so credentials would travel unencrypted`
    if (!allowInsecure) refuse(fault, 'use https, or set allow-insecure: true for a cluster on this machine')
    warnings.push(fault)
  }
  return url
}

async function readTrust(
  context: KubeconfigContext,
  { allowInsecure, workspace }: AccessOptions,
  refuse: Refuse,
  warnings: string[],
): Promise<ServerTrust> {
  const { cluster } = context
  const ca = await readPem('certificate-authority', cluster, { folder: context.clusterFolder, workspace }, refuse)
  const insecure = flagOf(cluster, 'insecure-skip-tls-verify', refuse)
  if (insecure) {
    const fault = 'insecure-skip-tls-verify is set, so the server cannot be told from an impostor'
    if (!allowInsecure) refuse(fault, 'add certificate-authority-data instead, or set allow-insecure: true')
    warnings.push(fault)
  }
  if (insecure && ca !== undefined) {
    refuse(
      'certificate-authority and insecure-skip-tls-verify contradict each other',
      'remove insecure-skip-tls-verify, so that the authority counts',
    )
  }
  const servername = textOf(cluster, 'tls-server-name', refuse)
  return {
    // Said out loud so that NODE_TLS_REJECT_UNAUTHORIZED=0 in the job's environment cannot switch it off.
    rejectUnauthorized: !insecure,
    ...(ca !== undefined && { ca }),
    ...(servername !== undefined && { servername }),
  }
}

/** The cluster as a login command that asks for it is told: `spec.cluster` of client.authentication.k8s.io/v1. */
function execClusterOf(cluster: Entry, { ca, rejectUnauthorized, servername }: ServerTrust): object {
  const extensions = Array.isArray(cluster['extensions']) ? cluster['extensions'].filter(isObject) : []
  const config = extensions.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.['extension']
  return {
    server: cluster['server'],
    ...(servername !== undefined && { 'tls-server-name': servername }),
    ...(!rejectUnauthorized && { 'insecure-skip-tls-verify': true }),
    ...(ca !== undefined && { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(cluster['proxy-url'] !== undefined && { 'proxy-url': cluster['proxy-url'] }),
    ...(config !== undefined && { config }),
  }
}
