/** How far a release may reach: what is written in the workflow, and no manifest and no record can change. */
import type { Problem, SourcePosition } from '../errors.ts'
import type { Fences } from '../inputs/fences.ts'
import { describe, groupKindOf, type KubeObject, type ObjectRef } from '../manifest/object.ts'
import { belongsTo, type ReleaseIdentity } from './desired.ts'

/** What keeps an object out, and the line that would let it in. */
interface Fence {
  /** A clause that goes on from the object's name. */
  readonly why: string
  readonly hint: string
}

/**
 * Undefined for what the run may write. An object without a namespace is cluster-scoped: its place must come from the server's
 * discovery (`locate`). A Namespace that may be written to may also be made, with the labels that its manifest has.
 */
function fenceAround(ref: ObjectRef, fences: Fences, home: string): Fence | undefined {
  const { namespace, kind } = ref
  const groupKind = groupKindOf(ref)
  const isAllowed = (name: string) => allowedNamespaces(fences, home).includes(name)
  if (namespace !== undefined) {
    if (isAllowed(namespace)) return undefined
    const list = allowedNamespaces(fences, home).join(', ')
    return {
      why: `is in a namespace that is not allowed; allowed is ${list}`,
      hint: namespaceHint(namespace, fences, home),
    }
  }
  if (groupKind === 'Namespace' && isAllowed(ref.name)) return undefined
  if (fences.clusterScoped.some((line) => line === kind || line === groupKind)) return undefined
  const own = `add the line ${groupKind} to the input allow-cluster-scoped, or take the object out of the manifests`
  return groupKind === 'Namespace'
    ? { why: 'is a namespace that is not allowed', hint: `${namespaceHint(ref.name, fences, home)}; or ${own}` }
    : { why: 'belongs to no namespace, and its kind is not allowed', hint: own }
}

function allowedNamespaces({ namespaces }: Fences, home: string): readonly string[] {
  return namespaces ?? [home]
}

/** The whole list, when there is none yet: giving one takes the place of the default. */
function namespaceHint(name: string, { namespaces }: Fences, home: string): string {
  return namespaces
    ? `add the line ${name} to the input allowed-namespaces`
    : `set the input allowed-namespaces, with the lines ${home} and ${name}`
}

/** Why an object may not be in the release; undefined when it may. */
export function fenceProblem(ref: ObjectRef, fences: Fences, home: string, at?: SourcePosition): Problem | undefined {
  const fence = fenceAround(ref, fences, home)
  // One problem for the namespace of the release is enough.
  if (!fence || ref.namespace === home) return undefined
  return { code: 'Fenced', message: `${describe(ref)} ${fence.why}`, hint: fence.hint, ...(at && { at }) }
}

/** The lock and the records are in the namespace of the release, so it has to be allowed, too. */
export function homeProblems(home: string, fences: Fences): Problem[] {
  if (allowedNamespaces(fences, home).includes(home)) return []
  const message = `the namespace of the release, ${home}, is not among the allowed ones: ${allowedNamespaces(fences, home).join(', ')}`
  return [{ code: 'Fenced', message, hint: `${namespaceHint(home, fences, home)}, or correct the input namespace` }]
}

/** Why what an earlier release wrote may not be written by this one; a clause that goes on from the object's name. */
export function whyOutside(ref: ObjectRef, fences: Fences, home: string): string | undefined {
  return fenceAround(ref, fences, home)?.why
}

/**
 * A record is a Secret in the namespace of the release. Whoever may write there must not be able to have objects made or changed
 * elsewhere, so those have to be there, and to carry the release's labels themselves.
 */
export function isBeyondRecord(ref: ObjectRef, live: KubeObject | undefined, release: ReleaseIdentity): boolean {
  return ref.namespace !== release.namespace && !belongsTo(live, release)
}
