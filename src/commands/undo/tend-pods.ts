import { messageOf } from '../../errors.ts'
import { describe, groupKindOf, isObject, keyOf, type KubeObject, type ObjectRef } from '../../manifest/object.ts'
import { type BadRevision, replacePods } from '../../rollback/replace-pods.ts'
import type { PodFacts } from '../../rollout/pod-facts.ts'
import type { RolloutState, Target } from '../../rollout/tracker.ts'
import { mapLimited } from '../concurrency.ts'
import type { Run } from '../run.ts'

/** A workload on its way back, and what tells the pods of the bad release. */
export interface Returning {
  readonly target: Target
  readonly bad?: BadRevision
}

const WITH_PODS_BY_HAND = ['StatefulSet.apps', 'DaemonSet.apps']

/**
 * Deletes the pods that stand in the way of an old revision, after each thing that is seen, and tells whether all is done. A
 * pod that may not be deleted is named; the rollback then ends when its time does, with the commands to do it by hand.
 */
export function podTender(
  returning: readonly Returning[],
  { cluster, runner, inputs }: Run,
): (state: RolloutState) => Promise<boolean> {
  const tended = returning.filter(({ target }) => WITH_PODS_BY_HAND.includes(groupKindOf(target.ref)))
  const asked = new Set<string>()
  const told = new Set<string>()

  function tell(ref: ObjectRef, text: string): void {
    const line = `${describe(ref)}: ${text}`
    if (!told.has(line)) runner.info(line)
    told.add(line)
  }

  async function remove(ref: ObjectRef, { name, namespace, uid }: PodFacts): Promise<void> {
    asked.add(uid)
    try {
      await cluster.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name }, uid)
    } catch (error) {
      tell(ref, `pod ${name} cannot be deleted: ${messageOf(error)}`)
    }
  }

  async function tend({ target, bad }: Returning, { tracked, pods }: RolloutState): Promise<boolean> {
    const object = tracked.get(keyOf(target.ref))?.object
    if (!object) return false
    const all = [...pods.podsOf(object)]
    // Pods that may not be seen cannot be tended; the status of the workload has to be enough then.
    if (all.length === 0 && hasPods(object)) return true
    const step = replacePods(object, target.expectation, bad, all, inputs.rollbackStrategy)
    const fresh = step.delete.filter(({ uid }) => !asked.has(uid))
    if (fresh.length > 0) tell(target.ref, step.note ?? 'deletes pods of the bad revision')
    await mapLimited(fresh, (pod) => remove(target.ref, pod))
    return step.isDone
  }

  return async (state) => {
    const done = await Promise.all(tended.map((one) => tend(one, state)))
    return done.every(Boolean)
  }
}

function hasPods({ status }: KubeObject): boolean {
  return isObject(status) && [status['replicas'], status['currentNumberScheduled']].some((count) => Number(count) > 0)
}
