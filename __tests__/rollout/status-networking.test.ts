import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import type { Status } from '../../src/rollout/state.ts'
import { statusOf } from '../../src/rollout/status.ts'

const GATEWAY_API = 'gateway.networking.k8s.io/v1'
const make = (apiVersion: string, kind: string, spec: object, status: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'web', namespace: 'shop', generation: 2 },
  spec,
  status,
})
const NO_ADDRESS = 'has no address yet, which is not waited for'

describe('a Service', () => {
  const address = (...ingress: object[]) => ({ loadBalancer: { ingress } })

  it.each([
    ['of the default type', {}, {}, 'is applied'],
    ['without a selector', { type: 'ClusterIP' }, {}, 'is applied'],
    ['of another name', { type: 'ExternalName', externalName: 'shop.example' }, {}, 'leads to shop.example'],
    ['without an address', { type: 'LoadBalancer' }, { loadBalancer: {} }, NO_ADDRESS],
    ['with an address', { type: 'LoadBalancer' }, address({ ip: '192.0.2.1' }), 'has the address 192.0.2.1'],
    [
      'with two',
      { type: 'LoadBalancer' },
      address({ hostname: 'lb.example', ip: '192.0.2.1' }, { ip: '192.0.2.2' }),
      'has the address lb.example, 192.0.2.2',
    ],
  ])('%s never holds up a release', (_name, spec, status, message) => {
    expect(statusOf(make('v1', 'Service', spec, status), { generation: 0 })).toEqual({ state: 'healthy', message })
  })
})

describe('an Ingress', () => {
  it.each([
    [{}, NO_ADDRESS],
    [{ loadBalancer: { ingress: [{ hostname: 'lb.example' }] } }, 'has the address lb.example'],
  ])('with the status %j never holds up a release', (status, message) => {
    const ingress = make('networking.k8s.io/v1', 'Ingress', {}, status)
    expect(statusOf(ingress, { generation: 2 })).toEqual({ state: 'healthy', message })
  })
})

const condition = (type: string, status: string, reason: string, message = '', observedGeneration = 2) => ({
  type,
  status,
  reason,
  message,
  observedGeneration,
})
const UNCLAIMED: Status = {
  state: 'healthy',
  message: 'is applied; no controller has accepted it yet',
  isAssumed: true,
}

describe('a Gateway', () => {
  const accepted = condition('Accepted', 'True', 'Accepted')

  it.each<[string, object[], Status]>([
    ['without a controller', [], UNCLAIMED],
    [
      'with the conditions that its definition starts with',
      [condition('Accepted', 'Unknown', 'Pending', 'Waiting for controller', 0)],
      UNCLAIMED,
    ],
    [
      'accepted',
      [accepted, condition('Programmed', 'True', 'Programmed')],
      { state: 'healthy', message: 'is accepted' },
    ],
    [
      'accepted, without an address',
      [accepted, condition('Programmed', 'False', 'AddressNotAssigned', 'no address')],
      { state: 'healthy', message: 'is accepted; not programmed yet: no address' },
    ],
    ['accepted before our write', [{ ...accepted, observedGeneration: 1 }], UNCLAIMED],
    [
      'refused',
      [condition('Accepted', 'False', 'InvalidParameters', 'no such parameters')],
      { state: 'progressing', message: 'is not accepted: no such parameters' },
    ],
    ['refused before our write', [condition('Accepted', 'False', 'Invalid', '', 1)], UNCLAIMED],
    ['waited for', [condition('Accepted', 'False', 'Pending')], UNCLAIMED],
  ])('%s', (_name, conditions, expected) => {
    expect(statusOf(make(GATEWAY_API, 'Gateway', {}, { conditions }), { generation: 2 })).toEqual(expected)
  })
})

describe.each(['HTTPRoute', 'GRPCRoute'])('a %s', (kind) => {
  const parents = (...conditions: object[][]) =>
    conditions.map((list, index) => ({
      parentRef: { name: `edge-${index + 1}`, group: 'gateway.networking.k8s.io', kind: 'Gateway' },
      controllerName: 'gateways.example/controller',
      conditions: list,
    }))
  const OK = [condition('Accepted', 'True', 'Accepted'), condition('ResolvedRefs', 'True', 'ResolvedRefs')]
  const ONE = [{ name: 'edge-1' }]
  const TWO = [{ name: 'edge-1' }, { name: 'edge-2', namespace: 'shop' }]

  it.each<[string, object[], object[], Status]>([
    ['without a controller', ONE, [], UNCLAIMED],
    ['accepted', ONE, parents(OK), { state: 'healthy', message: 'is accepted by 1 of 1 parent' }],
    ['accepted by both', TWO, parents(OK, OK), { state: 'healthy', message: 'is accepted by 2 of 2 parents' }],
    [
      'accepted by one of two',
      TWO,
      parents(OK),
      { state: 'healthy', message: 'is accepted by 1 of 2 parents', isAssumed: true },
    ],
    [
      'refused',
      ONE,
      parents([condition('Accepted', 'False', 'NotAllowedByListeners', 'not allowed by the listeners.')]),
      { state: 'progressing', message: 'Gateway edge-1 does not accept it: not allowed by the listeners' },
    ],
    [
      'refused by the second',
      TWO,
      parents(OK, [condition('Accepted', 'False', 'NoMatchingParent')]),
      { state: 'progressing', message: 'Gateway edge-2 does not accept it: NoMatchingParent' },
    ],
    [
      'to a Service that is not there',
      ONE,
      parents([
        condition('Accepted', 'True', 'Accepted'),
        condition('ResolvedRefs', 'False', 'BackendNotFound', 'no web'),
      ]),
      { state: 'progressing', message: 'Gateway edge-1 cannot resolve all that it refers to: no web' },
    ],
    ['refused before our write', ONE, parents([condition('Accepted', 'False', 'UnsupportedValue', '', 1)]), UNCLAIMED],
    [
      'held back for want of an address, by a reason of the controller’s own',
      ONE,
      parents([condition('Accepted', 'False', 'GatewayNotProgrammed')]),
      UNCLAIMED,
    ],
    [
      'refused by a parent that it no longer names',
      [{ name: 'edge-2' }],
      parents([condition('Accepted', 'False', 'NoMatchingParent')], OK),
      { state: 'healthy', message: 'is accepted by 1 of 1 parent' },
    ],
    [
      'refused by another listener than ours',
      [{ name: 'edge-1', sectionName: 'https' }],
      parents([condition('Accepted', 'False', 'NoMatchingParent')]),
      UNCLAIMED,
    ],
  ])('%s', (_name, parentRefs, statuses, expected) => {
    const route = make(GATEWAY_API, kind, { parentRefs }, { parents: statuses })
    expect(statusOf(route, { generation: 2 })).toEqual(expected)
  })
})
