import { describe, expect, it } from '@jest/globals'
import type { RollbackStrategy } from '../../src/inputs/rollback-strategy.ts'
import type { KubeObject } from '../../src/manifest/object.ts'
import { type BadRevision, badRevisionOf, replacePods } from '../../src/rollback/replace-pods.ts'
import type { PodFacts } from '../../src/rollout/pod-facts.ts'

const WRITTEN_AT = '2026-01-02T00:00:00Z'
const LONG_AGO = '2026-01-01T00:00:00Z'
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'
const AS_WRITTEN: RollbackStrategy = { type: 'as-written' }
const FAST: RollbackStrategy = { type: 'fast' }
const atOnce = (maxUnavailable: number | string): RollbackStrategy => ({ type: 'max-unavailable', maxUnavailable })
const BAD: BadRevision = { kind: 'StatefulSet', revision: 'bad', since: WRITTEN_AT }

interface SetFacts {
  readonly replicas?: number
  readonly start?: number
  readonly policy?: 'Parallel' | 'OrderedReady'
  /** As in the spec. */
  readonly strategy?: object
  readonly current?: string
  readonly update?: string
  readonly observed?: number
}

function statefulSet(facts: SetFacts = {}): KubeObject {
  const { replicas = 3, start, policy, strategy = { type: 'RollingUpdate', rollingUpdate: { partition: 0 } } } = facts
  const { current = 'old', update = 'old', observed = 3 } = facts
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db', namespace: 'shop', uid: 'db', generation: 3 },
    spec: {
      replicas,
      updateStrategy: strategy,
      ...(start !== undefined && { ordinals: { start } }),
      ...(policy && { podManagementPolicy: policy }),
    },
    status: { observedGeneration: observed, currentRevision: current, updateRevision: update },
  }
}

/** `bad!` is a broken pod, `bad-` one that is ending, `bad` a ready one; an older one was made before the release. */
function pod(name: string, word: string, more: Partial<PodFacts> = {}): PodFacts {
  const revision = word.replace(/[!-]$/, '')
  const createdAt = revision === 'bad' ? WRITTEN_AT : LONG_AGO
  const [deleting, ready] = [word.endsWith('-'), !/[!-]$/.test(word)]
  return { uid: `uid-${name}`, name, namespace: 'shop', revision, createdAt, deleting, ready, restarts: 0, ...more }
}

/** Words for the pods db-0, db-1 …; an empty one for a pod that is not there. */
function pods(words: string, start = 0): PodFacts[] {
  return words.split(' ').flatMap((word, index) => (word === '_' ? [] : [pod(`db-${start + index}`, word)]))
}

const OLD = { generation: 3 }
const ON_DELETE = { type: 'OnDelete' }
const partition = (number: number) => ({ type: 'RollingUpdate', rollingUpdate: { partition: number } })
const UNDIVIDED = { type: 'RollingUpdate' }

