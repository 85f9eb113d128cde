/**
 * Secrets at random in every kind of field, and in every word that others say about the release; then everything that Rollsafe
 * has told is searched for them. What else was said in the same places has to be found, so that the search means something.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { KubeObject } from '../../src/manifest/object.ts'
import { type CanaryGarden, createGarden, type Marker, type Told } from './canary/garden.ts'
import { leaksIn } from './canary/leaks.ts'
import { type Policy, under } from './canary/policies.ts'
import { byKubectl, firstRelease, refusedObjects, secondRelease } from './canary/release.ts'

let garden: CanaryGarden

beforeAll(async () => {
  garden = await createGarden()
}, 60_000)

afterAll(async () => {
  await garden[Symbol.asyncDispose]()
})

type Text = keyof Told['texts']

interface Scenario {
  readonly name: string
  readonly run: () => Promise<Told>
  readonly expected: Readonly<Record<string, string>>
  /** Where each marker has to be. */
  readonly reaches: Partial<Record<Marker, readonly Text[]>>
}

const FAILURE: readonly Text[] = ['log', 'annotations', 'summary', 'comment', 'report', 'outputs']

/** Of a longer message the API server says nothing at all. */
const quoting = (field: string): string =>
  `size(string(${field})) > 4000 ? string(${field}).substring(0, 4000) : string(${field})`

/** Refuses the pods of one workload, quoting what they were to be given. */
const NO_PODS: Policy = {
  resource: 'pods',
  allows: "!has(object.metadata.labels) || !('app' in object.metadata.labels) || object.metadata.labels.app != 'web'",
  says: quoting("object.metadata.annotations['testbed.rollsafe.dev/says']"),
  probe: [
    ['create', '--dry-run=server'],
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'probe',
        labels: { app: 'web' },
        annotations: { 'testbed.rollsafe.dev/says': 'x'.repeat(5000) },
      },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    },
  ],
}

/** Refuses what says something: at once, or when it is really written. */
const noSayings = (allows: string, probeArgs: readonly string[]): Policy => ({
  resource: 'configmaps',
  allows: `!has(object.data) || !('says' in object.data) || ${allows}`,
  says: quoting("object.data['says']"),
  probe: [
    probeArgs,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'said' }, data: { says: 'x'.repeat(5000) } },
  ],
})

async function deploySecond(tag: string, options: { killedAt?: RegExp } = {}, inputs = {}): Promise<Told> {
  const all = garden.known('credentials', 'shape', 'first', 'live', 'second')
  const sayings = { logFile: await garden.logFile('log', all), says: garden.line('says', all) }
  await garden.checkout.write('k8s/app.yaml', secondRelease(garden, sayings, tag))
  return garden.run(inputs, options)
}

async function makeByKubectl(): Promise<void> {
  const { kubectl } = garden.namespace
  await kubectl(['apply', '-f', '-'], byKubectl(garden))
  const password = Buffer.from(garden.at('live Secret: changed by hand since')).toString('base64')
  await kubectl(['patch', 'secret/live', '-p', JSON.stringify({ data: { password } })])
  await kubectl([
    'set',
    'env',
    'deployment/live',
    `LIVE_TOKEN=${garden.at('live Deployment: variable set by hand since')}`,
  ])
  await kubectl(['rollout', 'status', 'deployment/live', '--timeout=60s'])
}

