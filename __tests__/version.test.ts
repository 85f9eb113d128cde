import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from '@jest/globals'
import { VERSION } from '../src/version.ts'

it('the version in the User-Agent is that of package.json', () => {
  const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  expect(VERSION).toBe(version)
})
