import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { diffObjects, type FieldChange } from '../../src/plan/diff.ts'
import { createRedactor, type ReplaceKnown } from '../../src/secrets/redactor.ts'
import { randomFrom, type Random } from '../fixtures/random.ts'

/** As a run sees them that knows of no secret. */
const differences = (before: KubeObject | undefined, after: KubeObject | undefined) =>
  diffObjects(before, after, createRedactor().replaceKnown)

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const anySecret = (): string => randomBytes(12).toString('hex')
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const objectWith = (kind: string, fields: Record<string, unknown>): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'db', namespace: 'shop' },
  ...fields,
})

const podWith = (container: Record<string, unknown>): KubeObject =>
  objectWith('Pod', { spec: { containers: [{ name: 'web', ...container }] } })

/** A private key as it looks, made of nothing. */
const privateKey = (secret: string): string => {
  const kind = 'PRIVATE KEY'
  return `-----BEGIN ${kind}-----\n${secret}\n-----END ${kind}-----\n`
}

/** Each place that a secret may be in, and how it is shown there when it changes. */
const PLACES: readonly (readonly [string, (secret: string) => KubeObject, string])[] = [
  [
    'a Secret inside of another object',
    (secret) => objectWith('Template', { objects: [objectWith('Secret', { data: { a: base64(secret) } })] }),
    '***',
  ],
  ['data of a Secret', (secret) => objectWith('Secret', { data: { a: base64(secret) } }), '***'],
  ['stringData of a Secret', (secret) => objectWith('Secret', { stringData: { a: secret } }), '***'],
  ['a variable', (secret) => podWith({ env: [{ name: 'DB_PASSWORD', value: secret }] }), '***'],
  ['an argument', (secret) => podWith({ args: ['serve', `--api-token=${secret}`] }), '[serve, --api-token=***]'],
  ['an argument of its own', (secret) => podWith({ args: ['--password', secret] }), '[--password, ***]'],
  [
    'a URL',
    (secret) => podWith({ env: [{ name: 'DB', value: `postgres://app:${secret}@db:5432/x` }] }),
    'postgres://app:***@db:5432/x',
  ],
  [
    'a URL with a slash in the password',
    (secret) => podWith({ image: `amqp://:/${secret}/@mq/x` }),
    'amqp://:***@mq/x',
  ],
  ['an entry of a ConfigMap', (secret) => objectWith('ConfigMap', { data: { API_KEY: secret } }), '***'],
  [
    'a setting in a file',
    (secret) => objectWith('ConfigMap', { data: { 'a.properties': `url=x\nadmin.password = ${secret}\n` } }),
    'admin.password = ***',
  ],
  [
    'a setting in YAML',
    (secret) => objectWith('ConfigMap', { data: { 'a.yaml': `a:\n  - clientSecret: "${secret}, x"\n` } }),
    '  - clientSecret: ***',
  ],
  [
    'a setting in JSON',
    (secret) => objectWith('ConfigMap', { data: { 'a.json': `{"user":"a","token": "${secret}","b":1}` } }),
    '\'{"user":"a","token": ***\'',
  ],
  [
    'a block of YAML',
    (secret) => objectWith('ConfigMap', { data: { 'a.yaml': `a:\n  password: |\n\n    ${secret}\n  user: a\n` } }),
    '    ***',
  ],
  [
    'a number in JSON',
    (secret) => objectWith('ConfigMap', { data: { a: `{"pin-token":${Number.parseInt(secret.slice(0, 8), 16)}}` } }),
    '\'{"pin-token":***\'',
  ],
  [
    'a header',
    (secret) => podWith({ args: ['curl', '-H', `Authorization: Bearer ${secret}`] }),
    "[curl, -H, 'Authorization: Bearer ***']",
  ],
  [
    'a private key',
    (secret) => objectWith('ConfigMap', { data: { 'a.pem': `# mine\n${privateKey(secret)}` } }),
    privateKey('***').replaceAll('\n', ''),
  ],
  ['a field of another kind', (secret) => objectWith('Widget', { spec: { admin: { password: secret } } }), '***'],
  [
    'a number',
    (secret) => objectWith('Widget', { spec: { admin: { password: Number.parseInt(secret.slice(0, 8), 16) } } }),
    '***',
  ],
  [
    'a setting of another kind',
    (secret) => objectWith('Widget', { spec: { set: [{ name: 'auth.token', value: secret }] } }),
    '***',
  ],
  [
    'an annotation',
    (secret) => ({
      ...objectWith('Widget', {}),
      metadata: { name: 'a', annotations: { 'x.example/api-key': secret } },
    }),
    '***',
  ],
]

/** The secret in the forms that it may be shown in. */
const formsOf = (secret: string): string[] => [secret, base64(secret), String(Number.parseInt(secret.slice(0, 8), 16))]

/** The forms of the secrets that can be read in what is shown. */
function leaksOf(shown: unknown, secrets: readonly string[]): string[] {
  const text = JSON.stringify(shown)
  return secrets.flatMap(formsOf).filter((form) => text.includes(form))
}

const textOf = ([change]: readonly FieldChange[], kind: '-' | '+'): string | undefined =>
  change?.lines?.flatMap((line) => (line.kind === kind ? [line.text] : [])).join('\n') ??
  (kind === '-' ? change?.before : change?.after)

