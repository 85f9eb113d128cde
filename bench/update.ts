/**
 * An update of 20 × (ConfigMap, Service, Deployment), to the last healthy Deployment: API requests and time of Rollsafe, of
 * the least that any client can do (60 parallel applies and one watch), and of kubectl apply + kubectl rollout status, turn
 * by turn against one control plane with its own request limits.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTestbed } from '../testbed/testbed.ts'
import { countRequests } from './audit-log.ts'
import { leastUpdate } from './least-client.ts'
import { describeRuns, median, timed } from './measure.ts'
import { runAction } from './run-action.ts'

const APPS = 20
const TURNS = 5

await using testbed = await startTestbed({ raiseControllerLimits: false })
const folder = await mkdtemp(join(tmpdir(), 'rollsafe-bench-'))

interface Contender {
  readonly name: string
  readonly namespace: string
  /** Begins the User-Agent of its requests. */
  readonly agent: string
  readonly update: (objects: readonly object[], namespace: string) => Promise<unknown>
}

const contenders: Contender[] = [
  {
    name: 'rollsafe',
    namespace: 'bench-rollsafe',
    agent: 'rollsafe/',
    async update(objects, namespace) {
      await writeFile(join(folder, 'app.json'), objects.map((object) => JSON.stringify(object)).join('\n---\n'))
      await runAction(
        folder,
        { manifests: 'app.json', namespace, 'stable-for': '0s' },
        { env: { KUBECONFIG: testbed.kubeconfig } },
      )
    },
  },
  {
    name: 'least client',
    namespace: 'bench-least',
    agent: 'least-client/',
    update: async (objects, namespace) => leastUpdate(await readFile(testbed.kubeconfig, 'utf8'), objects, namespace),
  },
  {
    name: 'kubectl',
    namespace: 'bench-kubectl',
    agent: 'kubectl/',
    async update(objects, namespace) {
      const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
      await testbed.kubectl(['apply', '--namespace', namespace, '-f', '-'], list)
      await testbed.kubectl([
        'rollout',
        'status',
        '--namespace',
        namespace,
        ...Array.from({ length: APPS }, (_, app) => `deployment/app-${app}`),
      ])
    },
  },
]

const release = (turn: number): object[] =>
  Array.from({ length: APPS }, (_, app) => {
    const name = `app-${app}`
    const labels = { app: name }
    return [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { turn: String(turn) } },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, labels: { turn: String(turn) } },
        spec: { selector: labels, ports: [{ port: 80 }] },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name },
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { containers: [{ name: 'app', image: `registry.example/app:v${turn}` }] },
          },
        },
      },
    ]
  }).flat()

try {
  const figures = new Map(contenders.map(({ name }) => [name, { ms: [] as number[], requests: [] as number[] }]))
  for (const { namespace } of contenders) await testbed.kubectl(['create', 'namespace', namespace])
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const { name, namespace, agent, update } of contenders) {
      const before = await countRequests(testbed, agent)
      const ms = await timed(() => update(release(turn), namespace))
      const requests = (await countRequests(testbed, agent)) - before
      // The first turn creates everything, and is not an update.
      if (turn > 0) figures.get(name)?.ms.push(ms)
      if (turn > 0) figures.get(name)?.requests.push(requests)
    }
  }
  const least = median(figures.get('least client')?.ms ?? [])
  console.log(`update of ${APPS} x (ConfigMap, Service, Deployment), ${TURNS} turns`)
  for (const [name, { ms, requests }] of figures) {
    const ratio = (median(ms) / least).toFixed(2)
    console.log(
      `${name.padEnd(13)} ${describeRuns(requests, 'requests')}; ${describeRuns(
        ms.map((value) => value / 1000),
        's',
        2,
      )}; ${ratio} x least`,
    )
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
