/**
 * The pods behind the workloads: which belong to the new revision, what troubles them and since when, and why pods cannot be
 * made at all. `now` is milliseconds on a clock that never jumps.
 *
 * Unlike the rest of the state of a rollout, the index grows in place. A rollout of thousands of pods brings ten thousands of
 * events, and copying all pods for each of them would cost more than everything else together.
 */
import type { DaemonSet, KubeEvent, ReplicaSet, StatefulSet } from '../manifest/kinds.ts'
import { groupKindOf, type KubeObject } from '../manifest/object.ts'
import type { Observation } from '../ports.ts'
import { type CreationFailure, creationFailureOf, FAILED_RUNS, type Witness } from './fail-fast.ts'
import { type PodFacts, podFacts } from './pod-facts.ts'

export interface PodIndex {
  /** Another number whenever something was seen. */
  readonly version: number
  /** Whether any pod at all has trouble that could doom a workload, or may not be made: most of the time, none has. */
  readonly hasTrouble: boolean
  observe(source: string, observation: Observation, now: number): void
  /**
   * The pods of the revision that a workload is rolling out, by owner UID and revision, never by labels that others may
   * carry too. The workload must be one whose controller has seen the newest spec: before, the newest revision is the old one.
   */
  newPodsOf(workload: KubeObject): Generator<PodFacts>
  /**
   * The pods of a StatefulSet or DaemonSet, of every revision, and those that are ending too; of a Deployment, those of the
   * revision that it carries.
   */
  podsOf(workload: KubeObject): Iterable<PodFacts>
  /** Lets troubles last anew from now on, and one more run fail, before they count. */
  giveAnotherChance(now: number): void
  /** What `doomOf` asks for. No witnesses when none has trouble that could doom anything. */
  witnessesOf(workload: KubeObject, now: number): { witnesses: Witness[]; creation: CreationFailure | undefined }
}

interface SeenPod {
  readonly facts: PodFacts
  readonly source: string
  /** Since when it has had its trouble, for as long as the reason stays the same. */
  readonly troubledSince: number
  /** Restarts that it had when it was first seen in a list: those are older than the release. */
  readonly restartsBefore: number
}

interface SeenReplicaSet {
  readonly source: string
  /** Owner and revision, as `replicaSetKey` writes them. */
  readonly key: string
}

interface SeenRefusal {
  readonly failure: Omit<CreationFailure, 'forMs'>
  readonly since: number
  readonly source: string
}

const REVISION = 'deployment.kubernetes.io/revision'
/** DaemonSets have no status field that names the revision; the API server counts template changes here. */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

/** Whether a source shows what only the index is told of: it is a part of a kind in a namespace (partialSourceOf). */
export function isOfPods(source: string): boolean {
  return source.includes('?')
}

/** Whether the index wants to know of objects that are followed themselves, too. */
export function isIndexed(source: string): boolean {
  return /^(Pod|ReplicaSet\.apps)\//.test(source)
}

