import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { createInputSource } from '../../../src/adapters/runner/input-source.ts'

describe('inputs', () => {
  it.each([
    ['log-lines', { 'INPUT_LOG-LINES': '40' }, '40'],
    ['two words', { INPUT_TWO_WORDS: 'x' }, 'x'],
    ['release', {}, ''],
    ['release', { INPUT_RELEASE: ' \t\r\nweb\n ' }, 'web'],
    ['release', { INPUT_RELEASE: '\ufeffweb\u00a0' }, '\ufeffweb\u00a0'],
    ['manifests', { INPUT_MANIFESTS: 'a\n  b\n' }, 'a\n  b'],
  ])('%s of %j is %j', (name, env, value) => {
    expect(createInputSource(env).input(name)).toBe(value)
  })
})

describe('the event', () => {
  it.each([
    ['is the JSON of the file', '{"number":128}', { number: 128 }],
    ['is undefined when the file is no JSON', '{"number":', undefined],
  ])('%s', async (_what, text, event) => {
    const folder = await mkdtemp(join(tmpdir(), 'rollsafe-test-'))
    const path = join(folder, 'event.json')
    await writeFile(path, text)
    expect(createInputSource({ GITHUB_EVENT_PATH: path }).event).toEqual(event)
    await rm(folder, { recursive: true })
  })

  it.each([{}, { GITHUB_EVENT_PATH: '' }, { GITHUB_EVENT_PATH: '/does/not/exist' }])('is undefined with %j', (env) => {
    expect(createInputSource(env).event).toBeUndefined()
  })
})
