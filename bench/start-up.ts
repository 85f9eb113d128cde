/**
 * From the start of the process to the first byte that arrives at the API server, seen from a proxy in front of it; beside
 * it an empty Node.js script, which is the least that any action takes.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startTestbed } from '../testbed/testbed.ts'
import { describeRuns, median, timed } from './measure.ts'
import { runAction } from './run-action.ts'

const RUNS = 10
const run = promisify(execFile)

await using testbed = await startTestbed()
const { hostname, port } = new URL(testbed.server)
let firstByteAt: number | undefined
const proxy = createServer((client) => {
  const server = connect(Number(port), hostname)
  client.on('data', () => (firstByteAt ??= performance.now()))
  client.pipe(server).pipe(client)
  for (const socket of [client, server]) socket.on('error', () => socket.destroy())
})
await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
const folder = await mkdtemp(join(tmpdir(), 'rollsafe-bench-'))
try {
  const { port: proxyPort } = proxy.address() as AddressInfo
  const kubeconfig = (await readFile(testbed.kubeconfig, 'utf8')).replaceAll(
    testbed.server,
    `https://127.0.0.1:${proxyPort}`,
  )
  await writeFile(join(folder, 'app.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: start-up}\n')
  const inputs = { manifests: 'app.yaml', kubeconfig, namespace: 'default', 'stable-for': '0s' }

  const firstByte: number[] = []
  const empty: number[] = []
  // Once to warm the disk cache, which is not counted.
  for (let turn = 0; turn <= RUNS; turn++) {
    firstByteAt = undefined
    const started = performance.now()
    await runAction(folder, inputs)
    const took = (firstByteAt ?? Number.NaN) - started
    const least = await timed(() => run(process.execPath, ['--eval', '']))
    if (turn > 0) {
      firstByte.push(took)
      empty.push(least)
    }
  }
  console.log(`process start to first API byte: ${describeRuns(firstByte, 'ms')}, ${RUNS} runs`)
  console.log(`an empty Node.js script, whole:  ${describeRuns(empty, 'ms')}`)
  console.log(`ratio of the medians:            ${(median(firstByte) / median(empty)).toFixed(2)}`)
} finally {
  proxy.close()
  await rm(folder, { recursive: true, force: true })
}