describe('the pods of a StatefulSet that was restored', () => {
  it.each<[string, string, SetFacts, RollbackStrategy, string, boolean]>([
    ['nothing is wrong', 'old old old', {}, AS_WRITTEN, '', true],
    ['the controller is at work', 'old old bad', {}, AS_WRITTEN, '', false],
    ['the trap', 'old old bad!', {}, AS_WRITTEN, 'db-2', false],
    ['already ending', 'old old bad-', {}, AS_WRITTEN, '', false],
    ['gone', 'old old _', {}, AS_WRITTEN, '', false],
    ['made anew, and starting', 'old old old!', {}, AS_WRITTEN, '', false],
    ['not observed', 'old old bad!', { observed: 2 }, AS_WRITTEN, '', false],
    // The controller makes nothing above the lowest pod that is not ready: waiting for db-2 first would be for ever.
    ['two broken: the lower first', 'old bad! bad!', {}, AS_WRITTEN, 'db-1', false],
    ['two broken, one ending', 'old bad- bad!', {}, AS_WRITTEN, '', false],
    ['an old pod is not ready', 'old! old bad!', {}, AS_WRITTEN, '', false],
    ['a third revision', 'old old older!', {}, AS_WRITTEN, 'db-2', false],
    ['a partition', 'older older bad!', { strategy: partition(2) }, AS_WRITTEN, 'db-2', false],
    ['below a partition', 'older! older old', { strategy: partition(2) }, AS_WRITTEN, '', false],
    [
      'below, of the bad revision',
      'older bad! old',
      { strategy: partition(2), current: 'older' },
      AS_WRITTEN,
      'db-1',
      false,
    ],
    ['below, bad and healthy', 'bad bad old', { strategy: partition(2), current: 'older' }, AS_WRITTEN, 'db-1', false],
    ['below, would come back as bad', 'bad bad old', { strategy: partition(2), current: 'bad' }, AS_WRITTEN, '', true],
    ['parallel, broken', 'old bad! bad!', { policy: 'Parallel' }, AS_WRITTEN, 'db-2 db-1', false],
    ['parallel, healthy', 'old bad bad', { policy: 'Parallel' }, AS_WRITTEN, '', false],
    ['fast', 'bad bad bad!', {}, FAST, 'db-2 db-1 db-0', false],
    ['fast, with a partition', 'older bad bad', { strategy: partition(1) }, FAST, 'db-2 db-1', false],
    ['fast, under way', 'bad- bad- old!', {}, FAST, '', false],
    ['without rollingUpdate', 'old old bad!', { strategy: UNDIVIDED }, AS_WRITTEN, 'db-2', false],
    ['… after a complete rollout', 'bad bad! bad', { strategy: UNDIVIDED, current: 'bad' }, AS_WRITTEN, 'db-2', false],
    [
      '… with one on its way',
      'bad bad! bad bad-',
      { replicas: 4, strategy: UNDIVIDED, current: 'bad' },
      AS_WRITTEN,
      '',
      false,
    ],
    ['… with those above gone', 'bad bad! _', { strategy: UNDIVIDED, current: 'bad' }, AS_WRITTEN, 'db-1', false],
    [
      '… parallel',
      'bad- bad bad',
      { strategy: UNDIVIDED, current: 'bad', policy: 'Parallel' },
      AS_WRITTEN,
      'db-2',
      false,
    ],
    [
      '… parallel, starting',
      'bad! bad old!',
      { strategy: UNDIVIDED, current: 'bad', policy: 'Parallel' },
      AS_WRITTEN,
      '',
      false,
    ],
    ['beyond the replicas', 'old old old bad! bad!', {}, AS_WRITTEN, 'db-4', false],
    ['beyond the replicas, ending', 'old old old bad! bad-', {}, AS_WRITTEN, '', false],
    ['beyond the replicas, old', 'old old old old!', {}, AS_WRITTEN, '', false],
    ['an alpha type', 'old old bad!', { strategy: { type: 'Recreate' } }, AS_WRITTEN, '', true],
    ['OnDelete', 'bad older bad', { strategy: ON_DELETE }, AS_WRITTEN, 'db-2', false],
    ['OnDelete, two', 'bad bad bad', { strategy: ON_DELETE }, atOnce(2), 'db-2 db-1', false],
    ['OnDelete, a percentage', 'bad bad bad', { strategy: ON_DELETE }, atOnce('10%'), 'db-2', false],
    ['OnDelete, fast', 'bad older bad', { strategy: ON_DELETE }, FAST, 'db-2 db-0', false],
    ['OnDelete, one ending', 'bad older bad-', { strategy: ON_DELETE }, AS_WRITTEN, '', false],
    ['OnDelete, one starting', 'bad older old!', { strategy: ON_DELETE }, AS_WRITTEN, '', false],
    ['OnDelete, the blocker first', 'bad! older bad', { strategy: ON_DELETE }, AS_WRITTEN, 'db-0', false],
    ['OnDelete, an older one is broken', 'bad older! bad', { strategy: ON_DELETE }, AS_WRITTEN, '', false],
    ['OnDelete, done', 'older old older', { strategy: ON_DELETE }, AS_WRITTEN, '', true],
    ['OnDelete, parallel', 'bad! bad bad!', { strategy: ON_DELETE, policy: 'Parallel' }, AS_WRITTEN, 'db-2', false],
    [
      'OnDelete, parallel, three',
      'bad! bad bad!',
      { strategy: ON_DELETE, policy: 'Parallel' },
      atOnce(3),
      'db-2 db-0 db-1',
      false,
    ],
    ['no pods wanted', '_', { replicas: 0 }, AS_WRITTEN, '', true],
  ])('%s: %s', (_, words, facts, strategy, expected, isDone) => {
    const answer = replacePods(statefulSet(facts), OLD, BAD, pods(words), strategy)
    expect(answer.delete.map(({ name }) => name).join(' ')).toBe(expected)
    expect(answer.isDone).toBe(isDone)
    expect(/^deletes pods? db-/.test(answer.note ?? '')).toBe(answer.delete.length > 0)
  })

  it('counts a partition from the first ordinal', () => {
    const set = statefulSet({ start: 5, strategy: partition(1) })
    expect(replacePods(set, OLD, BAD, pods('older! old old', 5), AS_WRITTEN).delete).toEqual([])
    const [deleted] = replacePods(set, OLD, BAD, pods('older bad! old', 5), AS_WRITTEN).delete
    expect(deleted?.name).toBe('db-6')
  })

  it('leaves a pod of an OnDelete set that had the revision before the release', () => {
    const older = pod('db-1', 'bad', { createdAt: LONG_AGO })
    const { delete: some, isDone } = replacePods(
      statefulSet({ strategy: ON_DELETE }),
      OLD,
      BAD,
      [pod('db-0', 'old'), older, pod('db-2', 'old')],
      AS_WRITTEN,
    )
    expect({ some, isDone }).toEqual({ some: [], isDone: true })
  })

  it('touches no pod of an OnDelete set whose bad revision is not known, or is the restored one', () => {
    const set = statefulSet({ strategy: ON_DELETE })
    expect(replacePods(set, OLD, undefined, pods('bad bad bad'), FAST).delete).toEqual([])
    const same: BadRevision = { kind: 'StatefulSet', revision: 'old', since: LONG_AGO }
    expect(replacePods(set, OLD, same, pods('old old! old'), FAST).delete).toEqual([])
  })

  it('says what it waits for', () => {
    const noteOf = (words: string) => replacePods(statefulSet(), OLD, BAD, pods(words), AS_WRITTEN).note
    expect(noteOf('old old! bad!')).toBe('waits for pod db-1 to be ready')
    expect(noteOf('old bad- bad!')).toBe('waits for pod db-1 to end')
    expect(noteOf('old _ bad!')).toBe('waits for pod db-1 to be made')
  })
})

