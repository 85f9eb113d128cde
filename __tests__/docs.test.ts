/** What the documentation says about names must be true: codes, inputs, outputs, links, and the YAML that people paste. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { load, loadAll } from 'js-yaml'
import { REASON_CODES } from '../src/errors.ts'
import { isObject } from '../src/manifest/object.ts'
import { OUTCOMES } from '../src/report/report.ts'
import { readAction } from '../scripts/generate-docs.ts'

const ROOT = resolve(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

const pagesIn = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...pagesIn('docs')]

const action = readAction(read('action.yml'))
const readme = read('README.md')

const withoutCode = (markdown: string) => markdown.replaceAll(/^```[\s\S]*?^```/gm, '')
const headingsOf = (markdown: string) =>
  [...withoutCode(markdown).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => heading ?? '')
const codeBlocks = (markdown: string, language: string) =>
  [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, code]) => code ?? '')

/** https://github.com/gjtorikian/html-pipeline: lower case, punctuation taken out, spaces to hyphens. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-')

describe('docs/troubleshooting.md', () => {
  it.each(REASON_CODES)('has a chapter for %s', (code) => {
    expect(headingsOf(read('docs/troubleshooting.md'))).toContain(code)
  })

  it.each(REASON_CODES)('says more about %s than its name', (code) => {
    const [, chapter = ''] =
      new RegExp(`^## ${code}\\n([\\s\\S]*?)(?=^## )`, 'm').exec(read('docs/troubleshooting.md')) ?? []
    expect(chapter).toMatch(/^\nReserved: |\*\*What it means\.\*\*[\s\S]*(what to do|\*\*What to do)/i)
  })
})

describe('README.md', () => {
  it('is short enough to be read', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(350)
  })

  const rows = [...readme.matchAll(/^\| `([\w-]+)` +\|/gm)].map(([, name]) => name)
  it.each([...Object.keys(action.inputs), ...Object.keys(action.outputs)])('has a row for %s', (name) => {
    expect(rows).toContain(name)
  })

  it.each(rows.filter((name) => OUTCOMES.some((outcome) => outcome === name)))(
    'lists the outcome %s, which action.yml has too',
    (outcome) => {
      expect(action.outputs['outcome']?.description).toContain(`\`${outcome}\``)
    },
  )

  const steps = codeBlocks(readme, 'yaml').flatMap((code) => stepsIn(load(code)))
  const uses = steps.filter((step) => String(step['uses']).startsWith('rollsafe/rollsafe@'))

  it('shows steps of Rollsafe, with inputs that there are', () => {
    expect(uses.length).toBeGreaterThanOrEqual(2)
    for (const { with: inputs } of uses) {
      expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(Object.keys(isObject(inputs) ? inputs : {})))
    }
  })

  it('reads only outputs that there are, and only through env', () => {
    const named = [...readme.matchAll(/steps\.rollsafe\.outputs\.([\w-]+)/g)].map(([, name]) => name)
    expect(named.length).toBeGreaterThan(0)
    expect(Object.keys(action.outputs)).toEqual(expect.arrayContaining(named))
    for (const { run } of steps) expect(String(run)).not.toContain('${{')
  })
})

/** The steps of a workflow, or of a part of one. */
function stepsIn(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.filter(isObject)
  if (!isObject(value) || !isObject(value['jobs'])) return []
  return Object.values(value['jobs']).flatMap((job) => (isObject(job) ? stepsIn(job['steps']) : []))
}

describe('docs/permissions.md', () => {
  const objects = codeBlocks(read('docs/permissions.md'), 'yaml')
    .flatMap((code) => loadAll(code))
    .filter(isObject)

  it('has a ServiceAccount, a Role and the binding of the two', () => {
    const [main, extras] = [objects.slice(0, 3), objects.slice(3)]
    expect(main.map(({ kind }) => kind)).toEqual(['ServiceAccount', 'Role', 'RoleBinding'])
    for (const { kind } of extras) expect(kind).toMatch(/^(Cluster)?Role$/)
    const names = main.map(
      ({ metadata }) => isObject(metadata) && `${String(metadata['namespace'])}/${String(metadata['name'])}`,
    )
    expect(new Set(names)).toEqual(new Set(['shop/rollsafe']))
  })

  it('gives no right by a wildcard, and explains each verb', () => {
    const rules = objects.flatMap((object) => (Array.isArray(object['rules']) ? object['rules'].filter(isObject) : []))
    expect(rules.length).toBeGreaterThan(0)
    const table = withoutCode(read('docs/permissions.md'))
    for (const { apiGroups, resources, verbs } of rules) {
      expect([apiGroups, resources, verbs].flat()).not.toContain('*')
      for (const verb of [verbs].flat()) expect(table).toMatch(new RegExp(`^\\|.*\`${String(verb)}\`.*\\|`, 'm'))
    }
  })
})

describe('links', () => {
  const links = PAGES.flatMap((page) =>
    [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({ page, target })),
  ).filter(({ target }) => !/^[a-z]+:/.test(target))

  it('are found', () => {
    expect(links.length).toBeGreaterThan(50)
  })

  it.each(links)('$page → $target', ({ page, target }) => {
    const [path = '', anchor] = target.split('#')
    const file = path === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), path))
    expect(file.startsWith('..')).toBe(false)
    expect(existsSync(join(ROOT, file))).toBe(true)
    const anchors = anchor === undefined ? [] : headingsOf(read(file)).map(anchorOf)
    expect(anchors).toEqual(expect.arrayContaining(anchor === undefined ? [] : [anchor]))
  })
})
