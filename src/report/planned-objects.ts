import { keyOf, type Manifest, type ObjectRef, refOf } from '../manifest/object.ts'
import type { Change } from '../plan/change.ts'
import { diffObjects } from '../plan/diff.ts'
import type { PodBounds } from '../plan/pod-bounds.ts'
import { hookOf, stagesOf } from '../plan/stages.ts'
import type { ReplaceKnown } from '../secrets/redactor.ts'
import type { PlannedObject } from './report.ts'

/** Of one object. A new object has many; more than these are for kubectl. */
const MOST_FIELDS = 500

export interface PlanFacts {
  /** In the order in which they would be applied; `change` is absent for what would be refused. */
  readonly compared: readonly { readonly manifest: Manifest; readonly change?: Change; readonly isRefused: boolean }[]
  readonly pruned: readonly ObjectRef[]
  /** What stays although the manifests no longer have it; `why` goes on from its name. */
  readonly kept: readonly { readonly ref: ObjectRef; readonly why: string }[]
  /** By key. */
  readonly bounds: ReadonlyMap<string, PodBounds>
  readonly replaceKnown: ReplaceKnown
}

/** What a deploy would do to each object, the ones that it would prune at the end. */
export function plannedObjects({ compared, pruned, kept, bounds, replaceKnown }: PlanFacts): PlannedObject[] {
  const changes = compared.flatMap(({ change }) => change ?? [])
  // A hook runs only when something else changes.
  const reached = new Set(stagesOf(changes).flatMap((stage) => stage.changes))
  return [
    ...compared.map(({ manifest, change, isRefused }): PlannedObject => {
      const ref = refOf(manifest.object)
      if (!change || isRefused) return { ...ref, action: 'refused', fields: [], note: 'see the problems above' }
      if (!reached.has(change)) return { ...ref, action: 'unchanged', fields: [] }
      const range = bounds.get(keyOf(ref))
      const note = [noteOf(change), range?.note].filter((text) => text !== undefined).join('; ')
      return {
        ...ref,
        action: change.type,
        fields: fieldsOf(change, replaceKnown).slice(0, MOST_FIELDS),
        ...(range && { bounds: { leastAvailable: range.leastAvailable, mostTotal: range.mostTotal } }),
        ...(note !== '' && { note }),
      }
    }),
    ...pruned.map((ref): PlannedObject => ({ ...ref, action: 'prune', fields: [], note: PRUNED })),
    ...kept.map(({ ref, why }): PlannedObject => ({ ...ref, action: 'keep', fields: [], note: why })),
  ]
}

const PRUNED = 'the manifests no longer have it'

function fieldsOf(change: Change, replaceKnown: ReplaceKnown): PlannedObject['fields'] {
  switch (change.type) {
    case 'create':
      return diffObjects(undefined, change.manifest.object, replaceKnown)
    case 'update':
      return diffObjects(change.live, change.expected, replaceKnown)
    case 'recreate':
      return diffObjects(change.live, change.expected ?? change.manifest.object, replaceKnown)
    case 'run':
    case 'unchanged':
      return []
  }
}

function noteOf(change: Change): string | undefined {
  switch (change.type) {
    case 'create':
      return change.expected ? undefined : 'it can be checked only once its namespace, its kind or its role is there'
    case 'recreate':
      return change.why
    case 'run':
      return `a ${hookOf(change.manifest.object)} Job`
    case 'update':
    case 'unchanged':
      return undefined
  }
}
