import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { MAX_FILE_BYTES } from '../../../src/adapters/render/limits.ts'
import { createRenderer } from '../../../src/adapters/render/renderer.ts'
import { problemsOfAsync } from '../../manifest/problems.ts'

let folder: string
let workspace: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollsafe-files-'))
  workspace = join(folder, 'checkout')
  write(
    'k8s/b.yaml',
    'k8s/a.yml',
    'k8s/c.json',
    'k8s/README.md',
    'k8s/deep/d.yaml',
    'k8s/deep/er/e.yaml',
    'only/in/folders.yaml',
    'kustom/kustomization.yaml',
    'chart/Chart.yaml',
    'texts/README.md',
    'node_modules/x/y.yaml',
    '.github/workflows/ci.yaml',
    'top.yaml',
    'we[ird].yaml',
  )
  mkdirSync(join(workspace, 'empty'))
  writeFileSync(join(folder, 'secret.yaml'), 'outside')
  mkdirSync(join(folder, 'outside'))
  writeFileSync(join(folder, 'outside', 'secret.yaml'), 'outside')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(workspace, dirname(path)), { recursive: true })
    writeFileSync(join(workspace, path), `text of ${path}`)
  }
}

const renderer = createRenderer({ searchPath: '', timeoutMs: 1000 })
const noFacts = () => Promise.reject(new Error('there is no chart'))
const render = (...manifests: string[]) => renderer.render({ workspace, manifests }, noFacts)
const paths = async (...manifests: string[]) => (await render(...manifests)).map(({ path }) => path)
const problems = (...manifests: string[]) => problemsOfAsync(() => render(...manifests))

describe('what is read', () => {
  it('files with their text, by their path in the workspace', async () => {
    expect(await render('k8s/b.yaml')).toEqual([{ path: 'k8s/b.yaml', text: 'text of k8s/b.yaml' }])
  })

  it.each([
    ['a directory, without its folders', ['k8s'], ['k8s/a.yml', 'k8s/b.yaml', 'k8s/c.json']],
    ['a directory with a slash', ['./k8s/'], ['k8s/a.yml', 'k8s/b.yaml', 'k8s/c.json']],
    ['the workspace itself', ['.'], ['top.yaml', 'we[ird].yaml']],
    ['a file whatever its name', ['k8s/README.md'], ['k8s/README.md']],
    ['a file with the letters of a glob', ['we[ird].yaml'], ['we[ird].yaml']],
    ['the manifests among the matches of a glob', ['k8s/*'], ['k8s/a.yml', 'k8s/b.yaml', 'k8s/c.json']],
    ['a glob over folders', ['k8s/**/*.yaml'], ['k8s/b.yaml', 'k8s/deep/d.yaml', 'k8s/deep/er/e.yaml']],
    ['a glob with braces', ['k8s/{a,b}.{yml,yaml}'], ['k8s/a.yml', 'k8s/b.yaml']],
    [
      'a glob, but not in node_modules or hidden folders',
      ['**/*.yaml'],
      [
        'chart/Chart.yaml',
        'k8s/b.yaml',
        'k8s/deep/d.yaml',
        'k8s/deep/er/e.yaml',
        'kustom/kustomization.yaml',
        'only/in/folders.yaml',
        'top.yaml',
        'we[ird].yaml',
      ],
    ],
    ['hidden folders that are named', ['.github/workflows/*.yaml'], ['.github/workflows/ci.yaml']],
    ['node_modules when it is named', ['node_modules/*/*.yaml'], ['node_modules/x/y.yaml']],
    [
      'lines in their order, each file once',
      ['top.yaml', 'k8s/c.json', 'k8s', 'k8s/../top.yaml', 'k8s/*.json'],
      ['top.yaml', 'k8s/c.json', 'k8s/a.yml', 'k8s/b.yaml'],
    ],
  ])('%s', async (_, manifests, expected) => {
    expect(await paths(...manifests)).toEqual(expected)
  })

  it('absolute paths and globs inside the workspace', async () => {
    expect(await paths(join(workspace, 'top.yaml'), join(workspace, 'k8s/*.json'))).toEqual(['top.yaml', 'k8s/c.json'])
  })

  it('links that stay inside, as the file they lead to, once', async () => {
    symlinkSync('b.yaml', join(workspace, 'k8s/link.yaml'))
    symlinkSync(join(workspace, 'k8s/deep'), join(workspace, 'deep'))
    expect(await paths('k8s/link.yaml', 'k8s', 'deep')).toEqual([
      'k8s/b.yaml',
      'k8s/a.yml',
      'k8s/c.json',
      'k8s/deep/d.yaml',
    ])
  })

  it('a workspace that is reached by a link', async () => {
    symlinkSync(workspace, join(folder, 'link'))
    const manifests = ['top.yaml', join(folder, 'link/k8s')]
    const files = await renderer.render({ workspace: join(folder, 'link'), manifests }, noFacts)
    expect(files.map(({ path }) => path)).toEqual(['top.yaml', 'k8s/a.yml', 'k8s/b.yaml', 'k8s/c.json'])
  })

  it('text without its byte order mark', async () => {
    writeFileSync(join(workspace, 'bom.yaml'), '\uFEFFa: é')
    expect(await render('bom.yaml')).toEqual([{ path: 'bom.yaml', text: 'a: é' }])
  })
})