const DAEMON_BAD: BadRevision = { kind: 'DaemonSet', templateGeneration: '5' }

function daemonSet(type: string, generation = '6', desired = 3): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', uid: 'agent', generation: 3, annotations: { [TEMPLATE_GENERATION]: generation } },
    spec: { updateStrategy: { type } },
    status: { observedGeneration: 3, desiredNumberScheduled: desired },
  }
}

/** Words for the pods on the nodes a, b, c: `5` is the bad generation, `6` the restored one. */
function daemons(words: string): PodFacts[] {
  return words.split(' ').flatMap((word, index) => {
    const node = 'abcdef'[index] ?? ''
    const templateGeneration = word.replace(/[!-]$/, '')
    return word === '_' ? [] : [pod(`agent-${node}`, word, { node, templateGeneration, revision: 'x' })]
  })
}

describe('the pods of a DaemonSet that was restored', () => {
  it.each<[string, string, RollbackStrategy, string[], string, boolean]>([
    ['nothing is wrong', '3 4 6', AS_WRITTEN, [], '', true],
    ['by name of the node', '5 4 5', AS_WRITTEN, [], 'a', false],
    ['not ready first', '5 5 5!', AS_WRITTEN, [], 'c', false],
    ['two at once', '5 5 5!', atOnce(2), [], 'c a', false],
    ['a percentage rounds up', '5 5 5', atOnce('34%'), [], 'a b', false],
    ['fast', '5 4 5', FAST, [], 'a c', false],
    ['one is ending', '5- 5 4', AS_WRITTEN, [], '', false],
    ['one is gone', '_ 5 4', AS_WRITTEN, [], '', false],
    ['one is starting', '6! 5 4', AS_WRITTEN, [], '', false],
    ['an older one is not ready, on a node of its own', '4! 5 4', AS_WRITTEN, [], 'b', false],
    ['the last one is starting', '6! 4 4', AS_WRITTEN, [], '', false],
    ['a node that is not ready', '5! 5 5', AS_WRITTEN, ['a'], 'a b', false],
    ['… whose pod cannot end', '5- 6 6', AS_WRITTEN, ['a'], '', true],
  ])('%s: %s', (_, words, strategy, notReadyNodes, expected, isDone) => {
    const answer = replacePods(daemonSet('OnDelete'), { ...OLD, notReadyNodes }, DAEMON_BAD, daemons(words), strategy)
    expect(answer.delete.map(({ node }) => node).join(' ')).toBe(expected)
    expect(answer.isDone).toBe(isDone)
  })

  it.each([
    ['the controller replaces them', daemonSet('RollingUpdate'), DAEMON_BAD],
    ['the template is not restored', daemonSet('OnDelete', '5'), DAEMON_BAD],
    ['nothing is known', daemonSet('OnDelete'), undefined],
  ])('are left alone: %s', (_, set, bad) => {
    expect(replacePods(set, OLD, bad, daemons('5 5! 5'), FAST)).toEqual({ delete: [], isDone: true })
  })

  it('are left alone where the kind replaces its pods in every case', () => {
    const deployment = { ...daemonSet('RollingUpdate'), kind: 'Deployment' }
    expect(replacePods(deployment, OLD, undefined, [], FAST)).toEqual({ delete: [], isDone: true })
  })
})

