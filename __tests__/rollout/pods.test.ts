import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Observation } from '../../src/ports.ts'
import { createPodIndex, isOfPods } from '../../src/rollout/pods.ts'
import { observe, type RolloutState, startTracking } from '../../src/rollout/tracker.ts'
import { judge, type Policy } from '../../src/rollout/verdict.ts'
import { deployment } from './objects.ts'

const REVISION = 'deployment.kubernetes.io/revision'
const PODS = 'Pod/shop?app=web&'
const REPLICA_SETS = 'ReplicaSet.apps/shop?app=web&'
const EVENTS = 'Event/shop?&reason=FailedCreate'

const ownedBy = (uid: string, kind = 'ReplicaSet') => [
  { apiVersion: 'apps/v1', kind, name: uid, uid, controller: true },
]

function pod(
  name: string,
  owner: string,
  more: { restarts?: number; waiting?: string; ready?: boolean; labels?: Record<string, string> } = {},
): KubeObject {
  const { restarts = 0, waiting, ready = false, labels = {} } = more
  const state =
    waiting === undefined ? { running: {} } : { waiting: { reason: waiting, message: `${waiting}: manifest unknown` } }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: name, labels, ownerReferences: ownedBy(owner) },
    spec: { containers: [{ name: 'app', image: 'web:2' }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ name: 'app', image: 'web:2', imageID: '', ready, restartCount: restarts, state }],
    },
  }
}

function replicaSet(uid: string, revision: string, refusal?: string): KubeObject {
  const conditions =
    refusal === undefined ? [] : [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: refusal }]
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: uid,
      namespace: 'shop',
      uid,
      annotations: { [REVISION]: revision },
      ownerReferences: ownedBy('uid-web', 'Deployment'),
    },
    status: { conditions },
  }
}

const at = (revision: string, more = {}): KubeObject => {
  const object = deployment('web', { updated: 1, total: 4, available: 3, ...more })
  return { ...object, metadata: { ...object.metadata, annotations: { [REVISION]: revision } } }
}
const changed = (object: KubeObject): Observation => ({ type: 'changed', object })
const listed = (...objects: KubeObject[]): Observation => ({ type: 'listed', objects })

