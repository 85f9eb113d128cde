import type { ObjectRef } from '../manifest/object.ts'
import { groupKindOf } from '../manifest/object.ts'
import type { RollbackStepReport } from '../report/report.ts'

const REVISIONED = ['Deployment.apps', 'StatefulSet.apps', 'DaemonSet.apps']

/** What to type to finish a rollback by hand: look at what failed, take workloads back, and follow them. */
export function finishByHand(steps: readonly RollbackStepReport[]): string[] {
  return steps.flatMap((one) => {
    const target = `${groupKindOf(one).toLowerCase()}/${one.name}${namespaceFlag(one)}`
    if (!REVISIONED.includes(groupKindOf(one))) return one.step === 'failed' ? [`kubectl get ${target} -o yaml`] : []
    return one.step === 'failed'
      ? [`kubectl rollout history ${target}`, `kubectl rollout undo ${target}`, `kubectl rollout status ${target}`]
      : [`kubectl rollout status ${target}`]
  })
}

/** Names come from the API server, which allows no character in them that a shell would read as more than a letter. */
function namespaceFlag({ namespace }: ObjectRef): string {
  return namespace === undefined ? '' : ` --namespace ${namespace}`
}
