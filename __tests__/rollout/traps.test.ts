/**
 * Traps that deploy tools have fallen into, one test for each. Where a recorded state of a real cluster shows the trap, the
 * test uses it (fixtures/states).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { undo } from '../../src/commands/undo/undo.ts'
import type { Run } from '../../src/commands/run.ts'
import { ClusterError, RejectedError } from '../../src/errors.ts'
import { setImages } from '../../src/manifest/images.ts'
import type { KubeEvent } from '../../src/manifest/kinds.ts'
import { loadManifests } from '../../src/manifest/load.ts'
import { type KubeObject, type Manifest, refOf } from '../../src/manifest/object.ts'
import { changeOf } from '../../src/plan/change.ts'
import { resolveFenceposts } from '../../src/plan/pod-bounds.ts'
import { problemFrom } from '../../src/plan/rejections.ts'
import type { Cluster, Observation } from '../../src/ports.ts'
import { restoringApply } from '../../src/rollback/restore.ts'
import type { Write } from '../../src/rollback/write.ts'
import { eventEvidence } from '../../src/rollout/evidence.ts'
import { doomOf } from '../../src/rollout/fail-fast.ts'
import { statusWhenGone } from '../../src/rollout/jobs.ts'
import { podFacts } from '../../src/rollout/pod-facts.ts'
import { sourceOf } from '../../src/rollout/sources.ts'
import type { Expectation } from '../../src/rollout/state.ts'
import { deadlineConditionTime, isFollowed, progressDeadlineSeconds, statusOf } from '../../src/rollout/status.ts'
import { observe, startTracking, type Target } from '../../src/rollout/tracker.ts'
import { judge, type Policy, type Verdict } from '../../src/rollout/verdict.ts'
import { pod } from './pods.ts'

const STATES = join(import.meta.dirname, '../fixtures/states')

/** The states of a recorded story, in order. */
function recorded(story: string): { object: KubeObject; expectation: Expectation }[] {
  const file = (name: string): unknown => JSON.parse(readFileSync(join(STATES, story, name), 'utf8'))
  const { steps } = file('expected.json') as { steps: Record<string, { expectation: Expectation }> }
  return Object.entries(steps).map(([name, { expectation }]) => ({ object: file(name) as KubeObject, expectation }))
}

function lastOf<Item>(list: readonly Item[]): Item {
  const last = list.at(-1)
  if (last === undefined) throw new Error('nothing was recorded')
  return last
}

const POLICY: Policy = { deadline: 600_000, timeoutSeconds: 600, stableForMs: 10_000, failFast: 'safe' }

/** Shows the objects one after the other, a second apart, and judges at `end`. */
function verdictOn(objects: readonly KubeObject[], expectation: Expectation, end: number, policy = POLICY): Verdict {
  const targets = objects.slice(0, 1).map((object): Target => ({
    ref: refOf(object),
    uid: object.metadata.uid ?? '',
    expectation,
  }))
  let state = startTracking(targets, 0)
  for (const [index, object] of objects.entries()) {
    const changed: Observation = { type: 'changed', object }
    state = observe(state, sourceOf({ ...refOf(object) }), changed, (index + 1) * 1000)
  }
  return judge(state, policy, end)
}

const load = (text: string): Manifest[] => loadManifests([{ path: 'shop.yaml', text }])
const statusOfSpec = (kind: string, spec: object, status: object, generation = 2) =>
  statusOf(
    {
      apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
      kind,
      metadata: { name: 'web', generation: 2 },
      spec,
      status,
    },
    { generation },
  )

