import type { ObjectRef } from '../manifest/object.ts'
import { groupKindOf } from '../manifest/object.ts'
import type { RollbackStepReport } from '../report/report.ts'

const REVISIONED = ['Deployment.apps', 'StatefulSet.apps', 'DaemonSet.apps']

/**
 * What to type to finish a rollback by hand: delete what the release had created, look at what failed, take workloads back,
 * and follow them. `isCreated` tells whether the release had created an object.
 */
export function finishByHand(steps: readonly RollbackStepReport[], isCreated: (ref: ObjectRef) => boolean): string[] {
  return steps.flatMap((one) => {
    const target = `${groupKindOf(one).toLowerCase()}/${one.name}${namespaceFlag(one)}`
    const hasRevisions = REVISIONED.includes(groupKindOf(one))
    if (one.step === 'failed') {
      if (isCreated(one)) return [`kubectl delete ${target}`]
      if (!hasRevisions) return [`kubectl get ${target} -o yaml`]
      return [`kubectl rollout history ${target}`, `kubectl rollout undo ${target}`, `kubectl rollout status ${target}`]
    }
    return hasRevisions && one.step === 'restored' ? [`kubectl rollout status ${target}`] : []
  })
}

/** Names come from the API server, which allows no character in them that a shell would read as more than a letter. */
function namespaceFlag({ namespace }: ObjectRef): string {
  return namespace === undefined ? '' : ` --namespace ${namespace}`
}
