import { describe, expect, it } from '@jest/globals'
import { exitInWords, lastWords, oneLine, restartsInWords } from '../../src/rollout/container-words.ts'

describe('an exit code in words', () => {
  it.each([
    [1, 'exit code 1 (the program reported an error)'],
    [2, 'exit code 2 (wrong usage, or a panic of a Go program)'],
    [126, 'exit code 126 (the command is there but cannot be executed)'],
    [127, 'exit code 127 (the command was not found)'],
    [132, 'exit code 132 (SIGILL: illegal instruction, perhaps built for another processor)'],
    [134, 'exit code 134 (SIGABRT: aborted by itself, often a failed assertion)'],
    [137, 'exit code 137 (SIGKILL: killed)'],
    [139, 'exit code 139 (SIGSEGV: invalid memory access)'],
    [143, 'exit code 143 (SIGTERM: asked to stop)'],
    [255, 'exit code 255 (the program reported an error out of range)'],
    [42, 'exit code 42'],
    [3221225477, 'exit code 3221225477 (0xC0000005)'],
    [-1073741819, 'exit code -1073741819 (0xC0000005)'],
  ])('%d', (code, words) => {
    expect(exitInWords(code)).toBe(words)
  })
})

describe('the last words of a log', () => {
  it.each([
    ['the last line', 'starting\nfatal: no database\n', 'fatal: no database'],
    [
      'not the stack of JavaScript',
      'TypeError: x is not a function\n    at main (/app/index.js:8:3)\n',
      'TypeError: x is not a function',
    ],
    ['not the brace after it', 'Error: boom\n    at f (a.js:1:1) {\n}\n', 'Error: boom'],
    [
      'not the frames of Java',
      'java.lang.Error: boom\n\tat Main.main(Main.java:3)\n\t... 12 more\n',
      'java.lang.Error: boom',
    ],
    ['the end of a stack of Python', '  File "app.py", line 3, in <module>\nKeyError: \'URL\'\n\n', "KeyError: 'URL'"],
    ['nothing of an empty log', '\n \n', undefined],
  ])('are %s', (_name, log, words) => {
    expect(lastWords(log)).toBe(words)
  })
})

it('puts a text on one line of bounded length, without the full stop', () => {
  expect(oneLine(' a\n  b\tc. ')).toBe('a b c')
  expect(oneLine('x'.repeat(600))).toBe(`${'x'.repeat(499)}…`)
})

it('counts restarts', () => {
  expect([1, 2].map(restartsInWords)).toEqual(['1 restart', '2 restarts'])
})