describe('trap 1: a stale ProgressDeadlineExceeded', () => {
  const story = recorded('deployment-stale-deadline')
  const failed = story.find(({ object }) => statusOf(object, { generation: 1 }).state === 'failed')
  const { object: stale } = lastOf(story)
  const staleDeadline = deadlineConditionTime(failed?.object) ?? ''
  const expectation = { generation: 2, staleDeadline }

  it('stands beside an observedGeneration that is ours, and is no verdict on our write', () => {
    expect(stale).toMatchObject({ metadata: { generation: 2 }, status: { observedGeneration: 2 } })
    expect(deadlineConditionTime(stale)).toBe(staleDeadline)
    expect(statusOf(stale, { generation: 2 }).state).toBe('failed')
    expect(statusOf(stale, expectation).state).toBe('progressing')
  })

  it('is never stamped anew, so an own timer speaks after the deadline, counted from the last progress', () => {
    // progressDeadlineSeconds is 5, seen at 1 s, and the controller gets 5 s to speak first.
    expect(verdictOn([stale], expectation, 10_999)).toEqual({ type: 'wait', until: 11_000 })
    expect(verdictOn([stale], expectation, 11_000)).toMatchObject({
      type: 'bad',
      failures: [{ reason: 'ProgressDeadlineExceeded', message: expect.stringContaining('made no progress for 5 s') }],
    })
  })

  it('does not hide the deadline that the new release misses itself', () => {
    const { object, expectation: ours } = lastOf(recorded('deployment-broken-again'))
    expect(ours.staleDeadline).toBeDefined()
    expect(statusOf(object, ours)).toMatchObject({ state: 'failed', reason: 'ProgressDeadlineExceeded' })
  })

  it('does not fail the way back to the old image', () => {
    const back = recorded('deployment-unpullable').filter(({ expectation: { generation } }) => generation === 3)
    expect(back.map(({ object, expectation: ours }) => statusOf(object, ours).state)).toEqual([
      'progressing',
      'progressing',
      'healthy',
    ])
    expect(deadlineConditionTime(back[0]?.object)).toBe(back[0]?.expectation.staleDeadline)
  })
})

describe('trap 2: a release that changes nothing', () => {
  it('is still judged: what it leaves as it is may be broken', () => {
    const broken = recorded('deployment-unpullable').find(
      ({ object, expectation }) => statusOf(object, expectation).state === 'failed',
    )
    expect(verdictOn(broken ? [broken.object] : [], { generation: 2 }, 2000)).toMatchObject({
      type: 'bad',
      failures: [{ reason: 'ProgressDeadlineExceeded' }],
    })
  })

  it('does not wait for a generation that never comes', () => {
    const { object } = lastOf(recorded('deployment-none-missing'))
    const manifest: Manifest = { object, at: { file: 'shop.yaml', line: 1 } }
    expect(changeOf(manifest, object, object).type).toBe('unchanged')
    const policy = { ...POLICY, stableForMs: 0 }
    expect(verdictOn([object], { generation: object.metadata.generation ?? 0 }, 1000, policy)).toEqual({ type: 'good' })
  })
})

describe('trap 3: done before it has started', () => {
  it.each(['deployment-unpullable', 'statefulset-ordered-crash', 'daemonset-crash'])(
    'the state from before our write is healthy, and does not count: %s',
    (story) => {
      const [before] = recorded(story).filter(
        ({ object, expectation }) => statusOf(object, expectation).state === 'healthy',
      )
      if (!before) throw new Error('not recorded')
      expect(statusOf(before.object, { generation: 2 })).toMatchObject({
        state: 'progressing',
        message: 'waiting for the spec update to be observed',
      })
    },
  )

  it('a StatefulSet that its controller has never seen says nothing', () => {
    expect(statusOfSpec('StatefulSet', { replicas: 0 }, { observedGeneration: 0 }).state).toBe('progressing')
  })

  it('available pods are not enough: they may be old', () => {
    const status = { observedGeneration: 2, replicas: 3, updatedReplicas: 0, availableReplicas: 3 }
    expect(statusOfSpec('Deployment', { replicas: 3 }, status).state).toBe('progressing')
  })
})

