/** The input `strategy`: how the old pods of a workload make way for the new ones, whatever its manifest says. */
import type { Strategy, StrategyType } from '../inputs/strategy.ts'
import { describe, groupKindOf, isObject, type KubeObject, type Manifest, refOf } from '../manifest/object.ts'
import { isZeroBound } from './int-or-percent.ts'

/** The manifests as they are to be applied, and whole sentences for people about what cannot be had, and why. */
export interface StrategyResult {
  readonly manifests: Manifest[]
  readonly notes: string[]
}

type Fields = Readonly<Record<string, unknown>>
type Wanted = Strategy & { readonly type: Exclude<StrategyType, 'as-written'> }

/** What Kubernetes takes for a Deployment that says nothing (pkg/apis/apps/v1/defaults.go, SetDefaults_Deployment). */
const DEFAULT_BOUND = '25%'

/**
 * Writes the strategy into the Deployments and StatefulSets; everything else stays as it is. A number that the inputs do
 * not give is the workload's own. Both numbers are always written out, so that Rollsafe owns them and can take them back.
 */
export function applyStrategy(manifests: readonly Manifest[], strategy: Strategy): StrategyResult {
  const { type } = strategy
  if (type === 'as-written') return { manifests: [...manifests], notes: [] }
  const wanted: Wanted = { ...strategy, type }
  const notes: string[] = []
  const applied = manifests.map((manifest): Manifest => {
    const { object } = manifest
    const spec = fieldsOf(object['spec'])
    const note = (text: string) => void notes.push(`${describe(refOf(object))}: ${text}.`)
    switch (groupKindOf(object)) {
      case 'Deployment.apps':
        return { ...manifest, object: { ...object, spec: { ...spec, strategy: ofDeployment(spec, wanted, note) } } }
      case 'StatefulSet.apps': {
        const updateStrategy = ofStatefulSet(spec, wanted, note)
        return updateStrategy ? { ...manifest, object: { ...object, spec: { ...spec, updateStrategy } } } : manifest
      }
      default:
        return manifest
    }
  })
  return { manifests: applied, notes }
}

type Note = (text: string) => void

function ofDeployment(spec: Fields, wanted: Wanted, note: Note): Fields {
  switch (wanted.type) {
    case 'rolling':
      return { type: 'RollingUpdate', rollingUpdate: rollingBounds(spec, wanted, note) }
    case 'sequential':
      return { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
    case 'parallel':
      return { type: 'RollingUpdate', rollingUpdate: { maxSurge: '100%', maxUnavailable: 0 } }
    case 'recreate':
      return { type: 'Recreate' }
  }
}

function rollingBounds(spec: Fields, wanted: Wanted, note: Note): Fields {
  const own = fieldsOf(fieldsOf(spec['strategy'])['rollingUpdate'])
  const maxSurge = wanted.maxSurge ?? own['maxSurge'] ?? DEFAULT_BOUND
  const maxUnavailable = wanted.maxUnavailable ?? own['maxUnavailable'] ?? DEFAULT_BOUND
  if (!isZeroBound(maxSurge) || !isZeroBound(maxUnavailable)) return { maxSurge, maxUnavailable }
  // The API server refuses two zeros. One of them is the manifest's, as the inputs were checked: that one gives way.
  const [manifests, inputs] =
    wanted.maxSurge === undefined ? ['maxSurge', 'max-unavailable'] : ['maxUnavailable', 'max-surge']
  note(`its ${manifests} of 0 becomes ${DEFAULT_BOUND}, because with ${inputs}: 0 no pod could ever be replaced`)
  return { maxSurge, maxUnavailable, [manifests]: DEFAULT_BOUND }
}

/**
 * Undefined when the StatefulSet stays as it is. It has no maxSurge, its maxUnavailable is 1 when it is absent, and its
 * `podManagementPolicy` is immutable, and so never touched.
 */
function ofStatefulSet(spec: Fields, wanted: Wanted, note: Note): Fields | undefined {
  const written = fieldsOf(spec['updateStrategy'])
  const own = fieldsOf(written['rollingUpdate'])
  if (written['type'] === 'OnDelete') {
    note(`the strategy ${wanted.type} is not applied, as updateStrategy OnDelete leaves it to you to delete its pods`)
    return undefined
  }
  switch (wanted.type) {
    case 'rolling':
      return rolling(statefulSetBound(own, wanted, note))
    case 'sequential':
      note(ONE_IS_MISSING)
      return rolling({ maxUnavailable: 1 })
    case 'parallel':
      note(
        'a StatefulSet cannot start a new pod while the old one of the same name is there, so all at once and none missing do not go together: it stays as written',
      )
      return undefined
    case 'recreate':
      // The type of that name is an alpha feature (StatefulSetRecreateStrategy); who has it on has what is asked for.
      if (written['type'] === 'Recreate') return undefined
      note(
        'its old pods are all deleted at once, but a new pod may start while old ones of other ordinals are still ending, as a StatefulSet has no Recreate',
      )
      return rolling({ maxUnavailable: '100%' })
  }

  function rolling(bound: Fields): Fields {
    const { partition } = own
    if (typeof partition === 'number' && partition > 0)
      note(`its partition stays: pods with an ordinal below ${partition} keep the old version`)
    const rollingUpdate = { ...own, ...bound }
    return { type: 'RollingUpdate', ...(Object.keys(rollingUpdate).length > 0 && { rollingUpdate }) }
  }
}

const ONE_IS_MISSING =
  'one pod at a time is missing while it is replaced, as a StatefulSet cannot start the new one beside the old one'

function statefulSetBound(own: Fields, wanted: Wanted, note: Note): Fields {
  const { maxSurge, maxUnavailable = own['maxUnavailable'] } = wanted
  if (maxSurge !== undefined && !isZeroBound(maxSurge))
    note('max-surge has no effect on it, as a StatefulSet never has more pods than replicas')
  if (maxUnavailable === undefined) return {}
  if (!isZeroBound(maxUnavailable)) return { maxUnavailable }
  // The API server refuses 0.
  note(ONE_IS_MISSING)
  return { maxUnavailable: 1 }
}

/**
 * Says when the API server left out the maxUnavailable of a StatefulSet, which it does without an error where the field is
 * not switched on (feature gate MaxUnavailableStatefulSet, on by default since Kubernetes 1.37). `expected` is its answer to
 * a dry run of `desired`.
 */
export function unservedNote(desired: KubeObject, expected: KubeObject): string | undefined {
  if (groupKindOf(desired) !== 'StatefulSet.apps') return undefined
  const maxUnavailable = (object: KubeObject) =>
    fieldsOf(fieldsOf(fieldsOf(object['spec'])['updateStrategy'])['rollingUpdate'])['maxUnavailable']
  const wanted = maxUnavailable(desired)
  if (wanted === undefined || wanted === 1 || maxUnavailable(expected) !== undefined) return undefined
  const name = describe(refOf(desired))
  return `${name}: its pods are replaced one at a time, as this cluster does not serve maxUnavailable for StatefulSets (its feature gate MaxUnavailableStatefulSet is off).`
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {}
}
