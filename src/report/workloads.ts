import { keyOf, type KubeObject, type ObjectRef, refOf } from '../manifest/object.ts'
import { CONTAINER_FIELDS, objectsIn, podTemplateOf } from '../manifest/pod-template.ts'
import type { Change } from '../plan/change.ts'
import { podBounds } from '../plan/pod-bounds.ts'
import type { RolloutState, Tracked } from '../rollout/tracker.ts'
import type { ImageChange, ObjectReport, PodRange, PodSample, WorkloadReport } from './report.ts'

/** What became of the objects of a plan, given the keys of those that were written, and of what was deleted. */
export function objectReports(
  changes: readonly Change[],
  written: ReadonlySet<string>,
  pruned: readonly ObjectRef[] = [],
): ObjectReport[] {
  const ofPlan = changes.map((change): ObjectReport => {
    const ref = refOf(change.manifest.object)
    if (change.type === 'unchanged') return { ...ref, change: 'unchanged' }
    if (!written.has(keyOf(ref))) return { ...ref, change: 'not-reached' }
    return { ...ref, change: CHANGES[change.type] }
  })
  return [...ofPlan, ...pruned.map((ref): ObjectReport => ({ ...ref, change: 'pruned' }))]
}

const CHANGES = { create: 'created', update: 'updated', recreate: 'recreated', run: 'ran' } as const

export interface WorkloadFacts {
  readonly changes: readonly Change[]
  /** By key. */
  readonly planned: ReadonlyMap<string, PodRange>
  /** Of the release's own rollout; absent when it was never followed. */
  readonly state?: RolloutState
  readonly settledAfter?: ReadonlyMap<string, number>
  /** The state in which the end of the run left it, where that differs from what the rollout showed. */
  readonly finalState: (key: string) => WorkloadReport['state'] | undefined
  /** Of the rollback; absent when there was none. */
  readonly back?: RolloutState
  /** Whether the old pods come back by the workloads' own strategies, as a rule of Kubernetes tells. */
  readonly isBackAsWritten: boolean
  /** Seconds since the start of the run, of a moment on the clock. */
  readonly secondsAt: (moment: number) => number
}

/** A row for each object that makes pods. */
export function workloadReports({
  changes,
  planned,
  state,
  settledAfter,
  finalState,
  back,
  isBackAsWritten,
  secondsAt,
}: WorkloadFacts): WorkloadReport[] {
  return changes.flatMap((change): WorkloadReport[] => {
    const { object } = change.manifest
    if (!podTemplateOf(object)) return []
    const key = keyOf(refOf(object))
    const tracked = state?.tracked.get(key)
    const status = tracked?.status
    const returned = back?.tracked.get(key)
    const pods = (returned?.status ?? status)?.pods
    const course = courseOf([tracked, returned], secondsAt)
    const live = 'live' in change ? change.live : undefined
    const before = returned && isBackAsWritten && live ? podBounds(live, tracked?.object) : undefined
    const bounds = boundsOf(planned.get(key), tracked?.seen, before)
    const seconds = settledAfter?.get(key)
    return [
      {
        ...refOf(object),
        state: finalState(key) ?? status?.state ?? (change.type === 'unchanged' || state ? 'healthy' : 'unknown'),
        message: messageOf(finalState(key), status?.message, change, state !== undefined),
        images: imageChanges(live, object),
        ...(pods && { pods }),
        ...(bounds && { bounds }),
        ...(seconds !== undefined && { seconds: Math.round(seconds * 10) / 10 }),
        ...(course.length > 0 && { course }),
      },
    ]
  })
}

/** What the rollout showed no longer holds after a rollback; the failures tell of it. */
function messageOf(
  finalState: WorkloadReport['state'] | undefined,
  seen: string | undefined,
  change: Change,
  wasFollowed: boolean,
): string {
  if (finalState === 'restored') return 'is as it was before'
  if (finalState === 'removed') return 'is gone, as it was before'
  if (seen !== undefined) return seen
  if (change.type === 'unchanged') return 'is unchanged'
  return wasFollowed ? 'is applied' : 'was not followed'
}

function boundsOf(
  planned: PodRange | undefined,
  seen: PodRange | undefined,
  back: PodRange | undefined,
): WorkloadReport['bounds'] {
  return (
    planned && { planned: rangeOf(planned), ...(seen && { seen: rangeOf(seen) }), ...(back && { back: rangeOf(back) }) }
  )
}

/** Of the rollout and the rollback, one after the other. */
function courseOf(parts: readonly (Tracked | undefined)[], secondsAt: (moment: number) => number): PodSample[] {
  return parts
    .flatMap((part) => part?.course ?? [])
    .map(({ at, available, total }) => ({ seconds: secondsAt(at), available, ...(total !== undefined && { total }) }))
}

function rangeOf({ leastAvailable, mostTotal }: PodRange): PodRange {
  return { leastAvailable, ...(mostTotal !== undefined && { mostTotal }) }
}

function imageChanges(before: KubeObject | undefined, after: KubeObject): ImageChange[] {
  const old = imagesOf(before)
  return [...imagesOf(after)].map(([container, to]) => {
    const from = old.get(container)
    return { container, to, ...(from !== undefined && { from }) }
  })
}

function imagesOf(object: KubeObject | undefined): Map<string, string> {
  const spec = object && podTemplateOf(object)?.spec
  const containers = spec ? CONTAINER_FIELDS.flatMap((field) => objectsIn(spec[field])) : []
  return new Map(containers.map(({ item }) => [String(item['name']), String(item['image'])]))
}