export function createPodIndex(): PodIndex {
  /** By UID of the controller, then by UID of the pod. */
  const pods = new Map<string, Map<string, SeenPod>>()
  /** By UID. */
  const replicaSets = new Map<string, SeenReplicaSet>()
  /** UIDs of ReplicaSets by owner and revision. */
  const byRevision = new Map<string, string>()
  /** By UID of the controller that may not make pods. */
  const refusals = new Map<string, SeenRefusal>()
  let version = 0
  let troubled = 0

  /** The only place that puts pods in and takes them out, so that the count of the troubled stays right. */
  function put(owner: string, uid: string, pod: SeenPod | undefined) {
    const siblings = pods.get(owner) ?? new Map<string, SeenPod>()
    const known = siblings.get(uid)
    troubled += (pod && isGrave(pod) ? 1 : 0) - (known && isGrave(known) ? 1 : 0)
    if (pod) pods.set(owner, siblings.set(uid, pod))
    else siblings.delete(uid)
  }

  function look(source: string, object: KubeObject, now: number, isListed: boolean) {
    if (object.kind === 'Pod') lookAtPod(source, podFacts(object), now, isListed)
    if (object.kind === 'ReplicaSet') lookAtReplicaSet(source, object, now)
    if (object.kind === 'Event') {
      const failure = creationFailureOf(object)
      const uid = (object as KubeEvent).involvedObject.uid
      if (failure && uid !== undefined) refuse(uid, failure, source, now)
    }
  }

  function lookAtPod(source: string, facts: PodFacts, now: number, isListed: boolean) {
    const owner = facts.ownerUid ?? facts.uid
    const known = pods.get(owner)?.get(facts.uid)
    const isSame = known?.facts.trouble !== undefined && known.facts.trouble.reason === facts.trouble?.reason
    put(owner, facts.uid, {
      facts,
      source,
      troubledSince: isSame ? known.troubledSince : now,
      restartsBefore: known?.restartsBefore ?? (isListed ? facts.restarts : 0),
    })
    // A pod was made, so whatever stood in the way of its controller no longer does.
    if (!known) refusals.delete(owner)
  }

  function lookAtReplicaSet(source: string, object: ReplicaSet, now: number) {
    const { uid = '', ownerReferences, annotations } = object.metadata
    const owner = ownerReferences?.find(({ controller }) => controller === true)?.uid
    const key = replicaSetKey(owner, annotations?.[REVISION])
    forgetReplicaSet(uid)
    replicaSets.set(uid, { source, key })
    byRevision.set(key, uid)
    const failure = creationFailureOf(object)
    if (failure) refuse(uid, failure, source, now)
    else refusals.delete(uid)
  }

  function refuse(uid: string, failure: SeenRefusal['failure'], source: string, now: number) {
    refusals.set(uid, { failure, since: refusals.get(uid)?.since ?? now, source })
  }

  function forgetReplicaSet(uid: string) {
    const known = replicaSets.get(uid)
    if (known && byRevision.get(known.key) === uid) byRevision.delete(known.key)
    replicaSets.delete(uid)
  }

  function forget(object: KubeObject) {
    const { uid = '', ownerReferences } = object.metadata
    const owner = ownerReferences?.find(({ controller }) => controller === true)?.uid ?? uid
    if (object.kind === 'Pod') put(owner, uid, undefined)
    if (object.kind !== 'ReplicaSet') return
    forgetReplicaSet(uid)
    refusals.delete(uid)
  }

  /** What a list no longer has does not exist. */
  function keepOnly(source: string, listed: readonly KubeObject[]) {
    const uids = new Set(listed.map(({ metadata }) => metadata.uid))
    const isGone = (uid: string, from: string) => from === source && !uids.has(uid)
    for (const [owner, siblings] of pods) {
      for (const [uid, pod] of siblings) if (isGone(uid, pod.source)) put(owner, uid, undefined)
    }
    for (const [uid, replicaSet] of replicaSets) if (isGone(uid, replicaSet.source)) forgetReplicaSet(uid)
    for (const [uid, refusal] of refusals) if (isGone(uid, refusal.source)) refusals.delete(uid)
  }

  /** UID of what makes the pods: of a Deployment, the ReplicaSet with the revision that the Deployment carries. */
  function controllerOf(workload: KubeObject): string {
    const { uid = '', annotations } = workload.metadata
    if (groupKindOf(workload) !== 'Deployment.apps') return uid
    return byRevision.get(replicaSetKey(uid, annotations?.[REVISION])) ?? ''
  }

  function* seenPodsOf(workload: KubeObject): Generator<SeenPod> {
    const isNew = isNewRevision(workload)
    for (const pod of pods.get(controllerOf(workload))?.values() ?? [])
      if (!pod.facts.deleting && isNew(pod.facts)) yield pod
  }

  return {
    get version() {
      return version
    },
    get hasTrouble() {
      return troubled > 0 || refusals.size > 0
    },
    observe(source, observation, now) {
      version += 1
      if (observation.type === 'changed') look(source, observation.object, now, false)
      if (observation.type === 'deleted') forget(observation.object)
      if (observation.type !== 'listed') return
      // Events that were there already tell of an earlier release.
      const objects = observation.objects.filter(({ kind }) => kind !== 'Event')
      keepOnly(source, objects)
      for (const object of objects) look(source, object, now, true)
    },
    giveAnotherChance(now) {
      for (const [owner, siblings] of pods) {
        for (const [uid, pod] of siblings) {
          const failedRuns = pod.facts.trouble?.failedRuns ?? 0
          const restartsBefore = Math.max(pod.restartsBefore, failedRuns - (FAILED_RUNS - 1))
          put(owner, uid, { ...pod, troubledSince: now, restartsBefore })
        }
      }
      for (const [uid, refusal] of refusals) refusals.set(uid, { ...refusal, since: now })
    },
    *newPodsOf(workload) {
      for (const { facts } of seenPodsOf(workload)) yield facts
    },
    *podsOf(workload) {
      for (const { facts } of pods.get(controllerOf(workload))?.values() ?? []) yield facts
    },
    witnessesOf(workload, now) {
      const refusal = refusals.get(controllerOf(workload))
      const creation = refusal && { ...refusal.failure, forMs: now - refusal.since }
      if (!creation && !seenPodsOf(workload).some(isGrave)) return { witnesses: [], creation }
      const witnesses = [...seenPodsOf(workload)].map(({ facts, troubledSince, restartsBefore }) => ({
        pod: facts,
        troubledForMs: now - troubledSince,
        restartsBefore,
      }))
      return { witnesses, creation }
    },
  }
}

function isGrave({ facts: { trouble, deleting } }: SeenPod): boolean {
  return !deleting && trouble !== undefined && trouble.gravity !== 'passing'
}

function replicaSetKey(owner: string | undefined, revision: string | undefined): string {
  return `${owner ?? ''}/${revision ?? ''}`
}

function isNewRevision(workload: KubeObject): (pod: PodFacts) => boolean {
  switch (groupKindOf(workload)) {
    case 'StatefulSet.apps': {
      const revision = (workload as StatefulSet).status?.updateRevision
      return (pod) => pod.revision === revision
    }
    case 'DaemonSet.apps': {
      const generation = (workload as DaemonSet).metadata.annotations?.[TEMPLATE_GENERATION]
      return (pod) => generation === undefined || pod.templateGeneration === generation
    }
    default:
      return () => true
  }
}
