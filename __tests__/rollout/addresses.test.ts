import { describe, expect, it } from '@jest/globals'
import { keyOf, type KubeObject, refOf } from '../../src/manifest/object.ts'
import { addressIn, isEntrance } from '../../src/rollout/addresses.ts'
import { gatewaysOf } from '../../src/rollout/route-addresses.ts'

const metadata = { name: 'web', namespace: 'shop', generation: 2 }

function route(spec: object, conditions: object[] = [{ type: 'Accepted', status: 'True' }]): KubeObject {
  const parentRef = { name: 'edge', namespace: 'infra' }
  const status = { parents: [{ parentRef, controllerName: 'example.com/c', conditions }] }
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata, spec, status }
}

function gateway(listeners: object[], status: object = {}): KubeObject {
  const at = { name: 'edge', namespace: 'infra' }
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: at, spec: { listeners }, status }
}

function ingress(spec: object, address: object[] = [{ ip: '203.0.113.7' }]): KubeObject {
  const status = { loadBalancer: { ingress: address } }
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata, spec, status }
}

function service(ports: object[], address: object[] = [{ ip: '203.0.113.7' }], type = 'LoadBalancer'): KubeObject {
  const status = { loadBalancer: { ingress: address } }
  return { apiVersion: 'v1', kind: 'Service', metadata, spec: { type, ports }, status }
}

const known = (...gateways: KubeObject[]) => new Map(gateways.map((one) => [keyOf(refOf(one)), one]))
const https = { name: 'https', protocol: 'HTTPS', port: 443 }
const http = { name: 'http', protocol: 'HTTP', port: 80 }
const hostnames = ['shop.example.com']

describe('the address of a release', () => {
  it('is taken from the object that says most', () => {
    const [a, b, c] = [route({ hostnames }), ingress({ rules: [{ host: 'i.example.com' }] }), service([{ port: 80 }])]
    expect(addressIn([c, b, a], new Map())).toBe('https://shop.example.com')
    expect(addressIn([c, b], new Map())).toBe('http://i.example.com')
    expect(addressIn([c], new Map())).toBe('http://203.0.113.7')
    expect(addressIn([], new Map())).toBeUndefined()
  })

  it('is looked for in few kinds', () => {
    const pods = { apiVersion: 'v1', kind: 'Pod', metadata }
    expect([route({}), ingress({}), service([]), service([], [], 'ClusterIP'), pods].map(isEntrance)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ])
  })
})

describe('an HTTPRoute', () => {
  const path = (value: string, type = 'PathPrefix') => ({ matches: [{ path: { type, value } }] })

  it.each([
    ['behind TLS', { hostnames }, [http, https], 'https://shop.example.com'],
    ['without TLS', { hostnames }, [http], 'http://shop.example.com'],
    ['on another port', { hostnames }, [{ ...https, port: 8443 }], 'https://shop.example.com:8443'],
    ['with a path', { hostnames, rules: [path('/shop')] }, [https], 'https://shop.example.com/shop'],
    ['with the root among its paths', { hostnames, rules: [path('/a'), {}] }, [https], 'https://shop.example.com'],
    [
      'with a pattern only',
      { hostnames, rules: [path('/a.*', 'RegularExpression')] },
      [https],
      'https://shop.example.com',
    ],
    [
      'with a wildcard',
      { hostnames: ['*.example.com'] },
      [{ ...https, hostname: 'x.example.com' }],
      'https://x.example.com',
    ],
    [
      'below the wildcard of a listener',
      { hostnames },
      [{ ...https, hostname: '*.example.com' }],
      'https://shop.example.com',
    ],
    [
      'of another host than the listener',
      { hostnames },
      [{ ...https, hostname: 'blog.example.com' }],
      'https://blog.example.com',
    ],
    ['that is not HTTP', { hostnames }, [{ ...https, protocol: 'TLS' }], undefined],
    ['without any host', {}, [http], 'http://203.0.113.7'],
  ])('%s', (_what, spec, listeners, url) => {
    const addresses = [{ type: 'IPAddress', value: '203.0.113.7' }]
    expect(addressIn([route(spec)], known(gateway(listeners, { addresses })))).toBe(url)
  })

  it('counts only where it is accepted as it is now', () => {
    const spec = { hostnames }
    const accepted = { type: 'Accepted', status: 'True' }
    expect(gatewaysOf(route(spec, [{ ...accepted, observedGeneration: 2 }]))).toEqual([refOf(gateway([]))])
    expect(gatewaysOf(route(spec, [{ ...accepted, observedGeneration: 1 }]))).toEqual([])
    expect(addressIn([route(spec, [{ ...accepted, status: 'False' }])], new Map())).toBeUndefined()
    expect(addressIn([route(spec, [])], new Map())).toBeUndefined()
  })

  it('has no address behind a Gateway that is not programmed', () => {
    const conditions = [{ type: 'Programmed', status: 'False' }]
    expect(addressIn([route({ hostnames })], known(gateway([https], { conditions })))).toBeUndefined()
  })
})

describe('an Ingress', () => {
  const rules = [{ host: 'shop.example.com' }]

  it.each([
    ['with TLS for the host', { rules, tls: [{ hosts: ['shop.example.com'] }] }, 'https://shop.example.com'],
    ['with TLS for all below', { rules, tls: [{ hosts: ['*.example.com'] }] }, 'https://shop.example.com'],
    ['with TLS for whatever there is', { rules, tls: [{}] }, 'https://shop.example.com'],
    [
      'with TLS for another host',
      { rules, tls: [{ hosts: ['example.com', '*.shop.example.com'] }] },
      'http://shop.example.com',
    ],
    ['with a wildcard and a host', { rules: [{ host: '*.example.com' }, ...rules] }, 'http://shop.example.com'],
    ['without a host', { rules: [{}] }, 'http://203.0.113.7'],
    ['with a backend only', { defaultBackend: {} }, 'http://203.0.113.7'],
    [
      'with a path',
      { rules: [{ host: 'a.example.com', http: { paths: [{ path: '/b', pathType: 'Prefix' }] } }] },
      'http://a.example.com/b',
    ],
    ['with a host that is none', { rules: [{ host: 'a.example.com/@evil' }] }, 'http://203.0.113.7'],
  ])('%s', (_what, spec, url) => {
    expect(addressIn([ingress(spec)], new Map())).toBe(url)
  })

  it('has no address before it was given one', () => {
    expect(addressIn([ingress({ rules }, [])], new Map())).toBeUndefined()
  })
})

describe('a Service of type LoadBalancer', () => {
  it.each([
    ['on 80 and 443', [{ port: 80 }, { port: 443 }], [{ hostname: 'lb.example.com' }], 'https://lb.example.com'],
    ['on 443 alone', [{ port: 443 }], [{ ip: '203.0.113.7' }], 'https://203.0.113.7'],
    ['on a named port', [{ port: 8443, name: 'https' }], [{ ip: '203.0.113.7' }], 'https://203.0.113.7:8443'],
    ['on any port', [{ port: 3000 }], [{ ip: '2001:db8::7' }], 'http://[2001:db8::7]:3000'],
    ['on UDP', [{ port: 53, protocol: 'UDP' }], [{ ip: '203.0.113.7' }], undefined],
    ['without an address', [{ port: 80 }], [], undefined],
  ])('%s', (_what, ports, address, url) => {
    expect(addressIn([service(ports, address)], new Map())).toBe(url)
  })
})
