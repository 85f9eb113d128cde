import { webAddress, withEntities } from './entities.ts'
import { durationOf, sentence } from './format.ts'
import { HEADLINES, safetyOf, succeeded } from './outcome.ts'
import type { Report } from './report.ts'

/** The body of a POST to an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export interface SlackMessage {
  /** What a notification shows, and who cannot see blocks. */
  readonly text: string
  readonly blocks: readonly {
    readonly type: 'section'
    readonly text: { readonly type: 'mrkdwn'; readonly text: string }
  }[]
  readonly unfurl_links: false
  readonly unfurl_media: false
}

/** Slack takes 3,000 characters in a section; people read fewer. */
const LONGEST_CAUSE = 500

/**
 * The message for a channel: what happened, why, and whether what runs is safe. What others have written stands in a code span
 * (https://docs.slack.dev/messaging/formatting-message-text): nobody is mentioned by it, and nothing becomes a link.
 */
export function renderSlack(report: Report): SlackMessage {
  const { emoji, words } = HEADLINES[report.outcome]
  const { release, namespace, reason, message, run, revision } = report
  const what = [
    release !== '' && ` release ${name(release)}`,
    revision !== undefined && `revision ${revision}`,
    namespace !== '' && `in namespace ${name(namespace)}`,
  ].filter((part) => part !== false)
  const headline = `${emoji} *${words}*${what.length === 0 ? '' : `:${what.join(' ')}`}, after ${durationOf(report.durationSeconds)}`
  const cause = message === '' ? [] : [`${reason === undefined ? '' : `*${reason}* `}${code(message)}`]
  const { question, safe, because } = safetyOf(report)
  const safety = succeeded(report) ? [] : [`${question} *${safe}*: ${sentence(withEntities(because))}`]
  const links = [linkTo(run?.url, 'Look at the run'), linkTo(report.url, 'Look at the release')].filter(
    (link) => link !== undefined,
  )
  return {
    text: headline,
    blocks: [headline, ...cause, ...safety, ...(links.length > 0 ? [links.join(' · ')] : [])].map((text) => ({
      type: 'section',
      text: { type: 'mrkdwn', text },
    })),
    unfurl_links: false,
    unfurl_media: false,
  }
}

/** Names are as Kubernetes takes them, unless somebody has smuggled in something else. */
function name(text: string): string {
  return /^[a-z0-9.-]+$/.test(text) ? text : code(text)
}

function code(text: string): string {
  // A backtick would end the span, and Slack has no longer fences as Markdown has.
  return `\`${withEntities(text, LONGEST_CAUSE).replaceAll('`', "'")}\``
}

function linkTo(address: string | undefined, words: string): string | undefined {
  const url = webAddress(address)
  return url === undefined ? undefined : `<${withEntities(url).replaceAll('|', '%7C')}|${words}>`
}
