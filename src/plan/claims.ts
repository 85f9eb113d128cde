/** Whether a release may write an object that is already there. */
import type { Problem } from '../errors.ts'
import { describe, type KubeObject, type Manifest, refOf } from '../manifest/object.ts'
import { type ReleaseIdentity, releaseOf } from './desired.ts'
import { keeperOf } from './keepers.ts'

export interface Claim extends ReleaseIdentity {
  readonly forceConflicts: boolean
}

/** Why the live object must not be written for this release; none when it may be. */
export function ownershipProblems(manifest: Manifest, live: KubeObject | undefined, claim: Claim): Problem[] {
  if (!live) return []
  const problem = (message: string, hint: string): Problem => ({
    code: 'Conflict',
    message: `${describe(refOf(manifest.object))} ${message}`,
    hint,
    at: manifest.at,
  })
  if (live.metadata.deletionTimestamp !== undefined) {
    const held = live.metadata.finalizers?.join(', ')
    const by = held === undefined ? '' : ` and held by the finalizers ${held}`
    return [problem(`is being deleted${by}`, 'wait until it is gone and run again')]
  }
  return [...keeperProblems(live, claim, problem), ...releaseProblems(live, claim, problem)]
}

type ProblemOf = (message: string, hint: string) => Problem

function keeperProblems(live: KubeObject, { forceConflicts }: Claim, problem: ProblemOf): Problem[] {
  const keeper = keeperOf(live)
  if (!keeper || (keeper.tool === 'Helm' && forceConflicts)) return []
  if (keeper.tool === 'Helm') {
    return [
      problem(
        `belongs to ${keeper.owner} (${keeper.evidence}), whose next upgrade would take back what is written here`,
        'deploy it with Helm, use another name, or set force-conflicts: true to take it over',
      ),
    ]
  }
  return [
    problem(
      `is kept in sync by ${keeper.tool}, as a part of ${keeper.owner} (${keeper.evidence}), which would take back both the release and its rollback`,
      `change it where ${keeper.tool} reads it; if ${keeper.tool} no longer manages it, remove that mark from the object`,
    ),
  ]
}

function releaseProblems(live: KubeObject, claim: Claim, problem: ProblemOf): Problem[] {
  const owner = releaseOf(live)
  if (!owner || claim.forceConflicts) return []
  // What is in no namespace, and says nothing, was made before Rollsafe wrote down where its release is.
  const isHere = owner.namespace === '' || owner.namespace === claim.namespace
  if (owner.release === claim.release && isHere) return []
  const where = isHere ? '' : ` in namespace ${owner.namespace}`
  return [
    problem(
      `belongs to the release ${JSON.stringify(owner.release)}${where}`,
      'use another name, set the input release to that one, or set force-conflicts: true to take it over',
    ),
  ]
}
