import { describe, expect, it } from '@jest/globals'
import { RejectedError } from '../../src/errors.ts'
import { type Inputs, readInputs } from '../../src/inputs/inputs.ts'

const HEAD = 'a1'.repeat(20)
const EVENT = {
  repository: { id: 4711, full_name: 'acme/shop' },
  pull_request: {
    number: 12,
    title: 'x: y',
    head: { sha: HEAD, ref: '../../kube-system', repo: { full_name: 'acme/shop' } },
  },
}

function read(inputs: Readonly<Record<string, string>>, event: unknown = EVENT): Inputs {
  const given: Readonly<Record<string, string>> = {
    manifests: 'k8s',
    kubeconfig: 'clusters: []',
    'github-token': 'job-token',
    preview: 'true',
    ...inputs,
  }
  const env = { GITHUB_REPOSITORY: 'acme/shop', GITHUB_RUN_ID: '7', GITHUB_EVENT_NAME: 'pull_request' }
  return readInputs({ input: (name) => given[name] ?? '', env, event })
}

const problems = (inputs: Readonly<Record<string, string>>, event: unknown = EVENT): string[] => {
  try {
    read(inputs, event)
  } catch (error) {
    if (error instanceof RejectedError) return error.problems.map(({ message }) => message)
    throw error
  }
  return []
}

describe('a preview', () => {
  it.each([
    ['', 'shop-pr-12'],
    ['shop-api', 'shop-api-pr-12'],
    ['s'.repeat(40), `${'s'.repeat(40)}-pr-12`],
  ])('of the release %j is called %s, and so is its namespace', (release, name) => {
    expect(read({ release })).toMatchObject({ release: name, namespace: name })
  })

  it('is known by the integers of the event', () => {
    expect(read({ 'preview-ttl': '24h' }).preview).toEqual({
      repositoryId: 4711,
      pullRequest: 12,
      headSha: HEAD,
      ttlSeconds: 24 * 3600,
    })
  })

  it('is not made unless asked for', () => {
    const { preview, release, namespace } = read({ preview: '' })
    expect({ preview, release, namespace }).toEqual({ preview: undefined, release: 'shop', namespace: undefined })
  })

  it.each<[string, object]>([
    ['a number that is text', { ...EVENT, pull_request: { ...EVENT.pull_request, number: '12' } }],
    ['a number with a fraction', { ...EVENT, pull_request: { ...EVENT.pull_request, number: 1.5 } }],
    ['no head', { ...EVENT, pull_request: { number: 12 } }],
    ['a head that is no commit', { ...EVENT, pull_request: { number: 12, head: { sha: 'main' } } }],
    ['a repository without an id', { ...EVENT, repository: {} }],
    ['a comment on it', { repository: EVENT.repository, issue: { number: 12, pull_request: {} } }],
    ['a push', { repository: EVENT.repository, after: HEAD }],
  ])('is refused for %s', (_name, event) => {
    expect(problems({}, event)).toEqual([expect.stringContaining('is not about a commit of a pull request')])
  })

  it.each<[Record<string, string>, string]>([
    [{ namespace: 'prod' }, 'the input namespace is given, but a preview has a namespace of its own'],
    [{ 'github-token': '' }, 'the input github-token is empty, but a preview is only deployed while'],
    [{ command: 'rollback', manifests: '' }, 'the input preview is true, but the command is rollback'],
    [{ 'preview-ttl': '10m' }, 'the input preview-ttl is "10m", which is too short'],
    [{ 'max-previews': '0' }, 'the input max-previews is "0", which is out of range'],
    [{ preview: 'yes' }, 'the input preview is "yes"'],
  ])('%j', (inputs, message) => {
    expect(problems(inputs)).toEqual([expect.stringContaining(message)])
  })

  it('is removed without a token', () => {
    expect(read({ command: 'teardown', manifests: '', 'github-token': '' }).preview?.pullRequest).toBe(12)
  })
})

describe('a sweep', () => {
  const sweep = { command: 'sweep', manifests: '', preview: '' }

  it('knows the repository from its event, else from the environment', () => {
    expect(read(sweep)).toMatchObject({ release: 'shop', sweep: { repositoryId: 4711, mostPreviews: 20 } })
    expect(problems(sweep, { schedule: '17 * * * *' })).toEqual([expect.stringContaining('the id of the repository')])
  })

  it('needs a token', () => {
    expect(problems({ ...sweep, 'github-token': '' })).toEqual([expect.stringContaining('a sweep asks GitHub')])
  })
})
