import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { DaemonSet, Node } from '../../src/manifest/kinds.ts'
import type { KubeObject } from '../../src/manifest/object.ts'
import { notReadyNodes } from '../../src/rollout/nodes.ts'
import type { Status } from '../../src/rollout/state.ts'
import { statusOf } from '../../src/rollout/status.ts'

const set = (status: object, type = 'RollingUpdate'): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent', namespace: 'shop', generation: 2 },
  spec: { updateStrategy: { type } },
  status: {
    observedGeneration: 2,
    desiredNumberScheduled: 3,
    updatedNumberScheduled: 3,
    numberAvailable: 3,
    ...status,
  },
})

describe('a DaemonSet', () => {
  it.each<[string, KubeObject, Status['state'], string]>([
    ['not observed', set({ observedGeneration: 1 }), 'progressing', 'waiting for the spec update to be observed'],
    ['not all updated', set({ updatedNumberScheduled: 1 }), 'progressing', '1 out of 3 new pods have been updated'],
    ['not all available', set({ numberAvailable: 1 }), 'progressing', '1 of 3 updated pods are available'],
    ['done', set({}), 'healthy', '3 of 3 pods are available'],
    [
      'a pod that cannot end on a node that is not ready',
      set({ desiredNumberScheduled: 2, updatedNumberScheduled: 1, numberMisscheduled: 1 }),
      'progressing',
      '1 out of 2 new pods have been updated; 1 pod sits on a node that is not ready or no longer takes it',
    ],
    [
      'pods left on tainted nodes hold nothing up',
      set({ desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1, numberMisscheduled: 2 }),
      'healthy',
      '1 of 1 pod is available',
    ],
    [
      'OnDelete',
      set({ updatedNumberScheduled: 0 }, 'OnDelete'),
      'healthy',
      '3 of 3 pods are available; 3 keep the old revision until deleted (updateStrategy OnDelete)',
    ],
    [
      'OnDelete, and a pod is not ready',
      set({ numberAvailable: 2 }, 'OnDelete'),
      'progressing',
      '2 of 3 updated pods are available',
    ],
    [
      'no node to run on',
      set({ desiredNumberScheduled: 0, updatedNumberScheduled: 0, numberAvailable: 0 }),
      'healthy',
      '0 of 0 pods are available',
    ],
  ])('%s', (_name, object, state, message) => {
    expect(statusOf(object, { generation: 2 })).toMatchObject({ state, message })
  })

  it.each<[string, KubeObject, Status['state'], string, string[]]>([
    [
      'all but the node that is not ready',
      set({ updatedNumberScheduled: 2, numberAvailable: 2 }),
      'healthy',
      '2 of 3 pods are available; not waiting for node-3: not ready',
      ['node-3'],
    ],
    [
      'not yet all but the node that is not ready',
      set({ numberAvailable: 1 }),
      'progressing',
      '1 of 2 updated pods are available; not waiting for node-3: not ready',
      ['node-3'],
    ],
    [
      'the node is back, so its pod is waited for',
      set({ updatedNumberScheduled: 2, numberAvailable: 3 }),
      'progressing',
      '2 out of 3 new pods have been updated',
      ['node-3'],
    ],
    [
      'no node is ready, so nothing is proved',
      set({ updatedNumberScheduled: 3, numberAvailable: 0 }),
      'progressing',
      '0 of 3 updated pods are available',
      ['node-1', 'node-2', 'node-3'],
    ],
  ])('%s', (_name, object, state, message, nodes) => {
    expect(statusOf(object, { generation: 2, notReadyNodes: nodes })).toMatchObject({ state, message })
  })
})

