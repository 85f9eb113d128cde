/** Starts, stops and removes clusters. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { buildKubernetes, buildTool, type Tell } from './build.ts'
import { auditPolicy, clusterConfig, nodes, PORTS_NEEDED } from './cluster-config.ts'
import { clusterFolder, clusterFolders, type ClusterFolder } from './cluster-folder.ts'
import { isAlive } from './lock.ts'
import { freePorts } from './ports.ts'
import { kill, processesOf } from './processes.ts'
import { run } from './run.ts'

const POD_LOGS = fileURLToPath(new URL('logs/', import.meta.url))

export interface ClusterOptions {
  readonly name: string
  readonly nodes: number
  readonly raiseControllerLimits: boolean
  /** Whether the cluster belongs to this process: it is removed by a later run if this one dies. */
  readonly owned: boolean
}

/** A cluster that runs, as plain data: another process can work with it. */
export interface RunningCluster {
  readonly name: string
  readonly kubeconfig: string
  /** `https://127.0.0.1:25123` */
  readonly server: string
  readonly auditLog: string
  readonly kubectl: string
  readonly kwokctl: string
}

/** Builds what is missing and starts a cluster. When that fails, nothing of it is left. */
export async function startCluster(options: ClusterOptions, tell: Tell): Promise<RunningCluster> {
  removeAbandonedClusters(tell)
  const folder = clusterFolder(options.name)
  if (existsSync(folder.path)) {
    throw new Error(
      `A testbed named ${options.name} exists already. Remove it with "node testbed/cli.ts down --name ${options.name}", or choose another name.`,
    )
  }
  // One after the other: each build takes all processors.
  const kubernetes = await buildKubernetes(tell)
  const kwok = await buildTool('kwok', tell)

  for (let attempt = 1; ; attempt++) {
    try {
      return await create(folder, kubernetes, kwok, options)
    } catch (error) {
      const logs = componentErrors(folder)
      removeCluster(folder)
      // Another program may have taken one of the ports since they were found free.
      if (attempt < 3 && logs.includes('address already in use')) continue
      throw new Error(`The testbed could not be started. ${String(error)}\n${logs}`, { cause: error })
    }
  }
}

async function create(
  folder: ClusterFolder,
  kubernetes: string,
  kwok: string,
  options: ClusterOptions,
): Promise<RunningCluster> {
  mkdirSync(folder.pids, { recursive: true, mode: 0o700 })
  if (options.owned) writeFileSync(folder.owner, String(process.pid))
  cpSync(POD_LOGS, folder.podLogs, { recursive: true })
  writeFileSync(folder.auditPolicy, auditPolicy())
  const ports = await freePorts(PORTS_NEEDED)
  const { raiseControllerLimits } = options
  writeFileSync(folder.config, clusterConfig({ folder, kubernetes, kwok, ports, raiseControllerLimits }))

  const cluster: RunningCluster = {
    name: folder.name,
    kubeconfig: folder.kubeconfig,
    server: `https://127.0.0.1:${ports[2]}`,
    auditLog: folder.auditLog,
    kubectl: join(kubernetes, 'kubectl'),
    kwokctl: join(kwok, 'kwokctl'),
  }
  // An empty --kubeconfig keeps kwokctl away from ~/.kube/config.
  await kwokctl(cluster, ['create', 'cluster', '--config', folder.config, '--kubeconfig', '', '--timeout', '2m'])
  writeFileSync(folder.kubeconfig, kubeconfigOf(cluster), { mode: 0o600 })
  await kubectl(cluster, ['create', '-f', '-'], nodes(options.nodes, 1_000))
  await kubectl(cluster, ['wait', '--for=create', 'serviceaccount/default', '--namespace=default', '--timeout=60s'])
  // The scheduler places pods once the controller manager has taken this taint away, not when the node says Ready.
  const taints = ['get', 'nodes', '--output=jsonpath={.items[*].spec.taints[*].key}']
  await until(60, 'The nodes are tainted as not ready', async () => (await kubectl(cluster, taints)) === '')
  writeFileSync(folder.facts, JSON.stringify(cluster))
  return cluster
}