describe('the index of pods', () => {
  it.each([
    ['Pod/shop?app=web&', true],
    ['ReplicaSet.apps/shop?&', true],
    ['Event/shop?&reason=FailedCreate', true],
    ['Deployment.apps/shop', false],
    ['Pod/shop', false],
    ['ReplicaSet.apps', false],
  ])('is told of %s: %s', (source, expected) => {
    expect(isOfPods(source)).toBe(expected)
  })

  it('knows the pods of the revision that a Deployment carries, and of no other', () => {
    const index = createPodIndex()
    index.observe(REPLICA_SETS, listed(replicaSet('old', '1'), replicaSet('new', '2')), 0)
    index.observe(PODS, listed(pod('a', 'old'), pod('b', 'new'), pod('c', 'somebody')), 0)
    const names = (revision: string) => [...index.newPodsOf(at(revision))].map(({ name }) => name)
    expect(names('1')).toEqual(['a'])
    expect(names('2')).toEqual(['b'])
    expect(names('3')).toEqual([])
    // A rollback gives the old ReplicaSet a new number.
    index.observe(REPLICA_SETS, changed(replicaSet('old', '3')), 0)
    expect(names('3')).toEqual(['a'])
    expect(names('1')).toEqual([])
  })

  it('knows the pods of a StatefulSet by revision and of a DaemonSet by template generation', () => {
    const index = createPodIndex()
    const set: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', uid: 'db' },
      status: { updateRevision: 'r2' },
    }
    const daemons: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'agent', uid: 'agent', annotations: { 'deprecated.daemonset.template.generation': '7' } },
    }
    index.observe(
      PODS,
      listed(
        pod('db-0', 'db', { labels: { 'controller-revision-hash': 'r1' } }),
        pod('db-1', 'db', { labels: { 'controller-revision-hash': 'r2' } }),
      ),
      0,
    )
    index.observe(PODS, changed(pod('agent-1', 'agent', { labels: { 'pod-template-generation': '7' } })), 0)
    index.observe(PODS, changed(pod('agent-2', 'agent', { labels: { 'pod-template-generation': '6' } })), 0)
    expect([...index.newPodsOf(set)].map(({ name }) => name)).toEqual(['db-1'])
    expect([...index.newPodsOf(daemons)].map(({ name }) => name)).toEqual(['agent-1'])
  })

  it('knows all pods of a StatefulSet or DaemonSet, of every revision and those that are ending', () => {
    const index = createPodIndex()
    const set: KubeObject = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', uid: 'db' } }
    const labels = (hash: string) => ({ labels: { 'controller-revision-hash': hash } })
    const ending = pod('db-2', 'db', labels('r1'))
    const metadata = {
      ...ending.metadata,
      creationTimestamp: '2026-01-01T00:00:00Z',
      deletionTimestamp: '2026-01-01T00:00:01Z',
    }
    const all = [pod('db-0', 'db', labels('r1')), pod('db-1', 'db', labels('r2')), pod('x-0', 'somebody')]
    index.observe(PODS, listed(...all, { ...ending, metadata }), 0)
    expect([...index.podsOf(set)]).toMatchObject([
      { name: 'db-0', revision: 'r1', deleting: false },
      { name: 'db-1', revision: 'r2', deleting: false },
      { name: 'db-2', revision: 'r1', deleting: true, createdAt: '2026-01-01T00:00:00Z' },
    ])
    index.observe(PODS, { type: 'deleted', object: ending }, 0)
    expect([...index.podsOf(set)]).toHaveLength(2)
    expect([...index.podsOf({ ...set, metadata: { name: 'db', uid: 'another' } })]).toEqual([])
  })

  it('times a trouble for as long as its reason stays, over lists and restarts of the watch', () => {
    const index = createPodIndex()
    index.observe(REPLICA_SETS, listed(replicaSet('new', '2')), 0)
    index.observe(PODS, changed(pod('b', 'new', { waiting: 'ErrImagePull' })), 1_000)
    index.observe(PODS, changed(pod('b', 'new', { waiting: 'ImagePullBackOff' })), 2_000)
    index.observe(PODS, listed(pod('b', 'new', { waiting: 'ImagePullBackOff' })), 3_000)
    expect(index.witnessesOf(at('2'), 11_000).witnesses).toMatchObject([{ pod: { name: 'b' }, troubledForMs: 10_000 }])
    index.observe(PODS, changed(pod('b', 'new')), 12_000)
    index.observe(PODS, changed(pod('b', 'new', { waiting: 'ErrImagePull' })), 13_000)
    expect(index.witnessesOf(at('2'), 14_000).witnesses).toMatchObject([{ troubledForMs: 1_000 }])
  })

  it('forgets what is deleted and what a list of the same source no longer has', () => {
    const index = createPodIndex()
    index.observe(REPLICA_SETS, listed(replicaSet('new', '2')), 0)
    index.observe(PODS, listed(pod('a', 'new'), pod('b', 'new')), 0)
    index.observe(PODS, { type: 'deleted', object: pod('a', 'new') }, 0)
    expect([...index.newPodsOf(at('2'))]).toHaveLength(1)
    index.observe('Pod/other?&', listed(), 0)
    expect([...index.newPodsOf(at('2'))]).toHaveLength(1)
    index.observe(PODS, listed(), 0)
    expect([...index.newPodsOf(at('2'))]).toHaveLength(0)
  })

  it('knows why pods cannot be made, until one is', () => {
    const index = createPodIndex()
    index.observe(
      REPLICA_SETS,
      changed(replicaSet('new', '2', 'pods "x" is forbidden: violates PodSecurity "restricted:latest"')),
      5_000,
    )
    expect(index.witnessesOf(at('2'), 6_000).creation).toMatchObject({ reason: 'QuotaOrAdmission', forMs: 1_000 })
    index.observe(PODS, changed(pod('a', 'new')), 7_000)
    expect(index.witnessesOf(at('2'), 8_000).creation).toBeUndefined()
  })

  it('takes events that were there before for those of an earlier release', () => {
    const index = createPodIndex()
    const event: KubeObject = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e', namespace: 'shop', uid: 'e' },
      reason: 'FailedCreate',
      message: 'create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: exceeded quota: small',
      involvedObject: { kind: 'StatefulSet', name: 'db', uid: 'db' },
    }
    const set: KubeObject = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', uid: 'db' } }
    index.observe(EVENTS, listed(event), 0)
    expect(index.witnessesOf(set, 0).creation).toBeUndefined()
    index.observe(EVENTS, changed(event), 0)
    expect(index.witnessesOf(set, 0).creation).toMatchObject({ reason: 'QuotaOrAdmission' })
  })
})

