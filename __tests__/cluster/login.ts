import { type TestNamespace, testbed } from './testbed.ts'

export interface Config {
  clusters: [{ cluster: Record<string, unknown> }]
  users: [{ user: Record<string, unknown> }]
}

/** The testbed's kubeconfig, as an input, with something else in it. */
export async function changedKubeconfig(change: (config: Config) => void): Promise<{ kubeconfig: string }> {
  const config = JSON.parse(await testbed().kubectl(['config', 'view', '--raw', '-o', 'json'])) as Config
  change(config)
  return { kubeconfig: JSON.stringify(config) }
}

export interface LoginOptions {
  /** Whether it also may what the lock and the records of a release need; true if not given. */
  readonly mayDeploy?: boolean
}

/**
 * A login that may do just this in the namespace, and unless told otherwise what the lock and the records of a release need: its kubeconfig, as an
 * input, and its token.
 */
export async function createLogin(
  { kubectl, name }: TestNamespace,
  verbs: readonly string[],
  resources: string,
  { mayDeploy = true }: LoginOptions = {},
): Promise<{ input: { kubeconfig: string }; token: string }> {
  await kubectl(['create', 'serviceaccount', 'deployer'])
  await kubectl(['create', 'role', 'deployer', `--verb=${verbs.join(',')}`, `--resource=${resources}`])
  const records = ['--verb=get,list,create,update,delete', '--resource=secrets,leases.coordination.k8s.io']
  await kubectl(['create', 'role', 'records', ...records])
  if (mayDeploy)
    await kubectl(['create', 'rolebinding', 'records', '--role=records', `--serviceaccount=${name}:deployer`])
  await kubectl(['create', 'rolebinding', 'deployer', '--role=deployer', `--serviceaccount=${name}:deployer`])
  const token = (await kubectl(['create', 'token', 'deployer'])).trim()
  return { input: await changedKubeconfig((config) => (config.users[0].user = { token })), token }
}
