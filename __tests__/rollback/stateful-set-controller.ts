/**
 * The StatefulSet controller in small, after Kubernetes' pkg/controller/statefulset (stateful_set_control.go,
 * stateful_set_utils.go): which pods it makes and deletes, in which order and at which revision, and what it waits for. Pods
 * start, break and end when the test says so; the status is that of the last pass.
 */
import type { KubeObject } from '../../src/manifest/object.ts'
import type { PodFacts } from '../../src/rollout/pod-facts.ts'

export interface Rules {
  readonly replicas: number
  readonly isOrdered: boolean
  readonly type: 'RollingUpdate' | 'OnDelete'
  /** Absent: there is no `rollingUpdate` at all. */
  readonly partition?: number
  readonly maxUnavailable: number
  /** With the feature gate MaxUnavailableStatefulSet on before 1.37, off in any version, and on since. */
  readonly version: 'gate' | 'no gate' | '1.37'
}

interface SimulatedPod {
  readonly uid: string
  readonly revision: string
  readonly createdAt: string
  isReady: boolean
  isBroken: boolean
  isEnding: boolean
}

export class StatefulSetController {
  rules: Rules
  update: string
  current: string
  now = '2026-01-01T00:00:00Z'
  generation = 1
  readonly pods = new Map<number, SimulatedPod>()
  #made = 0
  #status: Record<string, unknown> = {}
  #currentReplicas = 0

  constructor(rules: Rules, revision: string) {
    this.rules = rules
    this.update = revision
    this.current = revision
  }

  make(index: number, revision: string): void {
    const { now: createdAt } = this
    const uid = `${index}/${++this.#made}`
    this.pods.set(index, { uid, revision, createdAt, isReady: false, isBroken: false, isEnding: false })
  }

  delete(uid: string): void {
    for (const pod of this.pods.values()) if (pod.uid === uid) pod.isEnding = true
  }

  get indexes(): number[] {
    return Array.from({ length: this.rules.replicas }, (_, index) => index)
  }

  isUp(index: number): boolean {
    const pod = this.pods.get(index)
    return pod !== undefined && pod.isReady && !pod.isEnding
  }

  /** One pass of the controller's loop. */
  sync(): void {
    if (this.#makeMissing()) this.#replaceOld()
    this.#report()
  }

  /** False while something is waited for. */
  #makeMissing(): boolean {
    for (const index of this.indexes) {
      if (!this.pods.has(index)) {
        this.make(index, this.#revisionFor(index))
        if (this.rules.isOrdered) return false
      }
      if (this.rules.isOrdered && !this.isUp(index)) return false
    }
    return true
  }

  #revisionFor(index: number): string {
    const { type, partition } = this.rules
    return type === 'RollingUpdate' && index < (partition ?? this.#currentReplicas) ? this.current : this.update
  }

  #replaceOld(): void {
    const { type, partition = 0, maxUnavailable, version, isOrdered } = this.rules
    if (type === 'OnDelete') return
    const targets = this.indexes.filter((index) => index >= partition).toReversed()
    const isOld = (index: number) => {
      const pod = this.pods.get(index)
      return pod !== undefined && pod.revision !== this.update && !pod.isEnding
    }
    const end = (index: number) => this.delete(this.pods.get(index)?.uid ?? '')
    if (version === 'no gate') {
      const first = targets.find((index) => isOld(index) || !this.isUp(index))
      if (first !== undefined && isOld(first)) end(first)
      return
    }
    const room = maxUnavailable - this.indexes.filter((index) => !this.isUp(index)).length
    const isLenient = version === '1.37' && !isOrdered
    if (isLenient) for (const index of targets) if (isOld(index) && !this.isUp(index)) end(index)
    for (const index of targets.filter(isOld).slice(0, Math.max(0, room))) end(index)
  }

  #report(): void {
    const pods = [...this.pods.values()]
    const count = (isCounted: (pod: SimulatedPod) => boolean) => pods.filter(isCounted).length
    const updatedReplicas = count(({ revision, isEnding }) => revision === this.update && !isEnding)
    const readyReplicas = count(({ isReady }) => isReady)
    const { replicas } = this.rules
    if (updatedReplicas === replicas && readyReplicas === replicas && pods.length === replicas)
      this.current = this.update
    this.#currentReplicas = count(({ revision, isEnding }) => revision === this.current && !isEnding)
    this.#status = {
      observedGeneration: this.generation,
      replicas: pods.length,
      readyReplicas,
      updatedReplicas,
      updateRevision: this.update,
      currentRevision: this.current,
    }
  }

  asObject(): KubeObject {
    const { replicas, isOrdered, type, partition, maxUnavailable } = this.rules
    const rollingUpdate = type === 'RollingUpdate' && partition !== undefined && { partition, maxUnavailable }
    return {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'shop', uid: 'db', generation: this.generation },
      spec: {
        replicas,
        podManagementPolicy: isOrdered ? 'OrderedReady' : 'Parallel',
        updateStrategy: { type, ...(rollingUpdate && { rollingUpdate }) },
      },
      status: { ...this.#status },
    }
  }

  asPods(): PodFacts[] {
    return [...this.pods].map(([index, { uid, revision, createdAt, isReady, isEnding }]) => ({
      uid,
      name: `db-${index}`,
      namespace: 'shop',
      ownerUid: 'db',
      revision,
      createdAt,
      deleting: isEnding,
      ready: isReady,
      restarts: 0,
    }))
  }
}
