/** Where a cluster keeps what belongs to it. Everything of one cluster is below one folder, and goes with it. */
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

export interface ClusterFolder {
  readonly name: string
  readonly path: string
  /** What kwokctl calls its work folder. */
  readonly work: string
  readonly config: string
  readonly auditPolicy: string
  readonly auditLog: string
  /** The log files that pods are said to have written. */
  readonly podLogs: string
  /** The logs and process ids of etcd, API server and so on. */
  readonly componentLogs: string
  readonly pids: string
  readonly kubeconfig: string
  /** The facts of the cluster; written last, so that a cluster is up when it is there. */
  readonly facts: string
  /** Process id of the test run that wants the cluster; absent when a person started it. */
  readonly owner: string
}

const root = () => join(tmpdir(), `rollsafe-testbed-${userInfo().username}`)

export function clusterFolder(name: string): ClusterFolder {
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(name)) {
    throw new Error(`The testbed's name ${JSON.stringify(name)} is not made of lower-case letters, digits and dashes`)
  }
  const path = join(root(), name)
  const work = join(path, 'kwok')
  const cluster = join(work, 'clusters', name)
  return {
    name,
    path,
    work,
    config: join(path, 'cluster.yaml'),
    auditPolicy: join(path, 'audit-policy.yaml'),
    auditLog: join(cluster, 'logs', 'audit.log'),
    podLogs: join(path, 'pod-logs'),
    componentLogs: join(cluster, 'logs'),
    pids: join(cluster, 'pids'),
    kubeconfig: join(path, 'kubeconfig.yaml'),
    facts: join(path, 'cluster.json'),
    owner: join(path, 'owner.pid'),
  }
}

/** All clusters of this user that were started and not removed. */
export function clusterFolders(): ClusterFolder[] {
  return existsSync(root()) ? readdirSync(root()).map(clusterFolder) : []
}
