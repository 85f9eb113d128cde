/** Which nodes a DaemonSet counts on although nothing can start there. */
import type { DaemonSet, Node, NodeSelectorTerm, Taint, Toleration } from '../manifest/kinds.ts'
import { conditionOf } from './conditions.ts'

/**
 * Names of the nodes that are not ready and that the DaemonSet's status counts all the same, for Expectation.notReadyNodes.
 * Take the nodes as they were when the release was written: on one that breaks later a pod may be running already.
 */
export function notReadyNodes(set: DaemonSet, nodes: readonly Node[]): string[] {
  return nodes
    .filter((node) => conditionOf(node, 'Ready')?.status !== 'True' && isCounted(set, node))
    .map(({ metadata }) => metadata.name)
}

/** The controller's own question (nodeShouldRunDaemonPod in pkg/controller/daemon/daemon_controller.go). */
function isCounted(set: DaemonSet, node: Node): boolean {
  const pod = set.spec?.template.spec
  if (!pod) return false
  const labels = node.metadata.labels ?? {}
  const selected = Object.entries(pod.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)
  const terms = pod.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const tolerations = [...(pod.tolerations ?? []), ...AUTOMATIC, ...(pod.hostNetwork === true ? ON_HOST_NETWORK : [])]
  return (
    (pod.nodeName === undefined || pod.nodeName === node.metadata.name) &&
    selected &&
    (terms === undefined || terms.some((term) => matches(term, node))) &&
    (node.spec?.taints ?? []).every(
      (taint) => taint.effect === 'PreferNoSchedule' || tolerations.some((one) => tolerates(one, taint)),
    )
  )
}

const tolerating = (name: string, effect: string): Toleration => ({
  key: `node.kubernetes.io/${name}`,
  operator: 'Exists',
  effect,
})

/** What every pod of a DaemonSet tolerates (AddOrUpdateDaemonPodTolerations in pkg/controller/daemon/util). */
const AUTOMATIC: readonly Toleration[] = [
  tolerating('not-ready', 'NoExecute'),
  tolerating('unreachable', 'NoExecute'),
  tolerating('disk-pressure', 'NoSchedule'),
  tolerating('memory-pressure', 'NoSchedule'),
  tolerating('pid-pressure', 'NoSchedule'),
  tolerating('unschedulable', 'NoSchedule'),
]
const ON_HOST_NETWORK: readonly Toleration[] = [tolerating('network-unavailable', 'NoSchedule')]

/** https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
function tolerates({ key = '', operator = 'Equal', value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== taint.key) return key === '' && operator === 'Exists'
  return operator === 'Exists' || (operator === 'Equal' && value === (taint.value ?? ''))
}

/** A term without requirements matches no node. */
function matches({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  const requirements = [
    ...matchExpressions.map((one) => ({ ...one, actual: node.metadata.labels?.[one.key] })),
    // The only field that can be selected on.
    ...matchFields.map((one) => ({ ...one, actual: one.key === 'metadata.name' ? node.metadata.name : undefined })),
  ]
  return (
    requirements.length > 0 &&
    requirements.every(({ operator, values = [], actual }) => isSatisfied(operator, values, actual))
  )
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#operators */
function isSatisfied(operator: string, values: readonly string[], actual: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual)
    case 'NotIn':
      return actual === undefined || !values.includes(actual)
    case 'Exists':
      return actual !== undefined
    case 'DoesNotExist':
      return actual === undefined
    case 'Gt':
      return Number(actual) > Number(values[0])
    case 'Lt':
      return Number(actual) < Number(values[0])
    default:
      return false
  }
}