describe('the verdict, by the pods', () => {
  const POLICY: Policy = { deadline: 600_000, timeoutSeconds: 600, stableForMs: 10_000, failFast: 'safe' }
  const TARGET = {
    ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
    uid: 'uid-web',
    expectation: { generation: 2 },
  }
  const play = (...story: [number, string, Observation][]): RolloutState =>
    story.reduce(
      (state, [now, source, observation]) => observe(state, source, observation, now),
      startTracking([TARGET], 0),
    )
  const DEPLOYMENT = 'Deployment.apps/shop'

  it('is bad as soon as every new pod is doomed', () => {
    const state = play(
      [1_000, DEPLOYMENT, changed(at('2'))],
      [1_000, REPLICA_SETS, changed(replicaSet('new', '2'))],
      [2_000, PODS, changed(pod('b', 'new', { waiting: 'ErrImagePull' }))],
    )
    expect(judge(state, POLICY, 2_000)).toMatchObject({ type: 'bad', failures: [{ reason: 'ImagePull' }] })
    expect(judge(state, { ...POLICY, failFast: 'off' }, 2_000).type).toBe('wait')
  })

  it('is not bad for one doomed pod of several, nor for an old one', () => {
    const one = play(
      [1_000, DEPLOYMENT, changed(at('2'))],
      [1_000, REPLICA_SETS, changed(replicaSet('new', '2'))],
      [2_000, PODS, listed(pod('a', 'new'), pod('b', 'new', { waiting: 'ErrImagePull' }))],
    )
    expect(judge(one, POLICY, 2_000).type).toBe('wait')
    const old = play(
      [1_000, DEPLOYMENT, changed(at('2'))],
      [1_000, REPLICA_SETS, listed(replicaSet('old', '1'), replicaSet('new', '2'))],
      [2_000, PODS, changed(pod('a', 'old', { waiting: 'ErrImagePull' }))],
    )
    expect(judge(old, POLICY, 2_000).type).toBe('wait')
  })

  it('is not bad by the pods of the old revision while the controller has not seen the new spec', () => {
    const state = play(
      [1_000, DEPLOYMENT, changed(at('1', { observed: 1 }))],
      [1_000, REPLICA_SETS, changed(replicaSet('old', '1'))],
      [2_000, PODS, changed(pod('a', 'old', { waiting: 'ErrImagePull' }))],
    )
    expect(judge(state, POLICY, 2_000).type).toBe('wait')
  })

  it('waits for lasting trouble to prove itself, and wakes up for it', () => {
    const denied = pod('b', 'new')
    Object.assign(denied['status'] as object, {
      containerStatuses: [
        {
          name: 'app',
          image: 'web:2',
          ready: false,
          restartCount: 0,
          state: {
            waiting: {
              reason: 'ErrImagePull',
              message: 'failed to resolve reference: dial tcp: lookup registry.example: no such host',
            },
          },
        },
      ],
    })
    const state = play(
      [1_000, DEPLOYMENT, changed(at('2'))],
      [1_000, REPLICA_SETS, changed(replicaSet('new', '2'))],
      [2_000, PODS, changed(denied)],
    )
    const verdict = judge(state, POLICY, 2_000)
    expect(verdict).toEqual({ type: 'wait', until: 62_000 })
    expect(judge(state, POLICY, 62_000)).toMatchObject({ type: 'bad', failures: [{ reason: 'ImagePull' }] })
  })

  it('does not hold a crash against a workload that may be waiting for another one, and then gives it another chance', () => {
    const crashed = (restarts: number) => {
      const object = pod('b', 'new', { restarts, waiting: 'CrashLoopBackOff' })
      const [container] = (object['status'] as { containerStatuses: object[] }).containerStatuses
      Object.assign(container ?? {}, { lastState: { terminated: { exitCode: 1, reason: 'Error' } } })
      return object
    }
    const database = { ...TARGET, ref: { ...TARGET.ref, name: 'database' }, uid: 'uid-database' }
    const story = (facts: object, restarts: number): RolloutState =>
      (
        [
          [1_000, DEPLOYMENT, changed(at('2'))],
          [1_000, DEPLOYMENT, changed(deployment('database', {}))],
          [1_000, REPLICA_SETS, changed(replicaSet('new', '2'))],
          [50_000, PODS, changed(crashed(6))],
          [60_000, DEPLOYMENT, changed(deployment('database', facts))],
          [61_000, PODS, changed(crashed(restarts))],
        ] as const
      ).reduce<RolloutState>(
        (state, [now, source, seen]) => observe(state, source, seen, now),
        startTracking([TARGET, database], 0),
      )
    expect(judge(story({ updated: 1 }, 9), POLICY, 61_000).type).toBe('wait')
    expect(judge(story({ updated: 3, available: 3 }, 6), POLICY, 61_000).type).toBe('wait')
    expect(judge(story({ updated: 3, available: 3 }, 7), POLICY, 61_000)).toMatchObject({
      type: 'bad',
      failures: [{ reason: 'CrashLoop' }],
    })
  })

  it('counts the runs of a crash loop although the pod runs in between', () => {
    const run = (restarts: number, isRunning: boolean) => {
      const object = pod('b', 'new', { restarts, ...(isRunning ? {} : { waiting: 'CrashLoopBackOff' }) })
      const [container] = (object['status'] as { containerStatuses: object[] }).containerStatuses
      if (restarts > 0 || !isRunning)
        Object.assign(container ?? {}, { lastState: { terminated: { exitCode: 1, reason: 'Error' } } })
      return object
    }
    const loop = [0, 1, 2, 3].flatMap((restarts): [number, string, Observation][] => [
      [2_000 + restarts * 20_000, PODS, changed(run(restarts, true))],
      [12_000 + restarts * 20_000, PODS, changed(run(restarts, false))],
    ])
    const begin: [number, string, Observation][] = [
      [1_000, DEPLOYMENT, changed(at('2'))],
      [1_000, REPLICA_SETS, changed(replicaSet('new', '2'))],
    ]
    expect(judge(play(...begin, ...loop.slice(0, 7)), POLICY, 62_000).type).toBe('wait')
    expect(judge(play(...begin, ...loop), POLICY, 72_000)).toMatchObject({
      type: 'bad',
      failures: [{ reason: 'CrashLoop' }],
    })
  })

  it('can be told to leave one object alone', () => {
    const object = at('2')
    object.metadata.annotations = { ...object.metadata.annotations, 'rollsafe.dev/fail-fast': 'off' }
    const state = play(
      [1_000, DEPLOYMENT, changed(object)],
      [1_000, REPLICA_SETS, changed(replicaSet('new', '2'))],
      [2_000, PODS, changed(pod('b', 'new', { waiting: 'ErrImagePull' }))],
    )
    expect(judge(state, POLICY, 2_000).type).toBe('wait')
  })

  it('is unstable when a pod restarts while all else looks healthy', () => {
    const healthy = at('2', { updated: 3, total: 3, available: 3 })
    const begin: [number, string, Observation][] = [
      [1_000, REPLICA_SETS, changed(replicaSet('new', '2'))],
      [1_000, PODS, changed(pod('b', 'new', { ready: true, restarts: 1 }))],
      [2_000, DEPLOYMENT, changed(healthy)],
    ]
    expect(judge(play(...begin), POLICY, 12_000)).toEqual({ type: 'good' })
    // The pod is seen on another connection, and may be a moment late.
    expect(
      judge(play(...begin, [2_100, PODS, changed(pod('b', 'new', { ready: true, restarts: 2 }))]), POLICY, 12_100),
    ).toEqual({ type: 'good' })
    const restarted = play(...begin, [5_000, PODS, changed(pod('b', 'new', { ready: true, restarts: 2 }))])
    expect(judge(restarted, POLICY, 5_000)).toMatchObject({
      type: 'bad',
      failures: [{ reason: 'Unstable', message: 'was healthy, then no longer: pod b restarted' }],
    })
  })
})
