/** Which pods a bad release has made, so that a rollback takes away those and no others. */
import type { StatefulSet } from '../manifest/kinds.ts'
import { groupKindOf, type KubeObject } from '../manifest/object.ts'
import { isRollsafes } from '../plan/ownership.ts'
import type { PodFacts } from '../rollout/pod-facts.ts'
import { TEMPLATE_GENERATION } from '../rollout/pods.ts'
import { isObserved } from '../rollout/state.ts'
import type { WrittenObject } from './restore.ts'

/** What the pods of a bad release have in common. */
export type BadRevision =
  | {
      readonly kind: 'StatefulSet'
      readonly revision: string
      /**
       * When the release was written, by the API server's clock. An OnDelete set may still have had pods of this revision from
       * long ago, for instance when somebody deployed an older version again: those are not the release's.
       */
      readonly since: string
    }
  | { readonly kind: 'DaemonSet'; readonly templateGeneration: string }
  /** Of a release that nobody has seen at work: whatever was made since it was written, and is not of the restored revision. */
  | { readonly kind: 'Since'; readonly since: string }

export function templateGenerationOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[TEMPLATE_GENERATION]
}

/**
 * `lastSeen` is the object as last seen before it was restored, from a watch or read for it. Undefined for other kinds, when
 * the release did not change the template, and when the controller never got to see the release: `status.updateRevision` is
 * that of a good one then.
 */
export function badRevisionOf({ before, after }: WrittenObject, lastSeen = after): BadRevision | undefined {
  const { uid, generation = 0 } = after.metadata
  if (lastSeen.metadata.uid !== uid || (lastSeen.metadata.generation ?? 0) < generation) return undefined
  switch (groupKindOf(after)) {
    case 'StatefulSet.apps': {
      const set = lastSeen as StatefulSet
      const revision = isObserved(set, { generation }) ? set.status?.updateRevision : undefined
      const latest = writtenAt(after)
      const isNew = revision !== (before as StatefulSet).status?.updateRevision
      return revision !== undefined && latest !== undefined && isNew
        ? { kind: 'StatefulSet', revision, since: latest }
        : undefined
    }
    case 'DaemonSet.apps': {
      const templateGeneration = templateGenerationOf(lastSeen)
      return templateGeneration !== undefined && templateGeneration !== templateGenerationOf(before)
        ? { kind: 'DaemonSet', templateGeneration }
        : undefined
    }
    default:
      return undefined
  }
}

/**
 * The same for a release that another run has written, and that was killed since: how far it came, nobody knows. `after` is
 * what it was about to write, as the API server answered the dry-run.
 */
export function madeSince(after: KubeObject | undefined): BadRevision | undefined {
  const since = after && writtenAt(after)
  return since === undefined ? undefined : { kind: 'Since', since }
}

/** When Rollsafe last wrote it, by the API server's clock. */
function writtenAt({ metadata }: KubeObject): string | undefined {
  const times = (metadata.managedFields ?? []).flatMap((entry) => (isRollsafes(entry) && entry.time) || [])
  return times.toSorted().at(-1)
}

export function isOfBadRevision(pod: PodFacts, bad: BadRevision | undefined): boolean {
  switch (bad?.kind) {
    case 'StatefulSet':
      return pod.revision === bad.revision && pod.createdAt !== undefined && pod.createdAt >= bad.since
    case 'DaemonSet':
      return pod.templateGeneration === bad.templateGeneration
    case 'Since':
      return pod.createdAt !== undefined && pod.createdAt >= bad.since
    case undefined:
      return false
  }
}
