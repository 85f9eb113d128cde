import { describe, expect, it } from '@jest/globals'
import type { Pod } from '../../src/manifest/kinds.ts'
import { causeOf, standingRefusals, troubledPods } from '../../src/rollout/causes.ts'
import { backingOff, event, failedCreate, IMAGE, pod, ready, replicaSet, running, waiting } from './pods.ts'

const named = (name: string, object: Pod): Pod => ({
  ...object,
  metadata: { name, namespace: 'shop', uid: `uid-${name}` },
})

const slow = named('web-1', running())
const crashing = named('web-2', backingOff({ exitCode: 1, reason: 'Error' }, 3))
const unpullable = named('web-3', waiting('ErrImagePull', 'manifest unknown'))
const evicted = named('web-4', pod({ status: { phase: 'Failed', reason: 'Evicted' } }))
const quota = replicaSet('pods "web-5d9-x" is forbidden: exceeded quota: small')
const denied = replicaSet(
  'pods "web-5d9-x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
)

describe('the cause', () => {
  it('is the gravest trouble of the pods', () => {
    expect(causeOf([slow, crashing, unpullable])).toEqual({
      reason: 'ImagePull',
      message: `container app of pod web-3 cannot pull the image ${IMAGE}: manifest unknown`,
    })
    expect(causeOf([slow, crashing])?.reason).toBe('CrashLoop')
    expect(causeOf([slow])?.reason).toBe('ProbeFailed')
  })

  it.each([
    ['a refusal before an equal trouble of a pod', [crashing], quota, 'QuotaOrAdmission'],
    ['a fatal trouble before a quota', [unpullable], quota, 'ImagePull'],
    ['a denial before what may heal', [crashing], denied, 'QuotaOrAdmission'],
    ['a refusal when no pod is in trouble', [], quota, 'QuotaOrAdmission'],
  ])('is %s', (_name, pods, refusal, reason) => {
    expect(causeOf(pods, [refusal])?.reason).toBe(reason)
  })

  it('is nothing when nothing says so', () => {
    expect(causeOf([named('web-5', ready(3)), evicted], [event('Scheduled', 'assigned')])).toBeUndefined()
  })

  it('has the words of the findings of its own pod', () => {
    const found = (text: string) => ({
      events: [event('Unhealthy', `Readiness probe failed: ${text}`)],
      logs: new Map(),
    })
    const findings = new Map([
      ['uid-web-9', found('of another pod')],
      ['uid-web-1', found('connection refused')],
    ])
    expect(causeOf([slow], [], findings)?.message).toBe(
      'container app of pod web-1 runs but does not become ready: Readiness probe failed: connection refused',
    )
  })
})

it('shows the pods in trouble, the gravest first', () => {
  const pods = [evicted, slow, named('web-5', ready()), crashing, unpullable]
  expect(troubledPods(pods)).toEqual([unpullable, crashing, slow])
})

describe('trap 18: old events', () => {
  const made = (creationTimestamp: string) => pod({ metadata: { creationTimestamp } })
  const refusal = failedCreate('StatefulSet', 'Create Pod web-0 in StatefulSet web failed error: exceeded quota')

  it.each([
    ['before the last pod was made', [made('2026-01-01T08:00:00Z'), made('2026-01-01T09:00:01Z')], 0],
    ['since', [made('2026-01-01T08:59:59Z')], 1],
    ['when no pod was made at all', [], 1],
  ])('a refusal stands when it came %s: %#', (_name, pods, standing) => {
    expect(standingRefusals([refusal, event('FailedScheduling', 'no node')], pods)).toHaveLength(standing)
  })
})
