import { describe, expect, it } from '@jest/globals'
import { stripControls } from '../../src/redact.ts'
import { createRedactor } from '../../src/secrets/redactor.ts'
import { randomFrom } from '../fixtures/random.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe('a redactor', () => {
  const secret = 'p@ss/wörd "quoted"+1'

  it.each([
    ['as it is', secret],
    ['in base64', base64(secret)],
    ['inside base64, one byte in', base64(`u${secret}`)],
    ['inside base64, two bytes in', base64(`u:${secret}:x`)],
    ['inside URL-safe base64', Buffer.from(`uv${secret}zz`).toString('base64url')],
    ['URL-encoded', encodeURIComponent(secret)],
    ['JSON-escaped', JSON.stringify(secret)],
    ['form-encoded', new URLSearchParams({ '': secret }).toString().slice(1)],
    ['URL-encoded in lower case', encodeURIComponent(secret).replaceAll(/%../g, (escape) => escape.toLowerCase())],
    ['URL-encoded in part', 'p%40ss/w%C3%B6rd%20"quoted"+1'],
    ['as the JSON of Go', String.raw`p@ss/w\u00f6rd \"quoted\"\u002b1`],
    ['as JSON in JSON', JSON.stringify(JSON.stringify(secret))],
    ['escaped for HTML', 'p@ss/w&#246;rd &quot;quoted&quot;+1'],
    ['as JSON in base64', base64(JSON.stringify({ value: secret }))],
    ['cut by colours', `${secret.slice(0, 7)}\u001b[1m${secret.slice(7)}`],
    ['cut by a zero-width space', `${secret.slice(0, 7)}\u200b${secret.slice(7)}`],
  ])('hides a secret %s', (_how, text) => {
    const redactor = createRedactor()
    expect(redactor.add(secret)).toBe(true)
    const safe = stripControls(redactor.redact(`before ${text} after`))
    expect(safe).toContain('***')
    expect(safe).toMatch(/^before .* after$/)
    for (const form of [secret, base64(secret).slice(4, -4), encodeURIComponent(secret)])
      expect(safe).not.toContain(form)
  })

  it('hides each line of a secret that has many', () => {
    const redactor = createRedactor()
    redactor.add('first line of it\r\n  second line of it\n}\n')
    expect(redactor.redact('x second line of it y } first line of it')).toBe('x *** y } ***')
    expect(redactor.redact(base64('second line of it'))).toBe('***')
  })

  it('hides the longer of two secrets first', () => {
    const redactor = createRedactor()
    redactor.add('abcdef')
    redactor.add('abcdefghij')
    expect(redactor.redact('abcdefghij abcdefxyz')).toBe('*** ***xyz')
  })

  it('takes characters with a meaning in patterns literally', () => {
    const redactor = createRedactor()
    redactor.add('a.c*(d]$&|')
    expect(redactor.redact('a.c*(d]$&| abcccd')).toBe('*** abcccd')
  })

  it.each(['', '{', '12345', '  1234  '])('refuses %j, which is too short', (short) => {
    const redactor = createRedactor()
    expect(redactor.add(short)).toBe(false)
    expect(redactor.redact(`a ${short} { 12345 b`)).toBe(`a ${short} { 12345 b`)
  })

  it('gives back text without secrets as it came', () => {
    const redactor = createRedactor()
    redactor.add('some-secret')
    expect(redactor.redact('\u001b[31mred\u001b[0m\r\n')).toBe('\u001b[31mred\u001b[0m\r\n')
  })

  it('hides secrets that overlap, both whole', () => {
    const redactor = createRedactor()
    redactor.add('abcdefgh')
    redactor.add('efghijkl')
    expect(redactor.redact('x abcdefghijkl y')).toBe('x *** y')
  })

  it('hides the beginning of a secret where somebody has cut the text off', () => {
    const redactor = createRedactor()
    redactor.add('first-second-third')
    expect(redactor.redact('denied: first-second…')).toBe('denied: ***…')
    expect(redactor.redact('denied: first-second...')).toBe('denied: ***...')
    expect(redactor.redact('"first-sec…" is no number')).toBe('"***…" is no number')
    expect(redactor.redact('denied: first-second and more')).toBe('denied: first-second and more')
  })

  it('hides just the secret, and leaves the escapes around it as they are', () => {
    const redactor = createRedactor()
    redactor.add('a"b\\c d')
    expect(redactor.redact(String.raw`{"x\n":"\ta\"b\\\\c d\n"} %41 &amp;`)).toBe(
      String.raw`{"x\n":"\t***\n"} %41 &amp;`,
    )
  })
})

describe('values that may be ordinary words', () => {
  it('are hidden when they are no word that is spared', () => {
    const redactor = createRedactor()
    redactor.spare(['shop-production', 'registry.example/shop/catalogue:v1.2.3-rc1'])
    for (const value of ['production', 'v1.2.3-rc1', 'v1.2.3', 'cataloguer', 'Production']) redactor.hide(value)
    expect(redactor.redact('production v1.2.3-rc1 v1.2.3')).toBe('production v1.2.3-rc1 v1.2.3')
    // Not a word of its own there, or not the same.
    expect(redactor.redact('cataloguers Production')).toBe('***s ***')
  })

  it('come back when they turn out to be', () => {
    const redactor = createRedactor()
    redactor.add('credential')
    redactor.hide('checkout')
    redactor.hide('hidden-still')
    expect(redactor.redact('checkout credential hidden-still')).toBe('*** *** ***')
    redactor.spare(['checkout', 'credential'])
    expect(redactor.redact('checkout credential hidden-still')).toBe('checkout *** ***')
  })

  it('are hidden line by line, but for lines that hold nothing', () => {
    const redactor = createRedactor()
    redactor.hide('server:\n  port: "8443-tls"\n[database]\n-----BEGIN CERTIFICATE-----\n')
    expect(redactor.redact('server: port: "8443-tls" [database] -----BEGIN CERTIFICATE-----')).toBe(
      'server: *** [database] -----BEGIN CERTIFICATE-----',
    )
  })

  it('are shown when they are short numbers', () => {
    const redactor = createRedactor()
    for (const value of ['5432', '1048576', '73925018', 'true']) redactor.hide(value)
    expect(redactor.redact('5432 1048576 73925018 true')).toBe('5432 1048576 *** true')
  })
})

describe('many secrets', () => {
  it('are found in a long text', () => {
    const random = randomFrom(1)
    const letters = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=%')
    const line = () => Array.from({ length: 40 }, () => random.of(letters)).join('')
    const secrets = Array.from({ length: 200 }, () => Array.from({ length: 20 }, line).join('\n'))
    const redactor = createRedactor()
    for (const secret of secrets) redactor.hide(secret)
    const text = Array.from({ length: 10_000 }, line)
    const log = text.map((words, index) => `${words} ${secrets[index % 200]?.split('\n')[index % 20]}`).join('\n')
    const safe = redactor.redact(log)
    expect(safe.split('***')).toHaveLength(10_001)
  })
})
