/** The story of a cell: made, released badly, taken back, looked at, gone on with, released well, looked at again. */
import { expect } from '@jest/globals'
import type { KubeObject } from '../../../src/manifest/object.ts'
import type { Cluster } from '../../../src/ports.ts'
import { createCheckout, type RunResult } from '../rollsafe.ts'
import { eventually, type TestNamespace } from '../testbed.ts'
import { type Cell, CPU_QUOTA, type WorkloadCase } from './cells.ts'
import { MADE_BY, type Scene } from './makers.ts'
import { leases, observe, type Place, records, specOf, statusOf, watchReplicas, workloadOf } from './observed.ts'
import { ADDED, release, REPLICAS, RETIRED } from './release.ts'

export interface CellOptions {
  readonly cluster: Cluster
  readonly namespace: TestNamespace
  /** For the runs' Node.js, so that it compiles the sources once. */
  readonly compileCache: string
}

/** Returns the run of the good release at the end. */
export async function runCell(
  { workload, maker, cause }: Cell,
  { cluster, namespace, compileCache }: CellOptions,
): Promise<RunResult> {
  const made = MADE_BY[maker]
  const place: Place = { cluster, namespace: namespace.name }
  await using checkout = await createCheckout()
  const inputs = { namespace: namespace.name, timeout: '90s', 'rollback-timeout': '90s', ...made.inputs }
  const env = { NODE_COMPILE_CACHE: compileCache }
  const deployWell = async () => {
    const good = await checkout.run(inputs, { env })
    expectRun(good, { outcome: 'deployed', reason: '' })
    return good
  }
  const scene: Scene = { workload, namespace, checkout, deployWell }

  if (cause.name === 'quota') await namespace.kubectl(['create', 'quota', 'cpu', `--hard=requests.cpu=${CPU_QUOTA}`])
  await made.make(scene)
  if (maker !== 'nobody') await settled(place, workload)
  await eventually(() => cluster.get(ROOT_CERTIFICATE(place)).then((found) => expect(found).toBeDefined()))
  const before = await observe(place)
  const old = maker === 'nobody' ? undefined : await workloadOf(place, workload.kind)
  await using replicas = old && watchReplicas(place, old)

  await checkout.write('k8s/all.yaml', release(workload, 'bad', { cause }))
  const isImpatient = cause.isSlow && workload.kind !== 'Deployment'
  const onLog = workload.isOnDelete && old ? deleteOneWhenWritten(place, old) : undefined
  const bad = await checkout.run(
    { ...inputs, ...(isImpatient && { timeout: '8s' }) },
    { env, ...(onLog && { onLog: onLog.hear }) },
  )
  await onLog?.deleted
  expectRun(bad, { outcome: 'rolled-back', reason: cause.reason })

  const after = await observe(place)
  expect(after.objects).toEqual(before.objects)
  expect(await leases(place)).toEqual([])
  expect(await records(place)).toEqual(made.records)
  if (old) {
    expect(Object.values(after.pods).toSorted()).toEqual(Object.values(before.pods).toSorted())
    // What the old version ran by runs it again, and beside it there is nothing but what the bad version had, at rest.
    expect(after.revisions).toMatchObject(before.revisions)
    const more = Object.keys(after.revisions).filter((name) => !(name in before.revisions))
    expect(more.map((name) => after.revisions[name] ?? 0)).toEqual([0])
  } else {
    await eventually(async () => {
      const { pods, revisions } = await observe(place)
      expect({ pods, revisions }).toEqual({ pods: {}, revisions: {} })
    })
  }

  await made.goOn(scene)
  await checkout.write('k8s/all.yaml', release(workload, 'new', { tag: 'v3' }))
  const next = await deployWell()
  expectNew((await observe(place)).objects, workload)
  expect(await leases(place)).toEqual([])
  if (replicas && workload.kind !== 'DaemonSet') expect([...replicas.seen]).toEqual([REPLICAS])
  return next
}

const ROOT_CERTIFICATE = ({ namespace }: Place) =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'kube-root-ca.crt' }) as const

function expectRun({ outputs, log }: RunResult, wanted: { outcome: string; reason: string }): void {
  const { outcome, reason } = outputs
  // The log is only of interest when it is another one.
  const isAsWanted = outcome === wanted.outcome && reason === wanted.reason
  expect({ outcome, reason, ...(!isAsWanted && { log }) }).toEqual(wanted)
}

/** All pods are there, and the autoscaler has done what it does. */
async function settled(place: Place, { kind }: WorkloadCase): Promise<void> {
  await eventually(async () => {
    const object = await workloadOf(place, kind)
    const status = statusOf(object)
    expect(status['observedGeneration']).toBe(object.metadata.generation)
    if (kind === 'DaemonSet') return expect(status['numberAvailable']).toBe(REPLICAS)
    expect(specOf(object)['replicas']).toBe(REPLICAS)
    return expect(status).toMatchObject({ replicas: REPLICAS, availableReplicas: REPLICAS, updatedReplicas: REPLICAS })
  }, 60)
}

/** Deletes a pod of an OnDelete set as soon as its controller has seen the release, so that a bad one comes in its place. */
function deleteOneWhenWritten(place: Place, { kind, metadata }: KubeObject) {
  let deleted: Promise<void> | undefined
  const deleteOne = () =>
    eventually(async () => {
      const object = await workloadOf(place, kind)
      expect(object.metadata.generation).toBeGreaterThan(metadata.generation ?? 0)
      expect(statusOf(object)['observedGeneration']).toBe(object.metadata.generation)
      const { objects } = await place.cluster.list({ apiVersion: 'v1', kind: 'Pod', namespace: place.namespace })
      // With OrderedReady, one that is missing above the first would not be made anew before the first counts as available.
      const [first] = objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      if (!first) throw new Error('there are no pods')
      const { name, uid = '' } = first.metadata
      await place.cluster.delete({ apiVersion: 'v1', kind: 'Pod', namespace: place.namespace, name }, uid)
    })
  return {
    hear: (log: string) => {
      if (log.includes(`${kind} ${place.namespace}/${metadata.name} configured`)) deleted ??= deleteOne()
    },
    get deleted() {
      return deleted
    },
  }
}

/** The new version is there, and of the others nothing is left, whoever owned it. */
function expectNew(objects: Record<string, unknown>, { kind }: WorkloadCase): void {
  const own = Object.entries(objects).filter(([key]) => key.endsWith('/web') || key.endsWith(`/${ADDED}`))
  expect(own).toHaveLength(9)
  // What kubectl and Helm keep for themselves tells of the old version.
  const text = JSON.stringify(Object.fromEntries(own), (key, value: unknown) =>
    key === 'kubectl.kubernetes.io/last-applied-configuration' ? undefined : value,
  )
  expect(text).not.toMatch(new RegExp(`${RETIRED}|${ADDED}`))
  expect(objects[`${kind}/web`]).toMatchObject({
    metadata: { annotations: { 'example.dev/note': 'new' } },
    spec: { template: { spec: { containers: [{ image: expect.stringMatching(/:v3$/), args: ['serve', '--new'] }] } } },
  })
  expect(objects['ConfigMap/web']).toMatchObject({ data: { greeting: 'new' } })
}
