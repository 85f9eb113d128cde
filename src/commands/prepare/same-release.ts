import type { Problem } from '../../errors.ts'
import { keyOf, refOf } from '../../manifest/object.ts'
import { counted } from '../../report/format.ts'
import { inventoryOf, type KnownRelease } from '../session/known-release.ts'
import type { Rendered } from './render.ts'

/** Two workflows that deploy different things under one name would prune and roll back each other's objects. */
export function sameReleaseProblems({ desired }: Rendered, known: KnownRelease, release: string): Problem[] {
  const had = new Set(inventoryOf(known).map(({ object }) => keyOf(refOf(object))))
  if (had.size === 0 || desired.some(({ object }) => had.has(keyOf(refOf(object))))) return []
  const problem: Problem = {
    code: 'InvalidInput',
    message: `none of these objects is in the release ${release}, which has ${counted(had.size, 'object')} in the cluster`,
    hint: `if another workflow deploys ${release}, set the input release to a name of its own here; to replace everything, keep one object for one deploy, or delete the Secrets rollsafe.${release}.v*`,
  }
  return [problem]
}
