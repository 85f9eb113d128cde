/**
 * The pods behind the workloads, as a reducer: which belong to the new revision, what troubles them and since when, and
 * why pods cannot be made at all. `now` is milliseconds on a clock that never jumps.
 */
import type { DaemonSet, KubeEvent, ReplicaSet, StatefulSet } from '../manifest/kinds.ts'
import { groupKindOf, type KubeObject } from '../manifest/object.ts'
import type { Observation } from '../ports.ts'
import { type CreationFailure, creationFailureOf, type Witness } from './fail-fast.ts'
import { type PodFacts, podFacts } from './pod-facts.ts'

interface SeenPod {
  readonly facts: PodFacts
  readonly source: string
  /** Since when it has had its trouble, for as long as the reason stays the same. */
  readonly troubledSince: number
  /** Restarts that it had when it was first seen in a list: those are older than the release. */
  readonly restartsBefore: number
}

interface SeenReplicaSet {
  readonly ownerUid: string
  readonly uid: string
  readonly revision: string
  readonly source: string
}

interface SeenRefusal {
  readonly failure: Omit<CreationFailure, 'forMs'>
  readonly since: number
  readonly source: string
}

export interface PodsState {
  /** By UID of the controller, then by UID of the pod. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, SeenPod>>
  /** By UID. */
  readonly replicaSets: ReadonlyMap<string, SeenReplicaSet>
  /** By UID of the controller that may not make pods. */
  readonly refusals: ReadonlyMap<string, SeenRefusal>
}

export const NO_PODS: PodsState = { pods: new Map(), replicaSets: new Map(), refusals: new Map() }

const REVISION = 'deployment.kubernetes.io/revision'
/** DaemonSets have no status field that names the revision; the API server counts template changes here. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

/** Whether this observation is for this reducer. */
export function isOfPods(source: string): boolean {
  return /^(Pod|ReplicaSet\.apps|Event)\//.test(source)
}

export function observePods(state: PodsState, source: string, observation: Observation, now: number): PodsState {
  switch (observation.type) {
    case 'listed': {
      // Events that were there already tell of an earlier release.
      const objects = observation.objects.filter(({ kind }) => kind !== 'Event')
      const sight = { now, before: state, isListed: true }
      return objects.reduce((next, object) => look(next, source, object, sight), withoutSource(state, source))
    }
    case 'changed':
      return look(state, source, observation.object, { now, before: state, isListed: false })
    case 'deleted':
      return forget(state, observation.object)
    case 'lost':
    case 'found':
      return state
  }
}

interface Sight {
  readonly now: number
  /** Where the times of lasting troubles are taken from: a list begins from nothing, but forgets no time. */
  readonly before: PodsState
  readonly isListed: boolean
}

function look(state: PodsState, source: string, object: KubeObject, sight: Sight): PodsState {
  switch (object.kind) {
    case 'Pod':
      return lookAtPod(state, source, podFacts(object), sight)
    case 'ReplicaSet':
      return lookAtReplicaSet(state, source, object, sight)
    case 'Event': {
      const failure = creationFailureOf(object)
      const uid = (object as KubeEvent).involvedObject.uid
      return failure && uid !== undefined ? refused(state, uid, failure, source, sight) : state
    }
    default:
      return state
  }
}

function lookAtPod(state: PodsState, source: string, facts: PodFacts, { now, before, isListed }: Sight): PodsState {
  const owner = facts.ownerUid ?? facts.uid
  const known = before.pods.get(owner)?.get(facts.uid)
  const isSame = known?.facts.trouble !== undefined && known.facts.trouble.reason === facts.trouble?.reason
  const pod: SeenPod = {
    facts,
    source,
    troubledSince: isSame ? known.troubledSince : now,
    restartsBefore: known?.restartsBefore ?? (isListed ? facts.restarts : 0),
  }
  const pods = new Map(state.pods).set(owner, new Map(state.pods.get(owner)).set(facts.uid, pod))
  // A pod was made, so whatever stood in the way of its controller no longer does.
  const refusals = known || !state.refusals.has(owner) ? state.refusals : without(state.refusals, owner)
  return { ...state, pods, refusals }
}