describe('a secret', () => {
  it.each(PLACES)('in %s is hidden, and its change is not', (_place, objectOf, shown) => {
    const [old, now] = [anySecret(), anySecret()]
    const changes = differences(objectOf(old), objectOf(now))
    expect(leaksOf(changes, [old, now])).toEqual([])
    expect(changes).toHaveLength(1)
    expect(textOf(changes, '-')).toBe(shown.replace('***', '*** (before)'))
    expect(textOf(changes, '+')).toBe(shown.replace('***', '*** (after)'))
  })

  it.each(PLACES)('in %s that stays is no change', (_place, objectOf) => {
    const secret = anySecret()
    expect(differences(objectOf(secret), objectOf(secret))).toEqual([])
  })

  it.each(PLACES)('in %s of a new object, or of one that goes, is hidden', (_place, objectOf) => {
    const secret = anySecret()
    for (const changes of [differences(undefined, objectOf(secret)), differences(objectOf(secret), undefined)]) {
      expect(leaksOf(changes, [secret])).toEqual([])
      expect(JSON.stringify(changes)).toContain('***')
    }
  })

  it('of a Secret that comes in stringData is compared with what is there in data', () => {
    const [same, old, now] = [anySecret(), anySecret(), anySecret()]
    expect(
      differences(
        objectWith('Secret', { data: { same: base64(same), changed: base64(old), gone: base64(old) } }),
        objectWith('Secret', { stringData: { same, changed: now, added: now } }),
      ),
    ).toEqual([
      { path: 'data.changed', before: '*** (before)', after: '*** (after)' },
      { path: 'data.gone', before: '***' },
      { path: 'data.added', after: '***' },
    ])
  })

  it.each(['data', 'stringData'])('of a Secret whose %s is no map is hidden', (field) => {
    const [old, now] = [anySecret(), anySecret()]
    const changes = differences(objectWith('Secret', { [field]: [old] }), objectWith('Secret', { [field]: [now] }))
    expect(changes).toEqual([{ path: field, before: '*** (before)', after: '*** (after)' }])
  })

  it('that the run knows of is not cut by a name or a form inside of it', () => {
    const [whole, part] = ['GhTzQb3vXfLm+/r8Wn4pw==', '8Wn4']
    const says = (text: string): KubeObject => objectWith('Service', { note: `it says "${text}" | twice, ${text}.` })
    const redactor = createRedactor()
    redactor.hide(whole)
    const shown = (replaceKnown: ReplaceKnown) =>
      redactor.redact(JSON.stringify(diffObjects(says(whole), says('no more'), replaceKnown)))
    // What is found in the middle of it is taken for the name of a setting.
    expect(shown((text) => text)).toContain(part)
    expect(shown(redactor.replaceKnown)).not.toContain(part)
    expect(shown(redactor.replaceKnown)).toContain('it says \\"*** (before)\\" | twice, *** (before).')
  })

  it('stays beside a change of the text around it', () => {
    const secret = anySecret()
    const valueOf = (host: string): KubeObject => podWith({ env: [{ name: 'DB', value: `db://a:${secret}@${host}` }] })
    expect(differences(valueOf('one'), valueOf('two'))).toEqual([
      { path: 'spec.containers[web].env[DB].value', before: 'db://a:***@one', after: 'db://a:***@two' },
    ])
  })
})

describe('no secret', () => {
  it.each([
    [
      'a port and a path behind a colon',
      { image: 'oci://registry.example:5000/web@sha256:abc' },
      'oci://registry.example:5000/web@sha256:abc',
    ],
    ['an image named so', { image: 'token-service:1.2' }, 'token-service:1.2'],
    ['a topologyKey', { topologyKey: 'zone' }, 'zone'],
    ['a key of a Secret', { key: 'password' }, 'password'],
    ['the name of a Secret', { secretName: 'db' }, 'db'],
    ['a file with a password', { args: ['--password-file', '/etc/pw'] }, '- --password-file\n- /etc/pw'],
    ['a variable that is empty', { env: [{ name: 'TOKEN', value: '' }] }, "- name: TOKEN\n  value: ''"],
    [
      'a variable from a Secret',
      { env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'a', key: 'token' } } }] },
      '- name: TOKEN\n  valueFrom:\n    secretKeyRef:\n      name: a\n      key: token',
    ],
  ])('is %s', (_what, container, shown) => {
    const [change] = differences(podWith({}), podWith(container))
    expect(change?.after).toBe(shown)
  })
})

it(`no secret is ever shown, wherever it is (FUZZ_SEED=${seed})`, () => {
  const random = randomFrom(seed)
  const hexOf = (): string => Array.from({ length: 24 }, () => random.of(Array.from('0123456789abcdef'))).join('')
  for (let round = 0; round < 2000; round += 1) {
    const secrets = [hexOf(), hexOf(), hexOf()]
    const versionOf = (): Record<string, unknown> => nested(random, secrets, 3)
    const kind = random.of(['Secret', 'ConfigMap', 'Pod', 'Widget'])
    const [before, after] = [objectWith(kind, versionOf()), objectWith(kind, versionOf())]
    const told = { seed, before, after }
    const shown = [differences(before, after), differences(undefined, after)]
    expect({ told, leaks: leaksOf(shown, secrets) }).toEqual({ told, leaks: [] })
  }
})

/** Secrets in all their places, between other fields and in lists. */
function nested(random: Random, secrets: readonly string[], depth: number): Record<string, unknown> {
  const fields = Array.from({ length: 1 + random.below(3) }, (): [string, unknown] => {
    const [, objectOf] = random.of(PLACES.filter(([place]) => !/data of|entry of/i.test(place)))
    const { apiVersion: _version, kind: _kind, metadata, ...rest } = objectOf(random.of(secrets))
    const inner = { ...rest, annotations: metadata.annotations ?? {} }
    if (depth === 0 || random.below(3) === 0) return [random.of(['spec', 'a', '__proto__', 'template']), inner]
    const deeper = nested(random, secrets, depth - 1)
    return [random.of(['spec', 'list', 'b']), random.of([deeper, [inner, deeper], { name: 'x', items: [deeper, 1] }])]
  })
  return Object.fromEntries(fields)
}