describe('trap 4: an undo that wipes out what belongs to others', () => {
  const owned = (manager: string, fields: object) => ({
    manager,
    operation: 'Apply',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:metadata': { 'f:annotations': fields } } as never,
  })
  const settings = (annotations: Record<string, string>, ...managedFields: ReturnType<typeof owned>[]): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: 'shop', annotations, managedFields },
  })

  it('gives back our annotations alone, and drops those that the bad release added', () => {
    const theirs = owned('someone', { 'f:team': {} })
    const before = settings({ color: 'blue', team: 'a' }, owned('rollsafe', { 'f:color': {} }), theirs)
    const after = settings(
      { color: 'red', shape: 'round', team: 'a' },
      owned('rollsafe', { 'f:color': {}, 'f:shape': {} }),
      theirs,
    )
    expect(restoringApply({ before, after }, after).metadata.annotations).toEqual({ color: 'blue' })
  })
})

describe('trap 5: no old ReplicaSet to go back to', () => {
  it('revisionHistoryLimit 0 takes nothing from the undo, which works from the object', () => {
    const live = lastOf(recorded('deployment-none-missing')).object
    const spec = live['spec'] as { template: object }
    const fields = { 'f:spec': { 'f:revisionHistoryLimit': {}, 'f:template': {} } } as never
    const managedFields = [
      { manager: 'rollsafe', operation: 'Apply', apiVersion: 'apps/v1', fieldsType: 'FieldsV1', fieldsV1: fields },
    ]
    const metadata = { ...live.metadata, managedFields }
    const before = { ...live, metadata, spec: { ...spec, revisionHistoryLimit: 0 } }
    const after = { ...before, spec: { ...before.spec, template: { metadata: {}, spec: { containers: [] } } } }
    expect(restoringApply({ before, after }, after)['spec']).toEqual({
      revisionHistoryLimit: 0,
      template: spec.template,
    })
  })
})

describe('trap 6: replicas that are nil, zero, or moved by an autoscaler', () => {
  const running = (pods: number) => ({
    observedGeneration: 2,
    replicas: pods,
    updatedReplicas: pods,
    readyReplicas: pods,
    availableReplicas: pods,
    currentRevision: 'a',
    updateRevision: 'a',
  })

  it.each(['Deployment', 'StatefulSet', 'ReplicaSet'])('nil means one: %s', (kind) => {
    expect(statusOfSpec(kind, {}, running(0)).state).toBe('progressing')
    expect(statusOfSpec(kind, {}, running(1))).toMatchObject({ state: 'healthy', pods: { available: 1, wanted: 1 } })
  })

  it.each(['Deployment', 'StatefulSet', 'ReplicaSet'])('zero means none, and none is enough: %s', (kind) => {
    expect(statusOfSpec(kind, { replicas: 0 }, running(0)).state).toBe('healthy')
  })

  it.each(['Deployment', 'StatefulSet', 'ReplicaSet'])(
    'what an autoscaler wants now is what is counted: %s',
    (kind) => {
      expect(statusOfSpec(kind, { replicas: 5 }, running(5)).pods).toEqual({ available: 5, wanted: 5 })
    },
  )
})

describe('trap 7: a paused Deployment never progresses', () => {
  it.each(['deployment-paused-half-way', 'deployment-paused-from-the-start'])('%s', (story) => {
    const { object, expectation } = lastOf(recorded(story))
    expect(statusOf(object, expectation)).toMatchObject({
      state: 'failed',
      message: expect.stringMatching(/^is paused, so it never finishes: .*kubectl rollout resume$/),
    })
  })

  it('but one that needs no new pods is fine, and one that only scales gets there', () => {
    const states = recorded('deployment-paused-and-scaled').map(({ object, expectation }) =>
      statusOf(object, expectation),
    )
    expect(states.map(({ state }) => state)).not.toContain('failed')
    expect(lastOf(states).state).toBe('healthy')
  })
})

