import { ClusterError, RejectedError, rejectIfAny } from '../../errors.ts'
import { keyOf, refOf } from '../../manifest/object.ts'
import type { Change } from '../../plan/change.ts'
import { revisionOf } from '../../plan/desired.ts'
import { problemFrom } from '../../plan/rejections.ts'
import { nextRevision } from '../../release/history.ts'
import { planPrune, type PrunePlan } from '../apply/prune.ts'
import { inventoryOf } from '../session/known-release.ts'
import type { Session } from '../session/session.ts'
import { compare } from './compare.ts'
import { type Forecast, forecast } from './forecast.ts'
import type { Rendered } from './render.ts'

/** A release that the API server has agreed to, object by object, before anything was written. */
export interface Prepared {
  readonly namespace: string
  /** In the order in which they are applied. */
  readonly changes: readonly Change[]
  readonly prune: PrunePlan
  /** The revision that this release gets if anything changes. */
  readonly revision: number
  readonly previousRevision: number | undefined
  readonly forecast: Forecast
}

/** Asks the API server, by dry-run, what each object would do. Throws RejectedError; writes nothing. */
export async function prepare({ namespace, desired }: Rendered, session: Session): Promise<Prepared> {
  const { run, inPlace, heads, madeNamespace } = session
  const { runner, journal, signals } = run
  try {
    const compared = await compare(desired, run)
    rejectIfAny(compared.flatMap(({ problems }) => problems))
    // Made a moment ago, for the lock: it is this release that creates it.
    const changes = compared.flatMap(({ change }): Change[] => {
      if (!change) return []
      const isMade = madeNamespace && keyOf(refOf(change.manifest.object)) === keyOf(refOf(madeNamespace))
      return [isMade ? { type: 'create', manifest: change.manifest, expected: madeNamespace } : change]
    })
    signals.cancelled.throwIfAborted()
    const prune = await planPrune(inventoryOf(session), desired, run)
    rejectIfAny(prune.problems)
    const counts = countsOf(changes, prune)
    runner.info(`the API server accepts them all: ${counts}`)
    journal.note(`${changes.length} objects checked: ${counts}`)
    const previous = previousRevision(changes, inPlace)
    return {
      namespace,
      changes,
      prune,
      revision: Math.max(nextRevision(heads), previous + 1),
      previousRevision: previous === 0 ? undefined : previous,
      forecast: await forecast(changes, run),
    }
  } catch (error) {
    if (error instanceof ClusterError) throw new RejectedError([problemFrom(error, 'the cluster')])
    throw error
  }
}

/** The revision in place; 0 when there is none. Before there were records, the annotation alone told it. */
export function previousRevision(changes: readonly Change[], inPlace: Session['inPlace']): number {
  const stamps = changes.flatMap((change) => ('live' in change && change.live ? [revisionOf(change.live)] : []))
  return inPlace?.revision ?? Math.max(0, ...stamps)
}

/** For people: `3 to leave as they are, 1 to update`. */
export function countsOf(changes: readonly Change[], { deletions }: PrunePlan): string {
  const byType = Object.entries(Object.groupBy(changes, ({ type }) => type))
  const counts = byType.map(([type, list]) => `${list.length} to ${WORDS[type as Change['type']]}`)
  return [...counts, ...(deletions.length > 0 ? [`${deletions.length} to prune`] : [])].join(', ')
}

const WORDS: Record<Change['type'], string> = {
  create: 'create',
  update: 'update',
  unchanged: 'leave as they are',
  recreate: 'delete and make anew',
  run: 'run',
}
