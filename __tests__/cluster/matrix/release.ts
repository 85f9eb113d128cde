/** What the cells deploy: one workload with everything that a release has around it, in an old, a bad and a new version. */
import { documents, IMAGE } from '../manifests.ts'
import type { Cause, WorkloadCase } from './cells.ts'

export const NAME = 'web'
export const REPLICAS = 3
/** Only the old version has what is called so. */
export const RETIRED = 'retired'
/** Only the bad version has what is called so. */
export const ADDED = 'added'

/**
 * `old` has fields, list items and keys that the others have not, `bad` adds some and one object, and every value differs
 * between any two of them.
 */
export type Version = 'old' | 'bad' | 'new'

export interface ReleaseOptions {
  /** What is wrong with the bad version. */
  readonly cause?: Cause
  readonly tag?: string
  /**
   * Whether an autoscaled workload says its replicas all the same. Charts leave them out (helm create), as Helm would refuse
   * its own next upgrade otherwise.
   */
  readonly hasReplicas?: boolean
}

export function release(workload: WorkloadCase, version: Version, options: ReleaseOptions = {}): string {
  const metadata = { name: NAME, annotations: { 'example.dev/note': version, ...only(version, 'yes', 'example.dev/') } }
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: NAME }
  return documents([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { greeting: version, ...only(version, 'x') } },
    { apiVersion: 'v1', kind: 'Secret', metadata, data: { token: btoa(version), ...only(version, btoa('x')) } },
    ...(version === 'bad' ? [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: ADDED }, data: {} }] : []),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {
        selector: { app: NAME },
        ports: [
          { name: 'http', port: 80, targetPort: { old: 8080, bad: 8081, new: 8082 }[version] },
          ...Object.keys(only(version, '')).map((name) => ({ name, port: 81 })),
        ],
      },
    },
    ingress(metadata, version),
    autoscaler(metadata, workload, version),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, imagePullSecrets: [{ name: version }] },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata,
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'], resourceNames: names(version) }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata,
      roleRef: role,
      subjects: names(version).map((name) => ({ kind: 'ServiceAccount', name })),
    },
    controller(metadata, workload, version, options),
  ])
}

/** What only this version has; nothing for the new one. */
function only(version: Version, value: string, prefix = ''): Record<string, string> {
  return version === 'new' ? {} : { [prefix + (version === 'old' ? RETIRED : ADDED)]: value }
}

const names = (version: Version) => [NAME, version, ...Object.keys(only(version, ''))]

function ingress(metadata: object, version: Version): object {
  const backend = { service: { name: NAME, port: { name: 'http' } } }
  const paths = [`/${version}`, ...Object.keys(only(version, '', '/'))]
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata,
    spec: {
      rules: [
        { host: 'web.example.dev', http: { paths: paths.map((path) => ({ path, pathType: 'Prefix', backend })) } },
      ],
    },
  }
}

function autoscaler(metadata: object, workload: WorkloadCase, version: Version): object {
  // A DaemonSet cannot be scaled; its release has an autoscaler that finds nothing to do.
  const kind = workload.kind === 'DaemonSet' ? 'Deployment' : workload.kind
  const cpu = (averageUtilization: number) => ({
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
  })
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind, name: NAME },
      minReplicas: REPLICAS,
      maxReplicas: { old: 5, bad: 6, new: 7 }[version],
      metrics: [cpu({ old: 50, bad: 60, new: 70 }[version])],
      ...(version === 'old' && { behavior: { scaleDown: { stabilizationWindowSeconds: 100 } } }),
    },
  }
}

function controller(
  metadata: object,
  { kind, spec, isOnDelete, isAutoscaled }: WorkloadCase,
  version: Version,
  { cause, tag = version, hasReplicas = true }: ReleaseOptions,
): object {
  const labels = { app: NAME }
  const container = {
    name: 'app',
    image: `${IMAGE}:${cause ? `${tag}-${cause.word}` : tag}`,
    args: ['serve', `--${version}`],
    env: Object.entries({ MODE: version, ...only(version, '1') }).map(([name, value]) => ({ name, value })),
    envFrom: [{ configMapRef: { name: NAME } }, { secretRef: { name: NAME } }],
    ports: [{ name: 'http', containerPort: 8080 }],
    resources: { requests: { cpu: cause?.cpu ?? '100m' } },
    ...cause?.container,
  }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata,
    spec: {
      ...spec,
      selector: { matchLabels: labels },
      ...(kind === 'StatefulSet' && { serviceName: NAME }),
      ...(kind !== 'DaemonSet' && hasReplicas && { replicas: isAutoscaled ? REPLICAS - 1 : REPLICAS }),
      ...(kind === 'Deployment' && { progressDeadlineSeconds: version === 'bad' && cause?.isSlow ? 3 : 60 }),
      // So that the pods of the old version, too, do not count as available until one of them has been deleted.
      ...(isOnDelete && version === 'bad' && { minReadySeconds: 600 }),
      ...(version !== 'new' && { revisionHistoryLimit: version === 'old' ? 5 : 6 }),
      template: { metadata: { labels, annotations: only(version, 'yes') }, spec: { containers: [container] } },
    },
  }
}
