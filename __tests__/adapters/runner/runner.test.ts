import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createRunner } from '../../../src/adapters/runner/runner.ts'
import { OUTPUT_NAMES } from '../../../src/report/outputs.ts'
import { runScript } from '../../fakes/child.ts'
import { commandsIn, parsedCommands, settingsIn } from '../../fakes/runner-commands.ts'
import { HOSTILE, hostileLine } from '../../fixtures/hostile.ts'
import { randomFrom } from '../../fixtures/random.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

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

  it(`all ways of a report do what they are for, and nothing else, whatever it says (FUZZ_SEED=${seed})`, async () => {
    const random = randomFrom(seed)
    const texts = Array.from({ length: 40 }, () => hostileLine(random))
    const [output, state] = [join(folder, 'output'), join(folder, 'state')]
    await writeFile(join(folder, 'texts.json'), JSON.stringify(texts))
    for (const file of [output, state]) await writeFile(file, '')
    const { code, stdout, stderr } = await runScript(
      `${create}
      import { readFileSync } from 'node:fs'
      import { annotationsOf } from 'root/src/report/annotations.ts'
      import { renderLog } from 'root/src/report/log.ts'
      import { outputsOf } from 'root/src/report/outputs.ts'
      import { reportSaying } from 'root/__tests__/fixtures/reports/hostile.ts'
      for (const text of JSON.parse(readFileSync(process.env.RUNNER_TEMP + '/texts.json', 'utf8'))) {
        const report = reportSaying(text)
        await runner.group(text, async () => {
          for (const line of renderLog(report)) runner.info(line)
          for (const warning of report.warnings) runner.info('warning: ' + warning)
        })
        for (const annotation of annotationsOf(report)) runner.annotate(annotation)
        for (const [name, value] of Object.entries(outputsOf(report))) runner.output(name, value)
        runner.saveState('session', text)
        runner.debug(text)
        runner.mask(text)
      }`,
      { GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: output, GITHUB_STATE: state, RUNNER_TEMP: folder },
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    // The old form is never used, and the port reads each line of the new one twice.
    const parsed = parsedCommands(stdout)
    expect(commandsIn(stdout)).toHaveLength(2 * parsed.length)
    const properties: Readonly<Record<string, string[]>> = {
      debug: [],
      group: [],
      endgroup: [],
      'add-mask': [],
      error: ['title', 'file', 'line'],
      warning: ['title'],
    }
    for (const command of parsed) {
      expect(properties).toHaveProperty(command.name)
      expect(properties[command.name]).toEqual(expect.arrayContaining(Object.keys(command.properties)))
    }
    const counts = parsed.map(({ name }) => name).filter((name) => ['group', 'endgroup', 'debug'].includes(name))
    expect(counts).toHaveLength(3 * texts.length)
    const masked = parsed.filter(({ name }) => name === 'add-mask').map(({ data }) => data)
    expect(texts.map((text) => text.toWellFormed())).toEqual(expect.arrayContaining(masked))

    const settings = settingsIn(await readFile(output, 'utf8'))
    const names = new Set<string>(OUTPUT_NAMES)
    expect(settings.filter(([name]) => !names.has(name))).toEqual([])
    expect(settings).toHaveLength(texts.length * OUTPUT_NAMES.length)
    // A carriage return at the very end becomes one with the line break that the file has behind it.
    const lines = (text: string) =>
      text
        .toWellFormed()
        .replace(/\r$/, '')
        .split(/\r\n|\r|\n/)
        .join('\n')
    expect(settingsIn(await readFile(state, 'utf8'))).toEqual(texts.map((text) => ['session', lines(text)]))
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
