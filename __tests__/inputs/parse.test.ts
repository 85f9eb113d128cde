import { describe, expect, it } from '@jest/globals'
import {
  formatDuration,
  parseBoolean,
  parseChoice,
  parseDnsLabel,
  parseDuration,
  parseInteger,
  parseIntOrPercent,
  parseLines,
  toDnsLabel,
  trimSpace,
} from '../../src/inputs/parse.ts'

const LIMITS = { least: 1, most: 86_400 }

describe('parseDuration', () => {
  it.each([
    ['1s', 1],
    ['90s', 90],
    ['10m', 600],
    ['1h', 3600],
    ['1h30m', 5400],
    ['1h30m15s', 5415],
    ['1h15s', 3615],
    ['01m', 60],
    ['24h', 86_400],
    ['86400s', 86_400],
  ])('%s is %i seconds', (text, seconds) => {
    expect(parseDuration(text, LIMITS)).toEqual({ ok: true, value: seconds })
  })

  it.each([
    ['', 'not a duration', 'Write it like'],
    ['soon', 'not a duration', 'Write it like'],
    ['90', 'not a duration', '90s or 90m'],
    ['10 m', 'not a duration', 'Write it like'],
    [' 10m', 'not a duration', 'Write it like'],
    ['10M', 'not a duration', 'Write it like'],
    ['1.5h', 'not a duration', 'Write it like'],
    ['-1m', 'not a duration', 'Write it like'],
    ['+1m', 'not a duration', 'Write it like'],
    ['30m1h', 'not a duration', 'Write it like'],
    ['1m1m', 'not a duration', 'Write it like'],
    ['500ms', 'not a duration', 'Write it like'],
    ['1d', 'not a duration', 'Write it like'],
    ['1e3s', 'not a duration', 'Write it like'],
    ['١m', 'not a duration', 'Write it like'],
    ['9999999h', 'not a duration', 'Write it like'],
    ['0s', 'too short', 'from 1s to 24h'],
    ['25h', 'too long', 'from 1s to 24h'],
  ])('%j is refused: %s', (text, what, hint) => {
    expect(parseDuration(text, LIMITS)).toEqual({
      ok: false,
      fault: `is "${text}", which is ${what}`,
      hint: expect.stringContaining(hint),
    })
  })

  it.each([0, 1, 59, 60, 3600, 5400, 86_399, 86_400])('reads what formatDuration writes: %i', (seconds) => {
    expect(parseDuration(formatDuration(seconds), { least: 0, most: 86_400 })).toEqual({ ok: true, value: seconds })
  })
})

describe('parseBoolean', () => {
  it.each(['true', 'True', 'TRUE'])('%s is true', (text) =>
    expect(parseBoolean(text)).toEqual({ ok: true, value: true }),
  )
  it.each(['false', 'False', 'FALSE'])('%s is false', (text) =>
    expect(parseBoolean(text)).toEqual({ ok: true, value: false }),
  )
  it.each(['', 'yes', 'no', 'on', 'off', '1', '0', 'tRUE', ' true', 'truee'])('%j is neither', (text) => {
    expect(parseBoolean(text)).toMatchObject({ ok: false, hint: 'Write true or false.' })
  })
})

describe('parseInteger', () => {
  it.each([
    ['0', 0],
    ['40', 40],
    ['1000', 1000],
  ])('%s', (text, value) => expect(parseInteger(text, { least: 0, most: 1000 })).toEqual({ ok: true, value }))
  it.each(['', '-1', '1001', '1e2', '0x10', '4.0', '٤', '007', ' 1', '1_0', '9'.repeat(400)])(
    '%j is refused',
    (text) => {
      expect(parseInteger(text, { least: 0, most: 1000 })).toMatchObject({
        ok: false,
        hint: 'Write a whole number from 0 to 1000.',
      })
    },
  )
})

describe('parseIntOrPercent', () => {
  it.each<[string, number | string]>([
    ['0', 0],
    ['3', 3],
    ['999999999', 999_999_999],
    ['0%', '0%'],
    ['25%', '25%'],
    ['100%', '100%'],
  ])('%s', (text, value) => {
    expect(parseIntOrPercent(text, 100)).toEqual({ ok: true, value })
  })

  it.each(['', '-1', '+1', '1.5', '025%', '25 %', '%', '25%%', 'half', '1e3', '2147483648', '٣'])(
    '%j is neither',
    (text) => {
      expect(parseIntOrPercent(text)).toMatchObject({
        ok: false,
        fault: `is "${text}", which is neither a whole number nor a percentage`,
      })
    },
  )

  it('has a limit for percentages where one is given', () => {
    expect(parseIntOrPercent('150%')).toEqual({ ok: true, value: '150%' })
    expect(parseIntOrPercent('101%', 100)).toEqual({
      ok: false,
      fault: 'is "101%", which is more than 100%',
      hint: 'Write at most 100%.',
    })
    expect(parseIntOrPercent('101', 100)).toEqual({ ok: true, value: 101 })
  })
})

describe('parseChoice', () => {
  it('takes the words only as they are written', () => {
    expect(parseChoice('off', ['auto', 'off'])).toEqual({ ok: true, value: 'off' })
    for (const text of ['Off', 'false', '', 'constructor']) {
      expect(parseChoice(text, ['auto', 'failure', 'never'])).toMatchObject({
        ok: false,
        hint: 'Write auto, failure or never.',
      })
    }
  })
})

describe('parseLines', () => {
  it.each([
    ['', []],
    ['\n \n\t\n', []],
    ['a', ['a']],
    [' a \r\n\r\nb\rc\n', ['a', 'b', 'c']],
    ['# comment\na # b\n  # c', ['a # b']],
    ['\u00a0a', ['\u00a0a']],
  ])('%j', (text, lines) => expect(parseLines(text)).toEqual(lines))
})

describe('trimSpace', () => {
  it('leaves invisible Unicode, which people should hear of', () => {
    expect(trimSpace('\t \r\n\ufeffa\u00a0\n')).toBe('\ufeffa\u00a0')
    expect(trimSpace(`${' '.repeat(200_000)}a${' '.repeat(200_000)}b`)).toHaveLength(200_002)
  })
})

describe('parseDnsLabel', () => {
  it.each(['a', 'shop', '9lives', 'a-b--c', 'x'.repeat(40)])('%s', (text) => {
    expect(parseDnsLabel(text, 40)).toEqual({ ok: true, value: text })
  })
  it.each([
    ['Shop', '"shop" would do'],
    ['my_app.web', '"my-app-web" would do'],
    ['-a-', '"a" would do'],
    ['y'.repeat(41), `"${'y'.repeat(40)}" would do`],
    [`${'y'.repeat(39)}-z`, `"${'y'.repeat(39)}" would do`],
    ['***', 'hyphen at either end.'],
    ['a\n', '"a" would do'],
    ['日本', 'hyphen at either end.'],
  ])('%j is refused, with a suggestion', (text, hint) => {
    expect(parseDnsLabel(text, 40)).toMatchObject({ ok: false, hint: expect.stringContaining(hint) })
  })
  it('suggests only what it would take', () => {
    for (const text of ['Shop', '__a__', 'A'.repeat(60), 'é-x-', `${'a'.repeat(39)}...b`]) {
      expect(parseDnsLabel(toDnsLabel(text, 40), 40)).toMatchObject({ ok: true })
    }
  })
})
