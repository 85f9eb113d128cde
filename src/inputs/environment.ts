import type { RunFacts } from '../report/report.ts'
import type { Parsed } from './parse.ts'
import type { InputReader } from './reader.ts'

/** Where people see and use the release. */
export interface EnvironmentInputs {
  /** The name of a GitHub environment, in which the release is a deployment. */
  readonly deployment?: string
  /** A URL with the placeholders {namespace}, {release}, {sha} and {pr}. Absent: it is found in the cluster. */
  readonly environmentUrl?: string
}

/** https://docs.github.com/actions/reference/workflows-and-actions/deployments-and-environments */
const LONGEST_ENVIRONMENT = 255
const LONGEST_URL = 1000
const PLACEHOLDERS = ['namespace', 'release', 'sha', 'pr']

/** Reads `deployment` and `environment-url`, and notes what is wrong with them in the reader. */
export function readEnvironment(
  reader: InputReader<'deployment' | 'environment-url'>,
  run: RunFacts | undefined,
): EnvironmentInputs {
  const deployment = reader.text('deployment') && reader.value('deployment', parseEnvironment, '')
  const parse = (text: string): Parsed<string> => parseTemplate(text, run)
  const environmentUrl = reader.text('environment-url') && reader.value('environment-url', parse, '')
  return { ...(deployment !== '' && { deployment }), ...(environmentUrl !== '' && { environmentUrl }) }
}

/** The URL that a template makes, with its placeholders filled. */
export function fillTemplate(template: string, facts: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => facts[name] ?? whole)
}

function parseEnvironment(text: string): Parsed<string> {
  const hint = 'Write the name of an environment of the repository, such as production.'
  if (/\p{Cc}/u.test(text)) return { ok: false, fault: 'has more than one line', hint }
  if (text.length <= LONGEST_ENVIRONMENT) return { ok: true, value: text }
  return { ok: false, fault: `has more than ${LONGEST_ENVIRONMENT} characters`, hint }
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
    return fault('and this run is about no pull request', 'Use {pr} only on: pull_request.')
  }
  const url = URL.parse(fillTemplate(text, { namespace: 'n', release: 'r', sha: 'c', pr: '1' }))
  const hint = 'Write it like https://{release}-{pr}.preview.example.com/.'
  if (url === null || !['https:', 'http:'].includes(url.protocol) || text.length > LONGEST_URL || /\s/.test(text)) {
    return fault('which is not the http or https address of a page', hint)
  }
  if (url.username !== '' || url.password !== '') return { ok: false, fault: 'has a password or user name in it', hint }
  return { ok: true, value: text }
}
