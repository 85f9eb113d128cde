import { describe, expect, it } from '@jest/globals'
import { difference, filterLeaves, readFieldSet, select, union, valueAt } from '../../src/plan/field-set.ts'

const deployment = {
  spec: {
    replicas: 2,
    template: {
      metadata: { labels: { app: 'web', team: 'shop' } },
      spec: {
        containers: [
          { name: 'proxy', image: 'proxy:1', args: ['-v'] },
          { name: 'app', image: 'app:1', env: [{ name: 'A', value: '1' }], resources: { limits: { cpu: '1' } } },
        ],
      },
    },
  },
}

describe('select', () => {
  it.each([
    ['a leaf', { 'f:spec': { 'f:replicas': {} } }, { spec: { replicas: 2 } }],
    ['a field the object does not have', { 'f:spec': { 'f:paused': {} } }, { spec: {} }],
    [
      'one key of a map',
      { 'f:spec': { 'f:template': { 'f:metadata': { 'f:labels': { 'f:app': {} } } } } },
      { spec: { template: { metadata: { labels: { app: 'web' } } } } },
    ],
    [
      'an item of a keyed list, with its keys',
      {
        'f:spec': {
          'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:image': {} } } } },
        },
      },
      { spec: { template: { spec: { containers: [{ name: 'app', image: 'app:1' }] } } } },
    ],
    [
      'a whole atomic value',
      { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"proxy"}': { 'f:args': {} } } } } } },
      { spec: { template: { spec: { containers: [{ name: 'proxy', args: ['-v'] }] } } } },
    ],
    [
      'items in the order of the object, not of the set',
      {
        'f:spec': {
          'f:template': {
            'f:spec': {
              'f:containers': { 'k:{"name":"app"}': { 'f:image': {} }, 'k:{"name":"proxy"}': { 'f:image': {} } },
            },
          },
        },
      },
      {
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'proxy', image: 'proxy:1' },
                { name: 'app', image: 'app:1' },
              ],
            },
          },
        },
      },
    ],
    [
      'a map that is only there',
      { 'f:spec': { 'f:template': { 'f:metadata': { 'f:labels': { '.': {} } } } } },
      { spec: { template: { metadata: { labels: {} } } } },
    ],
  ])('takes %s', (_name, set, expected) => {
    expect(select(deployment, readFieldSet(set))).toEqual(expected)
  })

  it('leaves a map empty that its owner set empty and others filled', () => {
    const set = readFieldSet({ 'f:resources': {} })
    const others = readFieldSet({ 'f:resources': { 'f:limits': { 'f:cpu': {} } } })
    expect(select({ resources: { limits: { cpu: '1' } } }, set, others)).toEqual({ resources: {} })
    expect(select({ resources: { limits: { cpu: '1' } } }, set)).toEqual({ resources: { limits: { cpu: '1' } } })
  })

  it('finds the members of a set by value and the ports whose protocol was defaulted', () => {
    expect(select({ finalizers: ['a', 'b'] }, readFieldSet({ 'f:finalizers': { 'v:"b"': {} } }))).toEqual({
      finalizers: ['b'],
    })
    const ports = { ports: [{ containerPort: 80 }, { containerPort: 90, protocol: 'UDP' }] }
    const set = readFieldSet({
      'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
    })
    // As its owner wrote it: the protocol would become another field of theirs.
    expect(select(ports, set)).toEqual({ ports: [{ containerPort: 80 }] })
  })
})

describe('sets', () => {
  const a = readFieldSet({ 'f:x': { 'f:one': {}, 'f:two': {} }, 'f:y': {} })
  const b = readFieldSet({ 'f:x': { 'f:two': {} }, 'f:z': {} })

  it('unite, and subtract', () => {
    expect(union(a, b)).toEqual({ 'f:x': { 'f:one': {}, 'f:two': {} }, 'f:y': {}, 'f:z': {} })
    expect(difference(a, b)).toEqual({ 'f:x': { 'f:one': {} }, 'f:y': {} })
    expect(difference(a, a)).toEqual({})
  })

  it('are filtered by their leaves', () => {
    expect(filterLeaves(a, (path) => path.join('/') !== 'f:x/f:one')).toEqual({ 'f:x': { 'f:two': {} }, 'f:y': {} })
  })

  it('find values', () => {
    const path = [
      'f:spec',
      'f:template',
      'f:spec',
      'f:containers',
      'k:{"name":"app"}',
      'f:env',
      'k:{"name":"A"}',
      'f:value',
    ]
    expect(valueAt(deployment, path)).toBe('1')
    expect(valueAt(deployment, ['f:spec', 'f:nothing', 'f:more'])).toBeUndefined()
  })
})
