import { numberInName } from '../inputs/preview.ts'
import type { Outcome, Report } from './report.ts'

/** How an outcome is called on a page and in the log. */
export const HEADLINES: Readonly<Record<Outcome, { readonly emoji: string; readonly words: string }>> = {
  deployed: { emoji: '✅', words: 'Deployed' },
  unchanged: { emoji: '✅', words: 'Nothing to change' },
  planned: { emoji: '📋', words: 'Planned' },
  'rolled-back': { emoji: '↩️', words: 'Rolled back' },
  'rollback-failed': { emoji: '🚨', words: 'Rollback failed' },
  failed: { emoji: '❌', words: 'Failed' },
  rejected: { emoji: '⛔', words: 'Rejected' },
  superseded: { emoji: '⏭️', words: 'Superseded' },
  unknown: { emoji: '❓', words: 'Outcome unknown' },
  cancelled: { emoji: '🛑', words: 'Cancelled' },
  removed: { emoji: '🗑️', words: 'Removed' },
}

const GREEN: readonly Outcome[] = ['deployed', 'unchanged', 'planned', 'removed']

/** Whether the run did what it was asked to do; else the step is red. */
export function succeeded({ outcome, command }: Pick<Report, 'outcome' | 'command'>): boolean {
  return GREEN.includes(outcome) || (outcome === 'rolled-back' && command === 'rollback')
}

/** The question of whoever is on call: is what runs now in order? */
export interface Safety {
  /** As it is asked: a preview is not production. */
  readonly question: string
  readonly safe: 'yes' | 'no' | 'not known'
  /** Why, in a sentence without a full stop. */
  readonly because: string
}

export function safetyOf(report: Report): Safety {
  const question = isOfPreview(report) ? 'Is the preview in order?' : 'Is production safe?'
  return { question, ...SAFETY[report.outcome](report) }
}

/** By the names that a preview has, and nothing else need have. */
function isOfPreview({ release, namespace, run }: Report): boolean {
  return release === namespace && numberInName(release) === String(run?.pullRequest)
}

type Answer = Omit<Safety, 'question'>

const NOTHING_WRITTEN: Answer = { safe: 'yes', because: 'nothing was written to the cluster' }

const SAFETY: Readonly<Record<Outcome, (report: Report) => Answer>> = {
  deployed: ({ revision }) => ({ safe: 'yes', because: `${numbered(revision) ?? 'what was deployed'} is healthy` }),
  unchanged: () => ({ safe: 'yes', because: 'what runs is what was asked for, and nothing was written' }),
  planned: () => ({ safe: 'yes', because: 'this was a plan, and nothing was written' }),
  'rolled-back': back,
  'rollback-failed': () => ({ safe: 'no', because: 'the release is bad and the rollback did not finish' }),
  failed: ({ command }) =>
    command === 'teardown'
      ? { safe: 'not known', because: 'only a part of the release was deleted' }
      : { safe: 'no', because: 'the new revision is bad and was left in place' },
  rejected: () => NOTHING_WRITTEN,
  superseded: (report) => {
    if (report.rollback)
      return { safe: 'not known', because: 'another deployer has changed what this run wrote, and that was left alone' }
    return report.changed
      ? { safe: 'not known', because: 'another run has taken over, and its report tells' }
      : NOTHING_WRITTEN
  },
  unknown: (report) =>
    afterRollback(report) ?? {
      safe: 'not known',
      because: 'the cluster could not be observed to the end, and the new revision was left in place',
    },
  cancelled: (report) => afterRollback(report) ?? cancelledHalfway(report),
  removed: () => ({ safe: 'yes', because: 'the objects of the release were deleted, as asked' }),
}

function cancelledHalfway({ changed }: Report): Answer {
  return changed ? { safe: 'not known', because: 'the run was cancelled after it had begun to write' } : NOTHING_WRITTEN
}

function afterRollback(report: Report): Answer | undefined {
  const { rollback } = report
  if (!rollback) return undefined
  if (rollback.goesOn) return { safe: 'not known', because: 'what was written is still being taken back' }
  return rollback.outcome === 'rolled-back' ? back(report) : { safe: 'no', because: 'the rollback did not finish' }
}

function back(report: Report): Answer {
  return report.rollback?.isDoubtful
    ? { safe: 'not known', because: `${restored(report)}, and that was never seen healthy` }
    : { safe: 'yes', because: restored(report) }
}

function restored(report: Report): string {
  if (report.command === 'rollback') return 'the release is back at the revision that was asked for'
  const previous = numbered(report.previousRevision)
  if (previous !== undefined && report.rollback?.beyond) return `${previous}, the last good one, runs again`
  return previous === undefined
    ? 'everything is as it was before this run'
    : `${previous} runs again, as before this run`
}

function numbered(revision: number | undefined): string | undefined {
  return revision === undefined ? undefined : `revision ${revision}`
}
