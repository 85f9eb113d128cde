import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { podQueries } from '../../src/rollout/pod-queries.ts'

const workload = (kind: string, name: string, matchLabels: Record<string, string>, namespace = 'shop'): KubeObject => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
  kind,
  metadata: { name, namespace },
  spec: kind === 'Job' ? {} : { selector: { matchLabels } },
})
const shortly = (workloads: KubeObject[]) =>
  podQueries(workloads).map(
    ({ kind, namespace, labelSelector = '', fieldSelector = '' }) =>
      `${kind} ${namespace} ${labelSelector}${fieldSelector}`,
  )

describe('what is watched to see the pods', () => {
  it.each<[string, KubeObject[], string[]]>([
    [
      'of one Deployment',
      [workload('Deployment', 'web', { app: 'web', tier: 'front' })],
      ['Pod shop app=web,tier=front', 'ReplicaSet shop app=web,tier=front'],
    ],
    [
      'of several with a label key in common',
      [
        workload('Deployment', 'web', { app: 'web', part: 'shop' }),
        workload('Deployment', 'api', { app: 'api', part: 'shop' }),
      ],
      ['Pod shop app in (web,api)', 'ReplicaSet shop app in (web,api)'],
    ],
    [
      'of a few without one',
      [workload('Deployment', 'web', { app: 'web' }), workload('StatefulSet', 'db', { name: 'db' })],
      ['Pod shop app=web', 'Pod shop name=db', 'ReplicaSet shop app=web', 'Event shop reason=FailedCreate'],
    ],
    [
      'of many without one',
      ['a', 'b', 'c', 'd', 'e'].map((key) => workload('StatefulSet', key, { [key]: 'x' })),
      ['Pod shop ', 'Event shop reason=FailedCreate'],
    ],
    [
      'of Jobs, whose selector nobody writes',
      [workload('Job', 'one', {}), workload('Job', 'two', {})],
      ['Pod shop batch.kubernetes.io/job-name in (one,two)', 'Event shop reason=FailedCreate'],
    ],
    [
      'of two namespaces',
      [workload('DaemonSet', 'a', { app: 'a' }, 'one'), workload('DaemonSet', 'a', { app: 'a' }, 'two')],
      ['Pod one app=a', 'Event one reason=FailedCreate', 'Pod two app=a', 'Event two reason=FailedCreate'],
    ],
    ['of nothing', [], []],
  ])('%s', (_name, workloads, expected) => {
    expect(shortly(workloads)).toEqual(expected)
  })

  it('does not grow with the number of workloads', () => {
    const many = Array.from({ length: 200 }, (_, index) =>
      workload('Deployment', `app-${index}`, { app: `app-${index}` }),
    )
    expect(podQueries(many)).toHaveLength(2)
  })

  it('is kept small', () => {
    const [pods] = podQueries([workload('Deployment', 'web', { app: 'web' })])
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web-1', uid: 'u', labels: { app: 'web' }, managedFields: [{ manager: 'x' }] },
      spec: {
        nodeName: 'n',
        volumes: [{ name: 'big' }],
        containers: [{ name: 'app', image: 'i', env: [{ name: 'A', value: 'x'.repeat(1000) }] }],
      },
      status: { phase: 'Running' },
    }
    const kept = pods?.keep?.(pod)
    expect(kept).toMatchObject({
      metadata: { name: 'web-1', uid: 'u', labels: { app: 'web' } },
      spec: { nodeName: 'n', containers: [{ name: 'app', image: 'i' }] },
      status: { phase: 'Running' },
    })
    expect(JSON.stringify(kept).length).toBeLessThan(400)
  })
})
