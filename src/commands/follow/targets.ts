import { ClusterError, RejectedError } from '../../errors.ts'
import { groupKindOf, keyOf, type KubeObject, refOf } from '../../manifest/object.ts'
import type { Change } from '../../plan/change.ts'
import { RELEASE_LABEL } from '../../plan/desired.ts'
import { problemFrom } from '../../plan/rejections.ts'
import { notReadyNodes } from '../../rollout/nodes.ts'
import { podQueries } from '../../rollout/pod-queries.ts'
import { partialSourceOf, sourceOf } from '../../rollout/sources.ts'
import { deadlineConditionTime, isFollowed } from '../../rollout/status.ts'
import type { Target } from '../../rollout/tracker.ts'
import type { Written } from '../apply/apply.ts'
import { type Observer, openObserver, type Watched } from './observer.ts'
import type { Run } from '../run.ts'

/** An object to watch. `isLabelled` tells that it has the release's label, and keeps it until the end of the run. */
export interface Watchable {
  readonly object: KubeObject
  readonly isLabelled: boolean
}

/** Opens the watches before anything is written: without the right to observe, nothing could be judged or taken back. */
export async function observeWorkloads(changes: readonly Change[], run: Run): Promise<Observer> {
  const observer = openObserver(run)
  try {
    // A kind that the release only brings along cannot be watched before it is there.
    await observer.watch(watchesOfChanges(changes, changes.filter(isChecked), run.inputs.release))
    return observer
  } catch (error) {
    await observer.close()
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the rollout cannot be followed')])
    throw error
  }
}

/** Whether the API server has been asked about it: it has the kind and the namespace. */
function isChecked(change: Change): boolean {
  return change.type !== 'create' || change.expected !== undefined
}

/**
 * What to watch to follow the changes in `reached`, and the pods that they make. What one watch is to show is decided for the
 * whole release: a kind in a namespace is watched once, also for the objects of later stages.
 */
export function watchesOfChanges(all: readonly Change[], reached: readonly Change[], release: string): Watched[] {
  const keys = new Set(reached.map(({ manifest }) => keyOf(refOf(manifest.object))))
  const watchables = all.map((change) => ({
    object: change.manifest.object,
    // Before and after a rollback too: an object that was adopted loses the label again.
    isLabelled: change.type === 'create' || change.live?.metadata.labels?.[RELEASE_LABEL] === release,
  }))
  return watchesOf(watchables, release, (object) => keys.has(keyOf(refOf(object))))
}

/** What to watch to follow these objects, or those of them that `isReached`, and the pods that they make. */
export function watchesOf(
  all: readonly Watchable[],
  release: string,
  isReached: (object: KubeObject) => boolean = () => true,
): Watched[] {
  const followed = all.filter(({ object }) => isFollowed(object))
  const groups = [...Map.groupBy(followed, ({ object }) => sourceOf({ ...object, ...refOf(object) })).values()]
  const objects = followed.map(({ object }) => object).filter(isReached)
  return [
    ...groups
      .filter((group) => group.some(({ object }) => isReached(object)))
      .map((group) => ofObjects(group, release)),
    ...podQueries(objects).map((query) => ({ query, source: partialSourceOf(query), isOptional: true })),
  ]
}

/**
 * One query for a kind in a namespace: by name for a single object, by the release's label when all carry it, and
 * everything of the kind in the namespace otherwise.
 */
function ofObjects(group: readonly Watchable[], release: string): Watched {
  const refs = group.map(({ object }) => refOf(object))
  const [first] = refs
  if (!first) throw new Error('nothing to watch')
  const { apiVersion, kind, namespace, name } = first
  const selector =
    refs.length === 1
      ? { fieldSelector: `metadata.name=${name}` }
      : group.every(({ isLabelled }) => isLabelled)
        ? { labelSelector: `${RELEASE_LABEL}=${release}` }
        : {}
  const query = { apiVersion, kind, ...(namespace !== undefined && { namespace }), ...selector }
  return { query, source: sourceOf(query), refs, isOptional: false }
}

/** What is to become healthy, also what this run leaves unchanged: it may have been broken before. */
export function targetsOf(
  changes: readonly Change[],
  written: readonly Written[],
  nodes: readonly KubeObject[],
): Target[] {
  const after = new Map(written.flatMap((one) => (one.after ? [[keyOf(refOf(one.after)), one.after] as const] : [])))
  return changes.flatMap((change): Target[] => {
    const ref = refOf(change.manifest.object)
    const object = after.get(keyOf(ref)) ?? (change.type === 'create' ? undefined : change.live)
    if (!object || !isFollowed(change.manifest.object)) return []
    return [targetOf(object, change.type === 'update' ? change.live : undefined, nodes)]
  })
}

/**
 * An object to follow, as the server answered our write; `before` is what the write was made on top of, `nodes` are those of
 * the cluster at that time, as far as they are known.
 */
export function targetOf(
  object: KubeObject,
  before: KubeObject | undefined,
  nodes: readonly KubeObject[] = [],
): Target {
  const stale = deadlineConditionTime(before)
  const idle = groupKindOf(object) === 'DaemonSet.apps' ? notReadyNodes(object, nodes) : []
  const expectation = {
    generation: object.metadata.generation ?? 0,
    ...(stale !== undefined && { staleDeadline: stale }),
    ...(idle.length > 0 && { notReadyNodes: idle }),
  }
  return { ref: refOf(object), uid: object.metadata.uid ?? '', expectation }
}
