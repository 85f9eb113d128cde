/** Why a pod has no node, with the scheduler's own reasons and what the pod asks for. */
import type { Pod } from '../manifest/kinds.ts'
import { oneLine } from './container-words.ts'

/** One sentence without a full stop; undefined when the pod has a node, or the scheduler has said nothing yet. */
export function unscheduled(pod: Pod): { readonly isGated: boolean; readonly message: string } | undefined {
  const condition = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  if (!condition) return undefined
  const said = condition.message ?? ''
  if (condition.reason === 'SchedulingGated')
    return { isGated: true, message: `pod ${pod.metadata.name} is held back by its scheduling gates` }
  if (condition.reason !== 'Unschedulable') return undefined
  const wish = [requestsInWords(pod, said), selectorInWords(pod, said)].filter(Boolean).join(', ')
  const reasons = said === '' ? 'the scheduler gives no reason' : oneLine(withoutPreemption(said))
  return {
    isGated: false,
    message: `pod ${pod.metadata.name} fits on no node: ${reasons}${wish === '' ? '' : `; it asks for ${wish}`}`,
  }
}

/** What evicting other pods would help is of no use to somebody who reads why this pod does not fit. */
function withoutPreemption(message: string): string {
  return message.replace(/\s*(no new claims to deallocate, )?preemption: .*$/s, '')
}

/** `cpu 500m + 2, memory 1Gi`: the requests for the resources that the scheduler found insufficient, container by container. */
function requestsInWords(pod: Pod, message: string): string {
  const resources = new Set(
    [...message.matchAll(/Insufficient ([^\s,.]+(?:\.[^\s,.]+)*)/g)].map(([, name]) => name ?? ''),
  )
  return [...resources]
    .flatMap((resource) => {
      const requests = (pod.spec?.containers ?? []).flatMap(({ resources: own }) => own?.requests?.[resource] ?? [])
      return requests.length > 0 ? [`${resource} ${requests.join(' + ')}`] : []
    })
    .join(', ')
}

function selectorInWords(pod: Pod, message: string): string {
  const labels = Object.entries(pod.spec?.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`)
  return labels.length > 0 && /node affinity\/selector|node\(s\) didn't match/i.test(message)
    ? `a node with ${labels.join(', ')}`
    : ''
}
