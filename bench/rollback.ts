/**
 * What a rollback costs: how long after the verdict its first write arrives at the API server, and how many requests the way
 * back of 50 Deployments takes, by the audit log, beside `kubectl rollout undo` and `kubectl rollout status` of as many.
 *
 * The verdict is when the line `Find the cause` is printed, which is the next thing that happens. One clock tells both times.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTestbed, type Testbed } from '../testbed/testbed.ts'
import { type AuditedRequest, readRequests } from './audit-log.ts'
import { describeRuns } from './measure.ts'
import { runAction } from './run-action.ts'

const RUNS = Number(process.env['RUNS'] ?? 10)
const WORKLOADS = Number(process.env['WORKLOADS'] ?? 50)
const PER_OBJECT = 3
const BESIDE = 20
const LIMIT = PER_OBJECT * WORKLOADS + BESIDE
/** What the issue asks for. */
const PATIENCE_MS = 500

const deployment = (name: string, tag: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'app', image: `registry.example/app:${tag}` }] },
    },
  },
})

const nameOf = (index: number) => `app-${index}`
const release = (count: number, tagOf: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => deployment(nameOf(index), tagOf(index)))

await using testbed = await startTestbed({ raiseControllerLimits: false })
const folder = await mkdtemp(join(tmpdir(), 'rollsafe-bench-'))

interface Return {
  readonly verdictAt: number
  readonly endedAt: number
  /** From the verdict on. */
  readonly requests: readonly AuditedRequest[]
}

/** Deploys a bad release over a good one, and waits for the end of its rollback. */
async function deployAndReturn(
  namespace: string,
  good: readonly object[],
  bad: readonly object[],
  more: Readonly<Record<string, string>> = {},
): Promise<Return> {
  await testbed.kubectl(['create', 'namespace', namespace])
  const inputs = { manifests: 'app.json', namespace, 'stable-for': '0s', ...more }
  const env = { KUBECONFIG: testbed.kubeconfig }
  const write = (objects: readonly object[]) =>
    writeFile(join(folder, 'app.json'), objects.map((object) => JSON.stringify(object)).join('\n---\n'))
  await write(good)
  await runAction(folder, inputs, { env })
  await write(bad)
  let verdictAt: number | undefined
  const onLog = (log: string) => (verdictAt ??= log.includes('Find the cause') ? Date.now() : undefined)
  const log = await runAction(folder, inputs, { env, onLog, isRed: true })
  const endedAt = Date.now()
  if (verdictAt === undefined || !log.includes('Roll back')) throw new Error(`nothing was rolled back:\n${log}`)
  const since = verdictAt
  const all = await readRequests(testbed, 'rollsafe/')
  const requests = all.filter((request) => request.at >= since && request.namespace === namespace)
  await testbed.kubectl(['delete', 'namespace', namespace, '--wait=false'])
  return { verdictAt, endedAt, requests }
}

const isUndo = ({ verb, resource, isDryRun }: AuditedRequest) =>
  ['patch', 'update', 'delete', 'create'].includes(verb) && resource === 'deployments' && !isDryRun

async function measureFirstWrite(): Promise<void> {
  const delays: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const one = (tag: string) => release(1, () => tag)
    const { verdictAt, requests } = await deployAndReturn(`first-write-${run}`, one('v1'), one('v2-unpullable'))
    delays.push((requests.find(isUndo)?.at ?? Number.NaN) - verdictAt)
  }
  const most = Math.max(...delays)
  console.log(`from the verdict to the first write of the rollback, ${RUNS} runs`)
  console.log(`  ${describeRuns(delays, 'ms')}; the longest is ${(most / PATIENCE_MS).toFixed(2)} x ${PATIENCE_MS} ms`)
}

type Purpose = 'evidence' | 'undo' | 'watches' | 'record and lock'

function purposeOf({ verb, resource }: AuditedRequest): Purpose {
  if (resource === 'secrets' || resource === 'leases') return 'record and lock'
  if (verb === 'watch') return 'watches'
  if (resource === 'deployments') return verb === 'list' ? 'watches' : 'undo'
  return 'evidence'
}

