/** A real Pushgateway, and a real Prometheus that reads it and knows the alerts of examples/monitoring, on the loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { unpackDebian } from '../../testbed/debian.ts'
import { freePorts } from '../../testbed/ports.ts'
import { eventually } from './testbed.ts'

const tell = (line: string) => process.stderr.write(`testbed: ${line}\n`)
const PROMETHEUS = await unpackDebian('prometheus', tell)
const PUSHGATEWAY = await unpackDebian('prometheus-pushgateway', tell)

export const EXAMPLES = resolve(import.meta.dirname, '../../examples/monitoring')
export const PROMTOOL = join(PROMETHEUS, 'promtool')

export interface Monitoring extends AsyncDisposable {
  /** The address of the Pushgateway. */
  readonly pushgateway: string
  /** What the Pushgateway holds, in the text format. */
  metrics(): Promise<string>
  /** What Prometheus answers to a query: a value for each series. */
  query(expression: string): Promise<readonly { metric: Record<string, string>; value: readonly [number, string] }[]>
  /** The names of the alerts that fire for a namespace. */
  firing(namespace: string): Promise<string[]>
}

export async function startMonitoring(): Promise<Monitoring> {
  const folder = await mkdtemp(join(tmpdir(), 'rollsafe-monitoring-'))
  const [gatewayPort, prometheusPort] = await freePorts(2)
  const gateway = `127.0.0.1:${gatewayPort}`
  const prometheus = `127.0.0.1:${prometheusPort}`
  const scrape = { job_name: 'pushgateway', honor_labels: true, static_configs: [{ targets: [gateway] }] }
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(EXAMPLES, 'alerts.yml')],
    scrape_configs: [scrape],
  }
  // YAML as well as JSON.
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config))
  const children = [
    spawn(join(PUSHGATEWAY, 'prometheus-pushgateway'), [`--web.listen-address=${gateway}`], { stdio: 'ignore' }),
    spawn(
      join(PROMETHEUS, 'prometheus'),
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${prometheus}`,
      ],
      { stdio: 'ignore' },
    ),
  ]
  const stop = async () => {
    await Promise.all(children.map(end))
    await rm(folder, { recursive: true, force: true })
  }
  try {
    for (const host of [gateway, prometheus]) await eventually(() => text(`http://${host}/-/ready`))
  } catch (error) {
    await stop()
    throw error
  }
  const api = async <Data>(path: string): Promise<Data> =>
    (JSON.parse(await text(`http://${prometheus}/api/v1/${path}`)) as { data: Data }).data
  return {
    pushgateway: `http://${gateway}`,
    metrics: () => text(`http://${gateway}/metrics`),
    async query(expression) {
      const data = await api<{ result: [] }>(`query?query=${encodeURIComponent(expression)}`)
      return data.result
    },
    async firing(namespace) {
      const { alerts } = await api<{ alerts: { state: string; labels: Record<string, string> }[] }>('alerts')
      return alerts
        .filter(({ state, labels }) => state === 'firing' && labels['namespace'] === namespace)
        .map(({ labels }) => labels['alertname'] ?? '')
    },
    [Symbol.asyncDispose]: stop,
  }
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((done) => child.once('close', done))
  if (child.exitCode === null && child.kill('SIGKILL')) await ended
}

async function text(url: string): Promise<string> {
  const response = await fetch(url)
  const body = await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body}`)
  return body
}