/** Events about the workload, as its controllers would write them. */
async function sayInEvents(): Promise<void> {
  const web = await garden.namespace.get<KubeObject>('deployment', 'web')
  const { name, uid } = web.metadata
  const all = garden.known('credentials', 'shape', 'first', 'live', 'second')
  const messages = all.map(({ secret, shaped }) => shaped ?? `${secret} ${JSON.stringify(secret)}`)
  const now = new Date().toISOString().replace(/\.\d+/, '')
  const events = [...messages, garden.marker('event')].map((message, index) => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `canary-${index}`, namespace: garden.namespace.name },
    involvedObject: { apiVersion: 'apps/v1', kind: 'Deployment', name, namespace: garden.namespace.name, uid },
    type: 'Warning',
    reason: `Canary${index}`,
    message,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
  }))
  await garden.namespace.kubectl(['create', '-f', '-'], events.map((event) => JSON.stringify(event)).join('\n---\n'))
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a release that is good, with a Job that prints them',
    async run() {
      const known = garden.known('credentials', 'shape', 'first')
      const sayings = { logFile: await garden.logFile('log', known), says: garden.line('record', known) }
      await garden.checkout.write('k8s/app.yaml', firstRelease(garden, sayings, garden.namespace.name))
      return garden.run({})
    },
    expected: { outcome: 'deployed', release: 'shop', revision: '1' },
    reaches: { log: ['log'] },
  },
  {
    name: 'a plan of a release that changes every one of them',
    async run() {
      await makeByKubectl()
      return deploySecond('v2', {}, { command: 'plan' })
    },
    expected: { outcome: 'planned', changed: 'true' },
    reaches: { says: ['log', 'summary', 'comment', 'report'] },
  },
  {
    name: 'a release that crashes and is rolled back',
    async run() {
      await sayInEvents()
      return deploySecond('v2-crash')
    },
    expected: { outcome: 'rolled-back', reason: 'CrashLoop' },
    reaches: {
      log: ['log', 'report', 'summary', 'comment'],
      says: FAILURE,
      // A comment has room for the last few.
      event: ['report', 'summary'],
    },
  },
  {
    name: 'a release that is never ready and is rolled back',
    run: () => deploySecond('v2-unready'),
    expected: { outcome: 'rolled-back', reason: 'ProbeFailed' },
    reaches: { log: ['report', 'summary', 'comment'], says: FAILURE },
  },
  {
    name: 'a release whose pods are refused with words that quote them',
    run: () => under(garden.namespace, NO_PODS, () => deploySecond('v2')),
    expected: { outcome: 'rolled-back', reason: 'QuotaOrAdmission' },
    reaches: { says: FAILURE },
  },
  {
    name: 'a release that is rejected with words that quote it',
    async run() {
      const all = garden.known('credentials', 'first', 'live', 'second')
      const sayings = { logFile: 'none', says: 'nothing' }
      const said = garden.line('rejection', all)
      await garden.checkout.write('k8s/app.yaml', secondRelease(garden, sayings, 'v2'))
      await garden.checkout.write('k8s/refused.yaml', refusedObjects(garden, said))
      const policy = noSayings('false', ['create', '--dry-run=server'])
      const told = await under(garden.namespace, policy, () => garden.run({}))
      await garden.checkout.write('k8s/refused.yaml', '')
      return told
    },
    expected: { outcome: 'rejected', changed: 'false' },
    reaches: { rejection: ['log', 'annotations', 'summary', 'comment', 'report'] },
  },
  {
    name: 'a rollback by hand that is refused with words that quote the record',
    async run() {
      await garden.checkout.write('k8s/app.yaml', secondRelease(garden, { logFile: 'none', says: 'nothing' }, 'v2'))
      expect((await garden.run({})).outputs).toMatchObject({ outcome: 'deployed' })
      const policy = noSayings('request.dryRun', ['create'])
      return under(garden.namespace, policy, () => garden.run({ command: 'rollback', 'to-revision': '1' }))
    },
    expected: { outcome: 'rejected', reason: 'QuotaOrAdmission' },
    reaches: { record: FAILURE },
  },
  {
    name: 'a rollback by hand',
    run: () => garden.run({ command: 'rollback', 'to-revision': '1' }),
    expected: { outcome: 'rolled-back' },
    reaches: {},
  },
  {
    name: 'a run that is killed, and a post step whose way back is refused with words that quote the record',
    run: () =>
      under(garden.namespace, noSayings('request.dryRun', ['create']), () =>
        deploySecond('v2-crash', { killedAt: /CrashLoop/ }),
      ),
    expected: { outcome: 'rollback-failed' },
    reaches: { record: FAILURE },
  },
]

describe('no secret gets out of', () => {
  it('a garden with more than forty of them', () => {
    expect(garden.plants.length).toBeGreaterThanOrEqual(40)
    expect(new Set(garden.plants.map(({ secret }) => secret)).size).toBe(garden.plants.length)
    const naked = garden.plants.map(({ secret }) => Buffer.from(`x${secret}`).toString('base64')).join('\n')
    expect(new Set(leaksIn({ naked }, garden.plants).map((leak) => leak.of)).size).toBe(garden.plants.length)
  })

  it.each(SCENARIOS)('$name', async ({ run, expected, reaches }) => {
    const { outputs, texts, raw } = await run()
    expect({ ...outputs, log: texts.log }).toMatchObject({ ...expected, namespace: garden.namespace.name })
    expect(leaksIn(texts, garden.plants)).toEqual([])
    for (const [marker, places] of Object.entries(reaches) as [Marker, Text[]][]) {
      const word = garden.marker(marker)
      expect({ marker, in: places.filter((place) => texts[place].includes(word)) }).toEqual({ marker, in: places })
    }
    raw.forEach(expectMasksFirst)
  })
})

/** The runner is told every credential before anything is printed that others have a part in. */
function expectMasksFirst(log: string): void {
  const lines = log.split('\n')
  const masks = lines.filter((line) => line.startsWith('::add-mask::'))
  expect(masks.length).toBeGreaterThan(0)
  expect(lines.slice(0, masks.length)).toEqual(masks)
  const told = masks.join('\n').replaceAll('%0A', '\n').replaceAll('%0D', '\r').replaceAll('%25', '%')
  for (const { secret, where } of garden.known('credentials')) {
    expect({ where, isMasked: told.includes(secret) }).toEqual({ where, isMasked: true })
  }
  // The values of Secrets are hidden by Rollsafe alone.
  expect(leaksIn({ masks: told }, garden.known('first', 'live', 'second'))).toEqual([])
}
