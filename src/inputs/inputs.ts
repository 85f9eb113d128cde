/** What a run is asked to do: read once, before anything else happens, and never changed. */
import { rejectIfAny } from '../errors.ts'
import type { RunFacts } from '../report/report.ts'
import { type EnvironmentInputs, readEnvironment } from './environment.ts'
import { type Fences, readFences } from './fences.ts'
import { type Command, parseCommand } from './command.ts'
import { type ImageRequest, readImages } from './images.ts'
import { parseKubeconfig, type KubeconfigSource } from './kubeconfig.ts'
import {
  formatDuration,
  parseBoolean,
  parseChoice,
  parseDnsLabel,
  parseDuration,
  parseInteger,
  toDnsLabel,
} from './parse.ts'
import { type PreviewInputs, previewName, readPreview } from './preview.ts'
import { InputReader } from './reader.ts'
import { commitTimeOf, readRun, type Environment } from './run.ts'
import { readRollbackStrategy, type RollbackStrategy } from './rollback-strategy.ts'
import { readSources, type Sources } from './sources.ts'
import { readStrategy, type Strategy } from './strategy.ts'

export interface Inputs extends EnvironmentInputs, PreviewInputs {
  readonly command: Command
  /** A DNS label of at most 40 characters; behind it, that of a preview has `-pr-` and the number of its pull request. */
  readonly release: string
  readonly sources: Sources
  readonly images: readonly ImageRequest[]
  /** Absent: the namespace of the context, else `default`. */
  readonly namespace?: string
  readonly fences: Fences
  readonly kubeconfig: KubeconfigSource
  /** Absent: the kubeconfig's current context. */
  readonly context?: string
  readonly timeoutSeconds: number
  readonly rollbackTimeoutSeconds: number
  /** What ends a rollout before its deadline: nothing, evidence that cannot heal by itself, or any failure that is seen. */
  readonly failFast: 'off' | 'safe' | 'eager'
  readonly stableForSeconds: number
  readonly strategy: Strategy
  readonly rollback: 'auto' | 'off'
  readonly rollbackStrategy: RollbackStrategy
  /** For `command: rollback`. Absent: the last good revision before the one in place. */
  readonly toRevision?: number
  /** What to do with a workload that somebody deletes during the rollout. */
  readonly onDelete: 'restore' | 'fail'
  readonly onCancel: 'rollback' | 'leave'
  /** What to do when the cluster cannot be observed at the deadline. */
  readonly onUnknown: 'leave' | 'rollback'
  /** Delete what the previous good revision had and this one lacks, once this one is good. */
  readonly prune: boolean
  readonly pruneLimit: number
  /** Revisions that are kept. */
  readonly historyLimit: number
  /** How long to wait for another run of the same release. */
  readonly lockTimeoutSeconds: number
  readonly forceConflicts: boolean
  readonly githubToken?: string
  readonly comment: 'auto' | 'failure' | 'never'
  /** The file that says who else is told. */
  readonly notify?: string
  /** Lines of log per failing container; 0 for none. */
  readonly logLines: number
  readonly allowInsecure: boolean
  /** ISO 8601; absent where the event does not tell. */
  readonly committedAt?: string
  /** Absent when the run is not on GitHub. */
  readonly run?: RunFacts
}

/** Where inputs are read from. */
export interface InputSource {
  /** The text of an input; empty when it is not given. */
  input(name: string): string
  readonly env: Environment
  /** The parsed payload of the webhook that started the run. */
  readonly event: unknown
}

/**
 * The inputs of this version and their defaults, as action.yml declares them (a test compares the two). An empty default
 * means that there is none, or that it is found out in the run.
 */
export const INPUT_DEFAULTS = {
  command: 'deploy',
  release: '',
  manifests: '',
  kustomize: '',
  'helm-chart': '',
  'helm-values': '',
  'helm-set': '',
  images: '',
  namespace: '',
  'allowed-namespaces': '',
  'allow-cluster-scoped': '',
  kubeconfig: '',
  context: '',
  timeout: '10m',
  'rollback-timeout': '5m',
  'fail-fast': 'safe',
  'stable-for': '10s',
  strategy: 'as-written',
  'max-surge': '',
  'max-unavailable': '',
  rollback: 'auto',
  'rollback-strategy': 'as-written',
  'to-revision': '',
  'on-delete': 'restore',
  'on-cancel': 'rollback',
  'on-unknown': 'leave',
  prune: 'false',
  'prune-limit': '10',
  'history-limit': '10',
  'lock-timeout': '5m',
  'force-conflicts': 'false',
  'github-token': '',
  preview: 'false',
  'preview-ttl': '72h',
  'preview-url': '',
  'max-previews': '20',
  comment: 'auto',
  deployment: '',
  'environment-url': '',
  notify: '',
  'log-lines': '40',
  'allow-insecure': 'false',
} as const

type Reader = InputReader<keyof typeof INPUT_DEFAULTS>

/** `-pr-N` and the names of what belongs to the release must fit behind it. */
const LONGEST_RELEASE = 40
const LONGEST_NAMESPACE = 63
const DAY = 24 * 3600
const HOUR = 3600
const MOST_LOG_LINES = 1000
const MOST_PRUNED = 1000
const MOST_REVISIONS = 100
const HIGHEST_REVISION = 999_999_999