describe('what leads outside is refused', () => {
  it.each([
    ['../secret.yaml'],
    ['k8s/../../secret.yaml'],
    ['../outside'],
    ['..'],
    ['/etc'],
    ['/etc/hostname'],
    ['/proc/self/environ'],
    ['../missing.yaml'],
    ['../*.yaml'],
    ['../outside/*'],
    ['/etc/*'],
    ['/*'],
    ['*/../../secret.yaml'],
    ['**/../../outside/*.yaml'],
    ['k8s/{x,../../..}/secret.yaml'],
  ])('%s', async (line) => {
    expect(await problems(line)).toMatchObject([
      { code: 'InvalidInput', message: expect.stringContaining('leads outside the workspace') },
    ])
  })

  it('a glob does not look behind linked directories', async () => {
    symlinkSync('../outside', join(workspace, 'linked'))
    expect(await problems('l*/secret.yaml')).toMatchObject([{ message: expect.stringContaining('matches nothing') }])
    expect(await paths('**/*.json')).toEqual(['k8s/c.json'])
  })

  it.each([
    ['a link to a file', 'link.yaml', '../secret.yaml', 'link.yaml'],
    ['a link to a directory', 'linked', '../outside', 'linked'],
    ['a file behind a linked directory', 'linked', '../outside', 'linked/secret.yaml'],
    ['a glob behind a linked directory', 'linked', '../outside', 'linked/*'],
    ['a link in a directory', 'k8s/link.yaml', '../../secret.yaml', 'k8s'],
    ['a link in a glob', 'k8s/link.yaml', '../../secret.yaml', 'k8s/*'],
    ['an absolute link', 'link.yaml', '/etc/passwd', 'link.yaml'],
    ['a link by way of /proc', 'link.yaml', '/proc/self/root/etc/passwd', 'link.yaml'],
  ])('%s', async (_, link, target, line) => {
    symlinkSync(target, join(workspace, link))
    const found = await problems(line)
    expect(found[0]).toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining('leads outside the workspace'),
    })
  })

  it('but a neighbour with the same beginning is not taken for inside', async () => {
    mkdirSync(`${workspace}-two`)
    writeFileSync(join(`${workspace}-two`, 'a.yaml'), 'x')
    expect((await problems('../checkout-two/a.yaml'))[0]?.message).toContain('leads outside')
    expect((await problems(join(`${workspace}-two`, 'a.yaml')))[0]?.message).toContain('leads outside')
  })

  it('a hard link cannot be told from a file', async () => {
    linkSync(join(workspace, 'top.yaml'), join(workspace, 'hard.yaml'))
    expect(await paths('hard.yaml')).toEqual(['hard.yaml'])
  })
})

