/**
 * The Deployment controller in small: what it does to the sizes of ReplicaSets, step by step, after Kubernetes'
 * pkg/controller/deployment (sync.go, rolling.go, recreate.go, util/deployment_util.go). Pods become available when the test
 * says so; a ReplicaSet that is scaled down gives up unavailable pods first, as the real one does.
 */
import { type KubeObject } from '../../src/manifest/object.ts'

export interface ReplicaSet {
  readonly isNew: boolean
  replicas: number
  available: number
  /** The annotations `deployment.kubernetes.io/desired-replicas` and `max-replicas`. */
  desired: number
  most: number
}

export interface Rollout {
  readonly replicas: number
  readonly type: 'RollingUpdate' | 'Recreate'
  readonly maxSurge: number | string
  readonly maxUnavailable: number | string
}

export class DeploymentController {
  readonly #rollout: Rollout
  readonly #surge: number
  readonly #unavailable: number
  readonly sets: ReplicaSet[]

  /** `sets` are the ReplicaSets before the template changes, oldest first. */
  constructor(rollout: Rollout, sets: readonly Omit<ReplicaSet, 'isNew'>[]) {
    const { replicas, maxSurge, maxUnavailable, type } = rollout
    this.#rollout = rollout
    const percent = (value: number | string, round: (share: number) => number) =>
      typeof value === 'number' ? value : round((Number.parseInt(value, 10) * replicas) / 100)
    const surge = percent(maxSurge, Math.ceil)
    const unavailable = percent(maxUnavailable, Math.floor)
    const isRolling = type === 'RollingUpdate'
    this.#surge = isRolling ? surge : 0
    this.#unavailable = isRolling ? Math.min(replicas, surge + unavailable === 0 ? 1 : unavailable) : 0
    this.sets = sets.map((set) => ({ ...set, isNew: false }))
  }

  get total(): number {
    return this.sets.reduce((sum, { replicas }) => sum + replicas, 0)
  }

  get available(): number {
    return this.sets.reduce((sum, { available }) => sum + available, 0)
  }

  get isDone(): boolean {
    const { replicas } = this.#rollout
    return (
      this.total === replicas && this.sets.every((set) => (set.isNew ? set.available === replicas : set.replicas === 0))
    )
  }

  /** One pass of the controller's loop. */
  sync(): void {
    const active = this.sets.filter(({ replicas }) => replicas > 0)
    if (active.some(({ desired }) => desired !== this.#rollout.replicas)) this.#scaleAll(active)
    else if (this.#rollout.type === 'Recreate') this.#recreate()
    else this.#roll()
  }

  #scaleAll(active: readonly ReplicaSet[]): void {
    const { replicas } = this.#rollout
    const [only] = active
    if (only && active.length === 1) this.#scale(only, replicas)
    else {
      const toAdd = (replicas > 0 ? replicas + this.#surge : 0) - this.total
      const bySize = active.toSorted((a, b) => b.replicas - a.replicas)
      let added = 0
      const sizes = new Map<ReplicaSet, number>()
      for (const set of bySize) {
        const share =
          replicas === 0
            ? -set.replicas
            : Math.round((set.replicas * (replicas + this.#surge)) / set.most) - set.replicas
        const left = toAdd - added
        const proportion = toAdd === 0 ? 0 : toAdd > 0 ? Math.min(share, left) : Math.max(share, left)
        sizes.set(set, set.replicas + proportion)
        added += proportion
      }
      for (const [index, set] of bySize.entries()) {
        const leftover = index === 0 && toAdd !== 0 ? toAdd - added : 0
        this.#scale(set, Math.max(0, (sizes.get(set) ?? 0) + leftover))
      }
    }
    for (const set of active) Object.assign(set, { desired: replicas, most: replicas + this.#surge })
  }

  #recreate(): void {
    const old = this.sets.filter((set) => !set.isNew && set.replicas > 0)
    for (const set of old) this.#scale(set, 0)
    if (old.length === 0) this.#scale(this.#newSet(), this.#rollout.replicas)
  }

  #roll(): void {
    const { replicas } = this.#rollout
    const created = this.#newSet()
    if (created.replicas !== replicas) {
      const room = Math.min(replicas + this.#surge - this.total, replicas - created.replicas)
      const size = created.replicas > replicas ? replicas : created.replicas + Math.max(0, room)
      if (size !== created.replicas) return this.#scale(created, size)
    }
    const old = this.sets.filter((set) => !set.isNew && set.replicas > 0)
    const leastAvailable = replicas - this.#unavailable
    let cleanups = this.total - leastAvailable - (created.replicas - created.available)
    if (old.length === 0 || cleanups <= 0) return
    for (const set of old) {
      const count = Math.min(Math.max(0, cleanups), set.replicas - set.available)
      this.#scale(set, set.replicas - count)
      cleanups -= count
    }
    let spare = this.available - leastAvailable
    for (const set of old) {
      const count = Math.min(set.replicas, Math.max(0, spare))
      this.#scale(set, set.replicas - count)
      spare -= count
    }
  }

  #newSet(): ReplicaSet {
    const existing = this.sets.find(({ isNew }) => isNew)
    if (existing) return existing
    const { replicas } = this.#rollout
    const created = { isNew: true, replicas: 0, available: 0, desired: replicas, most: replicas + this.#surge }
    this.sets.push(created)
    return created
  }

  #scale(set: ReplicaSet, replicas: number): void {
    set.replicas = replicas
    set.available = Math.min(set.available, replicas)
  }

  /** The Deployment as the API server shows it, with the template of that name. */
  asObject(template: string, { replicas, type, maxSurge, maxUnavailable } = this.#rollout): KubeObject {
    const strategy = type === 'Recreate' ? { type } : { type, rollingUpdate: { maxSurge, maxUnavailable } }
    const updatedReplicas = this.sets.findLast(() => true)?.replicas ?? 0
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas, strategy, template: { metadata: { labels: { template } } } },
      status: { replicas: this.total, updatedReplicas, availableReplicas: this.available },
    }
  }
}