describe('trap 8: workloads without a progress deadline, and updates that never end by kubectl’s rules', () => {
  it.each(['StatefulSet.apps/v1', 'DaemonSet.apps/v1', 'Job.batch/v1'])('%s has only the one clock', (name) => {
    const [kind = '', group = ''] = name.split(/\.(.*)/)
    const object: KubeObject = { apiVersion: group, kind, metadata: { name: 'one', uid: 'u' }, spec: {}, status: {} }
    expect(progressDeadlineSeconds(object)).toBeUndefined()
    expect(verdictOn([object], { generation: 1 }, 599_999)).toEqual({ type: 'wait', until: 600_000 })
    expect(verdictOn([object], { generation: 1 }, 600_000)).toMatchObject({
      type: 'bad',
      failures: [{ reason: 'Timeout', message: expect.stringContaining('was not done within 600 s') }],
    })
  })

  it.each(['statefulset-partition', 'statefulset-on-delete', 'daemonset-on-delete'])('%s comes to an end', (story) => {
    const second = recorded(story).filter(({ expectation: { generation } }) => generation === 2)
    const states = second.map(({ object, expectation }) => statusOf(object, expectation))
    expect(states.find(({ state }) => state === 'healthy')?.message).toMatch(/the old revision/)
  })

  it('nodes that are tainted are not counted, cordoned ones are, and neither holds up a DaemonSet', () => {
    const states = recorded('daemonset-tainted-node').map(({ object, expectation }) => statusOf(object, expectation))
    expect(states.filter(({ state }) => state === 'healthy').map(({ message }) => message)).toEqual([
      '2 of 2 pods are available',
      '2 of 2 pods are available',
      '3 of 3 pods are available',
    ])
  })

  it('a node that is not ready is named when a DaemonSet that tolerates everything is done on all others', () => {
    const states = recorded('daemonset-tolerates-all').map(({ object, expectation }) => statusOf(object, expectation))
    expect(states.map(({ message }) => message)).toContain(
      '2 of 3 pods are available; not waiting for node-3: not ready',
    )
  })
})

describe('trap 9: a strategy that looks like a failure', () => {
  it('Recreate has an outage, in which nothing is updated and nothing is available', () => {
    const outage = recorded('deployment-recreate').filter(({ object, expectation }) => {
      const { pods, state } = statusOf(object, expectation)
      return expectation.generation === 2 && pods?.available === 0 && state !== 'healthy'
    })
    expect(outage.length).toBeGreaterThan(0)
    for (const { object, expectation } of outage) expect(statusOf(object, expectation).state).toBe('progressing')
  })

  it('maxUnavailable 0 in a full quota: only ReplicaFailure tells why nothing happens', () => {
    const states = recorded('deployment-quota').map(({ object, expectation }) => statusOf(object, expectation))
    expect(states.find(({ message }) => message.includes('cannot be created'))).toMatchObject({
      state: 'progressing',
      message: expect.stringContaining('exceeded quota: pods'),
    })
  })

  it('two bounds that round to zero mean that one pod goes missing', () => {
    expect(resolveFenceposts('0%', '10%', 5)).toEqual({ surge: 0, unavailable: 1 })
  })
})