interface Way {
  readonly title: string
  readonly namespace: string
  readonly tagOf: (index: number) => string
  readonly inputs?: Readonly<Record<string, string>>
}

async function measureRequests({ title, namespace, tagOf, inputs = {} }: Way): Promise<void> {
  const good = release(WORKLOADS, () => 'v1')
  const bad = release(WORKLOADS, tagOf)
  const { verdictAt, endedAt, requests } = await deployAndReturn(namespace, good, bad, inputs)
  const counts = new Map<Purpose, number>()
  for (const request of requests) counts.set(purposeOf(request), (counts.get(purposeOf(request)) ?? 0) + 1)
  const evidence = counts.get('evidence') ?? 0
  const all = requests.length

  const kubectl = await returnByKubectl(`${namespace}-kubectl`, good, bad)
  const seconds = (endedAt - verdictAt) / 1000
  console.log(`way back of ${WORKLOADS} Deployments, ${title}`)
  console.log(`  ${[...counts].map(([purpose, count]) => `${purpose} ${count}`).join(', ')}`)
  console.log(`  without evidence ${all - evidence} requests, ${((all - evidence) / LIMIT).toFixed(2)} x the ${LIMIT}`)
  console.log(`  with it          ${all} requests, ${(all / LIMIT).toFixed(2)} x the ${LIMIT}`)
  console.log(
    `  kubectl          ${kubectl.requests} requests (${(all / kubectl.requests).toFixed(2)} x as many by Rollsafe)`,
  )
  console.log(
    `  ${seconds.toFixed(1)} s to the end of the run, kubectl ${kubectl.seconds.toFixed(1)} s: ${(seconds / kubectl.seconds).toFixed(2)} x`,
  )
}

/** The same by hand: nobody looks for a cause, and nothing but the Deployments goes back. */
async function returnByKubectl(
  namespace: string,
  good: readonly object[],
  bad: readonly object[],
): Promise<{ requests: number; seconds: number }> {
  const inNamespace = (args: readonly string[], input?: string) =>
    testbed.kubectl(['--namespace', namespace, ...args], input)
  const list = (items: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
  const names = Array.from({ length: WORKLOADS }, (_, index) => `deployment/${nameOf(index)}`)
  await testbed.kubectl(['create', 'namespace', namespace])
  await inNamespace(['apply', '-f', '-'], list(good))
  await inNamespace(['rollout', 'status', ...names])
  await inNamespace(['apply', '-f', '-'], list(bad))
  await seenByControllers(testbed, namespace)
  const before = (await readRequests(testbed, 'kubectl/')).length
  const started = performance.now()
  await inNamespace(['rollout', 'undo', ...names])
  await inNamespace(['rollout', 'status', ...names])
  const seconds = (performance.now() - started) / 1000
  const requests = (await readRequests(testbed, 'kubectl/')).length - before
  await testbed.kubectl(['delete', 'namespace', namespace, '--wait=false'])
  return { requests, seconds }
}

/** There is nothing to go back from before the controller has seen a Deployment change. */
async function seenByControllers({ kubectl }: Testbed, namespace: string): Promise<void> {
  const count = async (path: string) => {
    const text = await kubectl(['--namespace', namespace, 'get', 'deployments', '-o', `jsonpath={.items[*]${path}}`])
    return text.split(' ').filter((number) => Number(number) >= 2).length
  }
  while ((await count('.status.observedGeneration')) < WORKLOADS);
}

try {
  await measureFirstWrite()
  await measureRequests({
    title: 'one of them bad',
    namespace: 'one-bad',
    tagOf: (index) => (index === 0 ? 'v2-unpullable' : 'v2'),
  })
  // The most evidence that there can be: each of them has failed by its own deadline.
  await measureRequests({
    title: 'all of them bad, and none of that told before the deadline',
    namespace: 'all-bad',
    tagOf: () => 'v2-unpullable',
    inputs: { 'fail-fast': 'off', timeout: '45s' },
  })
} finally {
  await rm(folder, { recursive: true, force: true })
}