describe('the bad revision', () => {
  const written = (kind: string, more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'db', uid: 'db', generation: 2, ...more },
  })
  const time = (manager: string, at: string) => ({ manager, operation: 'Apply', time: at })
  const after = written('StatefulSet', {
    managedFields: [time('rollsafe', WRITTEN_AT), time('kube-controller-manager', '2027-01-01T00:00:00Z')],
  })
  const before = { ...after, status: { observedGeneration: 1, updateRevision: 'old' } }
  const seen = (observedGeneration: number, updateRevision: string) => ({
    ...after,
    status: { observedGeneration, updateRevision },
  })

  it('of a StatefulSet is what the controller made of the release', () => {
    expect(badRevisionOf({ before, after }, seen(2, 'bad'))).toEqual(BAD)
  })

  it.each([
    ['the controller has not seen it', seen(1, 'old')],
    ['nothing was seen', undefined],
    ['the template is the same', seen(2, 'old')],
    ['it is another object', { ...seen(2, 'bad'), metadata: { name: 'db', uid: 'another', generation: 2 } }],
    ['it was seen before the write', { ...seen(1, 'bad'), metadata: { name: 'db', uid: 'db', generation: 1 } }],
  ])('is not known: %s', (_, lastSeen) => {
    expect(badRevisionOf({ before, after }, lastSeen)).toBeUndefined()
  })

  it('of a DaemonSet is counted by the API server', () => {
    const at = (generation: string) => written('DaemonSet', { annotations: { [TEMPLATE_GENERATION]: generation } })
    expect(badRevisionOf({ before: at('4'), after: at('5') })).toEqual(DAEMON_BAD)
    expect(badRevisionOf({ before: at('5'), after: at('5') })).toBeUndefined()
    expect(badRevisionOf({ before: written('Deployment'), after: written('Deployment') })).toBeUndefined()
  })
})
