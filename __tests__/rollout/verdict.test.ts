import { describe, expect, it } from '@jest/globals'
import { refOf } from '../../src/manifest/object.ts'
import type { Observation } from '../../src/ports.ts'
import { observe, type RolloutState, startTracking, type Target } from '../../src/rollout/tracker.ts'
import { judge, type Policy, type Verdict } from '../../src/rollout/verdict.ts'
import { deployment, type DeploymentFacts } from './objects.ts'

const SOURCE = 'Deployment.apps/shop'
const POLICY: Policy = { deadline: 100_000, timeoutSeconds: 100, stableForMs: 10_000, failFast: 'safe' }
const DONE: DeploymentFacts = { updated: 3, available: 3 }

const target = (name: string): Target => ({
  ref: refOf(deployment(name)),
  uid: `uid-${name}`,
  expectation: { generation: 2 },
})

/** Plays a story, each step at its time in milliseconds, to the verdict at `end`. */
function play(names: string[], story: [number, Observation][], end: number, policy = POLICY): Verdict {
  const state = story.reduce<RolloutState>(
    (before, [now, observation]) => observe(before, SOURCE, observation, now),
    startTracking(names.map(target), 0),
  )
  return judge(state, policy, end)
}

const changed = (name: string, facts: DeploymentFacts): Observation => ({
  type: 'changed',
  object: deployment(name, facts),
})
const LOST: Observation = { type: 'lost', why: 'the connection broke' }

describe('the verdict', () => {
  it.each<[string, [number, Observation][], number, Partial<Extract<Verdict, { type: 'bad' }>> | Verdict]>([
    ['waits before anything is seen', [], 0, { type: 'wait', until: 100_000 }],
    ['waits for the soak once all is healthy', [[5_000, changed('web', DONE)]], 6_000, { type: 'wait', until: 15_000 }],
    ['is good after the soak', [[5_000, changed('web', DONE)]], 15_000, { type: 'good' }],
    ['is good although the soak ends after the deadline', [[95_000, changed('web', DONE)]], 105_000, { type: 'good' }],
    [
      'waits out a soak that ends after the deadline',
      [[95_000, changed('web', DONE)]],
      101_000,
      { type: 'wait', until: 105_000 },
    ],
    [
      'is bad when what was healthy no longer is',
      [
        [5_000, changed('web', DONE)],
        [8_000, changed('web', { updated: 3, available: 2 })],
      ],
      8_000,
      {
        type: 'bad',
        failures: [
          {
            ref: target('web').ref,
            reason: 'Unstable',
            message: 'was healthy, then no longer: 2 of 3 updated replicas are available',
          },
        ],
      },
    ],
    [
      'is bad when somebody deletes the workload',
      [
        [1_000, changed('web', {})],
        [2_000, { type: 'deleted', object: deployment('web') }],
      ],
      2_000,
      {
        type: 'bad',
        failures: [{ ref: target('web').ref, reason: 'Deleted', message: 'was deleted by somebody else' }],
      },
    ],
    [
      'does not take a namesake for the workload',
      [[1_000, changed('web', { ...DONE, uid: 'another' })]],
      1_000,
      {
        type: 'bad',
        failures: [
          { ref: target('web').ref, reason: 'Deleted', message: 'was deleted and made anew by somebody else' },
        ],
      },
    ],
    [
      'ignores objects that are not the release’s',
      [[1_000, changed('foreign', { progressing: { reason: 'ProgressDeadlineExceeded', at: 't' } })]],
      1_000,
      { type: 'wait', until: 100_000 },
    ],
    [
      'times out',
      [[1_000, changed('web', { updated: 1, total: 4 })]],
      100_000,
      {
        type: 'bad',
        failures: [
          {
            ref: target('web').ref,
            reason: 'Timeout',
            message: 'was not done within 100 s: 1 out of 3 new replicas have been updated',
          },
        ],
      },
    ],
    [
      'is unknown when the deadline comes while nothing can be observed',
      [
        [1_000, changed('web', {})],
        [2_000, LOST],
      ],
      100_000,
      { type: 'unknown', why: 'the connection broke' },
    ],
    [
      'waits while nothing can be observed',
      [
        [1_000, changed('web', {})],
        [2_000, LOST],
      ],
      50_000,
      { type: 'wait', until: 100_000 },
    ],
    [
      'is not good on old news',
      [
        [1_000, changed('web', DONE)],
        [2_000, LOST],
      ],
      50_000,
      { type: 'wait', until: 100_000 },
    ],
    [
      'is good when it can be observed again',
      [
        [1_000, changed('web', DONE)],
        [2_000, LOST],
        [30_000, { type: 'found' }],
      ],
      30_000,
      { type: 'good' },
    ],
    [
      'is bad when a list no longer has the workload',
      [
        [1_000, changed('web', {})],
        [2_000, { type: 'listed', objects: [] }],
      ],
      2_000,
      { type: 'bad' },
    ],
  ])('%s', (_name, story, end, expected) => {
    expect(play(['web'], story, end)).toMatchObject(expected)
  })

  it('is good at once when there is nothing to follow', () => {
    expect(play([], [], 0, { ...POLICY, stableForMs: 0 })).toEqual({ type: 'good' })
  })

  it('is not bad when more is asked for during the soak', () => {
    const more = deployment('web', { updated: 3, available: 3, replicas: 5, total: 5, generation: 3 })
    const story: [number, Observation][] = [
      [5_000, changed('web', DONE)],
      [8_000, { type: 'changed', object: more }],
    ]
    expect(play(['web'], story, 8_000)).toEqual({ type: 'wait', until: 100_000 })
  })

  it('follows a bare Pod, which is told of like the pods of others', () => {
    const pod = (ready: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'one', namespace: 'shop', uid: 'one' },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready }] },
    })
    const followed = { ref: refOf(pod('True')), uid: 'one', expectation: { generation: 0 } }
    const begun = observe(startTracking([followed], 0), 'Pod/shop', { type: 'changed', object: pod('False') }, 1_000)
    expect(judge(begun, POLICY, 1_000).type).toBe('wait')
    const ready = observe(begun, 'Pod/shop', { type: 'changed', object: pod('True') }, 2_000)
    expect(judge(ready, POLICY, 12_000)).toEqual({ type: 'good' })
  })

  it('waits for the slowest', () => {
    const story: [number, Observation][] = [
      [1_000, changed('web', DONE)],
      [2_000, changed('api', { updated: 1, total: 4 })],
    ]
    expect(play(['web', 'api'], story, 20_000).type).toBe('wait')
    expect(play(['web', 'api'], [...story, [20_000, changed('api', DONE)]], 30_000)).toEqual({ type: 'good' })
  })

  it('names all that failed', () => {
    const missed = { progressing: { reason: 'ProgressDeadlineExceeded', at: 't' } }
    const verdict = play(
      ['web', 'api'],
      [
        [1_000, changed('web', missed)],
        [1_000, changed('api', missed)],
      ],
      1_000,
    )
    expect(verdict.type === 'bad' && verdict.failures.map(({ ref }) => ref.name)).toEqual(['web', 'api'])
  })
})