describe('trap 10: pods that say nothing about the release', () => {
  const crashing = {
    status: { phase: 'Running' as const },
    app: { restartCount: 9, state: { waiting: { reason: 'InvalidImageName', message: 'invalid reference format' } } },
  }

  it.each([
    ['on its way out', pod({ ...crashing, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
    ['evicted', pod({ ...crashing, status: { phase: 'Failed', reason: 'Evicted' } })],
    ['preempted', pod({ ...crashing, status: { phase: 'Failed', reason: 'Preempting' } })],
    ['shut down with its node', pod({ ...crashing, status: { phase: 'Failed', reason: 'Terminated' } })],
  ])('%s', (_name, one) => {
    const witness = (facts: ReturnType<typeof podFacts>) => [{ pod: facts, troubledForMs: 3_600_000 }]
    expect(doomOf('StatefulSet.apps', witness(podFacts(one)), undefined, 'eager')).toBeUndefined()
    expect(doomOf('StatefulSet.apps', witness(podFacts(pod(crashing))), undefined, 'eager')).toBeDefined()
  })
})

describe('trap 11: YAML as kubectl reads it', () => {
  it('reads octal modes, booleans and keys like kubectl', () => {
    const [manifest] = load(
      'apiVersion: example.dev/v1\nkind: Thing\nmetadata: {name: one}\nspec: {mode: 0644, on: yes, y: off, big: 1e3, time: 22:30}\n',
    )
    expect(manifest?.object['spec']).toEqual({ mode: 420, true: false, big: 1000, time: '22:30' })
  })
})

describe('trap 12: an image reference is not split at its colons', () => {
  const [web] = load(
    'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: app, image: "reg:5000/app:1"}, {name: other, image: "reg:5000/other:1"}]}\n',
  )

  it('a registry with a port, and another image of the same registry', () => {
    const { manifests } = setImages(web ? [web] : [], [{ reference: 'reg:5000/app:2', line: 'reg:5000/app:2' }])
    expect(manifests[0]?.object['spec']).toMatchObject({
      containers: [{ image: 'reg:5000/app:2' }, { image: 'reg:5000/other:1' }],
    })
  })

  it('a request that is for no image is an error', () => {
    expect(() => setImages(web ? [web] : [], [{ reference: 'reg:5000/ap:2', line: 'reg:5000/ap:2' }])).toThrow(
      RejectedError,
    )
  })
})

describe('trap 14: a namespace that is being deleted', () => {
  it('is no healthy object of a release', () => {
    const { object } = lastOf(recorded('namespace-held-by-a-finalizer'))
    expect(statusOf(object, { generation: 0 })).toMatchObject({ state: 'failed', reason: 'Deleted' })
  })

  it('refuses new objects with 403, which is no missing right', () => {
    const error = new ClusterError(
      'configmaps "settings" is forbidden: unable to create new content in namespace shop because it is being terminated',
      { status: 403, request: 'patch configmaps settings in namespace shop', reason: 'Forbidden' },
    )
    expect(problemFrom(error, 'ConfigMap shop/settings')).toMatchObject({
      code: 'InvalidInput',
      hint: 'wait until the namespace is gone, or choose another one',
    })
  })
})

describe('trap 15: names that are made up, and Jobs that clean up after themselves', () => {
  it('generateName is refused: nobody could update or take back what gets a new name in every run', () => {
    const text = 'apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: migrate-}\nspec: {}\n'
    expect(() => load(text)).toThrow(/generateName/)
  })

  it('a Job that its TTL has deleted keeps the state in which it ended', () => {
    for (const [story, state] of [
      ['job-cleaned-up', 'healthy'],
      ['job-failed-and-cleaned-up', 'failed'],
    ] as const) {
      const { object } = lastOf(recorded(story))
      // The TTL controller deletes in the foreground: the Job is first seen on its way out.
      expect(object.metadata.deletionTimestamp).toBeDefined()
      expect(statusOf(object, { generation: 1 }).state).toBe(state)
      expect(statusWhenGone(object, true).state).toBe(state)
    }
  })

  it('a Job that has only started is not done', () => {
    expect(statusOfSpec('Job', {}, { active: 1, startTime: '2026-01-01T00:00:00Z' }).state).toBe('progressing')
  })
})

describe('trap 16: side objects that wait for something outside of the release', () => {
  it.each([
    'autoscaler-without-metrics',
    'claim-waits-for-its-first-pod',
    'service-without-address',
    'ingress-without-address',
    'budget',
  ])('%s holds nothing up', (story) => {
    for (const { object, expectation } of recorded(story)) {
      expect(isFollowed(object)).toBe(false)
      expect(statusOf(object, expectation).state).toBe('healthy')
    }
  })

  it.each([{ type: 'ExternalName', externalName: 'db.example' }, { type: 'ClusterIP' }])(
    'a Service that needs no endpoints is fine: %j',
    (spec) => {
      const service: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'db' }, spec }
      expect(statusOf(service, { generation: 0 }).state).toBe('healthy')
    },
  )
})

describe('trap 17: a failed first deploy', () => {
  /** Keeps objects by UID and remembers what was deleted: as much of a cluster as the removal of an object needs. */
  function clusterWith(present: readonly KubeObject[]): Run & { deleted: string[] } {
    const deleted: string[] = []
    const cluster: Pick<Cluster, 'get' | 'delete'> = {
      get: async (ref) => present.find((one) => one.metadata.name === ref.name),
      delete: async (_ref, preconditions) => {
        const uid = typeof preconditions === 'string' ? preconditions : preconditions.uid
        if (!present.some((one) => one.metadata.uid === uid)) return false
        deleted.push(uid)
        return true
      },
    }
    const inputs = { release: 'shop', rollbackStrategy: { type: 'as-written' } }
    return { deleted, cluster, inputs, runner: { info: () => undefined } } as unknown as Run & { deleted: string[] }
  }
  const settings = (name: string, uid: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'shop', uid },
  })
  const created = (name: string, after: KubeObject | undefined): Write => ({
    type: 'create',
    ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name },
    ...(after && { after }),
  })

  it('removes what this release created, by UID, and nothing that others made under the same name', async () => {
    const run = clusterWith([settings('ours', 'ours-1'), settings('taken', 'theirs-1'), settings('lost', 'theirs-2')])
    const { steps } = await undo(
      [
        created('ours', settings('ours', 'ours-1')),
        // Deleted and made anew by somebody else since.
        created('taken', settings('taken', 'ours-2')),
        // Nobody knows whether this write took effect; what is there does not carry our fields.
        created('lost', undefined),
      ],
      run,
      { deadline: 0, signal: new AbortController().signal },
    )
    expect(run.deleted).toEqual(['ours-1'])
    expect(steps.map(({ name, step }) => [name, step])).toEqual([
      ['ours', 'deleted'],
      ['taken', 'already-as-before'],
      ['lost', 'already-as-before'],
    ])
  })
})

