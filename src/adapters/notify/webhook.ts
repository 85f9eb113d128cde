import { createHmac } from 'node:crypto'
import type { WebhookTarget } from '../../inputs/notify.ts'
import type { Clock, Notifier } from '../../ports.ts'
import type { Messenger } from './http.ts'

/**
 * Sends the report to a server of the user's own. `X-Rollsafe-Signature-256` proves who has sent it, over the time in
 * `X-Rollsafe-Timestamp` (seconds since 1970), a full stop, and the exact body: who copies a message can neither change it nor send it
 * again later under another time.
 */
export function createWebhook({ name, url, secret }: WebhookTarget, messenger: Messenger, clock: Clock): Notifier {
  return {
    name,
    async end(report, signal) {
      const body = JSON.stringify(report)
      const timestamp = String(Math.floor(clock.date().getTime() / 1000))
      const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`, 'utf8').digest('hex')
      const headers = { 'x-rollsafe-timestamp': timestamp, 'x-rollsafe-signature-256': `sha256=${signature}` }
      await messenger.tell({ method: 'POST', url, contentType: 'application/json', headers, body }, signal)
    },
  }
}
