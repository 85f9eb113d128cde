/**
 * From the moment when the API first shows that a pod's image cannot be pulled to the verdict, beside clients that look every
 * 1, 3, 5 and 10 s, as deploy tools do. All run at the same time against the same pods; the moment is when a watch of the
 * benchmark's own is told.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../src/ports.ts'
import type { Pod } from '../src/manifest/kinds.ts'
import { startTestbed } from '../testbed/testbed.ts'
import { describeRuns } from './measure.ts'
import { openCluster } from './open-cluster.ts'
import { runAction } from './run-action.ts'

const RUNS = Number(process.env['RUNS'] ?? 10)
const POLLS_SECONDS = [1, 3, 5, 10]

const isUnpullable = (pod: Pod) =>
  pod.status?.containerStatuses?.some(({ state }) =>
    ['ErrImagePull', 'ImagePullBackOff'].includes(state?.waiting?.reason ?? ''),
  ) ?? false

const release = (tag: string) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'app', image: `registry.example/web:${tag}` }] },
      },
    },
  })

/** When a watch is told of the first such pod. */
async function watchFor(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<number> {
  for await (const seen of cluster.watch({ apiVersion: 'v1', kind: 'Pod', namespace }, { signal })) {
    if (seen.type === 'changed' && isUnpullable(seen.object)) return performance.now()
  }
  return Number.NaN
}

/** When a client that looks every so many seconds sees the first such pod; it begins at any moment of its interval. */
async function pollFor(cluster: Cluster, namespace: string, seconds: number): Promise<number> {
  for (await sleep(Math.random() * seconds * 1000); ; await sleep(seconds * 1000)) {
    const { objects } = await cluster.list({ apiVersion: 'v1', kind: 'Pod', namespace })
    if (objects.some((pod) => isUnpullable(pod))) return performance.now()
  }
}

await using testbed = await startTestbed()
const cluster = await openCluster(testbed.kubeconfig)
const folder = await mkdtemp(join(tmpdir(), 'rollsafe-bench-'))
const figures = new Map<string, number[]>([
  ['rollsafe', []],
  ...POLLS_SECONDS.map((seconds): [string, number[]] => [`poll ${seconds} s`, []]),
])
try {
  for (let run = 0; run < RUNS; run++) {
    const namespace = `detection-${run}`
    await testbed.kubectl(['create', 'namespace', namespace])
    const inputs = { manifests: 'app.json', namespace, 'stable-for': '0s', rollback: 'off' }
    const env = { KUBECONFIG: testbed.kubeconfig }
    await writeFile(join(folder, 'app.json'), release('v1'))
    await runAction(folder, inputs, { env })
    await writeFile(join(folder, 'app.json'), release('v2-unpullable'))

    const watching = new AbortController()
    let verdictAt: number | undefined
    const onLog = (log: string) => (verdictAt ??= log.includes('Find the cause') ? performance.now() : undefined)
    const [shownAt, polled] = await Promise.all([
      watchFor(cluster, namespace, watching.signal),
      Promise.all(POLLS_SECONDS.map((seconds) => pollFor(cluster, namespace, seconds))),
      runAction(folder, inputs, { env, onLog, isRed: true }),
    ])
    watching.abort(new Error('seen'))
    figures.get('rollsafe')?.push((verdictAt ?? Number.NaN) - shownAt)
    for (const [index, seconds] of POLLS_SECONDS.entries())
      figures.get(`poll ${seconds} s`)?.push((polled[index] ?? Number.NaN) - shownAt)
    await testbed.kubectl(['delete', 'namespace', namespace, '--wait=false'])
  }
  console.log(`from the status of the pod to the verdict, ${RUNS} runs`)
  for (const [name, values] of figures) console.log(`${name.padEnd(10)} ${describeRuns(values, 'ms')}`)
} finally {
  await cluster.close()
  await rm(folder, { recursive: true, force: true })
}
