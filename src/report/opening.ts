/** The first screen of a page, for someone who was just woken: what happened, why, is production safe, what to do. */
import { code, link, prose, type Section } from './markdown.ts'
import { durationOf, sentence } from './format.ts'
import { HEADLINES, safetyOf, succeeded, type Safety } from './outcome.ts'
import type { Report } from './report.ts'

const SAFETY_WORDS: Readonly<Record<Safety['safe'], string>> = {
  yes: '🟢 Yes',
  no: '🔴 **No**',
  'not known': '🟡 **Not known**',
}

export function openingSection(report: Report): Section {
  const { emoji, words } = HEADLINES[report.outcome]
  const { release, namespace } = report
  // A run that ended early may know neither.
  const what = [release !== '' && code(release), namespace !== '' && `in namespace ${code(namespace)}`].filter(Boolean)
  const heading = `## ${emoji} ${words}${what.length === 0 ? '' : `: ${what.join(' ')}`}`
  const markdown = [heading, ...causeOf(report), answersOf(report), factsOf(report)].join('\n\n')
  return { name: 'verdict', rank: 0, markdown }
}

function causeOf(report: Report): string[] {
  if (report.message === '') return []
  return [
    report.reason === undefined
      ? prose(sentence(report.message))
      : `**${report.reason}.** ${prose(sentence(report.message))}`,
  ]
}

/** The questions in the order they are asked in at night. A list, which a narrow screen can show. */
function answersOf(report: Report): string {
  const { question, safe, because } = safetyOf(report)
  const answers = [`- **${question}** ${SAFETY_WORDS[safe]}: ${prose(because)}.`]
  if (report.url !== undefined) answers.push(`- **Where is it?** ${link(code(report.url), report.url)}`)
  if (report.rollback) {
    const done = report.rollback.outcome === 'rolled-back' ? 'What was done?' : 'What was tried?'
    answers.push(`- **${done}** ${prose(report.rollback.message)} (${durationOf(report.rollback.seconds)}).`)
  }
  if (report.hint !== undefined && report.hint !== '') {
    answers.push(`- **${succeeded(report) ? 'Next' : 'What to do?'}** ${prose(sentence(report.hint))}`)
  }
  return answers.join('\n')
}

/** One line of small facts, with the ways to the run and the commit. */
function factsOf(report: Report): string {
  const { run } = report
  const facts: string[] = []
  if (report.revision !== undefined) {
    const previous = report.previousRevision === undefined ? '' : ` (before: ${report.previousRevision})`
    facts.push(`revision ${report.revision}${previous}`)
  }
  facts.push(`took ${durationOf(report.durationSeconds)}`)
  if (report.server !== undefined) facts.push(`cluster ${code(report.server)}`)
  if (run) {
    facts.push(
      link('workflow run', run.url),
      ...environmentOf(report),
      `commit ${commitOf(run)}`,
      `ref ${code(run.ref)}`,
      `by ${code(run.actor)}`,
    )
  }
  return `<sub>${facts.join(' · ')}</sub>`
}

/** The page on GitHub that shows what was deployed in the environment. */
function environmentOf({ environment, run }: Report): string[] {
  if (environment === undefined) return []
  const base = run && URL.canParse(run.url) ? `${new URL(run.url).origin}/${run.repository}/deployments` : ''
  const [name, address] = [code(environment), `${base}/${encodeURIComponent(environment.toWellFormed())}`]
  return [`environment ${link(name, address)}`]
}

function commitOf(run: NonNullable<Report['run']>): string {
  const short = code(run.sha.slice(0, 7))
  return URL.canParse(run.url) ? link(short, `${new URL(run.url).origin}/${run.repository}/commit/${run.sha}`) : short
}
