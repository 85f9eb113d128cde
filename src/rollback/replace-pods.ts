/**
 * Which pods to delete so that a workload that was restored really runs the old revision again: those that its controller
 * waits for in vain, and those that it never replaces by itself. The question is asked again after every observation; a pod
 * that is already ending counts as in progress.
 */
import type { RollbackStrategy } from '../inputs/rollback-strategy.ts'
import type { DaemonSet, StatefulSet } from '../manifest/kinds.ts'
import { groupKindOf, type KubeObject } from '../manifest/object.ts'
import type { PodFacts } from '../rollout/pod-facts.ts'
import { type Expectation, isObserved, OBSERVING } from '../rollout/state.ts'
import type { BadRevision } from './bad-revision.ts'
import { replaceInDaemonSet } from './replace-in-daemon-set.ts'
import { replaceInStatefulSet } from './replace-in-stateful-set.ts'
import { DONE, type Replacement } from './replacement.ts'

export { type BadRevision, badRevisionOf } from './bad-revision.ts'
export type { Replacement } from './replacement.ts'

/**
 * `restored` is the workload as last seen, `expectation` what is known of our restoring write. Before the controller has seen
 * that, a deleted pod would come back on the bad revision.
 */
export function replacePods(
  restored: KubeObject,
  expectation: Expectation,
  bad: BadRevision | undefined,
  pods: Iterable<PodFacts>,
  strategy: RollbackStrategy,
): Replacement {
  const kind = groupKindOf(restored)
  if (kind !== 'StatefulSet.apps' && kind !== 'DaemonSet.apps') return DONE
  const set: StatefulSet | DaemonSet = restored
  if (!isObserved(set, expectation)) return { delete: [], isDone: false, note: OBSERVING }
  return kind === 'StatefulSet.apps'
    ? replaceInStatefulSet(restored, bad, [...pods], strategy)
    : replaceInDaemonSet(restored, expectation, bad, [...pods], strategy)
}
