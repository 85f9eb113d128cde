import { describe, expect, it } from '@jest/globals'
import { cut, defuse } from '../src/redact.ts'
import { commandsIn } from './fakes/runner-commands.ts'
import { HOSTILE, hostileLine } from './fixtures/hostile.ts'
import { randomFrom } from './fixtures/random.ts'

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

describe('the port of the runner’s parsers', () => {
  it.each([
    ['::add-mask::1', ['add-mask', 'add-mask']],
    ['   ::error file=a.js,line=1::boo', ['error', 'error']],
    ['text ##[group]x', ['group', 'group']],
    [':\u200b:add-mask::1', ['add-mask']],
    ['text ::add-mask::1', []],
    ['::unheard-of::1', []],
    ['::unheard-of::##[add-mask]1', ['add-mask', 'add-mask']],
    ['::add-mask::##[set-output name=a]1', ['add-mask', 'add-mask']],
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
