import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { capacityOf, type CapacityFacts } from '../../src/plan/capacity.ts'
import type { CapacityWorkload } from '../../src/plan/rollout-peak.ts'

interface Facts {
  kind?: string
  name?: string
  namespace?: string
  wave?: number
  /** Pods before and after; `before` undefined is a new workload. */
  before?: number | undefined
  after?: number
  oldCpu?: string
  cpu?: string
  memory?: string
  limits?: object
  surge?: number | string
  unavailable?: number | string
  strategy?: object
  podSpec?: object
}

function workload(facts: Facts = {}): CapacityWorkload {
  const { kind = 'Deployment', name = 'web', namespace = 'shop', wave = 0, after = 3, cpu = '500m', memory } = facts
  const { surge = 1, unavailable = 0, limits = {}, podSpec = {} } = facts
  const before = 'before' in facts ? facts.before : after
  const strategy =
    facts.strategy ??
    (kind === 'Deployment'
      ? { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } }
      : {})
  const object = (replicas: number, image: string, requested: string): KubeObject => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      [kind === 'Deployment' ? 'strategy' : 'updateStrategy']: strategy,
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            {
              name: 'app',
              image,
              resources: { requests: { cpu: requested, ...(memory !== undefined && { memory }) }, limits },
            },
          ],
          ...podSpec,
        },
      },
    },
  })
  const expected = object(after, 'app:2', cpu)
  if (before === undefined) return { expected, wave }
  const status = {
    replicas: before,
    updatedReplicas: before,
    availableReplicas: before,
    desiredNumberScheduled: before,
    currentNumberScheduled: before,
    updatedNumberScheduled: before,
    numberAvailable: before,
  }
  return { expected, live: { ...object(before, 'app:1', facts.oldCpu ?? cpu), status }, wave }
}

const quota = (hard: object, used: object = {}, spec: object = {}, namespace = 'shop'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'compute', namespace },
  spec: { hard, ...spec },
  status: { hard, used },
})

const capacity = (workloads: Facts[], facts: Omit<CapacityFacts, 'workloads'>) =>
  capacityOf({ workloads: workloads.map(workload), ...facts })
const bound = (maxSurge: number) => ({ maxSurge, maxUnavailable: maxSurge === 0 ? 1 : 0 })