describe('nodes that a DaemonSet counts on although they are not ready', () => {
  const daemons = (pod: object): DaemonSet => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent' },
    spec: { selector: {}, template: { spec: { containers: [], ...pod } } },
  })
  const node = (name: string, ready: string, more: { labels?: Record<string, string>; taints?: object[] } = {}): Node =>
    ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: more.labels ?? {} },
      spec: { taints: more.taints ?? [] },
      status: { conditions: [{ type: 'Ready', status: ready }] },
    }) as Node
  const taint = (key: string, effect: string, value?: string) => ({
    key,
    effect,
    ...(value !== undefined && { value }),
  })
  const EVERYTHING = { tolerations: [{ operator: 'Exists' }] }

  it('are known from a recorded list', () => {
    const file = join(import.meta.dirname, '../fixtures/states/daemonset-tolerates-all/nodes.json')
    const { items } = JSON.parse(readFileSync(file, 'utf8')) as { items: Node[] }
    // A node that is not ready has a NoSchedule taint that other pods do not tolerate: their DaemonSet does not count it.
    expect(notReadyNodes(daemons({}), items)).toEqual([])
    expect(notReadyNodes(daemons(EVERYTHING), items)).toEqual(['node-3'])
  })

  const required = (term: object) => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
  })
  const where = (operator: string, values: string[]) =>
    required({ matchExpressions: [{ key: 'size', operator, values }] })
  const BIG = { labels: { size: '8' } }

  it.each<[string, object, Node, boolean]>([
    ['ready', EVERYTHING, node('n', 'True'), false],
    ['not ready', EVERYTHING, node('n', 'False'), true],
    ['silent', EVERYTHING, node('n', 'Unknown'), true],
    ['not ready, before its taint is there', {}, node('n', 'False'), true],
    [
      'tolerated by itself',
      {},
      node('n', 'False', { taints: [taint('node.kubernetes.io/not-ready', 'NoExecute')] }),
      true,
    ],
    ['cordoned', {}, node('n', 'False', { taints: [taint('node.kubernetes.io/unschedulable', 'NoSchedule')] }), true],
    [
      'without network',
      {},
      node('n', 'False', { taints: [taint('node.kubernetes.io/network-unavailable', 'NoSchedule')] }),
      false,
    ],
    [
      'without network, on the host’s',
      { hostNetwork: true },
      node('n', 'False', { taints: [taint('node.kubernetes.io/network-unavailable', 'NoSchedule')] }),
      true,
    ],
    ['with another taint', {}, node('n', 'False', { taints: [taint('dedicated', 'NoSchedule', 'db')] }), false],
    ['with a mild taint', {}, node('n', 'False', { taints: [taint('dedicated', 'PreferNoSchedule', 'db')] }), true],
    [
      'with a taint that is tolerated by its value',
      { tolerations: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] },
      node('n', 'False', { taints: [taint('dedicated', 'NoSchedule', 'db')] }),
      true,
    ],
    [
      'with a taint of another value',
      { tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'web' }] },
      node('n', 'False', { taints: [taint('dedicated', 'NoSchedule', 'db')] }),
      false,
    ],
    ['with the label', { nodeSelector: { size: '8' } }, node('n', 'False', BIG), true],
    ['without the label', { nodeSelector: { size: '8' } }, node('n', 'False'), false],
    ['named', { nodeName: 'n' }, node('n', 'False'), true],
    ['not named', { nodeName: 'other' }, node('n', 'False'), false],
    ['In', where('In', ['4', '8']), node('n', 'False', BIG), true],
    ['not In', where('In', ['4']), node('n', 'False', BIG), false],
    ['NotIn', where('NotIn', ['4']), node('n', 'False', BIG), true],
    ['NotIn without the label', where('NotIn', ['4']), node('n', 'False'), true],
    ['Exists', where('Exists', []), node('n', 'False'), false],
    ['DoesNotExist', where('DoesNotExist', []), node('n', 'False'), true],
    ['Gt', where('Gt', ['4']), node('n', 'False', BIG), true],
    ['Lt', where('Lt', ['4']), node('n', 'False', BIG), false],
    ['Lt without the label', where('Lt', ['4']), node('n', 'False'), false],
    ['an operator to come', where('Near', ['4']), node('n', 'False', BIG), false],
    ['a term that requires nothing', required({}), node('n', 'False'), false],
    [
      'by name',
      required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }),
      node('n', 'False'),
      true,
    ],
    [
      'by another name',
      required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['m'] }] }),
      node('n', 'False'),
      false,
    ],
  ])('%s', (_name, pod, one, isCounted) => {
    expect(notReadyNodes(daemons(pod), [one])).toEqual(isCounted ? ['n'] : [])
  })
})