function lookAtReplicaSet(state: PodsState, source: string, object: ReplicaSet, sight: Sight): PodsState {
  const { metadata } = object
  const uid = metadata.uid ?? ''
  const ownerUid = metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid ?? ''
  const revision = metadata.annotations?.[REVISION] ?? ''
  const replicaSets = new Map(state.replicaSets).set(uid, { uid, ownerUid, revision, source })
  const failure = creationFailureOf(object)
  if (failure) return refused({ ...state, replicaSets }, uid, failure, source, sight)
  return { ...state, replicaSets, refusals: without(state.refusals, uid) }
}

function refused(
  state: PodsState,
  uid: string,
  failure: SeenRefusal['failure'],
  source: string,
  { now, before }: Sight,
): PodsState {
  const since = before.refusals.get(uid)?.since ?? now
  return { ...state, refusals: new Map(state.refusals).set(uid, { failure, since, source }) }
}

function forget(state: PodsState, object: KubeObject): PodsState {
  const uid = object.metadata.uid ?? ''
  if (object.kind === 'ReplicaSet')
    return { ...state, replicaSets: without(state.replicaSets, uid), refusals: without(state.refusals, uid) }
  if (object.kind !== 'Pod') return state
  const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid ?? uid
  const pods = state.pods.get(owner)
  return pods ? { ...state, pods: new Map(state.pods).set(owner, without(pods, uid)) } : state
}

function withoutSource(state: PodsState, source: string): PodsState {
  const pods = new Map([...state.pods].map(([owner, inner]) => [owner, rejectSource(inner, source)]))
  return { pods, replicaSets: rejectSource(state.replicaSets, source), refusals: rejectSource(state.refusals, source) }
}

function rejectSource<T extends { readonly source: string }>(
  map: ReadonlyMap<string, T>,
  source: string,
): Map<string, T> {
  return new Map([...map].filter(([, { source: from }]) => from !== source))
}

function without<T>(map: ReadonlyMap<string, T>, key: string): Map<string, T> {
  const copy = new Map(map)
  copy.delete(key)
  return copy
}

/**
 * The pods of the revision that a workload is rolling out, by owner UID and revision, never by labels that others may carry
 * too. The workload must be one whose controller has seen the newest spec: before, the newest revision is the old one.
 */
export function newPodsOf(state: PodsState, workload: KubeObject): PodFacts[] {
  return seenPodsOf(state, workload).map(({ facts }) => facts)
}

function seenPodsOf(state: PodsState, workload: KubeObject): SeenPod[] {
  const controller = controllerOf(state, workload)
  if (controller === undefined) return []
  const all = [...(state.pods.get(controller)?.values() ?? [])].filter(({ facts }) => !facts.deleting)
  switch (groupKindOf(workload)) {
    case 'StatefulSet.apps': {
      const revision = (workload as StatefulSet).status?.updateRevision
      return all.filter(({ facts }) => facts.revision === revision)
    }
    case 'DaemonSet.apps': {
      const generation = (workload as DaemonSet).metadata.annotations?.[TEMPLATE_GENERATION]
      return all.filter(({ facts }) => generation === undefined || facts.templateGeneration === generation)
    }
    default:
      return all
  }
}

/** UID of what makes the pods: of a Deployment, the ReplicaSet with the revision that the Deployment carries. */
function controllerOf(state: PodsState, workload: KubeObject): string | undefined {
  const { uid, annotations } = workload.metadata
  if (groupKindOf(workload) !== 'Deployment.apps') return uid
  const revision = annotations?.[REVISION]
  return [...state.replicaSets.values()].find((one) => one.ownerUid === uid && one.revision === revision)?.uid
}

/** What `doomOf` asks for: the new pods with the time of their troubles, and why pods cannot be made. */
export function witnessesOf(
  state: PodsState,
  workload: KubeObject,
  now: number,
): { witnesses: Witness[]; creation: CreationFailure | undefined } {
  const witnesses = seenPodsOf(state, workload).map(({ facts, troubledSince, restartsBefore }) => ({
    pod: facts,
    troubledForMs: now - troubledSince,
    restartsBefore,
  }))
  const refusal = state.refusals.get(controllerOf(state, workload) ?? '')
  return { witnesses, creation: refusal && { ...refusal.failure, forMs: now - refusal.since } }
}
