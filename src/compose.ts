import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { createGitHub } from './adapters/github/github.ts'
import { openAccess } from './adapters/kube/access.ts'
import { createCluster } from './adapters/kube/cluster.ts'
import { readKubeconfigs } from './adapters/kube/kubeconfig-files.ts'
import { chooseContext } from './adapters/kube/kubeconfig.ts'
import { createFileRenderer } from './adapters/render/files.ts'
import type { Journal } from './commands/journal.ts'
import type { Run, Signals } from './commands/run.ts'
import type { Inputs } from './inputs/inputs.ts'
import type { Clock, GitHub, Runner } from './ports.ts'

/** What there is before the inputs are read. */
export interface Surroundings {
  readonly runner: Runner
  readonly clock: Clock
  readonly journal: Journal
  readonly signals: Signals
  /** Of the main step, in its post step. */
  readonly holder?: string
}

/** Builds what a run needs from its inputs: the only place that knows all adapters. Throws RejectedError. */
export async function compose(
  inputs: Inputs,
  env: NodeJS.ProcessEnv,
  { holder, ...surroundings }: Surroundings,
): Promise<Run> {
  const { runner } = surroundings
  const context = chooseContext(await readKubeconfigs(inputs.kubeconfig), inputs.context)
  const access = await openAccess(context, {
    allowInsecure: inputs.allowInsecure,
    mask: (secret) => runner.mask(secret),
    warn: (message) => runner.annotate({ level: 'warning', title: 'Insecure access to the cluster', message }),
    env,
    workspace: resolve(inputs.sources.workspace),
  })
  return {
    ...surroundings,
    inputs,
    holder: holder ?? `${inputs.run?.url ?? 'a run outside GitHub'}#${randomBytes(4).toString('hex')}`,
    cluster: createCluster(access),
    renderer: createFileRenderer(),
  }
}

/** Absent without a token, or outside GitHub. */
export function composeGitHub(inputs: Inputs, env: NodeJS.ProcessEnv): GitHub | undefined {
  const { githubToken: token, run } = inputs
  if (token === undefined || !run) return undefined
  return createGitHub({ token, apiUrl: env['GITHUB_API_URL'] ?? 'https://api.github.com', repository: run.repository })
}
