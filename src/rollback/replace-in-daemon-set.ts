import type { RollbackStrategy } from '../inputs/rollback-strategy.ts'
import type { DaemonSet } from '../manifest/kinds.ts'
import type { PodFacts } from '../rollout/pod-facts.ts'
import type { Expectation } from '../rollout/state.ts'
import { type BadRevision, isOfBadRevision, templateGenerationOf } from './bad-revision.ts'
import { boundOf, DONE, namesOf, type Replacement } from './replacement.ts'

/**
 * The controller replaces nothing by itself with OnDelete. With RollingUpdate it does, and pods that are not ready first
 * (pkg/controller/daemon/update.go, rollingUpdate).
 */
export function replaceInDaemonSet(
  set: DaemonSet,
  { notReadyNodes = [] }: Expectation,
  bad: BadRevision | undefined,
  pods: readonly PodFacts[],
  strategy: RollbackStrategy,
): Replacement {
  const restored = templateGenerationOf(set)
  if (set.spec?.updateStrategy?.type !== 'OnDelete' || bad === undefined) return DONE
  if (bad.kind === 'DaemonSet' && restored === bad.templateGeneration) return DONE
  // A pod on a node that is not ready is not missed, and cannot end before the node is back.
  const isAway = ({ node }: PodFacts) => node !== undefined && notReadyNodes.includes(node)
  const here = pods.filter((pod) => !isAway(pod))
  const wanted = Math.max(0, (set.status?.desiredNumberScheduled ?? 0) - notReadyNodes.length)
  const living = here.filter(({ deleting }) => !deleting)
  const missing = Math.max(0, wanted - new Set(living.map(({ node, uid }) => node ?? uid)).size)
  const starting = living.filter(({ ready, templateGeneration }) => !ready && templateGeneration === restored)
  const inProgress = missing + starting.length
  const room = Math.max(0, boundOf(strategy, wanted, 'up') - inProgress)
  const isBad = (pod: PodFacts) => isOfBadRevision(pod, bad) && pod.templateGeneration !== restored
  const next = living
    .filter(isBad)
    .toSorted((a, b) => Number(a.ready) - Number(b.ready) || ((a.node ?? '') < (b.node ?? '') ? -1 : 1))
  const some = [...pods.filter((pod) => isAway(pod) && isBad(pod) && !pod.deleting), ...next.slice(0, room)]
  const note = some.length > 0 ? `deletes ${namesOf(some)} of the bad revision` : undefined
  return { delete: some, isDone: inProgress === 0 && !here.some(isBad), ...(note !== undefined && { note }) }
}
