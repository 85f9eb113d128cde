import type { Preview } from '../../inputs/preview.ts'
import type { ObjectReport, Report } from '../../report/report.ts'
import { reportFrame } from '../report-frame.ts'
import type { Run } from '../run.ts'
import { removePreview } from './remove-preview.ts'

/**
 * Deletes the preview of a pull request, after a deploy that is going on has ended. Done again, it has nothing to do. Throws
 * RejectedError when the namespace is not the preview's.
 */
export async function teardownPreview(preview: Preview, run: Run): Promise<Report> {
  const { release: name, lockTimeoutSeconds: waitSeconds } = run.inputs
  const removal = await run.runner.group('Remove the preview', () =>
    removePreview({ ...preview, name }, run, { waitSeconds }),
  )
  const isChanged = removal.type === 'removed' || (removal.type === 'held' && removal.isNew)
  const message =
    removal.type === 'gone'
      ? `there was no preview ${name} to delete`
      : removal.type === 'removed'
        ? `the preview ${name} was deleted, with its namespace`
        : `the preview ${name} is being deleted, and its namespace is not gone yet`
  return {
    ...reportFrame(run),
    namespace: name,
    server: run.cluster.server,
    outcome: 'removed',
    message,
    changed: isChanged,
    objects: isChanged ? [namespaceReport(name)] : [],
    warnings: removal.type === 'held' ? [removal.why] : [],
  }
}

/** A namespace that was deleted, as a line of the report. */
export function namespaceReport(name: string): ObjectReport {
  return { apiVersion: 'v1', kind: 'Namespace', name, change: 'pruned' }
}
