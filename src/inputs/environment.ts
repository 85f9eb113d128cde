import type { RunFacts } from '../report/report.ts'
import type { Command } from './command.ts'
import type { Parsed } from './parse.ts'
import type { InputReader } from './reader.ts'

/** Where people see and use the release. */
export interface EnvironmentInputs {
  /** The name of a GitHub environment, in which the release is a deployment. Of a sweep, one with {pr} for that of each preview. */
  readonly deployment?: string
  /** A URL with the placeholders {namespace}, {release}, {sha} and {pr}. Absent: it is found in the cluster. */
  readonly environmentUrl?: string
  /** The same, for a preview of which the cluster tells no address. */
  readonly previewUrl?: string
}

type Reader = InputReader<'deployment' | 'environment-url' | 'preview-url'>

export interface EnvironmentSource {
  readonly command: Command
  readonly run: RunFacts | undefined
  readonly isPreview: boolean
}

/** https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments */
const LONGEST_ENVIRONMENT = 255
const LONGEST_URL = 1000
const PLACEHOLDERS = ['namespace', 'release', 'sha', 'pr']
const NO_NUMBER_HINT = 'Use {pr} only on: pull_request.'

/** Reads `deployment`, `environment-url` and `preview-url`, and notes what is wrong with them in the reader. */
export function readEnvironment(reader: Reader, { command, run, isPreview }: EnvironmentSource): EnvironmentInputs {
  const parseName = (text: string): Parsed<string> => parseEnvironment(text, command, run)
  const parseUrl = (text: string): Parsed<string> => parseTemplate(text, run)
  const deployment = reader.text('deployment') && reader.value('deployment', parseName, '')
  const environmentUrl = reader.text('environment-url') && reader.value('environment-url', parseUrl, '')
  const previewUrl = reader.text('preview-url') && reader.value('preview-url', parseUrl, '')
  if (previewUrl !== '' && !isPreview) {
    const hint = 'Set preview: true, or use environment-url instead.'
    reader.refuse('preview-url', 'is given, but the run is not one of a preview', hint)
  }
  return {
    ...(deployment !== '' && { deployment }),
    ...(environmentUrl !== '' && { environmentUrl }),
    ...(previewUrl !== '' && { previewUrl }),
  }
}

/** What a template makes, a URL or a name, with its placeholders filled. */
export function fillTemplate(template: string, facts: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => facts[name] ?? whole)
}

/** {pr} is filled in; only a sweep, which is about many pull requests, keeps it. */
function parseEnvironment(text: string, command: Command, run: RunFacts | undefined): Parsed<string> {
  const hint = 'Write the name of an environment of the repository, such as production.'
  const isOfEach = text.includes('{pr}')
  if (/\p{Cc}/u.test(text)) return { ok: false, fault: 'has more than one line', hint }
  if (text.length > LONGEST_ENVIRONMENT)
    return { ok: false, fault: `has more than ${LONGEST_ENVIRONMENT} characters`, hint }
  if (command === 'sweep') {
    if (isOfEach) return { ok: true, value: text }
    const fault = `is "${text}", but each preview that a sweep deletes has an environment of its own`
    return { ok: false, fault, hint: 'Write it as in the step that deploys the previews, such as pr-{pr}.' }
  }
  if (isOfEach && run?.pullRequest === undefined)
    return { ok: false, fault: `is "${text}", and this run is about no pull request`, hint: NO_NUMBER_HINT }
  return { ok: true, value: fillTemplate(text, { pr: String(run?.pullRequest) }) }
}

function parseTemplate(text: string, run: RunFacts | undefined): Parsed<string> {
  const fault = (what: string, hint: string): Parsed<never> => ({ ok: false, fault: `is "${text}", ${what}`, hint })
  const names = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name ?? '')
  const unknown = names.find((name) => !PLACEHOLDERS.includes(name))
  if (unknown !== undefined) {
    return fault(
      `and {${unknown}} stands for nothing`,
      `Use ${PLACEHOLDERS.map((name) => `{${name}}`).join(', ')}, or leave the braces out.`,
    )
  }
  if (names.includes('pr') && run?.pullRequest === undefined) {
    return fault('and this run is about no pull request', NO_NUMBER_HINT)
  }
  const url = URL.parse(fillTemplate(text, { namespace: 'n', release: 'r', sha: 'c', pr: '1' }))
  const hint = 'Write it like https://{release}-{pr}.preview.example.com/.'
  if (url === null || !['https:', 'http:'].includes(url.protocol) || text.length > LONGEST_URL || /\s/.test(text)) {
    return fault('which is not the http or https address of a page', hint)
  }
  if (url.username !== '' || url.password !== '') return { ok: false, fault: 'has a password or user name in it', hint }
  return { ok: true, value: text }
}
