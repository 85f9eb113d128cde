import { stripControls } from '../redact.ts'
import { HEADLINES } from './outcome.ts'
import type { Outcome, Report } from './report.ts'

/** How a deployment on GitHub stands. https://docs.github.com/rest/deployments/statuses */
export type DeploymentState = 'in_progress' | 'success' | 'failure' | 'error' | 'inactive'

export interface DeploymentEnd {
  readonly state: DeploymentState
  /** At most 140 characters. */
  readonly description: string
  /** What ran before runs again: the deployment before this one is the active one. */
  readonly isTakenBack: boolean
}

/** GitHub refuses descriptions that are longer. */
const LONGEST_DESCRIPTION = 140

/**
 * `failure` is for a release that is bad, `error` for one that was stopped or of which nothing is known, `inactive` for one
 * that another has taken the place of.
 */
const STATES: Readonly<Record<Outcome, DeploymentState>> = {
  deployed: 'success',
  unchanged: 'success',
  planned: 'inactive',
  'rolled-back': 'failure',
  'rollback-failed': 'failure',
  failed: 'failure',
  rejected: 'error',
  superseded: 'inactive',
  unknown: 'error',
  cancelled: 'error',
  removed: 'inactive',
}

/** What to tell GitHub of a release that had begun to write. */
export function deploymentEnd(report: Report): DeploymentEnd {
  const { command, outcome, message, rollback } = report
  const isByHand = command === 'rollback'
  return {
    state: isByHand && outcome === 'rolled-back' ? 'success' : STATES[outcome],
    description: shortDescription(`${HEADLINES[outcome].words}: ${message}`),
    isTakenBack:
      !isByHand && outcome !== 'superseded' && rollback?.outcome === 'rolled-back' && rollback.goesOn !== true,
  }
}

/** One line of at most 140 characters, cut at a word if there is one in its second half. */
export function shortDescription(text: string): string {
  const line = stripControls(text).replaceAll(/\s+/g, ' ').trim()
  if (line.length <= LONGEST_DESCRIPTION) return line
  const start = line.slice(0, LONGEST_DESCRIPTION - 1)
  const space = line[start.length] === ' ' ? start.length : start.lastIndexOf(' ')
  const cut = space > LONGEST_DESCRIPTION / 2 ? start.slice(0, space) : start
  // Half of a character that takes two code units is none.
  return `${cut.replace(/[\uD800-\uDBFF]$/, '').trimEnd()}…`
}
