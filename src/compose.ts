import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createGitHub } from './adapters/github/github.ts'
import { openAccess } from './adapters/kube/access.ts'
import { createCluster } from './adapters/kube/cluster.ts'
import { credentialsIn } from './adapters/kube/credentials.ts'
import { chooseContext, type KubeconfigText } from './adapters/kube/kubeconfig.ts'
import { createRegistry } from './adapters/registry/registry.ts'
import { createRenderer } from './adapters/render/renderer.ts'
import type { Journal } from './commands/journal.ts'
import { discreetCluster, spareNames } from './commands/keep-secrets.ts'
import type { Run, Signals } from './commands/run.ts'
import { messageOf, RejectedError, rejectIfAny } from './errors.ts'
import type { Inputs } from './inputs/inputs.ts'
import { forkProblems } from './inputs/run.ts'
import type { Clock, GitHub, Runner } from './ports.ts'

/** Of kustomize and helm, each: they compute, and fetch nothing. */
const RENDER_TIMEOUT_MS = 60_000

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
export async function compose(inputs: Inputs, { holder, ...surroundings }: Surroundings): Promise<Run> {
  const { runner } = surroundings
  // Before anything is opened that a stranger's code could profit from.
  rejectIfAny(forkProblems(inputs.run))
  const kubeconfigs = await readKubeconfigs(inputs)
  for (const { text } of kubeconfigs) for (const secret of credentialsIn(text)) runner.mask(secret)
  const context = chooseContext(kubeconfigs, inputs.context)
  const access = await openAccess(context, {
    allowInsecure: inputs.allowInsecure,
    mask: (secret) => runner.mask(secret),
  })
  const cluster = discreetCluster(createCluster(access), runner)
  spareNames({ inputs, cluster, runner })
  return {
    ...surroundings,
    inputs,
    holder: holder ?? `${inputs.run?.url ?? 'a run outside GitHub'}#${randomBytes(4).toString('hex')}`,
    cluster,
    renderer: createRenderer({ searchPath: process.env['PATH'] ?? '', timeoutMs: RENDER_TIMEOUT_MS }),
    registry: createRegistry({ env: process.env, mask: (secret) => runner.mask(secret) }),
  }
}

/** Absent without a token, or outside GitHub. */
export function composeGitHub(inputs: Inputs, env: NodeJS.ProcessEnv): GitHub | undefined {
  const { githubToken: token, run } = inputs
  if (token === undefined || !run) return undefined
  return createGitHub({ token, apiUrl: env['GITHUB_API_URL'] ?? 'https://api.github.com', repository: run.repository })
}

async function readKubeconfigs({ kubeconfig }: Inputs): Promise<KubeconfigText[]> {
  if ('content' in kubeconfig) return [{ text: kubeconfig.content, name: 'the input kubeconfig' }]
  return Promise.all(
    kubeconfig.paths.map(async (path) => {
      try {
        return { text: await readFile(path, 'utf8'), name: path, folder: dirname(path) }
      } catch (error) {
        throw new RejectedError([
          {
            code: 'InvalidInput',
            message: `the kubeconfig ${path} named by the variable KUBECONFIG cannot be read: ${messageOf(error)}`,
            hint: 'correct KUBECONFIG, or pass the content as the input kubeconfig',
          },
        ])
      }
    }),
  )
}
