/** The files that kwokctl and the API server are started with, as plain JSON, which is YAML as well. */
import { join } from 'node:path'
import type { ClusterFolder } from './cluster-folder.ts'
import { nodeStages } from './stages/node-stages.ts'
import { podStages, type KwokObject } from './stages/pod-stages.ts'
import { KUBERNETES } from './versions.ts'

export interface ClusterSettings {
  readonly folder: ClusterFolder
  /** Folders of the programs, see build.ts. */
  readonly kubernetes: string
  readonly kwok: string
  readonly ports: readonly number[]
  readonly raiseControllerLimits: boolean
}

export const PORTS_NEEDED = 6

/** The whole `--config` of `kwokctl create cluster`. */
export function clusterConfig({ folder, kubernetes, kwok, ports, raiseControllerLimits }: ClusterSettings): string {
  const [etcd, etcdPeer, apiServer, controllerManager, scheduler, kubelet] = ports
  const args = (name: string, extra: Record<string, string>) => ({
    name,
    extraArgs: Object.entries(extra).map(([key, value]) => ({ key, value, override: false })),
  })
  const cluster: KwokObject = {
    apiVersion: 'config.kwok.x-k8s.io/v1alpha1',
    kind: 'KwokctlConfiguration',
    options: {
      runtime: 'binary',
      kubeVersion: KUBERNETES,
      bindAddress: '127.0.0.1',
      etcdBinary: join(kubernetes, 'etcd'),
      kubeApiserverBinary: join(kubernetes, 'kube-apiserver'),
      kubeControllerManagerBinary: join(kubernetes, 'kube-controller-manager'),
      kubeSchedulerBinary: join(kubernetes, 'kube-scheduler'),
      kubectlBinary: join(kubernetes, 'kubectl'),
      kwokControllerBinary: join(kwok, 'kwok'),
      etcdPort: etcd,
      etcdPeerPort: etcdPeer,
      kubeApiserverPort: apiServer,
      kubeControllerManagerPort: controllerManager,
      kubeSchedulerPort: scheduler,
      kwokControllerPort: kubelet,
      kubeAuditPolicy: folder.auditPolicy,
      // Which log a pod has is written into a Logs object by the pod's Stage: kwok itself chooses by the pod's name only.
      enableCRDs: ['Logs'],
    },
    componentsPatches: [
      // The data is thrown away with the cluster, so it need not reach the disk.
      args('etcd', { 'unsafe-no-fsync': 'true' }),
      args('kube-apiserver', {
        // Megabytes: tests read the file from where they left off, so it must not be rotated.
        'audit-log-maxsize': '100000',
        // Pod logs are asked for from the node, whose name no name server knows.
        'kubelet-preferred-address-types': 'InternalIP',
      }),
      ...(raiseControllerLimits
        ? [
            args('kube-controller-manager', {
              'kube-api-qps': '500',
              'kube-api-burst': '500',
              // Rather than 15 s.
              'horizontal-pod-autoscaler-sync-period': '1s',
            }),
          ]
        : []),
    ],
  }
  const logs: KwokObject = {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'ClusterLogs',
    metadata: { name: 'ready' },
    spec: { logs: [{ logsFile: join(folder.podLogs, 'ready.txt') }] },
  }
  return [cluster, logs, ...nodeStages(), ...podStages(folder.podLogs)]
    .map((object) => JSON.stringify(object, undefined, 1))
    .join('\n---\n')
}

/** Every request of every client. A watch is logged when it begins (ResponseStarted) and when it ends (ResponseComplete). */
export function auditPolicy(): string {
  return JSON.stringify({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [{ level: 'Metadata' }],
  })
}

/** A List of nodes with room for `podsPerNode` pods each. Their kubelet is kwok, on this machine. */
export function nodes(count: number, podsPerNode: number): string {
  const resources = { cpu: '256', memory: '1Ti', 'ephemeral-storage': '1Ti', pods: String(podsPerNode) }
  const items = Array.from({ length: count }, (_, index) => {
    const name = `node-${index + 1}`
    return {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name,
        labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
      },
      spec: { podCIDR: `10.${100 + index}.0.0/16`, podCIDRs: [`10.${100 + index}.0.0/16`] },
      status: {
        addresses: [
          { type: 'InternalIP', address: '127.0.0.1' },
          { type: 'Hostname', address: name },
        ],
        capacity: resources,
        allocatable: resources,
        nodeInfo: {
          machineID: name,
          systemUUID: name,
          bootID: name,
          kernelVersion: '6.12.0',
          osImage: 'Simulated by kwok',
          operatingSystem: 'linux',
          architecture: 'amd64',
          containerRuntimeVersion: 'containerd://2.2.0',
          kubeletVersion: KUBERNETES,
          kubeProxyVersion: KUBERNETES,
        },
      },
    }
  })
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
}
