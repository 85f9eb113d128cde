/**
 * A Kubernetes cluster to test against: a real control plane with simulated nodes, started for the purpose, or the one that
 * TESTBED_KUBECONFIG names. See README.md for what its pods can do.
 */
import { randomBytes } from 'node:crypto'
import type { Tell } from './build.ts'
import { clusterFolder } from './cluster-folder.ts'
import { kubectl, removeCluster, startApiServer, startCluster, stopApiServer, type RunningCluster } from './cluster.ts'
import { run } from './run.ts'

export interface TestbedOptions {
  /** Of lower-case letters, digits and dashes; at random if not given. */
  readonly name?: string
  /** Simulated nodes, each with room for 1,000 pods; 3 if not given. */
  readonly nodes?: number
  /**
   * Lets the controller manager send 500 requests a second rather than 20, and look after autoscalers every second rather than
   * every 15, its defaults: tests want controllers that react at once, benchmarks want real ones. True if not given.
   */
  readonly raiseControllerLimits?: boolean
  /** Where lines about the progress go; standard error if not given. */
  readonly tell?: Tell
}

/** What another process needs to work with a testbed, as JSON. */
export type TestbedFacts =
  | { readonly kind: 'own'; readonly cluster: RunningCluster }
  | { readonly kind: 'existing'; readonly kubeconfig: string; readonly server: string }

export interface Testbed extends AsyncDisposable {
  readonly facts: TestbedFacts
  /** Path of a kubeconfig that holds all it needs. */
  readonly kubeconfig: string
  /** `https://127.0.0.1:25123` */
  readonly server: string
  /** Path of the API server's audit log: a line of JSON for each request. Throws on an existing cluster. */
  readonly auditLog: string
  /** Path of a folder with files that pods may name as their log (README.md). Throws on an existing cluster. */
  readonly podLogs: string
  /** Paths of programs; others are had by buildTool(). */
  readonly binaries: { readonly kubectl: string }
  /** Runs kubectl, and returns what it printed. Throws an error with what it said when it fails. */
  kubectl(args: readonly string[], input?: string): Promise<string>
  /** Kills the API server. Throws on an existing cluster. */
  stopApiServer(): Promise<void>
  /** Starts it again and waits until it answers. Throws on an existing cluster. */
  startApiServer(): Promise<void>
  /** Removes the cluster and all that belongs to it. An existing cluster is left alone. */
  stop(): Promise<void>
}

/** Builds what is missing, which can take minutes the first time, and starts a cluster, which takes seconds. */
export async function startTestbed(options: TestbedOptions = {}): Promise<Testbed> {
  const existing = process.env['TESTBED_KUBECONFIG']
  if (existing) return attachTestbed({ kind: 'existing', kubeconfig: existing, server: await serverOf(existing) })

  const tell = options.tell ?? ((line) => process.stderr.write(`testbed: ${line}\n`))
  const cluster = await startCluster(
    {
      name: options.name ?? `t-${randomBytes(4).toString('hex')}`,
      nodes: options.nodes ?? 3,
      raiseControllerLimits: options.raiseControllerLimits ?? true,
      owned: true,
    },
    tell,
  )
  return attachTestbed({ kind: 'own', cluster })
}

/** Works with a testbed that runs, perhaps started by another process. */
export function attachTestbed(facts: TestbedFacts): Testbed {
  return facts.kind === 'own' ? ownTestbed(facts.cluster) : existingTestbed(facts)
}

function ownTestbed(cluster: RunningCluster): Testbed {
  const stop = () => {
    removeCluster(clusterFolder(cluster.name))
    return Promise.resolve()
  }
  return {
    facts: { kind: 'own', cluster },
    kubeconfig: cluster.kubeconfig,
    server: cluster.server,
    auditLog: cluster.auditLog,
    podLogs: clusterFolder(cluster.name).podLogs,
    binaries: { kubectl: cluster.kubectl },
    kubectl: (args, input) => kubectl(cluster, args, input),
    stopApiServer: () => stopApiServer(cluster),
    startApiServer: () => startApiServer(cluster),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function existingTestbed(facts: TestbedFacts & { kind: 'existing' }): Testbed {
  const missing = (what: string) =>
    new Error(
      `TESTBED_KUBECONFIG names a cluster that is not the testbed's own, which has no ${what}. Unset it to run this.`,
    )
  const leave = () => Promise.resolve()
  return {
    facts,
    kubeconfig: facts.kubeconfig,
    server: facts.server,
    get auditLog(): string {
      throw missing('audit log to read')
    },
    get podLogs(): string {
      throw missing('pods that say what they are told')
    },
    binaries: { kubectl: 'kubectl' },
    kubectl: (args, input) =>
      run('kubectl', ['--kubeconfig', facts.kubeconfig, ...args], input === undefined ? {} : { input }),
    stopApiServer: () => Promise.reject(missing('API server to stop')),
    startApiServer: () => Promise.reject(missing('API server to start')),
    stop: leave,
    [Symbol.asyncDispose]: leave,
  }
}

async function serverOf(kubeconfig: string): Promise<string> {
  const view = ['config', 'view', '--minify', '--output=jsonpath={.clusters[0].cluster.server}']
  try {
    return await run('kubectl', ['--kubeconfig', kubeconfig, ...view])
  } catch (error) {
    throw new Error(`TESTBED_KUBECONFIG=${kubeconfig} cannot be used; kubectl must be on the PATH. ${String(error)}`, {
      cause: error,
    })
  }
}