describe('a quota', () => {
  it('that has room for the surge', () => {
    expect(capacity([{}], { quotas: [quota({ 'requests.cpu': '2' }, { 'requests.cpu': '1500m' })] })).toEqual({
      fits: true,
    })
  })

  it('without room for it is warned of, with the bound that fits', () => {
    const quotas = [quota({ 'requests.cpu': '2500m' }, { 'requests.cpu': '1500m' })]
    expect(capacity([{ surge: '100%' }], { quotas })).toEqual({
      fits: false,
      what: 'requests.cpu of the ResourceQuota shop/compute',
      needed: '1500m',
      free: '1',
      boundThatFits: { maxSurge: 2, maxUnavailable: 0 },
      warning:
        'The rollout needs 1500m more requests.cpu of the ResourceQuota shop/compute at its peak, and 1 is free. With strategy rolling, max-surge 2 and max-unavailable 0 it would fit.',
    })
  })

  it.each<[string, Facts, KubeObject, object | undefined]>([
    ['no room for any surge', {}, quota({ 'requests.cpu': '1500m' }, { 'requests.cpu': '1500m' }), bound(0)],
    ['by the other name', {}, quota({ cpu: '1500m' }, { cpu: '1500m' }), bound(0)],
    ['a number of pods', { surge: 3 }, quota({ pods: '5' }, { pods: '3' }), bound(2)],
    ['a number of pods of any state', {}, quota({ 'count/pods': 3 }, { 'count/pods': 3 }), bound(0)],
    ['memory', { memory: '1Gi' }, quota({ 'requests.memory': '3.5Gi' }, { 'requests.memory': '3Gi' }), bound(0)],
    ['limits', { limits: { memory: '2Gi' } }, quota({ 'limits.memory': '6Gi' }, { 'limits.memory': '6Gi' }), bound(0)],
    [
      'devices',
      { limits: { 'nvidia.com/gpu': 1 } },
      quota({ 'requests.nvidia.com/gpu': 3 }, { 'requests.nvidia.com/gpu': 3 }),
      bound(0),
    ],
    ['used up by others', {}, quota({ 'requests.cpu': '2' }, { 'requests.cpu': '9' }), bound(0)],
    ['too small for a new workload', { before: undefined }, quota({ 'requests.cpu': '1' }), undefined],
    [
      'too small for more replicas',
      { before: 1, after: 4 },
      quota({ 'requests.cpu': '1500m' }, { 'requests.cpu': '500m' }),
      undefined,
    ],
    [
      'too small for larger pods',
      { oldCpu: '100m' },
      quota({ 'requests.cpu': '1' }, { 'requests.cpu': '300m' }),
      undefined,
    ],
    [
      'too small for larger pods of a StatefulSet',
      { kind: 'StatefulSet', oldCpu: '100m' },
      quota({ 'requests.cpu': '1' }, { 'requests.cpu': '300m' }),
      undefined,
    ],
    [
      'a surge of a DaemonSet',
      { kind: 'DaemonSet', strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
      quota({ pods: 3 }, { pods: 3 }),
      undefined,
    ],
    [
      'for pods that can end any time',
      {},
      quota({ pods: 3 }, { pods: 3 }, { scopes: ['NotTerminating', 'NotBestEffort'] }),
      bound(0),
    ],
    [
      'for a priority',
      { podSpec: { priorityClassName: 'high' } },
      quota(
        { pods: 3 },
        { pods: 3 },
        { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } },
      ),
      bound(0),
    ],
  ])('%s', (_name, facts, one, fitting) => {
    const result = capacity([facts], { quotas: [one] })
    expect(result).toMatchObject({
      fits: false,
      warning: expect.stringMatching(/^The rollout needs .+\. (With|Less) .+\.$/),
    })
    expect(!result.fits && result.boundThatFits).toEqual(fitting)
  })

  it.each<[string, Facts, KubeObject]>([
    ['of another namespace', {}, quota({ pods: 3 }, { pods: 3 }, {}, 'other')],
    [
      'of other things',
      {},
      quota({ services: 1, 'count/deployments.apps': 1 }, { services: 1, 'count/deployments.apps': 1 }),
    ],
    ['of another scope', {}, quota({ pods: 3 }, { pods: 3 }, { scopes: ['BestEffort'] })],
    ['of pods that end', {}, quota({ pods: 3 }, { pods: 3 }, { scopes: ['Terminating'] })],
    [
      'of another priority',
      { podSpec: { priorityClassName: 'low' } },
      quota(
        { pods: 3 },
        { pods: 3 },
        { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'NotIn', values: ['low'] }] } },
      ),
    ],
    ['of a priority that is not known', {}, quota({ pods: 3 }, { pods: 3 }, { scopes: ['PriorityClass'] })],
    ['of a scope that is not known', {}, quota({ pods: 3 }, { pods: 3 }, { scopes: ['VolumeAttributesClass'] })],
    ['that is full, and nothing more is needed', { surge: 0, unavailable: 1 }, quota({ pods: 3 }, { pods: 3 })],
    [
      'that is overdrawn, and less is needed',
      { surge: 0, unavailable: 1, before: 3, after: 1 },
      quota({ pods: 1 }, { pods: 9 }),
    ],
    ['that is full, and all old pods go first', { strategy: { type: 'Recreate' } }, quota({ pods: 3 }, { pods: 3 })],
    ['that is full, of a StatefulSet', { kind: 'StatefulSet' }, quota({ pods: 3 }, { pods: 3 })],
    [
      'that is full, of a DaemonSet whose nodes are not known',
      { kind: 'DaemonSet', before: undefined },
      quota({ pods: 3 }, { pods: 3 }),
    ],
    [
      'that makes room, as the new pods are smaller',
      { oldCpu: '2', cpu: '500m', surge: 0, unavailable: 1 },
      quota({ 'requests.cpu': '6' }, { 'requests.cpu': '6' }),
    ],
  ])('does not matter: one %s', (_name, facts, one) => {
    expect(capacity([facts], { quotas: [one] })).toEqual({ fits: true })
  })

  it('counts workloads of one wave together, and of two waves one after the other', () => {
    const quotas = [quota({ pods: 7 }, { pods: 6 })]
    const two = (wave: number): Facts[] => [{ name: 'api' }, { name: 'web', wave }]
    expect(capacity(two(0), { quotas })).toMatchObject({ fits: false, needed: '2', free: '1', boundThatFits: bound(0) })
    expect(capacity(two(1), { quotas })).toEqual({ fits: true })
    expect(
      capacity(
        [
          { name: 'api', after: 4, before: 3 },
          { name: 'web', wave: 1 },
        ],
        { quotas },
      ),
    ).toMatchObject({
      fits: false,
      needed: '2',
    })
  })

  it.each<[string, Facts[], string, string]>([
    ['new pods that are larger, and the last old one', [{ oldCpu: '100m', cpu: '500m' }], 'requests.cpu', '1300m'],
    ['old pods that are larger, and the first new one', [{ oldCpu: '500m', cpu: '100m' }], 'requests.cpu', '100m'],
    ['old pods, of which there are first as many as wanted', [{ oldCpu: '2', before: 1 }], 'requests.cpu', '4500m'],
    [
      'one wave grown, and the surge of the next',
      [{ name: 'api', before: 1, surge: 0, unavailable: 1 }, { wave: 1 }],
      'pods',
      '3',
    ],
    ['the wave that needs most', [{ surge: 3 }, { name: 'api', wave: 1 }], 'pods', '3'],
  ])('counts at the peak %s', (_name, facts, resource, needed) => {
    expect(capacity(facts, { quotas: [quota({ [resource]: 9 }, { [resource]: 9 })] })).toMatchObject({ needed })
  })

  it('is told exactly when rounding would hide the difference', () => {
    const quotas = [quota({ 'requests.memory': '10737418239' })]
    expect(capacity([{ before: undefined, after: 1, memory: '10Gi' }], { quotas })).toMatchObject({
      needed: '10737418240',
      free: '10737418239',
    })
  })

  it('that has no status yet is read from its spec', () => {
    const { status: _status, ...fresh } = quota({ pods: 2 })
    expect(capacity([{ before: undefined }], { quotas: [fresh] })).toMatchObject({
      fits: false,
      needed: '3',
      free: '2',
    })
  })

  it('is searched for the largest bound that fits', () => {
    for (let free = 0; free <= 40; free++) {
      const result = capacity([{ after: 40, surge: '100%' }], { quotas: [quota({ pods: 40 + free }, { pods: 40 })] })
      expect(result).toMatchObject(free === 40 ? { fits: true } : { fits: false, boundThatFits: bound(free) })
    }
  })
})

