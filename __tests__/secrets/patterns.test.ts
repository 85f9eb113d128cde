import { describe, expect, it } from '@jest/globals'
import { createKeyFilter, scrub } from '../../src/secrets/patterns.ts'

// Put together here, so that nobody who looks for secrets in files finds one.
const random = (length: number): string =>
  Array.from({ length }, (_, index) => 'aB3dE5gH7jK9'[(index * 7) % 12]).join('')
const pem = (kind: string, body: string): string => `-----BEGIN ${kind}-----${body}-----END ${kind}-----`
const UNESCAPED = 'p@s/s#w?d'
const header = ['eyJ', 'hbGciOiJub25lIn0'].join('')

describe('what has the shape of a secret', () => {
  it.each([
    ['postgres://shop:' + random(9) + '@db:5432/shop', 'postgres://shop:***@db:5432/shop'],
    [`amqp://:${UNESCAPED}@queue`, 'amqp://:***@queue'],
    [`redis://:${random(5)}@cache, then`, 'redis://:***@cache, then'],
    [`Authorization: Basic ${random(12)}==`, 'Authorization: Basic ***'],
    [`{"authorization":"Bearer ${random(20)}"}`, '{"authorization":"Bearer ***"}'],
    [`bearer ${random(24)} refused`, 'bearer *** refused'],
    [`token ${header}.${header}.${random(20)} expired`, 'token *** expired'],
    [['with ghp', random(36)].join('_') + '.', 'with ***.'],
    [['github', 'pat', random(40)].join('_'), '***'],
    [['AK', 'IA', 'Q2W3'.repeat(4), ' denied'].join(''), '*** denied'],
    ['hooks.slack.com/services/T0/B0/' + random(20), 'hooks.slack.com/services/***'],
    [`DB_PASSWORD=${random(8)} PORT=8080`, 'DB_PASSWORD=*** PORT=8080'],
    [`API_KEY='${random(4)} ${random(4)}'`, 'API_KEY=***'],
    [`host=db password=${random(8)};user=a`, 'host=db password=***;user=a'],
    [`GET /hook?access_token=${random(9)}&page=2`, 'GET /hook?access_token=***&page=2'],
    [pem('PRIVATE KEY', `\n${random(64)}\n${random(10)}\n`), pem('PRIVATE KEY', '***')],
    [`x ${pem('RSA PRIVATE KEY', String.raw`\nabc\n`)} y`, `x ${pem('RSA PRIVATE KEY', '***')} y`],
    [`-----BEGIN EC PRIVATE KEY-----\n${random(30)}`, '-----BEGIN EC PRIVATE KEY-----***'],
  ])('is hidden: %s', (text, safe) => {
    expect(scrub(text)).toBe(safe)
  })

  it.each([
    'https://registry.example:4873/@scope/package',
    'http://10.0.0.1:8080/?to=mona@acme.example',
    'ssh://git@github.com/acme/shop',
    'registry.example:5000/shop/web:v1@sha256:0a1b',
    'password authentication failed for user "shop"',
    'the token is invalid: Unauthorized',
    'authorization: forbidden',
    'bearer of bad news',
    'spec.template.spec.topologyKey=kubernetes.io/hostname',
    'secretKeyRef: {name: db, key: password}',
    'PASSWORD_FILE=/run/secrets/db MAX_TOKENS=4096 LEVEL=debug',
    pem('CERTIFICATE', '\nabc\n'),
    'commit 4bc1d0e6f0a97f6f3b7f5a4d4e1a63b1f9c0a7d2',
    'rollsafe.shop.v3',
  ])('is not: %s', (text) => {
    expect(scrub(text)).toBe(text)
  })

  it('is looked for in text that is made to take long', () => {
    for (const part of [
      'a',
      'a.',
      'a://',
      'a://b:',
      ':',
      'A_',
      'a-',
      'Bearer ',
      'eyJ',
      '-----BEGIN PRIVATE KEY',
      '=',
      '"',
    ])
      expect(scrub(part.repeat(100_000))).toBeTruthy()
  })
})

describe('a private key in a log that is told line by line', () => {
  const kind = 'RSA PRIVATE KEY'
  const [begin, end] = [`-----BEGIN ${kind}-----`, `-----END ${kind}-----`]
  const told = (lines: readonly string[]) => {
    const filter = createKeyFilter()
    return lines.flatMap((line) => filter(line) ?? [])
  }

  it('is left out', () => {
    expect(told(['a', begin, 'one', 'two', end, 'b', `${begin}x${end}`, 'c'])).toEqual([
      'a',
      begin,
      end,
      'b',
      `${begin}x${end}`,
      'c',
    ])
  })

  it('that never ends does not swallow the log', () => {
    expect(told([begin, ...Array<string>(300).fill('x')])).toHaveLength(101)
  })

  it('is no certificate', () => {
    expect(told([begin.replace(kind, 'CERTIFICATE'), 'x'])).toHaveLength(2)
  })
})
