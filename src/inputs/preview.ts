import { isObject } from '../manifest/object.ts'
import type { Command } from './command.ts'
import { parseBoolean, parseDuration, parseInteger } from './parse.ts'
import type { InputReader } from './reader.ts'
import { type Environment, pullRequestOf } from './run.ts'

/** The pull request that a preview is of. Everything comes from the event, and nothing that its author can word is among it. */
export interface Preview {
  /** Of the repository that the pull request is to; it stays when the repository is renamed. */
  readonly repositoryId: number
  readonly pullRequest: number
  /** The commit that this run is about: 40 or 64 hexadecimal digits. */
  readonly headSha: string
  readonly ttlSeconds: number
}

/** The name of a preview's release, and of its namespace. */
export function previewName(release: string, pullRequest: number): string {
  return `${release}-pr-${pullRequest}`
}

/** The number of the pull request at the end of such a name, in digits. */
export function numberInName(name: string): string | undefined {
  return /-pr-([1-9]\d*)$/.exec(name)?.[1]
}

/** What `command: sweep` looks for. */
export interface Sweep {
  readonly repositoryId: number
  /** How many previews of the repository may stay. */
  readonly mostPreviews: number
}

export interface PreviewInputs {
  readonly preview?: Preview
  readonly sweep?: Sweep
}

const HOUR = 3600
const LONGEST_TTL = 90 * 24 * HOUR
const MOST_PREVIEWS = 1000
const COMMANDS: readonly Command[] = ['deploy', 'plan', 'teardown']

type Reader = InputReader<'preview' | 'preview-ttl' | 'max-previews' | 'namespace' | 'github-token' | 'command'>

/** Reads `preview`, `preview-ttl` and `max-previews`, and notes what is wrong with them in the reader. */
export function readPreview(
  reader: Reader,
  source: { env: Environment; event: unknown },
  command: Command,
): PreviewInputs {
  const isWanted = reader.value('preview', parseBoolean, false)
  const ttlSeconds = reader.value(
    'preview-ttl',
    (text) => parseDuration(text, { least: HOUR, most: LONGEST_TTL }),
    HOUR,
  )
  const mostPreviews = reader.value('max-previews', (text) => parseInteger(text, { least: 1, most: MOST_PREVIEWS }), 1)
  if (command === 'sweep') return readSweep(reader, source, mostPreviews)
  return isWanted ? readWanted(reader, source, command, ttlSeconds) : {}
}

function readSweep(
  reader: Reader,
  { env, event }: { env: Environment; event: unknown },
  mostPreviews: number,
): PreviewInputs {
  refuseWithoutToken(reader, 'a sweep asks GitHub which pull requests are closed')
  const repositoryId = repositoryIdOf(event) ?? wholeNumber(env['GITHUB_REPOSITORY_ID'])
  if (repositoryId !== undefined) return { sweep: { repositoryId, mostPreviews } }
  const hint = 'Run it in a workflow on GitHub, where the variable GITHUB_REPOSITORY_ID tells it.'
  reader.refuse('command', 'is sweep, but nothing tells the id of the repository whose previews are meant', hint)
  return {}
}

function readWanted(
  reader: Reader,
  { event }: { event: unknown },
  command: Command,
  ttlSeconds: number,
): PreviewInputs {
  if (!COMMANDS.includes(command)) {
    const hint = 'Leave preview out, or push to the pull request what is wanted instead.'
    reader.refuse('preview', `is true, but the command is ${command}, which is not for previews`, hint)
  }
  if (reader.text('namespace') !== '') {
    const hint = 'Leave namespace out: it is called like the release, with -pr- and the number of the pull request.'
    reader.refuse('namespace', 'is given, but a preview has a namespace of its own', hint)
  }
  if (command === 'deploy')
    refuseWithoutToken(reader, 'a preview is only deployed while GitHub says that its pull request is open')
  const repositoryId = repositoryIdOf(event)
  const pullRequest = pullRequestOf(event)
  const headSha = headShaOf(event)
  if (repositoryId !== undefined && pullRequest !== undefined && headSha !== undefined)
    return { preview: { repositoryId, pullRequest, headSha, ttlSeconds } }
  const hint =
    'Run it on the event pull_request, with the types opened, synchronize, reopened, or closed for a teardown.'
  reader.refuse('preview', 'is true, but the event that started the run is not about a commit of a pull request', hint)
  return {}
}

function refuseWithoutToken(reader: Reader, why: string): void {
  if (reader.text('github-token') !== '') return
  const hint = 'Leave github-token out, which gives the token of the job, with permissions: pull-requests: read.'
  reader.refuse('github-token', `is empty, but ${why}`, hint)
}

function repositoryIdOf(event: unknown): number | undefined {
  const repository = isObject(event) ? event['repository'] : undefined
  const id = isObject(repository) ? repository['id'] : undefined
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? id : undefined
}

function headShaOf(event: unknown): string | undefined {
  const pullRequest = isObject(event) ? event['pull_request'] : undefined
  const head = isObject(pullRequest) ? pullRequest['head'] : undefined
  const sha = isObject(head) ? head['sha'] : undefined
  return typeof sha === 'string' && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(sha) ? sha : undefined
}

function wholeNumber(text = ''): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
}
