/** The workloads whose failures are recorded: one story for each behaviour. The words of the tags are those of README.md. */

export interface Story {
  /** Applied in turn, each list at once. */
  readonly objects: readonly (readonly object[])[]
  /** At most. */
  readonly seconds: number
  /** How long nothing may happen before the story is over; 4 s if not given. */
  readonly restMs?: number
}

const image = (tag: string) => `registry.example/shop/web:v2-${tag}`
const app = (tag: string, more: object = {}) => ({ name: 'app', image: image(tag), ...more })
const probe = { readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 } }

function workload(kind: string, podSpec: object, more: object = {}): object {
  const labels = { app: 'web' }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: labels },
      ...more,
      template: { metadata: { labels }, spec: { automountServiceAccountToken: false, ...podSpec } },
    },
  }
}

const deployment = (podSpec: object, replicas = 1) => workload('Deployment', podSpec, { replicas })
const statefulSet = (podSpec: object) => workload('StatefulSet', podSpec, { replicas: 2, serviceName: 'web' })
const daemonSet = (podSpec: object) => workload('DaemonSet', podSpec)
const job = (tag: string) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'web' },
  spec: {
    backoffLimit: 1,
    template: {
      spec: { automountServiceAccountToken: false, restartPolicy: 'Never', containers: [app(tag)] },
    },
  },
})

const quota = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'small' },
  spec: { hard: { pods: '1' } },
}
const restricted = (namespace: string) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
})
const POLICY = 'story-no-latest'
const policy = (namespace: string) => [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: POLICY },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      validations: [
        {
          expression: "has(object.metadata.labels) && 'team' in object.metadata.labels",
          message: 'pods must have a label "team"',
        },
      ],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: POLICY },
    spec: {
      policyName: POLICY,
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
    },
  },
]

const only = (tag: string, more?: object) => ({ containers: [app(tag, more)] })
/** Until a container has failed four times, with the testbed's back-offs. */
const LOOP_SECONDS = 6

export const STORIES: Readonly<Record<string, Story>> = {
  'deployment-unpullable': { objects: [[deployment(only('unpullable'), 2)]], seconds: 4 },
  'deployment-crash': { objects: [[deployment(only('crash'), 2)]], seconds: LOOP_SECONDS, restMs: 6_000 },
  'deployment-oom': { objects: [[deployment(only('oom'))]], seconds: LOOP_SECONDS, restMs: 6_000 },
  'deployment-badconfig': {
    objects: [[deployment(only('badconfig', { envFrom: [{ configMapRef: { name: 'settings' } }] }))]],
    seconds: 5,
  },
  'deployment-missing-secret': {
    objects: [
      [
        deployment(
          only('badconfig', {
            env: [{ name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'database', key: 'url' } } }],
          }),
        ),
      ],
    ],
    seconds: 5,
  },
  'deployment-startfail': { objects: [[deployment(only('startfail'))]], seconds: 5 },
  'deployment-unready': { objects: [[deployment(only('unready', probe))]], seconds: 6, restMs: 6_000 },
  'deployment-slow': { objects: [[deployment(only('slow-3s', probe))]], seconds: 6 },
  'deployment-flapping': { objects: [[deployment(only('flapping'))]], seconds: 20, restMs: 20_000 },
  'deployment-init-crash': {
    objects: [[deployment({ initContainers: [{ ...app('crash'), name: 'migrate' }], containers: [app('ready')] })]],
    seconds: LOOP_SECONDS,
    restMs: 6_000,
  },
  'deployment-init-unpullable': {
    objects: [
      [deployment({ initContainers: [{ ...app('unpullable'), name: 'migrate' }], containers: [app('ready')] })],
    ],
    seconds: 4,
  },
  'deployment-sidecar-crash': {
    objects: [
      [
        deployment({
          initContainers: [{ ...app('crash'), name: 'proxy', restartPolicy: 'Always' }],
          containers: [app('ready')],
        }),
      ],
    ],
    seconds: LOOP_SECONDS,
    restMs: 6_000,
  },
  'deployment-no-node': {
    objects: [[deployment({ ...only('ready'), nodeSelector: { disk: 'ssd' } })]],
    seconds: 4,
  },
  'deployment-no-room': {
    objects: [[deployment(only('ready', { resources: { requests: { cpu: '1000', memory: '2Ti' } } }))]],
    seconds: 4,
  },
  'deployment-quota': { objects: [[quota], [deployment(only('ready'), 2)]], seconds: 5 },
  'deployment-pod-security': {
    objects: [[restricted('story-deployment-pod-security')], [deployment(only('ready'))]],
    seconds: 5,
  },
  'deployment-policy': {
    objects: [policy('story-deployment-policy'), [deployment(only('ready'))]],
    seconds: 5,
  },
  'statefulset-unpullable': { objects: [[statefulSet(only('unpullable'))]], seconds: 4 },
  'statefulset-crash': { objects: [[statefulSet(only('crash'))]], seconds: LOOP_SECONDS, restMs: 6_000 },
  'statefulset-quota': { objects: [[quota], [statefulSet(only('ready'))]], seconds: 5 },
  'daemonset-badconfig': {
    objects: [[daemonSet(only('badconfig', { envFrom: [{ configMapRef: { name: 'settings' } }] }))]],
    seconds: 4,
  },
  'daemonset-pod-security': {
    objects: [[restricted('story-daemonset-pod-security')], [daemonSet(only('ready'))]],
    seconds: 5,
  },
  'job-crash': { objects: [[job('crash')]], seconds: 15, restMs: 12_000 },
  'job-unpullable': { objects: [[job('unpullable')]], seconds: 4 },
  'job-quota': {
    objects: [[{ ...quota, spec: { hard: { pods: '0' } } }], [job('ready')]],
    seconds: 5,
  },
}
