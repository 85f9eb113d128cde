import type { GrafanaTarget } from '../../inputs/notify.ts'
import { isObject } from '../../manifest/object.ts'
import type { Clock, Notifier } from '../../ports.ts'
import { closeAnnotation, type GrafanaAnnotation, openAnnotation, wholeAnnotation } from '../../report/grafana.ts'
import type { Messenger } from './http.ts'
import { below } from './below.ts'

export interface GrafanaOptions {
  readonly messenger: Messenger
  readonly clock: Clock
  readonly release: string
}

/**
 * Draws a release on Grafana's graphs: an annotation from its first write to its verdict. A run that writes nothing leaves none. The
 * token needs the permissions annotations:create and annotations:write.
 */
export function createGrafana(target: GrafanaTarget, { messenger, clock, release }: GrafanaOptions): Notifier {
  const annotations = below(target.url, '/api/annotations')
  let began: number | undefined
  let id: number | undefined

  function send(
    method: 'POST' | 'PATCH',
    url: URL,
    annotation: GrafanaAnnotation,
    signal: AbortSignal,
  ): Promise<string> {
    const headers = { authorization: `Bearer ${target.token}`, accept: 'application/json' }
    const body = JSON.stringify(annotation)
    return messenger.tell({ method, url, contentType: 'application/json', headers, body }, signal)
  }

  return {
    name: target.name,
    async begin(signal) {
      began = clock.date().getTime()
      // Who wants to see only some outcomes cannot be shown one that has none yet.
      if (target.when !== 'always') return
      id = idIn(await send('POST', annotations, openAnnotation(release, began, target), signal))
    },
    async end(report, signal) {
      const wrote = began !== undefined || report.changed || report.rollback !== undefined
      if (!wrote) return
      const ended = clock.date().getTime()
      if (id === undefined) {
        const started = began ?? new Date(report.times.started).getTime()
        await send('POST', annotations, wholeAnnotation(report, started, ended, target), signal)
      } else {
        await send('PATCH', below(target.url, `/api/annotations/${id}`), closeAnnotation(report, ended, target), signal)
      }
    },
  }
}

/** Throws when the answer has none: then somebody else has answered. */
function idIn(answer: string): number {
  const parsed: unknown = parsedJson(answer)
  const id = isObject(parsed) ? parsed['id'] : undefined
  if (typeof id === 'number' && Number.isSafeInteger(id) && id > 0) return id
  throw new Error('the answer names no annotation: check that url is the address of Grafana')
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
