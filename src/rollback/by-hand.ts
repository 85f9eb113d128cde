import type { ObjectRef } from '../manifest/object.ts'
import { groupKindOf, keyOf } from '../manifest/object.ts'
import type { RollbackStepReport } from '../report/report.ts'

const REVISIONED = ['Deployment.apps', 'StatefulSet.apps', 'DaemonSet.apps']

export interface ByHand {
  readonly steps: readonly RollbackStepReport[]
  /** Keys (keyOf) of what the release had created. */
  readonly created: ReadonlySet<string>
  /** Keys of what the release had deleted and made anew: nothing can be applied over that. */
  readonly recreated?: ReadonlySet<string>
  /** The Secret with the record of the last good revision, and keys of the objects in it; absent when it has several parts. */
  readonly record?: {
    readonly name: string
    readonly namespace: string
    readonly keys: ReadonlySet<string>
  }
}

/**
 * What to type to finish a rollback by hand: delete what the release had created, apply what could not be restored out of the
 * record of the last good revision, as Rollsafe would have done it, and follow the workloads. Without a record a workload goes
 * back by its own history, and anything else is only shown.
 */
export function finishByHand({ steps, created, recreated, record }: ByHand): string[] {
  return steps.flatMap((one) => {
    const target = `${groupKindOf(one).toLowerCase()}/${one.name}${namespaceFlag(one)}`
    const hasRevisions = REVISIONED.includes(groupKindOf(one))
    const status = hasRevisions ? [`kubectl rollout status ${target}`] : []
    if (one.step === 'restored') return status
    if (one.step !== 'failed') return []
    if (created.has(keyOf(one))) return [`kubectl delete ${target}`]
    const isMadeAnew = recreated?.has(keyOf(one))
    // A Job is not run a second time.
    if (isMadeAnew && one.kind === 'Job') return [`kubectl delete ${target} --ignore-not-found`]
    const room = isMadeAnew ? [`kubectl delete ${target} --ignore-not-found`] : []
    if (record?.keys.has(keyOf(one))) return [...room, applyFromRecord(one, record), ...status]
    if (!hasRevisions) return [`kubectl get ${target} -o yaml`]
    return [`kubectl rollout history ${target}`, `kubectl rollout undo ${target}`, ...status]
  })
}

/** With Rollsafe's own field manager, so that the next release finds the fields where it expects them. */
function applyFromRecord({ kind, name, namespace }: ObjectRef, record: { name: string; namespace: string }): string {
  const where = namespace === undefined ? '' : ` and .metadata.namespace == "${namespace}"`
  const object = `.objects[].object | select(.kind == "${kind}" and .metadata.name == "${name}"${where})`
  return [
    `kubectl get secret ${record.name} --namespace ${record.namespace} -o jsonpath='{.data.record}'`,
    'base64 --decode',
    'gunzip',
    `jq '${object}'`,
    'kubectl apply --server-side --field-manager rollsafe --force-conflicts -f -',
  ].join(' | ')
}

/** Names come from the API server, which allows no character in them that a shell would read as more than a letter. */
function namespaceFlag({ namespace }: ObjectRef): string {
  return namespace === undefined ? '' : ` --namespace ${namespace}`
}
