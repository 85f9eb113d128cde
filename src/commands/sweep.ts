import { ClusterError, messageOf, type Problem, RejectedError } from '../errors.ts'
import type { Sweep } from '../inputs/preview.ts'
import type { KubeObject } from '../manifest/object.ts'
import { expiryOf, type PreviewIdentity, previewOf } from '../plan/preview.ts'
import { PREVIEW_REPOSITORY_LABEL } from '../plan/preview-labels.ts'
import { problemFrom } from '../plan/rejections.ts'
import { decideSweep, type SweepCandidate } from '../plan/sweep.ts'
import { counted } from '../report/format.ts'
import type { Report } from '../report/report.ts'
import { mapLimited } from './concurrency.ts'
import { removePreview } from './previews/remove-preview.ts'
import { namespaceReport } from './previews/teardown-preview.ts'
import { reportFrame } from './report-frame.ts'
import type { Run } from './run.ts'

/**
 * Deletes the previews of the repository whose pull requests are closed, that are over, or that are too many. Each has to be known by
 * its labels and by its UID. Throws RejectedError, with nothing deleted, when GitHub does not tell of every pull request.
 */
export async function sweep(run: Run): Promise<Report> {
  const { sweep: wanted } = run.inputs
  if (!wanted) throw new Error('a sweep without its inputs')
  return run.runner.group('Sweep', async () => {
    const { previews, strangers } = await listPreviews(wanted, run)
    const open = await readOpen(previews, wanted, run)
    const candidates = previews.map(({ identity, live }) => candidateOf(identity, live, open))
    const decisions = decideSweep(candidates, { most: wanted.mostPreviews, now: run.clock.date().getTime() })
    const done: Done = { removed: [], held: [], left: [], unwanted: [] }
    for (const { name, because } of decisions) {
      run.signals.cancelled.throwIfAborted()
      const found = previews.find(({ identity }) => identity.name === name)
      if (!found) continue
      if (because === undefined) done.left.push(name)
      else await removeOne(found, because, done, run)
    }
    return report(run, done, strangers)
  })
}

interface Found {
  readonly identity: PreviewIdentity
  readonly live: KubeObject
}

interface Done {
  readonly removed: string[]
  /** Sentences about what is being deleted and does not go. */
  readonly held: string[]
  readonly left: string[]
  /** What nobody needs, and could not be deleted. */
  readonly unwanted: Problem[]
}

async function listPreviews(
  { repositoryId }: Sweep,
  { cluster }: Run,
): Promise<{ previews: Found[]; strangers: string[] }> {
  try {
    const labelSelector = `${PREVIEW_REPOSITORY_LABEL}=${repositoryId}`
    const { objects } = await cluster.list({ apiVersion: 'v1', kind: 'Namespace', labelSelector })
    const previews = objects.flatMap((live): Found[] => {
      const identity = previewOf(live)
      return identity?.repositoryId === repositoryId ? [{ identity, live }] : []
    })
    const known = new Set(previews.map(({ live }) => live))
    const strangers = objects.filter((live) => !known.has(live)).map(({ metadata }) => metadata.name)
    return { previews, strangers }
  } catch (error) {
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the namespaces of previews')])
    throw error
  }
}

/**
 * The pull requests that are open. Each is asked for by its number: that one is missing from a list, or that a list is empty, would
 * not prove that it is closed.
 */
async function readOpen(
  previews: readonly Found[],
  { repositoryId }: Sweep,
  { github, signals }: Run,
): Promise<Set<number>> {
  const numbers = [...new Set(previews.map(({ identity }) => identity.pullRequest))]
  const problems: Problem[] = []
  const open = await mapLimited(numbers, async (number) => {
    try {
      if (!github) throw new Error('there is no token, or this is no run on GitHub')
      const found = await github.pullRequest(number, signals.cancelled)
      if (found.repositoryId !== repositoryId) throw new Error(`pull request #${number} is of another repository`)
      return found.state === 'open' ? [number] : []
    } catch (error) {
      signals.cancelled.throwIfAborted()
      const message = `GitHub does not tell whether pull request #${number} is open, so nothing is deleted: ${messageOf(error)}`
      problems.push({
        code: 'Fenced',
        message,
        hint: 'see to it that the job has permissions: pull-requests: read, then run it again',
      })
      return []
    }
  })
  const [first, ...rest] = problems
  if (first) throw new RejectedError([first, ...rest])
  return new Set(open.flat())
}

function candidateOf({ name, pullRequest }: PreviewIdentity, live: KubeObject, open: Set<number>): SweepCandidate {
  const createdAt = Date.parse(live.metadata.creationTimestamp ?? '') || 0
  return { name, pullRequest, isOpen: open.has(pullRequest), expiresAt: expiryOf(live), createdAt }
}

/** One that somebody deploys right now is left to the next sweep, and so is one that was deployed since it was listed. */
async function removeOne({ identity, live }: Found, because: string, done: Done, run: Run): Promise<void> {
  const { name } = identity
  run.runner.info(`${name} ${because}`)
  try {
    const whyNot = (now: KubeObject) =>
      expiryOf(now) === expiryOf(live) ? undefined : `${name} was deployed in the meantime`
    const removal = await removePreview(identity, run, { waitSeconds: 0, whyNot })
    if (removal.type === 'removed' || (removal.type === 'held' && removal.isNew)) done.removed.push(name)
    if (removal.type === 'held') done.held.push(removal.why)
  } catch (error) {
    if (!(error instanceof RejectedError)) throw error
    run.runner.info(`${name} stays: ${error.message}`)
    done.unwanted.push(...error.problems)
  }
}

function report(run: Run, { removed, held, left, unwanted }: Done, strangers: readonly string[]): Report {
  const frame = {
    ...reportFrame(run),
    // It is about the namespaces of many releases.
    namespace: '',
    server: run.cluster.server,
    changed: removed.length > 0,
    objects: removed.map(namespaceReport),
    warnings: [
      ...held,
      ...unwanted.map(({ message, hint }) => `${message}: ${hint}`),
      ...strangers.map(
        (name) => `Namespace ${name} has the label of a preview of this repository, but is none; it stays`,
      ),
    ],
  }
  const what = removed.length === 0 ? 'no preview was deleted' : `deleted ${counted(removed.length, 'preview')}`
  const rest = unwanted.length === 0 ? '' : `, and ${counted(unwanted.length, 'more')} could not be`
  const message = `${what}${rest}; ${counted(left.length, 'preview')} ${left.length === 1 ? 'stays' : 'stay'}`
  return { ...frame, outcome: 'removed', message }
}
