/**
 * The file that the input `notify` names: who outside is told of a release. It stands in the checkout, so nothing in it is secret:
 * a field that ends with `-from` names the environment variable of the step that holds the value.
 */
import type { Problem } from '../errors.ts'
import { isObject } from '../manifest/object.ts'
import type { YamlDocument } from '../manifest/yaml.ts'
import { NotifyEntry } from './notify-entry.ts'
import type { Environment } from './run.ts'

export const OCCASIONS = ['always', 'success', 'failure'] as const

interface Common {
  readonly url: URL
  /** What it is called in warnings; never a secret. */
  readonly name: string
  /** After which runs it is told. */
  readonly when: (typeof OCCASIONS)[number]
  /** Addresses that only this machine's network knows, among them that of a cloud's metadata, may be spoken to. */
  readonly allowLinkLocal: boolean
}

/** One place that is told. */
export type NotifyTarget = SlackTarget | GrafanaTarget | PushgatewayTarget | WebhookTarget

export interface SlackTarget extends Common {
  readonly kind: 'slack'
}

export interface GrafanaTarget extends Common {
  readonly kind: 'grafana'
  readonly token: string
  readonly tags: readonly string[]
  /** Without one, the annotation is of the whole organization. */
  readonly dashboardUid?: string
  readonly panelId?: number
}

export interface PushgatewayTarget extends Common {
  readonly kind: 'pushgateway'
  readonly job: string
  /** Tells clusters apart that have the same releases. */
  readonly cluster?: string
  readonly login?: { readonly user: string; readonly password: string }
}

export interface WebhookTarget extends Common {
  readonly kind: 'webhook'
  readonly secret: string
}

export interface ParsedNotify {
  readonly targets: readonly NotifyTarget[]
  /** What was read out of the environment, also for targets that have problems. */
  readonly secrets: readonly string[]
  readonly problems: readonly Problem[]
}

const KINDS = { slack: readSlack, grafana: readGrafana, pushgateway: readPushgateway, webhook: readWebhook }
const MOST_TARGETS = 20
const SHORTEST_HMAC_SECRET = 16

/** Reads the targets and notes all that is wrong, with its line. `path` is for people. */
export function parseNotify(documents: readonly YamlDocument[], path: string, env: Environment): ParsedNotify {
  const problems: Problem[] = []
  const secrets: string[] = []
  const [document, second] = documents
  const refuse = (fault: string, hint: string, at: readonly (string | number)[] = []): void => {
    const line = document?.lineOf(at) ?? 1
    problems.push({
      code: 'InvalidInput',
      message: `the input notify: ${path}:${line}: ${fault}`,
      hint,
      at: { file: path, line },
    })
  }
  const kinds = `Write one of ${Object.keys(KINDS).join(', ')} at the top, and under it a list of who is told.`
  const root = document?.value
  if (second) refuse('the file holds more than one document', 'Write all of it in one.')
  if (!isObject(root)) {
    refuse('there is no mapping at the top', kinds)
    return { targets: [], secrets, problems }
  }
  const targets: NotifyTarget[] = []
  for (const [kind, list] of Object.entries(root)) {
    const read = Object.entries(KINDS).find(([name]) => name === kind)?.[1]
    if (!read) {
      refuse(`"${kind}" is nobody that can be told`, kinds, [kind])
      continue
    }
    if (!Array.isArray(list)) {
      refuse(`${kind} is no list`, `Begin each entry under ${kind} with a hyphen, also when there is only one.`, [kind])
      continue
    }
    for (const [index, fields] of list.entries()) {
      const at = [kind, index]
      if (!isObject(fields)) {
        refuse(`entry ${index + 1} of ${kind} is no mapping`, 'Write the fields of the entry, such as url-from.', at)
        continue
      }
      const tell = (fault: string, hint: string, field?: string): void =>
        refuse(`entry ${index + 1} of ${kind} ${fault}`, hint, field === undefined ? at : [...at, field])
      const entry = new NotifyEntry({ fields, env, refuse: tell, secrets })
      targets.push(read(entry))
      entry.refuseOthers()
    }
  }
  if (targets.length > MOST_TARGETS) refuse(`it has more than ${MOST_TARGETS} entries`, 'Tell fewer.')
  return { targets, secrets, problems }
}

function readCommon(entry: NotifyEntry, what: string, isSecret = false): Common {
  const { url, from } = entry.url(isSecret)
  return {
    url,
    name: from === undefined ? `${what} at ${url.host}` : `${what} (${from})`,
    when: entry.choice('when', OCCASIONS, 'always'),
    allowLinkLocal: entry.flag('allow-link-local'),
  }
}

function readSlack(entry: NotifyEntry): SlackTarget {
  // The address of an incoming webhook is all that it takes to write into the channel.
  return { kind: 'slack', ...readCommon(entry, 'Slack', true) }
}

function readGrafana(entry: NotifyEntry): GrafanaTarget {
  const dashboardUid = entry.text('dashboard-uid')
  const panelId = entry.integer('panel-id')
  if (panelId !== undefined && dashboardUid === undefined)
    entry.refuse('has a panel-id, but no dashboard-uid', 'Name the dashboard that the panel is on.', 'panel-id')
  return {
    kind: 'grafana',
    ...readCommon(entry, 'Grafana'),
    token: entry.secret('token-from') ?? '',
    tags: entry.texts('tags'),
    ...(dashboardUid !== undefined && { dashboardUid }),
    ...(panelId !== undefined && { panelId }),
  }
}

function readPushgateway(entry: NotifyEntry): PushgatewayTarget {
  const cluster = entry.text('cluster')
  const hasLogin = entry.has('username-from') || entry.has('password-from')
  const login = hasLogin && {
    user: entry.secret('username-from') ?? '',
    password: entry.secret('password-from') ?? '',
  }
  return {
    kind: 'pushgateway',
    ...readCommon(entry, 'The Pushgateway'),
    job: entry.text('job') ?? 'rollsafe',
    ...(cluster !== undefined && { cluster }),
    ...(login && { login }),
  }
}

function readWebhook(entry: NotifyEntry): WebhookTarget {
  const secret = entry.secret('secret-from') ?? ''
  if (secret !== '' && secret.length < SHORTEST_HMAC_SECRET) {
    const hint = 'Make one with openssl rand -hex 32, and give it to the receiver too.'
    entry.refuse(`takes a secret of fewer than ${SHORTEST_HMAC_SECRET} characters`, hint, 'secret-from')
  }
  return { kind: 'webhook', ...readCommon(entry, 'The webhook'), secret }
}