describe('problems', () => {
  it.each([
    ['k8s/missing.yaml', 'no file or directory "k8s/missing.yaml"', 'what is in "k8s"'],
    ['k8s/b.yml', 'no file or directory', 'There is "k8s/b.yaml"'],
    ['k8s/B.yaml', 'no file or directory', 'There is "k8s/b.yaml"'],
    ['k8', 'no file or directory "k8"', 'There is "k8s"'],
    ['k8z/b.yaml', 'no file or directory', 'There is "k8s"'],
    ['top.yaml/x', 'no file or directory', 'Check the spelling'],
    ['empty', 'the directory "empty" has no .json, .yaml or .yml file', 'holds the manifests'],
    ['texts', 'has no .json, .yaml or .yml file', 'holds the manifests'],
    ['only', 'only in folders inside it, such as in/folders.yaml', 'only/**/*'],
    ['kustom', 'holds a kustomization.yaml', 'kustomize: kustom'],
    ['chart', 'holds a Chart.yaml', 'helm-chart: chart'],
    ['nothing/*.yaml', 'no file or directory "nothing"', 'Check the spelling'],
    ['k8s/*.toml', 'the glob "k8s/*.toml" matches nothing', 'top of the checkout'],
    ['texts/*', 'matches no .json, .yaml or .yml file', 'top of the checkout'],
    ['https://example.com/a.yaml', 'is a URL', 'Download it'],
  ])('%s', async (line, message, hint) => {
    const [problem, ...more] = await problems(line)
    expect(more).toEqual([])
    expect(problem?.code).toBe('InvalidInput')
    expect(problem?.message).toContain(message)
    expect(problem?.message).not.toMatch(/\.$/)
    expect(problem?.hint).toContain(hint)
    expect(problem?.hint).toMatch(/[.?]$/)
  })

  it('are told all at once', async () => {
    expect(await problems('a.yaml', 'top.yaml', '../x', 'empty', 'x*')).toHaveLength(4)
  })

  it('an empty workspace, or none', async () => {
    const empty = join(folder, 'empty')
    mkdirSync(empty)
    const tell = (place: string) =>
      problemsOfAsync(() => renderer.render({ workspace: place, manifests: ['k8s'] }, noFacts))
    expect(await tell(empty)).toMatchObject([{ hint: expect.stringContaining('actions/checkout') }])
    expect(await tell(join(folder, 'none'))).toMatchObject([
      { message: expect.stringContaining('does not exist'), hint: expect.stringContaining('actions/checkout') },
    ])
  })

  it('a link to nothing', async () => {
    symlinkSync('nothing.yaml', join(workspace, 'k8s/dangling.yaml'))
    expect(await problems('k8s')).toMatchObject([
      { message: expect.stringContaining('"k8s/dangling.yaml" is a link to nothing') },
    ])
  })

  it('links in a circle', async () => {
    symlinkSync('two.yaml', join(workspace, 'one.yaml'))
    symlinkSync('one.yaml', join(workspace, 'two.yaml'))
    expect(await problems('one.yaml')).toMatchObject([{ code: 'InvalidInput' }])
  })

  it('a pipe, which would never end', async () => {
    execFileSync('mkfifo', [join(workspace, 'pipe.yaml')])
    expect(await problems('pipe.yaml')).toMatchObject([
      { message: expect.stringContaining('neither a file nor a directory') },
    ])
  })

  it('a file that is not UTF-8', async () => {
    writeFileSync(join(workspace, 'utf16.yaml'), Buffer.from('\uFEFFa: b', 'utf16le'))
    expect(await problems('utf16.yaml')).toMatchObject([
      {
        code: 'InvalidManifest',
        message: 'utf16.yaml is not a text file in UTF-8',
        at: { file: 'utf16.yaml', line: 1 },
      },
    ])
  })

  it('a file larger than 10 MiB, without reading it', async () => {
    writeFileSync(join(workspace, 'large.yaml'), '')
    truncateSync(join(workspace, 'large.yaml'), MAX_FILE_BYTES + 1)
    expect(await problems('large.yaml')).toMatchObject([
      { code: 'InvalidManifest', message: 'large.yaml is larger than 10 MiB' },
    ])
  })

  it('more than 64 MiB together', async () => {
    mkdirSync(join(workspace, 'many'))
    for (let index = 0; index < 7; index++) {
      writeFileSync(join(workspace, `many/${index}.yaml`), '')
      truncateSync(join(workspace, `many/${index}.yaml`), MAX_FILE_BYTES)
    }
    expect(await problems('many')).toMatchObject([
      { message: expect.stringContaining('64 MiB together'), at: { file: 'many/6.yaml' } },
    ])
  })

  it('nothing is read after the signal', async () => {
    const reason = new Error('cancelled')
    const rendering = renderer.render({ workspace, manifests: ['k8s'] }, noFacts, AbortSignal.abort(reason))
    await expect(rendering).rejects.toBe(reason)
  })
})
