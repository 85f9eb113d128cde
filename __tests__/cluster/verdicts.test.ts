import { describe, expect, it } from '@jest/globals'
import type { ReasonCode } from '../../src/errors.ts'
import { IMAGE, documents } from './manifests.ts'
import { createCheckout } from './rollsafe.ts'
import { type TestNamespace, withNamespace } from './testbed.ts'

type Kind = 'Deployment' | 'StatefulSet' | 'DaemonSet'
const KINDS: readonly Kind[] = ['Deployment', 'StatefulSet', 'DaemonSet']

function workload(kind: Kind, tag: string, pod: object = {}): object {
  const labels = { app: 'web' }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'web' },
    spec: {
      selector: { matchLabels: labels },
      // Nobody waits for this: evidence must speak long before.
      ...(kind === 'Deployment' && { progressDeadlineSeconds: 600 }),
      ...(kind === 'StatefulSet' && { serviceName: 'web' }),
      ...(kind !== 'DaemonSet' && { replicas: 2 }),
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: 'app', image: `${IMAGE}:${tag}`, resources: { requests: { cpu: '100m' } } }],
          ...pod,
        },
      },
    },
  }
}

interface Behaviour {
  readonly name: string
  readonly tag: string
  readonly pod?: object
  readonly inputs?: Record<string, string>
  readonly prepare?: (namespace: TestNamespace) => Promise<unknown>
  readonly reason: ReasonCode
  readonly message: RegExp
}

const restricted = (namespace: TestNamespace) =>
  namespace.kubectl(['label', 'namespace', namespace.name, 'pod-security.kubernetes.io/enforce=restricted'])
const quota = (namespace: TestNamespace) => namespace.kubectl(['create', 'quota', 'none', '--hard=requests.cpu=50m'])

/** The bad ones. Those that cannot be told from slow ones need a deadline; all others are known in seconds. */
const BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'unpullable',
    tag: 'v1-unpullable',
    reason: 'ImagePull',
    message: /cannot pull the image registry\.example\/shop\/web:v1-unpullable/,
  },
  { name: 'crash', tag: 'v1-crash', reason: 'CrashLoop', message: /exit code 1/ },
  { name: 'out of memory', tag: 'v1-oom', reason: 'OutOfMemory', message: /memory/ },
  {
    name: 'bad configuration',
    tag: 'v1-badconfig',
    reason: 'ContainerConfig',
    message: /ConfigMap app-config does not exist/,
  },
  { name: 'unready', tag: 'v1-unready', inputs: { timeout: '6s' }, reason: 'ProbeFailed', message: /ready/ },
  {
    name: 'flapping after ready',
    tag: 'v1-flapping',
    inputs: { 'stable-for': '8s', timeout: '60s' },
    reason: 'Unstable',
    message: /was healthy, then no longer/,
  },
  {
    name: 'over quota',
    tag: 'v1',
    prepare: quota,
    inputs: { timeout: '6s' },
    reason: 'QuotaOrAdmission',
    message: /exceeded quota: none/,
  },
  {
    name: 'denied by admission',
    tag: 'v1',
    prepare: restricted,
    reason: 'QuotaOrAdmission',
    message: /violates PodSecurity "restricted:latest"/,
  },
  {
    name: 'unschedulable',
    tag: 'v1',
    pod: { containers: [{ name: 'app', image: `${IMAGE}:v1`, resources: { requests: { cpu: '1M' } } }] },
    inputs: { timeout: '6s' },
    reason: 'Unschedulable',
    message: /node/,
  },
]

describe.each(KINDS)('a bad %s', (kind) => {
  it.concurrent.each(BEHAVIOURS)('that is $name', ({ tag, pod = {}, prepare, inputs = {}, reason, message }) =>
    withNamespace('verdict', async (namespace) => {
      await prepare?.(namespace)
      await using checkout = await createCheckout({ 'k8s/app.yaml': documents([workload(kind, tag, pod)]) })
      const result = await checkout.run({ namespace: namespace.name, timeout: '120s', ...inputs })
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'rolled-back', reason })
      expect(result.outputs['message']).toMatch(message)
    }),
  )
})

describe.each(KINDS)('a good %s', (kind) => {
  it.concurrent('that is slow is not taken for a bad one', () =>
    withNamespace('slow', async (namespace) => {
      await using checkout = await createCheckout({ 'k8s/app.yaml': documents([workload(kind, 'v1-slow-5s')]) })
      const result = await checkout.run({ namespace: namespace.name })
      expect({ ...result.outputs, log: result.log }).toMatchObject({ outcome: 'deployed' })
    }),
  )
})
