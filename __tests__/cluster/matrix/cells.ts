/** The table of the matrix: every kind of workload, by whom the release was made before, and what is wrong with the next one. */
import type { ReasonCode } from '../../../src/errors.ts'

export interface WorkloadCase {
  readonly name: string
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet'
  /** What makes it this case, in its `spec`. */
  readonly spec: object
  /**
   * Its controller replaces no pod, so one is deleted while the bad release is rolled out: as somebody does who wants to see the
   * new version. With that every cause can occur in these cases, too.
   */
  readonly isOnDelete?: boolean
  /** The HorizontalPodAutoscaler asks for more replicas than the manifests, so the field `replicas` is the autoscaler's. */
  readonly isAutoscaled?: boolean
}

const onDelete = { updateStrategy: { type: 'OnDelete' } }
const rolling = (rollingUpdate: object) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate } })

export const WORKLOADS: readonly WorkloadCase[] = [
  { name: 'Deployment', kind: 'Deployment', spec: {}, isAutoscaled: true },
  {
    name: 'StatefulSet OrderedReady',
    kind: 'StatefulSet',
    spec: { podManagementPolicy: 'OrderedReady' },
    isAutoscaled: true,
  },
  {
    name: 'StatefulSet Parallel',
    kind: 'StatefulSet',
    spec: { podManagementPolicy: 'Parallel' },
    isAutoscaled: true,
  },
  { name: 'StatefulSet partitioned', kind: 'StatefulSet', spec: rolling({ partition: 1 }) },
  { name: 'StatefulSet OnDelete', kind: 'StatefulSet', spec: onDelete, isOnDelete: true },
  { name: 'DaemonSet RollingUpdate', kind: 'DaemonSet', spec: rolling({ maxUnavailable: 1 }) },
  { name: 'DaemonSet OnDelete', kind: 'DaemonSet', spec: onDelete, isOnDelete: true },
]

/** Who has made what is there before the bad release. */
export type Maker = 'us' | 'kubectl apply' | 'helm' | 'nobody'

export const MAKERS: readonly Maker[] = ['us', 'kubectl apply', 'helm', 'nobody']

export interface Cause {
  readonly name: string
  /** The word in the image's tag that decides what a pod does (testbed/README.md). */
  readonly word: string
  readonly reason: ReasonCode
  readonly cpu?: string
  readonly container?: object
  /** Nothing proves it bad but that it takes too long. */
  readonly isSlow?: boolean
}

/** Three pods of the good release leave 150m of it. */
export const CPU_QUOTA = '450m'

export const CAUSES: readonly Cause[] = [
  { name: 'bad image', word: 'unpullable', reason: 'ImagePull' },
  { name: 'crash', word: 'crash', reason: 'CrashLoop' },
  {
    name: 'bad config',
    word: 'badconfig',
    reason: 'ContainerConfig',
    container: { envFrom: [{ configMapRef: { name: 'missing' } }] },
  },
  { name: 'deadline', word: 'unready', reason: 'ProbeFailed', isSlow: true },
  { name: 'quota', word: 'ready', reason: 'QuotaOrAdmission', cpu: '500m', isSlow: true },
]

export interface Cell {
  readonly workload: WorkloadCase
  readonly maker: Maker
  readonly cause: Cause
}

/** All of them: no cell is left out. */
export const CELLS: readonly (Cell & { readonly title: string })[] = WORKLOADS.flatMap((workload) =>
  MAKERS.flatMap((maker) =>
    CAUSES.map((cause) => {
      const made = maker === 'nobody' ? 'the first deploy' : `made by ${maker}`
      return { title: `${workload.name}, ${made}: ${cause.name}`, workload, maker, cause }
    }),
  ),
)
