import { describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../src/manifest/object.ts'
import { createRedactor, cut, defuse, redactSecretChange, redactSecretData, stripControls } from '../src/redact.ts'
import { commandsIn } from './fakes/runner-commands.ts'
import { HOSTILE, hostileLine } from './fixtures/hostile.ts'
import { randomFrom } from './fixtures/random.ts'

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const secretWith = (fields: Record<string, unknown>, annotations?: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'db', ...(annotations && { annotations }) },
  type: 'Opaque',
  ...fields,
})

describe('the port of the runner’s parsers', () => {
  it.each([
    ['::add-mask::1', ['add-mask', 'add-mask']],
    ['   ::error file=a.js,line=1::boo', ['error', 'error']],
    ['text ##[group]x', ['group', 'group']],
    [':\u200b:add-mask::1', ['add-mask']],
    ['text ::add-mask::1', []],
    ['::unheard-of::1', []],
  ])('sees the commands in %j', (line, commands) => {
    expect(commandsIn(line)).toEqual(commands)
  })
})

describe('defuse', () => {
  it.each(Object.entries(HOSTILE))('leaves no command and no control character in: %s', (_name, text) => {
    const safe = defuse(text)
    expect(commandsIn(safe)).toEqual([])
    expect(safe).not.toMatch(CONTROL)
    expect(safe.isWellFormed()).toBe(true)
    expect(defuse(safe, { lineLength: Number.POSITIVE_INFINITY }) === safe).toBe(true)
  })

  it.each([
    ['plain text', 'plain text'],
    ['keeps a::b and [##] as they are', 'keeps a::b and [##] as they are'],
    ['::add-mask::1', ': :add-mask::1'],
    ['  ::add-mask::1', '  : :add-mask::1'],
    ['a ##[add-mask]1', 'a # #[add-mask]1'],
    ['####[x]', '### #[x]'],
    ['one\r\ntwo\rthree', 'one\ntwo\nthree'],
    ['\u001b[1;31mred\u001b[0m', 'red'],
    ['\u001b]8;;https://evil.example\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['a\tb', 'a    b'],
    ['naïve Ünïcode 日本語', 'naïve Ünïcode 日本語'],
  ])('%j becomes %j', (text, safe) => {
    expect(defuse(text)).toBe(safe)
  })

  it('cuts long lines and says how much', () => {
    expect(defuse(`${'x'.repeat(50)}\nshort`, { lineLength: 20 })).toBe(
      `${'x'.repeat(20)}… (30 more characters)\nshort`,
    )
  })

  it('takes linear time on hostile input', () => {
    const started = performance.now()
    for (const part of ['\u001b]', '\u009d', '\u001b[', '\u001b ', '#', ':', ' ', '\u0301', '##\u0301']) {
      defuse(part.repeat(100_000), { lineLength: Number.POSITIVE_INFINITY })
    }
    expect(performance.now() - started).toBeLessThan(5000)
  })

  it(`executes nothing, whatever comes (FUZZ_SEED=${seed})`, () => {
    const random = randomFrom(seed)
    let commandsBefore = 0
    for (let round = 0; round < 20_000; round += 1) {
      const text = hostileLine(random)
      commandsBefore += commandsIn(text).length
      const safe = defuse(text)
      if (commandsIn(safe).length > 0 || CONTROL.test(safe)) {
        throw new Error(`seed ${seed}: ${JSON.stringify(text)} became ${JSON.stringify(safe)}`)
      }
    }
    // The fuzz means nothing if it never tries.
    expect(commandsBefore).toBeGreaterThan(100)
  })
})

describe('cut', () => {
  it('never cuts a surrogate pair in two', () => {
    expect(cut('ab😀cd', 3)).toBe('ab… (4 more characters)')
  })
})

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
})

describe('Secrets of Kubernetes', () => {
  const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

  it('lose their values and keep their shape', () => {
    const object = secretWith(
      { data: { password: 'czNjcjN0', empty: '' }, stringData: { user: 'root' } },
      { [lastApplied]: '{"data":{"password":"czNjcjN0"}}', team: 'a' },
    )
    const before = structuredClone(object)
    expect(redactSecretData(object)).toEqual(
      secretWith(
        { data: { password: '***', empty: '***' }, stringData: { user: '***' } },
        { [lastApplied]: '***', team: 'a' },
      ),
    )
    expect(object).toEqual(before)
  })

  it('show in a diff that a value changed, and not the value', () => {
    const [before, after] = redactSecretChange(
      secretWith({ data: { same: 'AAAA', changed: 'BBBB', gone: 'CCCC' } }),
      secretWith({ data: { same: 'AAAA', changed: 'DDDD', added: 'EEEE' } }),
    )
    expect(before['data']).toEqual({ same: '***', changed: '*** (before)', gone: '*** (before)' })
    expect(after['data']).toEqual({ same: '***', changed: '*** (after)', added: '*** (after)' })
  })

  it('hide what is no map of values either', () => {
    expect(redactSecretData(secretWith({ data: 'oops', stringData: null }))).toEqual(
      secretWith({ data: '***', stringData: null }),
    )
  })

  it('other kinds stay as they are', () => {
    const config: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 'b' } }
    expect(redactSecretData(config)).toBe(config)
  })
})