/** The cluster of that name, if it is up. */
export function findCluster(name: string): RunningCluster | undefined {
  const folder = clusterFolder(name)
  if (!existsSync(folder.facts) || !processesOf(folder.pids, folder.path).has('kube-apiserver')) return undefined
  return JSON.parse(readFileSync(folder.facts, 'utf8')) as RunningCluster
}

/** Ends all processes of a cluster and deletes its folder, whatever state it is in. At once, so that a signal handler can do it. */
export function removeCluster(folder: ClusterFolder): void {
  // Until none is left: kwokctl may start another one meanwhile, and a dying one may still write into the folder.
  for (let round = 0; round < 100; round++) {
    const pids = [...processesOf(folder.pids, folder.path).values()]
    if (pids.length === 0) break
    kill(pids)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
  }
  rmSync(folder.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}

/** Ends the API server at once, as if its machine had lost power. */
export async function stopApiServer(cluster: RunningCluster): Promise<void> {
  const folder = clusterFolder(cluster.name)
  const find = () => processesOf(folder.pids, folder.path).get('kube-apiserver')
  for (let pid = find(); pid !== undefined; pid = find()) {
    kill([pid])
    await sleep(10)
  }
  // kwokctl takes a dead process whose parent has not yet asked for its exit code for one that runs.
  rmSync(join(folder.pids, 'kube-apiserver.pid'), { force: true })
}

/** Starts it again, and returns when it is ready. */
export async function startApiServer(cluster: RunningCluster): Promise<void> {
  await kwokctl(cluster, ['start', 'cluster'])
  await until(60, 'The API server is not ready', () =>
    kubectl(cluster, ['get', '--raw', '/readyz']).then(
      () => true,
      () => false,
    ),
  )
}

/** Throws an error that holds what kubectl said. */
export function kubectl(cluster: RunningCluster, args: readonly string[], input?: string): Promise<string> {
  return run(cluster.kubectl, ['--kubeconfig', cluster.kubeconfig, ...args], input === undefined ? {} : { input })
}

async function until(seconds: number, otherwise: string, condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !(await condition()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`${otherwise}, still after ${seconds} s`)
  }
}

/** Clusters of test runs that ended without removing them. */
function removeAbandonedClusters(tell: Tell): void {
  for (const folder of clusterFolders()) {
    if (!existsSync(folder.owner) || isAlive(Number(readFileSync(folder.owner, 'utf8')))) continue
    tell(`removing ${folder.name}, which a test run left behind`)
    removeCluster(folder)
  }
}

async function kwokctl(cluster: RunningCluster, args: string[]): Promise<void> {
  const folder = clusterFolder(cluster.name)
  await run(cluster.kwokctl, [...args, '--name', folder.name], {
    // kwokctl prefers any kubectl that it finds.
    env: { KWOK_WORKDIR: folder.work, PATH: `${dirname(cluster.kubectl)}${delimiter}${process.env['PATH'] ?? ''}` },
    onStart: (pid) => writeFileSync(join(folder.pids, 'kwokctl.pid'), String(pid)),
  })
}

/** With everything in it, so that its text alone is enough to log in. */
function kubeconfigOf(cluster: RunningCluster): string {
  const base64 = (file: string) =>
    readFileSync(join(clusterFolder(cluster.name).work, 'clusters', cluster.name, 'pki', file)).toString('base64')
  const { name } = cluster
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: cluster.server, 'certificate-authority-data': base64('ca.crt') } }],
    users: [
      {
        name,
        user: { 'client-certificate-data': base64('admin.crt'), 'client-key-data': base64('admin.key') },
      },
    ],
  })
}

/** The last words of the components that ended, for an error message. */
function componentErrors(folder: ClusterFolder): string {
  const running = processesOf(folder.pids, folder.path)
  return ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok-controller']
    .filter((name) => !running.has(name) && existsSync(join(folder.componentLogs, `${name}.log`)))
    .map((name) => {
      const lines = readFileSync(join(folder.componentLogs, `${name}.log`), 'utf8')
        .trim()
        .split('\n')
      return `${name}:\n${lines.slice(-5).join('\n')}`
    })
    .join('\n')
}
