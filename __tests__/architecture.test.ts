/** The import law: what keeps the core pure, and the adapters the only door to the outside. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const SRC = resolve(import.meta.dirname, '../src')

interface Import {
  readonly file: string
  readonly specifier: string
  readonly isTypeOnly: boolean
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const imports = files.flatMap(importsOf)

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8')
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|import\(\s*'([^']+)'\s*\)/gm,
  )
  return [...statements].map(([, type, fixed, lazy]) => ({
    file,
    specifier: fixed ?? lazy ?? '',
    isTypeOnly: type !== undefined,
  }))
}

/** The folder below src, or the file's own name at the top. */
const roomOf = (path: string) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, ''))

const targetRoom = ({ file, specifier }: Import) =>
  specifier.startsWith('.') ? roomOf(relative(SRC, resolve(SRC, file, '..', specifier))) : undefined

const PURE = ['inputs', 'manifest', 'plan', 'rollout', 'release', 'rollback', 'gates', 'fleet', 'report']
const SHARED = ['errors', 'redact', 'secrets', 'version']

describe('the import law', () => {
  it('reads the files', () => {
    expect(files.length).toBeGreaterThan(30)
    expect(imports.some(({ specifier }) => specifier === '@actions/github')).toBe(true)
  })

  it.each(imports.filter(({ file }) => PURE.includes(roomOf(file)) || SHARED.includes(roomOf(file))))(
    'pure: $file imports $specifier',
    (one) => {
      const room = targetRoom(one)
      const isCore = room !== undefined && (PURE.includes(room) || SHARED.includes(room))
      const isContract = room === 'ports' && one.isTypeOnly
      const isLibrary = one.specifier === 'js-yaml' || (one.specifier === '@kubernetes/client-node' && one.isTypeOnly)
      expect(isCore || isContract || isLibrary).toBe(true)
    },
  )

  it.each(files.filter((file) => PURE.includes(roomOf(file))))('pure: %s reads no clock and no environment', (file) => {
    const code = readFileSync(join(SRC, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    expect(code).not.toMatch(/Date\.now|new Date\(\)|performance\.now|Math\.random|\bprocess\./)
  })

  it.each(imports.filter(({ file }) => !['adapters', 'compose'].includes(roomOf(file))))(
    'only adapters reach outside: $file imports $specifier',
    ({ specifier, isTypeOnly }) => {
      const isOutside = specifier.startsWith('node:') || specifier.startsWith('@actions/') || specifier === 'undici'
      const isClient = specifier.startsWith('@kubernetes/') && !isTypeOnly
      expect(isOutside || isClient).toBe(false)
    },
  )

  it.each(imports.filter((one) => targetRoom(one) === 'adapters' && roomOf(one.file) !== 'adapters'))(
    'only compose and index know adapters: $file imports $specifier',
    ({ file }) => {
      expect(['compose', 'index']).toContain(roomOf(file))
    },
  )
})