describe('trap 18: an event carries one of four times and one of two counts', () => {
  const event = (name: string, times: object): KubeEvent => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, creationTimestamp: '2026-01-01T00:00:05Z' },
    involvedObject: { kind: 'Pod', name },
    ...times,
  })

  it('finds them all, and puts the oldest first', () => {
    const events = [
      event('made', {}),
      event('micro', { eventTime: '2026-01-01T00:00:02.000000Z', lastTimestamp: null, count: null }),
      event('classic', { firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:03Z', count: 4 }),
      event('series', {
        eventTime: '2026-01-01T00:00:01.000000Z',
        series: { count: 7, lastObservedTime: '2026-01-01T00:00:04.000000Z' },
      }),
    ]
    expect(eventEvidence(events).map(({ object, at, count }) => [object, at.slice(17, 19), count])).toEqual([
      ['Pod/micro', '02', 1],
      ['Pod/classic', '03', 4],
      ['Pod/series', '04', 7],
      ['Pod/made', '05', 1],
    ])
  })
})

describe('trap 19: timeouts that add up', () => {
  it('all workloads share one clock', () => {
    const objects = ['one', 'two', 'three'].map((name): KubeObject => ({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name, namespace: 'shop', uid: name },
    }))
    const targets = objects.map((object): Target => ({
      ref: refOf(object),
      uid: object.metadata.name,
      expectation: { generation: 1 },
    }))
    const state = startTracking(targets, 0)
    expect(judge(state, POLICY, 599_999)).toEqual({ type: 'wait', until: 600_000 })
    expect(judge(state, POLICY, 600_000)).toMatchObject({
      type: 'bad',
      failures: [{ reason: 'Timeout' }, { reason: 'Timeout' }, { reason: 'Timeout' }],
    })
  })
})
