import { describe, expect, it } from '@jest/globals'
import { type Amounts, podResources } from '../../src/plan/pod-resources.ts'

const container = (requests: object = {}, limits: object = {}, more: object = {}) => ({
  name: 'c',
  resources: { requests, limits },
  ...more,
})
const sidecar = (requests: object, limits: object = {}) => container(requests, limits, { restartPolicy: 'Always' })
const plain = (amounts: Amounts) =>
  Object.fromEntries([...amounts].map(([resource, amount]) => [resource, Number(amount)]))

describe('the requests of a pod', () => {
  it.each<[string, object, object]>([
    ['none', { containers: [{ name: 'c' }] }, {}],
    [
      'the sum of its containers',
      { containers: [container({ cpu: '100m' }), container({ cpu: 1, memory: '1Ki' })] },
      { cpu: 1100, memory: 1_024_000 },
    ],
    ['a limit where there is no request', { containers: [container({}, { cpu: '2' })] }, { cpu: 2000 }],
    [
      'a request beside a limit',
      { containers: [container({ cpu: '1' }, { cpu: '2', memory: '1' })] },
      { cpu: 1000, memory: 1000 },
    ],
    [
      'a large init container',
      { containers: [container({ cpu: '1' })], initContainers: [container({ cpu: '3' })] },
      { cpu: 3000 },
    ],
    [
      'a small init container',
      { containers: [container({ cpu: '1' })], initContainers: [container({ cpu: '500m' })] },
      { cpu: 1000 },
    ],
    [
      'init containers are not added up',
      {
        containers: [container({ cpu: '1' })],
        initContainers: [container({ cpu: '2' }), container({ cpu: '2', memory: '5' })],
      },
      { cpu: 2000, memory: 5000 },
    ],
    [
      'a sidecar runs on',
      { containers: [container({ cpu: '1' })], initContainers: [sidecar({ cpu: '500m' })] },
      { cpu: 1500 },
    ],
    [
      'an init container runs beside the sidecars before it',
      { containers: [container({ cpu: '1' })], initContainers: [sidecar({ cpu: '1' }), container({ cpu: '3' })] },
      { cpu: 4000 },
    ],
    [
      'and not beside those after it',
      { containers: [container({ cpu: '1' })], initContainers: [container({ cpu: '3' }), sidecar({ cpu: '1' })] },
      { cpu: 3000 },
    ],
    [
      'overhead',
      { containers: [container({ cpu: '1' })], overhead: { cpu: '250m', memory: '1' } },
      { cpu: 1250, memory: 1000 },
    ],
    [
      "the pod's own",
      {
        containers: [container({ cpu: '1', memory: '2' })],
        resources: { requests: { cpu: '3' } },
        overhead: { cpu: '1' },
      },
      { cpu: 4000, memory: 2000 },
    ],
    ["the pod's own limit", { containers: [container()], resources: { limits: { cpu: '3' } } }, { cpu: 3000 }],
    [
      "a container's request before the pod's own limit",
      { containers: [container({ cpu: '1' })], resources: { limits: { cpu: '3' } } },
      { cpu: 1000 },
    ],
    [
      'only what a pod can ask for itself',
      { containers: [container({ a: '1' })], resources: { requests: { a: '3', 'hugepages-2Mi': '4' } } },
      { a: 1000, 'hugepages-2Mi': 4000 },
    ],
    ['devices', { containers: [container({}, { 'nvidia.com/gpu': 1 })] }, { 'nvidia.com/gpu': 1000 }],
    ['nothing of what is no quantity', { containers: [container({ cpu: 'much', memory: null })] }, {}],
    ['nothing of what is no list', { containers: 'c', initContainers: [1] }, {}],
  ])('%s', (_name, spec, expected) => {
    expect(plain(podResources(spec).requests)).toEqual(expected)
  })

  it('of no pod are none', () => {
    expect(podResources(undefined)).toEqual({ requests: new Map(), limits: new Map() })
  })
})

describe('the limits of a pod', () => {
  it.each<[string, object, object]>([
    ['none', { containers: [container({ cpu: '1' })] }, {}],
    [
      'the sum of its containers',
      { containers: [container({}, { cpu: '1' }), container({}, { cpu: '2' })] },
      { cpu: 3000 },
    ],
    ['a sidecar', { containers: [container()], initContainers: [sidecar({}, { cpu: '1' })] }, { cpu: 1000 }],
    [
      "the pod's own",
      { containers: [container({}, { cpu: '1' })], resources: { limits: { cpu: '5' } } },
      { cpu: 5000 },
    ],
    [
      'overhead on what is limited only',
      { containers: [container({}, { cpu: '1' })], overhead: { cpu: '250m', memory: '1' } },
      { cpu: 1250 },
    ],
  ])('%s', (_name, spec, expected) => {
    expect(plain(podResources(spec).limits)).toEqual(expected)
  })
})