describe('the timer beside the controller’s', () => {
  const policy = { ...POLICY, deadline: 1_000_000, timeoutSeconds: 1000 }
  const slow: DeploymentFacts = { deadlineSeconds: 20, updated: 1, total: 4, available: 3 }

  it('speaks when the controller does not, a little after it should have', () => {
    expect(play(['web'], [[1_000, changed('web', slow)]], 25_999, policy)).toEqual({ type: 'wait', until: 26_000 })
    expect(play(['web'], [[1_000, changed('web', slow)]], 26_000, policy)).toMatchObject({
      type: 'bad',
      failures: [
        {
          reason: 'ProgressDeadlineExceeded',
          message: 'made no progress for 20 s: 1 out of 3 new replicas have been updated',
        },
      ],
    })
  })

  it('starts anew with all progress, and with that alone', () => {
    const story: [number, Observation][] = [
      [1_000, changed('web', slow)],
      [15_000, changed('web', { ...slow, updated: 2 })],
    ]
    expect(play(['web'], story, 39_999, policy)).toEqual({ type: 'wait', until: 40_000 })
    expect(play(['web'], [...story, [20_000, changed('web', { ...slow, updated: 2 })]], 40_000, policy).type).toBe(
      'bad',
    )
  })

  it('stands still while nothing can be observed', () => {
    const story: [number, Observation][] = [
      [1_000, changed('web', slow)],
      [10_000, LOST],
    ]
    expect(play(['web'], story, 500_000, policy).type).toBe('wait')
    expect(play(['web'], [...story, [500_000, { type: 'found' }]], 500_001, policy)).toEqual({
      type: 'wait',
      until: 525_000,
    })
  })
})
