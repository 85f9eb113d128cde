import { describe, expect, it } from '@jest/globals'
import {
  type EnvironmentInputs,
  type EnvironmentSource,
  fillTemplate,
  readEnvironment,
} from '../../src/inputs/environment.ts'
import { InputReader } from '../../src/inputs/reader.ts'
import { deployed } from '../fixtures/reports/reports.ts'

const { run } = deployed
const DEFAULTS = { deployment: '', 'environment-url': '', 'preview-url': '' }

function read(
  given: Readonly<Record<string, string>>,
  about: Partial<EnvironmentSource> = {},
): EnvironmentInputs & { problems: string[] } {
  const reader = new InputReader({ input: (name) => given[name] ?? '' }, DEFAULTS)
  const inputs = readEnvironment(reader, { command: 'deploy', run, isPreview: false, ...about })
  return { ...inputs, problems: reader.problems.map(({ message, hint }) => `${message}. ${hint}`) }
}

describe('the environment', () => {
  it('is none unless it is given', () => {
    expect(read({})).toEqual({ problems: [] })
  })

  it('has a name and a URL', () => {
    const given = {
      deployment: 'production/eu west',
      'environment-url': 'https://{release}-{pr}.{namespace}.example.com/{sha}',
    }
    expect(read(given)).toEqual({
      deployment: given.deployment,
      environmentUrl: given['environment-url'],
      problems: [],
    })
  })

  it.each([
    [{ deployment: 'a\nb' }, /deployment has more than one line/],
    [{ deployment: 'x'.repeat(256) }, /deployment has more than 255 characters/],
    [{ 'environment-url': 'shop.example.com' }, /"shop.example.com", which is not the http or https address of a page/],
    [{ 'environment-url': 'ftp://example.com' }, /not the http or https address/],
    [{ 'environment-url': 'javascript:alert(1)' }, /not the http or https address/],
    [
      { 'environment-url': 'https://{branch}.example.com' },
      /\{branch\} stands for nothing. Use \{namespace\}, \{release\}, \{sha\}, \{pr\}/,
    ],
    [
      { 'environment-url': 'https://me:secret@example.com' },
      /^the input environment-url has a password or user name in it/,
    ],
  ])('refuses %j', (given, message) => {
    expect(read(given).problems).toEqual([expect.stringMatching(message)])
  })

  it.each([{ 'environment-url': 'https://pr-{pr}.example.com' }, { deployment: 'pr-{pr}' }])(
    'has no number of a pull request where there is none: %j',
    (given) => {
      const { pullRequest: _none, ...push } = { ...run }
      const { problems } = read(given, { run: push as typeof run })
      expect(problems).toEqual([expect.stringMatching(/is about no pull request. Use \{pr\} only on: pull_request/)])
    },
  )

  it('is called after the pull request, and in a sweep after each', () => {
    expect(read({ deployment: 'pr-{pr}' })).toEqual({ deployment: `pr-${run?.pullRequest}`, problems: [] })
    const source = { command: 'sweep', run: undefined } as const
    expect(read({ deployment: 'pr-{pr}' }, source)).toEqual({ deployment: 'pr-{pr}', problems: [] })
    expect(read({ deployment: 'previews' }, source).problems).toEqual([
      expect.stringMatching(/each preview that a sweep deletes has an environment of its own. Write it .* pr-\{pr\}/),
    ])
  })

  it('has an address of its own for a preview, and only for that', () => {
    const given = { 'preview-url': 'https://{release}.preview.example.com' }
    expect(read(given, { isPreview: true })).toEqual({ previewUrl: given['preview-url'], problems: [] })
    expect(read(given).problems).toEqual([expect.stringMatching(/preview-url is given, but the run is not one of a/)])
    expect(read({ 'preview-url': 'x' }, { isPreview: true }).problems).toEqual([
      expect.stringMatching(/preview-url is "x", which is not the http or https address/),
    ])
  })
})

describe('a template', () => {
  it('is filled with what is known', () => {
    expect(fillTemplate('https://{a}.{b}/{a}', { a: '1' })).toBe('https://1.{b}/1')
  })
})
