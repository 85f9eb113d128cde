import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { namesIn, secretTextsIn, secretValuesOf } from '../../src/secrets/values.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const secret = (fields: Record<string, unknown>, annotations?: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'db', ...(annotations && { annotations }) },
  ...fields,
})

const config = (data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'shop' },
  data,
})

const workload = (container: Record<string, unknown>): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { template: { spec: { containers: [{ name: 'app', image: 'shop/web:v1', ...container }] } } },
})

describe('the secrets of a Secret', () => {
  it('are its values, decoded, and as they are where they cannot be', () => {
    const binary = Buffer.from([0xff, 0xfe, 0x01]).toString('base64')
    const values = secretValuesOf(
      secret({ data: { a: base64('väl ue\n'), b: binary, c: 'no base64!' }, stringData: { d: 'written', e: 8341 } }),
    )
    expect(values).toEqual(['väl ue\n', binary, 'no base64!', 'written', '8341'])
  })

  it('are in base64 of base64 as well', () => {
    expect(secretValuesOf(secret({ data: { a: base64(base64('inner value')) } }))).toEqual([
      base64('inner value'),
      'inner value',
    ])
  })

  it('are in the logins of Docker, each part', () => {
    const login = {
      auths: { 'registry.example': { username: 'mona', password: 'pass one', auth: base64('mona:pass:two') } },
    }
    const values = secretValuesOf(secret({ data: { '.dockerconfigjson': base64(JSON.stringify(login)) } }))
    expect(values).toEqual(
      expect.arrayContaining([JSON.stringify(login), 'pass one', base64('mona:pass:two'), 'mona:pass:two', 'pass:two']),
    )
    expect(values).not.toContain('mona')
  })

  it('are in files of settings, by their names', () => {
    const file = 'export DB_PASSWORD="in quotes"\nlevel: debug\n  apiKey: in yaml\nurl=amqp://u:in%20url@queue\n'
    expect(secretValuesOf(secret({ stringData: { file } }))).toEqual(
      expect.arrayContaining([file, 'in quotes', 'in yaml', 'in%20url', 'in url']),
    )
  })

  it('are in the copy that kubectl keeps of it', () => {
    const copy = JSON.stringify(secret({ stringData: { a: 'from the copy' } }))
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': copy }
    expect(secretValuesOf(secret({ data: { a: base64('live') } }, annotations))).toEqual(['live', 'from the copy'])
  })

  it('are none in a record, which is compressed', () => {
    expect(secretValuesOf(secret({ type: 'rollsafe.dev/revision.v1', data: { release: 'H4sIAAAA' } }))).toEqual([])
  })

  it.each([{ data: null }, { data: ['a'] }, { stringData: 'oops' }, {}])('may be no map: %j', (fields) => {
    expect(() => secretValuesOf(secret(fields))).not.toThrow()
  })
})

describe('the secrets of other objects', () => {
  it('are variables and entries whose names tell', () => {
    const env = [
      { name: 'DB_PASSWORD', value: 'of a variable' },
      { name: 'LEVEL', value: 'debug' },
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'db', key: 'token' } } },
    ]
    expect(secretValuesOf(workload({ env }))).toEqual(['of a variable'])
    const data = { apiKey: 'of an entry', level: 'debug', 'app.properties': 'smtp.password=of a line\nx=y' }
    expect(secretValuesOf(config(data))).toEqual(['of an entry', 'of a line'])
  })

  it('are options on a command line', () => {
    const args = ['--password=one', '--api-key', 'two', '--token', '--level', 'debug']
    expect(secretValuesOf(workload({ command: ['serve', '--secret', 'three'], args }))).toEqual(['three', 'one', 'two'])
  })

  it('are passwords in URLs, wherever those are', () => {
    const any = 'see postgres://shop:p%40ss@db/shop, redis://:word@cache and http://a:b@c/?d=e@f or x://host:80/@g'
    expect(secretValuesOf(config({ any }))).toEqual(['p%40ss', 'p@ss', 'word', 'b', 'b@c/?d=e', '80/'])
  })

  it('are in the copy that kubectl keeps', () => {
    const copy = JSON.stringify(workload({ env: [{ name: 'TOKEN', value: 'from the copy' }] }))
    const object = workload({})
    object.metadata.annotations = { 'kubectl.kubernetes.io/last-applied-configuration': copy }
    expect(secretValuesOf(object)).toEqual(['from the copy'])
  })

  it('are none in what merely mentions secrets', () => {
    const object = workload({
      envFrom: [{ secretRef: { name: 'db-password' } }],
      volumeMounts: [{ name: 'token', mountPath: '/run/secrets' }],
    })
    expect(secretValuesOf(object)).toEqual([])
  })
})

describe('the secrets in a file that cannot be read', () => {
  it('are the values of Secrets, and those whose names tell', () => {
    const file =
      "kind: Secret\nstringData:\n  a: \"in quotes\n  b: 'in other quotes'\n---\nkind: ConfigMap\ndata: {a: b}\n  password: by name\n"
    expect(secretTextsIn(file)).toEqual(expect.arrayContaining(['"in quotes', 'in other quotes', 'by name']))
    expect(secretTextsIn(file)).not.toContain('{a: b}')
  })
})

describe('the names in an object', () => {
  it('are those of the object, its containers and its entries', () => {
    expect(namesIn(config({ 'app.yaml': 'value' }))).toEqual(['v1', 'ConfigMap', 'settings', 'shop', 'app.yaml'])
    expect(namesIn(workload({}))).toEqual(['apps/v1', 'Deployment', 'web', 'app', 'shop/web:v1'])
  })

  it('are hosts as well', () => {
    const named = (apiVersion: string, kind: string, spec: unknown): KubeObject => ({
      apiVersion,
      kind,
      metadata: { name: 'web', namespace: 'shop' },
      spec,
    })
    const ingress = named('networking.k8s.io/v1', 'Ingress', { rules: [{ host: 'shop.example' }, {}] })
    const route = named('gateway.networking.k8s.io/v1', 'HTTPRoute', { hostnames: ['route.example'] })
    expect(namesIn(ingress)).toEqual(expect.arrayContaining(['shop.example', 'https://shop.example']))
    expect(namesIn(route)).toContain('https://route.example')
    expect(namesIn(named('v1', 'Service', {}))).toContain('web.shop.svc.cluster.local')
  })
})
