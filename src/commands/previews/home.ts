import { ClusterError, RejectedError, rejectIfAny } from '../../errors.ts'
import type { Manifest } from '../../manifest/object.ts'
import { strangerProblem, withPreview } from '../../plan/preview.ts'
import { problemFrom } from '../../plan/rejections.ts'
import type { Run } from '../run.ts'
import { waitUntilNamespaceIsGone } from './namespace-end.ts'

/**
 * Puts the namespace of the preview among its manifests, and what guards it. Throws RejectedError where a namespace of that name is
 * somebody else's. One that is being deleted, as when a pull request is reopened at once, is waited for. Other runs get their
 * manifests back as they are.
 */
export async function withPreviewHome(manifests: readonly Manifest[], run: Run): Promise<readonly Manifest[]> {
  const { preview, release: name } = run.inputs
  if (!preview) return manifests
  try {
    const ref = { apiVersion: 'v1', kind: 'Namespace', name }
    const found = await run.cluster.get(ref)
    rejectIfAny([strangerProblem(found, preview) ?? []].flat())
    const isEnding = found?.metadata.deletionTimestamp !== undefined
    if (isEnding && run.inputs.command === 'deploy') {
      run.runner.info(`Namespace ${name} is still being deleted; waiting until it is gone`)
      const held = await waitUntilNamespaceIsGone(found, run)
      if (held !== undefined) throw new RejectedError([{ code: 'Conflict', message: held, hint: HELD_HINT }])
    }
    const live = isEnding ? undefined : found
    return withPreview(manifests, { preview, name, live, now: run.clock.date() })
  } catch (error) {
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, `Namespace ${name}`)])
    throw error
  }
}

const HELD_HINT = 'see to what holds it, then run this again'
