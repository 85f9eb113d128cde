import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createRunner } from '../../../src/adapters/runner/runner.ts'
import { runScript } from '../../fakes/child.ts'
import { commandsIn } from '../../fakes/runner-commands.ts'
import { HOSTILE } from '../../fixtures/hostile.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollsafe-test-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const create = `
  import { createRunner } from 'root/src/adapters/runner/runner.ts'
  import { HOSTILE } from 'root/__tests__/fixtures/hostile.ts'
  const runner = createRunner(process.env)
`

describe('on GitHub', () => {
  it('no untrusted text becomes a command, whichever way it is printed', async () => {
    const { code, stdout, stderr } = await runScript(
      `${create}
      for (const text of Object.values(HOSTILE)) {
        runner.info(text)
        runner.debug(text)
        await runner.group(text, async () => runner.info(text))
        for (const level of ['error', 'warning', 'notice']) {
          runner.annotate({ level, title: text, message: text, at: { file: text, line: 3 } })
        }
      }`,
      { GITHUB_ACTIONS: 'true' },
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const count = Object.keys(HOSTILE).length
    const ours = ['debug', 'group', 'endgroup', 'error', 'warning', 'notice']
    // The port of the runner's parsers reads each line twice.
    expect(commandsIn(stdout).toSorted()).toEqual(
      ours.flatMap((name) => Array<string>(count * 2).fill(name)).toSorted(),
    )
  })

  it('hides a masked value here, and asks the runner to hide it too', async () => {
    const { stdout } = await runScript(
      `${create}
      runner.mask('s3cr3t-value')
      runner.mask('12345')
      runner.info('a s3cr3t-value, s3cr3t\\u200b-value and ' + btoa('s3cr3t-value') + ', 12345')
      runner.annotate({ level: 'error', title: 's3cr3t-value', message: 's3cr3t-value' })
      await runner.group('s3cr3t-value', async () => undefined)`,
      { GITHUB_ACTIONS: 'true' },
    )
    expect(stdout).toBe(
      '::add-mask::s3cr3t-value\na ***, *** and ***, 12345\n::error title=***::***\n::group::***\n::endgroup::\n',
    )
  })

  it('hides a value of a Secret here alone, and not the words that are spared', async () => {
    const { stdout } = await runScript(
      `${create}
      runner.spare(['shop-production'])
      for (const value of ['s3cr3t-value', 'production']) runner.hide(value)
      runner.info('s3cr3t-value in production')`,
      { GITHUB_ACTIONS: 'true' },
    )
    expect(stdout).toBe('*** in production\n')
  })

  it('outputs reach the file that the runner reads, line breaks and all', async () => {
    const file = join(folder, 'output')
    await writeFile(file, '')
    const { stdout } = await runScript(`${create}; runner.output('message', 'a\\n::set-output name=b::c')`, {
      GITHUB_ACTIONS: 'true',
      GITHUB_OUTPUT: file,
    })
    expect(stdout).toBe('')
    expect(await readFile(file, 'utf8')).toMatch(/^message<<(ghadelimiter_\S+)\na\n::set-output name=b::c\n\1\n$/)
  })
})

describe('outside GitHub', () => {
  it('the same is told in plain lines, and no secret is printed to be masked', async () => {
    const { code, stdout, stderr } = await runScript(
      `${create}
      runner.mask('s3cr3t-value')
      runner.info('info ::add-mask::x')
      runner.info('::add-mask::x')
      runner.debug('not shown')
      const result = await runner.group('Apply', async () => 'result')
      runner.annotate({ level: 'warning', title: result, message: 's3cr3t-value', at: { file: 'a.yaml', line: 3 } })
      runner.output('outcome', 'deployed')
      await runner.summary('# summary')`,
      {},
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe('info ::add-mask::x\n: :add-mask::x\nApply\nwarning: a.yaml:3: result: ***\noutcome=deployed\n')
  })
})

describe('the summary', () => {
  it('is added to what the file holds', async () => {
    const file = join(folder, 'summary')
    await writeFile(file, 'before\n')
    await createRunner({ GITHUB_STEP_SUMMARY: file }).summary('# title')
    expect(await readFile(file, 'utf8')).toBe('before\n# title\n')
  })

  it('makes the file if there is none', async () => {
    const file = join(folder, 'summary')
    await createRunner({ GITHUB_STEP_SUMMARY: file }).summary('# title')
    expect(await readFile(file, 'utf8')).toBe('# title\n')
  })

  it('is refused when GitHub would drop it, and what is there stays', async () => {
    const file = join(folder, 'summary')
    await writeFile(file, 'before\n')
    await expect(createRunner({ GITHUB_STEP_SUMMARY: file }).summary('ä'.repeat(524_288))).rejects.toThrow(
      'the summary would have 1048584 bytes, and GitHub takes 1048576',
    )
    expect(await readFile(file, 'utf8')).toBe('before\n')
  })
})

describe('the JSON report', () => {
  it('is only for the user who runs the job, and can be written again', async () => {
    const runner = createRunner({ RUNNER_TEMP: folder })
    const path = await runner.writeReport('{"a":1}')
    expect(path.startsWith(join(folder, 'rollsafe-'))).toBe(true)
    expect(await readFile(path, 'utf8')).toBe('{"a":1}')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await runner.writeReport('{"a":2}')).toBe(path)
    expect(await readFile(path, 'utf8')).toBe('{"a":2}')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('of another run is another file', async () => {
    const paths = await Promise.all([1, 2].map(() => createRunner({ RUNNER_TEMP: folder }).writeReport('{}')))
    expect(new Set(paths).size).toBe(2)
  })
})
