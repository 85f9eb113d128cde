import type { SlackTarget } from '../../inputs/notify.ts'
import type { Notifier } from '../../ports.ts'
import { renderSlack } from '../../report/slack.ts'
import type { Messenger } from './http.ts'

/** Writes how a run has ended into a channel, by an incoming webhook. */
export function createSlack({ name, url }: SlackTarget, messenger: Messenger): Notifier {
  return {
    name,
    async end(report, signal) {
      const body = JSON.stringify(renderSlack(report))
      await messenger.tell({ method: 'POST', url, contentType: 'application/json', body }, signal)
    },
  }
}
