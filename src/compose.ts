import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { GitHubOptions } from './adapters/github/client.ts'
import { createDeploymentNotifier } from './adapters/github/deployments.ts'
import { createSweptNotifier } from './adapters/github/remove-deployments.ts'
import { createGitHub } from './adapters/github/github.ts'
import { openAccess } from './adapters/kube/access.ts'
import { createCluster } from './adapters/kube/cluster.ts'
import { credentialsIn } from './adapters/kube/credentials.ts'
import { readKubeconfigs } from './adapters/kube/kubeconfig-files.ts'
import { chooseContext } from './adapters/kube/kubeconfig.ts'
import { openNotifiers } from './adapters/notify/notifiers.ts'
import { createRegistry } from './adapters/registry/registry.ts'
import { createRenderer } from './adapters/render/renderer.ts'
import { createWeb } from './adapters/web/web.ts'
import type { Journal } from './commands/journal.ts'
import { discreetCluster, hideSettings, spareNames } from './commands/keep-secrets.ts'
import type { Run, Signals } from './commands/run.ts'
import { rejectIfAny } from './errors.ts'
import type { Inputs } from './inputs/inputs.ts'
import { forkProblems } from './inputs/run.ts'
import type { Clock, GitHub, Notifier, Runner } from './ports.ts'

/** Of kustomize and helm, each: they compute, and fetch nothing. */
const RENDER_TIMEOUT_MS = 60_000

/** What there is before the inputs are read. */
export interface Surroundings {
  readonly runner: Runner
  readonly clock: Clock
  readonly journal: Journal
  readonly announce: () => void
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
  // Before anything is opened that a stranger's code could profit from.
  rejectIfAny(forkProblems(inputs.run))
  const kubeconfigs = await readKubeconfigs(inputs.kubeconfig)
  for (const { text } of kubeconfigs) for (const secret of credentialsIn(text)) runner.mask(secret)
  const context = chooseContext(kubeconfigs, inputs.context)
  const access = await openAccess(context, {
    allowInsecure: inputs.allowInsecure,
    mask: (secret) => runner.mask(secret),
    warn: (message) => runner.annotate({ level: 'warning', title: 'Insecure access to the cluster', message }),
    env,
    workspace: resolve(inputs.sources.workspace),
  })
  const cluster = discreetCluster(createCluster(access), runner)
  spareNames({ inputs, cluster, runner })
  hideSettings(inputs, runner)
  const github = composeGitHub(inputs, env)
  return {
    ...surroundings,
    inputs,
    ...(github && { github }),
    holder: holder ?? `${inputs.run?.url ?? 'a run outside GitHub'}#${randomBytes(4).toString('hex')}`,
    cluster,
    renderer: createRenderer({ searchPath: env['PATH'] ?? '', timeoutMs: RENDER_TIMEOUT_MS }),
    registry: createRegistry({ env, mask: (secret) => runner.mask(secret) }),
    web: createWeb(env),
  }
}

/** Who is to be told of the release. Throws RejectedError. */
export async function composeNotifiers(
  inputs: Inputs,
  env: NodeJS.ProcessEnv,
  { runner, clock, isResumed }: Pick<Surroundings, 'runner' | 'clock'> & { readonly isResumed: boolean },
): Promise<Notifier[]> {
  // A stranger must not choose whom the secrets of the step are sent to.
  rejectIfAny(forkProblems(inputs.run))
  const deployment = deploymentNotifier(inputs, env, isResumed)
  return [...(deployment ? [deployment] : []), ...(await openNotifiers(inputs, { env, runner, clock }))]
}

function deploymentNotifier(inputs: Inputs, env: NodeJS.ProcessEnv, isResumed: boolean): Notifier | undefined {
  const { deployment: environment, release, namespace, run } = inputs
  const options = gitHubOptions(inputs, env)
  if (environment === undefined) return undefined
  if (!options || !run) {
    const why = run ? 'there is no github-token' : 'the run is not one of GitHub Actions'
    return { name: 'The deployment on GitHub', end: () => Promise.reject(new Error(why)) }
  }
  if (inputs.sweep) return createSweptNotifier({ ...options, environment, run })
  const owner = { release, ...(namespace !== undefined && { namespace }) }
  return createDeploymentNotifier({ ...options, ...owner, environment, run, isResumed })
}

/** Absent without a token, or outside GitHub. */
export function composeGitHub(inputs: Inputs, env: NodeJS.ProcessEnv): GitHub | undefined {
  const options = gitHubOptions(inputs, env)
  return options && createGitHub(options)
}

function gitHubOptions({ githubToken: token, run }: Inputs, env: NodeJS.ProcessEnv): GitHubOptions | undefined {
  if (token === undefined || !run) return undefined
  return { token, apiUrl: env['GITHUB_API_URL'] ?? 'https://api.github.com', repository: run.repository }
}