/** Reads and checks every input. Throws one RejectedError with an InvalidInput problem for each that is wrong. */
export function readInputs(source: InputSource): Inputs {
  const reader = new InputReader(source, INPUT_DEFAULTS)
  const { env, event } = source
  const namespace = reader.text('namespace')
  const context = reader.text('context')
  const githubToken = reader.text('github-token')
  const notify = reader.text('notify')
  const run = readRun(env, event)
  const committedAt = commitTimeOf(event)
  const command = reader.value('command', parseCommand, 'deploy')
  const toRevision = reader.text('to-revision')
  const strategy = readStrategy(reader)
  const previews = readPreview(reader, source, command)
  const ownName = readRelease(reader, env)
  const release = previews.preview ? previewName(ownName, previews.preview.pullRequest) : ownName
  const inputs: Inputs = {
    command,
    release,
    sources: readSources(reader, env, command),
    images: readImages(reader),
    ...(namespace !== '' && {
      namespace: reader.value('namespace', (text) => parseDnsLabel(text, LONGEST_NAMESPACE), ''),
    }),
    ...previews,
    // Of no other name: what is in it is deleted with it.
    ...(previews.preview && { namespace: release }),
    fences: readFences(reader),
    kubeconfig: reader.value('kubeconfig', (text) => parseKubeconfig(text, env['KUBECONFIG'] ?? ''), { paths: [] }),
    ...(context !== '' && { context }),
    timeoutSeconds: reader.value('timeout', (text) => parseDuration(text, { least: 1, most: DAY }), 0),
    rollbackTimeoutSeconds: reader.value('rollback-timeout', (text) => parseDuration(text, { least: 1, most: DAY }), 0),
    failFast: reader.value('fail-fast', (text) => parseChoice(text, ['off', 'safe', 'eager']), 'safe'),
    stableForSeconds: reader.value('stable-for', (text) => parseDuration(text, { least: 0, most: HOUR }), 0),
    strategy,
    rollback: reader.value('rollback', (text) => parseChoice(text, ['auto', 'off']), 'auto'),
    rollbackStrategy: readRollbackStrategy(reader, strategy),
    ...(toRevision !== '' && { toRevision: readToRevision(reader, command) }),
    onDelete: reader.value('on-delete', (text) => parseChoice(text, ['restore', 'fail']), 'restore'),
    onCancel: reader.value('on-cancel', (text) => parseChoice(text, ['rollback', 'leave']), 'rollback'),
    onUnknown: reader.value('on-unknown', (text) => parseChoice(text, ['leave', 'rollback']), 'leave'),
    prune: reader.value('prune', parseBoolean, false),
    pruneLimit: reader.value('prune-limit', (text) => parseInteger(text, { least: 0, most: MOST_PRUNED }), 0),
    historyLimit: reader.value('history-limit', (text) => parseInteger(text, { least: 1, most: MOST_REVISIONS }), 1),
    lockTimeoutSeconds: reader.value('lock-timeout', (text) => parseDuration(text, { least: 0, most: DAY }), 0),
    forceConflicts: reader.value('force-conflicts', parseBoolean, false),
    ...(githubToken !== '' && { githubToken }),
    comment: reader.value('comment', (text) => parseChoice(text, ['auto', 'failure', 'never']), 'auto'),
    ...readEnvironment(reader, { command, run, isPreview: previews.preview !== undefined }),
    ...(notify !== '' && { notify }),
    logLines: reader.value('log-lines', (text) => parseInteger(text, { least: 0, most: MOST_LOG_LINES }), 0),
    allowInsecure: reader.value('allow-insecure', parseBoolean, false),
    ...(committedAt !== undefined && { committedAt }),
    ...(run && { run }),
  }
  if (reader.problems.length === 0 && inputs.stableForSeconds >= inputs.timeoutSeconds) {
    const span = `${formatDuration(inputs.stableForSeconds)}, which does not fit into timeout (${formatDuration(inputs.timeoutSeconds)})`
    reader.refuse('stable-for', `is ${span}`, 'Make stable-for shorter, or timeout longer.')
  }
  rejectIfAny(reader.problems)
  return frozen(inputs)
}

function readToRevision(reader: Reader, command: Command): number {
  const revision = reader.value('to-revision', (text) => parseInteger(text, { least: 1, most: HIGHEST_REVISION }), 0)
  if (command !== 'rollback') {
    reader.refuse(
      'to-revision',
      `is given, but the command is ${command}, and only a rollback goes back to one`,
      'Set command: rollback, or leave to-revision out.',
    )
  }
  return revision
}

function readRelease(reader: Reader, env: Environment): string {
  const given = reader.text('release')
  if (given !== '') return reader.value('release', (text) => parseDnsLabel(text, LONGEST_RELEASE), '')
  const repository = env['GITHUB_REPOSITORY'] ?? ''
  const name = repository.slice(repository.lastIndexOf('/') + 1)
  const release = toDnsLabel(name, LONGEST_RELEASE)
  if (name === '') {
    reader.refuse(
      'release',
      'is not given, and there is no repository to name it after',
      'Set release to a name, such as shop.',
    )
  } else if (release === '' || name.length > LONGEST_RELEASE) {
    const hint =
      release === '' ? 'Set release to a name, such as shop.' : `Set release yourself, for instance to "${release}".`
    reader.refuse('release', `is not given, and the repository's name "${name}" makes no name for it`, hint)
  }
  return release
}

function frozen<Value extends object>(value: Value): Value {
  for (const field of Object.values(value)) if (typeof field === 'object' && field !== null) frozen(field)
  return Object.freeze(value)
}
