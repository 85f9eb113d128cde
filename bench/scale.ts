/**
 * What size costs: requests and memory of an update of one Deployment of 2,000 pods and of 200 Deployments of 5, with kubectl
 * beside it; and the bytes that a deploy of one workload reads in a namespace that holds 5,000 pods of others.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTestbed, type Testbed } from '../testbed/testbed.ts'
import { countRequests } from './audit-log.ts'
import { peakMemory } from './memory.ts'
import { runAction } from './run-action.ts'

const FOREIGN_PODS = Number(process.env['FOREIGN_PODS'] ?? 5000)
const SIZES = [
  { deployments: 1, replicas: Number(process.env['REPLICAS'] ?? 2000) },
  { deployments: Number(process.env['DEPLOYMENTS'] ?? 200), replicas: 5 },
]

const deployment = (name: string, replicas: number, tag: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'app', image: `registry.example/app:${tag}` }] },
    },
  },
})
const release = ({ deployments, replicas }: (typeof SIZES)[number], tag: string) =>
  Array.from({ length: deployments }, (_, index) => deployment(`app-${index}`, replicas, tag))

async function update(testbed: Testbed, folder: string, size: (typeof SIZES)[number]): Promise<void> {
  const name = `${size.deployments}x${size.replicas}`
  for (const client of ['rollsafe', 'kubectl']) {
    const namespace = `scale-${name}-${client}`
    await testbed.kubectl(['create', 'namespace', namespace])
    for (const tag of ['v1', 'v2']) {
      const before = await countRequests(testbed, `${client}/`)
      const objects = release(size, tag)
      await writeFile(join(folder, 'app.json'), objects.map((object) => JSON.stringify(object)).join('\n---\n'))
      const started = performance.now()
      const memory =
        client === 'rollsafe'
          ? await byRollsafe(testbed, folder, namespace)
          : await byKubectl(testbed, namespace, objects)
      const seconds = (performance.now() - started) / 1000
      const requests = (await countRequests(testbed, `${client}/`)) - before
      if (tag === 'v2')
        console.log(
          `${name.padEnd(8)} ${client.padEnd(8)} ${requests} requests, ${memory.toFixed(0)} MB at most, ${seconds.toFixed(1)} s`,
        )
    }
    await testbed.kubectl(['delete', 'namespace', namespace, '--wait=false'])
    await testbed.kubectl(['wait', '--for=delete', `namespace/${namespace}`, '--timeout=300s'])
  }
}

async function byRollsafe(testbed: Testbed, folder: string, namespace: string): Promise<number> {
  let memory = 0
  await runAction(
    folder,
    { manifests: 'app.json', namespace, 'stable-for': '0s', timeout: '20m' },
    {
      env: { KUBECONFIG: testbed.kubeconfig },
      onStart: (child) => peakMemory(child, (megabytes) => (memory = megabytes)),
    },
  )
  return memory
}

async function byKubectl(testbed: Testbed, namespace: string, objects: readonly object[]): Promise<number> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
  await testbed.kubectl(['apply', '--namespace', namespace, '-f', '-'], list)
  const names = objects.map((_, index) => `deployment/app-${index}`)
  let memory = 0
  await new Promise<void>((done, fail) => {
    const args = ['--kubeconfig', testbed.kubeconfig, '--namespace', namespace, 'rollout', 'status', ...names]
    const child = execFile(testbed.binaries.kubectl, args, { maxBuffer: 1 << 28 }, (error) =>
      error ? fail(error) : done(),
    )
    peakMemory(child, (megabytes) => (memory = megabytes))
  })
  return memory
}

/** Bytes that come back from the API server through a proxy in front of it, TLS included. */
async function bytesOfDeploy(testbed: Testbed, folder: string): Promise<void> {
  const namespace = 'shared'
  await testbed.kubectl(['create', 'namespace', namespace])
  await testbed.kubectl(
    ['apply', '--namespace', namespace, '-f', '-'],
    JSON.stringify(deployment('foreign', FOREIGN_PODS, 'v1')),
  )
  await testbed.kubectl(['rollout', 'status', '--namespace', namespace, 'deployment/foreign', '--timeout=20m'])
  let bytes = 0
  const { hostname, port } = new URL(testbed.server)
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname)
    server.on('data', (chunk) => (bytes += chunk.length))
    client.pipe(server).pipe(client)
    for (const socket of [client, server]) socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
  try {
    const address = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const kubeconfig = (await readFile(testbed.kubeconfig, 'utf8')).replaceAll(testbed.server, address)
    await writeFile(join(folder, 'app.json'), JSON.stringify(deployment('web', 3, 'v1')))
    await runAction(folder, { manifests: 'app.json', namespace, kubeconfig, 'stable-for': '0s' })
    console.log(
      `beside ${FOREIGN_PODS} pods of others, a deploy of one Deployment reads ${(bytes / 1e6).toFixed(2)} MB`,
    )
  } finally {
    proxy.close()
  }
}

await using testbed = await startTestbed({ nodes: 10 })
const folder = await mkdtemp(join(tmpdir(), 'rollsafe-bench-'))
try {
  for (const size of SIZES) await update(testbed, folder, size)
  await bytesOfDeploy(testbed, folder)
} finally {
  await rm(folder, { recursive: true, force: true })
}
