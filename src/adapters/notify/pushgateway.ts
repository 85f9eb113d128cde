import type { PushgatewayTarget } from '../../inputs/notify.ts'
import type { Notifier } from '../../ports.ts'
import { groupingPath, renderMetrics } from '../../report/metrics.ts'
import { below } from './below.ts'
import type { Messenger } from './http.ts'

/** Leaves what the last run of a release came to where Prometheus finds it after the runner is gone. */
export function createPushgateway(target: PushgatewayTarget, messenger: Messenger): Notifier {
  const { name, job, cluster, login } = target
  const headers = login && {
    authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`, 'utf8').toString('base64')}`,
  }
  return {
    name,
    async end(report, signal) {
      const path = groupingPath({ ...report, job, ...(cluster !== undefined && { cluster }) })
      await messenger.tell(
        {
          // PUT would take away what only a run that went well tells; POST replaces just the metrics that are in it.
          method: 'POST',
          url: below(target.url, `/metrics${path}`),
          contentType: 'text/plain; version=0.0.4; charset=utf-8',
          ...(headers && { headers }),
          body: renderMetrics(report),
        },
        signal,
      )
    },
  }
}
