/** Pods that are in the manifests themselves: nothing makes them anew. */
import type { ReasonCode } from '../errors.ts'
import type { Pod } from '../manifest/kinds.ts'
import { are } from './counting.ts'
import { conditionOf, saidBy, trueCondition } from './conditions.ts'
import { type Expectation, isObserved, OBSERVING, type Status } from './state.ts'

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase. A pod that ended well is what was asked for. */
export function barePodStatus(pod: Pod, expectation: Expectation): Status {
  const { status } = pod
  // Only newer kubelets write observedGeneration on a pod.
  if (status?.observedGeneration !== undefined && !isObserved(pod, expectation)) {
    return { state: 'progressing', message: OBSERVING }
  }
  if (status?.phase === 'Succeeded') return { state: 'healthy', message: 'has completed' }
  if (status?.phase === 'Failed') return failedPod(pod)

  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  const wanted = sidecars.length + (pod.spec?.containers.length ?? 0)
  const longRunning = new Set([...sidecars, ...(pod.spec?.containers ?? [])].map(({ name }) => name))
  const ready = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].filter(
    (container) => container.ready && longRunning.has(container.name),
  ).length
  const message = `${ready} of ${wanted} ${are(wanted, 'container')} ready`
  if (trueCondition(pod, 'Ready')) return { state: 'healthy', message }
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (scheduled?.status === 'False') return { state: 'progressing', message: `is on no node: ${saidBy(scheduled)}` }
  return { state: 'progressing', message }
}

/** The kubelet's reasons for a pod that it threw out, whatever its containers did. */
const THROWN_OUT = ['Evicted', 'Preempting', 'Shutdown', 'NodeShutdown', 'NodeLost', 'NodeAffinity', 'Terminated']
const NOT_STARTED = ['ContainerCannotRun', 'StartError']

function failedPod({ status }: Pod): Status {
  const failed = (reason: ReasonCode, message: string): Status => ({ state: 'failed', reason, message })
  const why = saidBy({ reason: status?.reason ?? '', message: status?.message ?? '' })
  if (THROWN_OUT.includes(status?.reason ?? '')) {
    return failed('Deleted', `was removed from its node (${status?.reason}): ${why}; nothing makes it anew`)
  }
  const ended = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].flatMap(
    ({ name, state }) => (state?.terminated && state.terminated.exitCode !== 0 ? { name, ...state.terminated } : []),
  )[0]
  if (!ended) return failed('JobFailed', `has failed: ${why}`)
  const how = `container ${ended.name} ended with exit code ${ended.exitCode} (${ended.reason ?? 'Error'})`
  if (ended.reason === 'OOMKilled') return failed('OutOfMemory', `has failed: ${how}`)
  return failed(NOT_STARTED.includes(ended.reason ?? '') ? 'StartFailed' : 'JobFailed', `has failed: ${how}`)
}