describe('the nodes', () => {
  const node = (
    name: string,
    cpu: string,
    more: { pods?: number; spec?: object; ready?: string; labels?: Record<string, string>; memory?: string } = {},
  ): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...(more.labels && { labels: more.labels }) },
    spec: more.spec ?? {},
    status: {
      allocatable: { cpu, memory: more.memory ?? '64Gi', pods: more.pods ?? 110 },
      conditions: [
        { type: 'MemoryPressure', status: 'False' },
        { type: 'Ready', status: more.ready ?? 'True' },
      ],
    },
  })
  const pod = (
    nodeName: string | undefined,
    cpu: string,
    more: { app?: string; phase?: string; namespace?: string } = {},
  ): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: more.namespace ?? 'shop', labels: { app: more.app ?? 'other' } },
    spec: {
      ...(nodeName !== undefined && { nodeName }),
      containers: [{ name: 'c', resources: { requests: { cpu } } }],
    },
    status: { phase: more.phase ?? 'Running' },
  })
  const on = (nodes: KubeObject[], pods: KubeObject[] = []) => ({ quotas: [], onNodes: { nodes, pods } })
  const web = (count: number, nodeName: string, cpu = '500m') =>
    Array.from({ length: count }, () => pod(nodeName, cpu, { app: 'web' }))

  it('without room for the surge are warned of, with the bound that fits', () => {
    expect(capacity([{ surge: 2, memory: '1Gi' }], on([node('a', '2')], web(3, 'a')))).toEqual({
      fits: false,
      what: 'room on the nodes',
      needed: '2 pods',
      free: '1 pod',
      boundThatFits: { maxSurge: 1, maxUnavailable: 0 },
      warning:
        'Deployment shop/web needs room for 2 new pods beside the old ones (500m cpu, 1Gi memory each), and the nodes that are ready have it for 1, unless an autoscaler adds some. With strategy rolling, max-surge 1 and max-unavailable 0 it would fit.',
    })
  })

  it('are filled pod by pod: what is free in sum does not count', () => {
    const nodes = [node('a', '2'), node('b', '2'), node('c', '2')]
    const others = ['a', 'b', 'c'].map((name) => pod(name, '1500m'))
    const facts: Facts = { cpu: '1', after: 1, before: undefined }
    expect(capacity([facts], on(nodes, others))).toMatchObject({ fits: false, needed: '1 pod', free: '0 pods' })
    expect(capacity([{ ...facts, cpu: '500m' }], on(nodes, others))).toEqual({ fits: true })
  })

  it.each<[string, KubeObject, Facts]>([
    ['cordoned', node('a', '9', { spec: { unschedulable: true } }), {}],
    ['not ready', node('a', '9', { ready: 'False' }), {}],
    ['out of reach', node('a', '9', { ready: 'Unknown' }), {}],
    ['being deleted', { ...node('a', '9'), metadata: { name: 'a', deletionTimestamp: '2026-01-01T00:00:00Z' } }, {}],
    ['tainted', node('a', '9', { spec: { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] } }), {}],
    [
      'tainted otherwise than tolerated',
      node('a', '9', { spec: { taints: [{ key: 'dedicated', value: 'db', effect: 'NoExecute' }] } }),
      {
        podSpec: {
          tolerations: [
            { key: 'dedicated', value: 'db', effect: 'NoSchedule' },
            { key: 'other', operator: 'Exists' },
            { key: 'dedicated', value: 'web' },
          ],
        },
      },
    ],
    ['not selected', node('a', '9', { labels: { disk: 'hdd' } }), { podSpec: { nodeSelector: { disk: 'ssd' } } }],
    ['full of pods', node('a', '9', { pods: 2 }), {}],
    ['without such devices', node('a', '9'), { limits: { 'nvidia.com/gpu': 1 } }],
    ['short of memory', node('a', '9', { memory: '1Gi' }), { memory: '1Gi' }],
  ])('do not count when they are %s', (_name, one, facts) => {
    expect(capacity([{ ...facts, before: undefined }], on([one]))).toMatchObject({ fits: false })
  })

  it.each<[string, KubeObject, Facts]>([
    [
      'tainted, and tolerated',
      node('a', '9', { spec: { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] } }),
      { podSpec: { tolerations: [{ key: 'dedicated', operator: 'Exists' }] } },
    ],
    [
      'tainted, and all is tolerated',
      node('a', '9', { spec: { taints: [{ key: 'dedicated', effect: 'NoSchedule' }] } }),
      { podSpec: { tolerations: [{ operator: 'Exists' }] } },
    ],
    ['tainted softly', node('a', '9', { spec: { taints: [{ key: 'a', effect: 'PreferNoSchedule' }] } }), {}],
    ['selected', node('a', '9', { labels: { disk: 'ssd' } }), { podSpec: { nodeSelector: { disk: 'ssd' } } }],
  ])('count when they are %s', (_name, one, facts) => {
    expect(capacity([{ ...facts, before: undefined }], on([one]))).toEqual({ fits: true })
  })

  it('keep room of pods that run, and of no others', () => {
    const facts: Facts = { before: undefined, after: 1, cpu: '1' }
    const full = (phase: string) => on([node('a', '1')], [pod('a', '500m', { phase })])
    expect(capacity([facts], full('Running')).fits).toBe(false)
    expect(capacity([facts], full('Succeeded')).fits).toBe(true)
    expect(capacity([facts], full('Failed')).fits).toBe(true)
    expect(capacity([facts], on([node('a', '1')], [pod(undefined, '500m', { phase: 'Pending' })])).fits).toBe(true)
    expect(capacity([facts], on([node('a', '1')], [pod('gone', '500m')])).fits).toBe(true)
  })

  it('must have room for larger pods when the old ones are gone', () => {
    const larger: Facts = { oldCpu: '500m', cpu: '1', surge: 0, unavailable: 1 }
    expect(capacity([larger], on([node('a', '3')], web(3, 'a')))).toEqual({ fits: true })
    expect(capacity([larger], on([node('a', '2500m')], web(3, 'a')))).toMatchObject({
      fits: false,
      needed: '3 pods',
      free: '2 pods',
      warning: expect.stringContaining(
        'in the end (1 cpu each), and the nodes that are ready have it for 2, unless an autoscaler adds some. Less surge would not help',
      ),
    })
    const elsewhere = web(3, 'a').map((one) => ({ ...one, metadata: { ...one.metadata, namespace: 'other' } }))
    expect(capacity([larger], on([node('a', '4')], elsewhere)).fits).toBe(false)
  })

  it('take the largest pods first', () => {
    const nodes = [node('a', '3'), node('b', '2')]
    const facts: Facts[] = [
      { name: 'small', cpu: '1', after: 2, before: undefined },
      { name: 'large', cpu: '3', after: 1, before: undefined },
    ]
    expect(capacity(facts, on(nodes))).toEqual({ fits: true })
  })

  it('are filled by one wave after the other', () => {
    const facts = (wave: number): Facts[] => [{ name: 'api' }, { name: 'web', wave }]
    const pods = [
      ...web(3, 'a'),
      ...web(3, 'a').map((one) => ({ ...one, metadata: { ...one.metadata, labels: { app: 'api' } } })),
    ]
    expect(capacity(facts(1), on([node('a', '3500m')], pods))).toEqual({ fits: true })
    expect(capacity(facts(0), on([node('a', '3500m')], pods))).toMatchObject({ fits: false, boundThatFits: bound(0) })
    const growing = { after: 5, before: 3, surge: 0, unavailable: 1 }
    expect(capacity([{ name: 'api' }, { ...growing, wave: 1 }], on([node('a', '4')], pods))).toEqual({ fits: true })
    expect(capacity([{ name: 'api', wave: 1 }, growing], on([node('a', '4')], pods))).toMatchObject({ needed: '1 pod' })
  })

  it('say nothing of DaemonSets, which choose their own, nor of clusters whose nodes may not be read', () => {
    const surging = {
      kind: 'DaemonSet',
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    }
    expect(capacity([surging], on([node('a', '1')]))).toEqual({ fits: true })
    expect(capacity([{ before: undefined }], { quotas: [] })).toEqual({ fits: true })
  })

  it('may be many: 300 workloads on 1,000 nodes with 10,000 pods', () => {
    const nodes = Array.from({ length: 1000 }, (_, index) => node(`n${index}`, '16'))
    const pods = Array.from({ length: 10_000 }, (_, index) =>
      index < 3000 ? pod(`n${index % 1000}`, '500m', { app: `w${index % 300}` }) : pod(`n${index % 1000}`, '1900m'),
    )
    const facts = Array.from({ length: 300 }, (_, index): Facts => ({
      name: `w${index}`,
      after: 10,
      surge: '100%',
      before: 10,
    }))
    expect(capacity(facts, on(nodes, pods))).toMatchObject({ fits: false, boundThatFits: bound(6) })
  })
})
