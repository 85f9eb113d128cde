/**
 * Records the stories of __tests__/fixtures/stories: deploys a workload that misbehaves to a testbed, and writes down each
 * state of its ReplicaSet, pods and events as a file of its own, in the order in which the API server told them.
 *
 *   node testbed/record.ts [story]...     all stories if none is named; KUBECONFIG names the testbed
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from './run.ts'
import { STORIES, type Story } from './stories.ts'

const FOLDER = join(import.meta.dirname, '..', '__tests__', 'fixtures', 'stories')
/** After the last change, for stories that come to rest. */
const REST_MS = 4_000

type Fields = Record<string, unknown>
type Recorded = { metadata: Fields; kind: string; reason?: string; status?: Fields }

async function record(name: string, story: Story): Promise<void> {
  const namespace = `story-${name}`
  const kubectl = (args: string[], input?: string) => run('kubectl', args, input === undefined ? {} : { input })
  await kubectl(['create', 'namespace', namespace])
  const folder = join(FOLDER, name)
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder).filter((one) => /^\d\d-/.test(one))) rmSync(join(folder, file))

  const begun = Date.now()
  const seen = new Map<string, string>()
  let steps = 0
  let changedAt = Date.now()
  const write = (object: Recorded) => {
    changedAt = Date.now()
    const what = [object.kind.toLowerCase(), ...wordsOf(object)].join('-')
    const file = `${String(++steps).padStart(2, '0')}-${what}.json`
    const step = { seconds: (changedAt - begun) / 1000, object: withoutMachine(object) }
    writeFileSync(join(folder, file), `${JSON.stringify(step, null, 2)}\n`)
  }
  const watches = ['/api/v1', '/apis/apps/v1'].flatMap((group) =>
    (group === '/api/v1' ? ['pods', 'events'] : ['replicasets']).map((plural) => {
      const path = `${group}/namespaces/${namespace}/${plural}?watch=true`
      const child = spawn('kubectl', ['get', '--raw', path], { stdio: ['ignore', 'pipe', 'ignore'] })
      createInterface({ input: child.stdout }).on('line', (line) => {
        const { type, object } = JSON.parse(line) as { type: string; object: Recorded }
        if (type === 'DELETED' || !isTelling(object)) return
        const print = fingerprint(object)
        const key = object.kind === 'Event' ? subjectOf(object) : String(object.metadata['uid'])
        if (seen.get(key) === print) return
        seen.set(key, print)
        write(object)
      })
      return child
    }),
  )
  try {
    for (const objects of story.objects) {
      const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
      await kubectl(['--namespace', namespace, 'apply', '--server-side', '-f', '-'], text)
      // A quota, a policy or a label takes a moment to count.
      await sleep(objects === story.objects.at(-1) ? 0 : 3_000)
    }
    const end = Date.now() + story.seconds * 1000
    while (Date.now() < end && Date.now() < changedAt + Math.max(REST_MS, story.restMs ?? 0)) await sleep(100)
  } finally {
    for (const watch of watches) watch.kill()
    await kubectl(['delete', 'namespace', namespace, '--wait=false'])
  }
  console.log(`${name}: ${steps} steps`)
}

/** Of the events, those that tell more than that all goes well. */
function isTelling(object: Recorded): boolean {
  if (object.kind === 'Event') return object['type' as keyof Recorded] === 'Warning'
  return object.kind === 'Pod' || conditionsOf(object).some(({ type }) => type === 'ReplicaFailure')
}

const conditionsOf = ({ status }: Recorded) => (status?.['conditions'] ?? []) as Fields[]
const containersOf = ({ status }: Recorded) =>
  ['initContainerStatuses', 'containerStatuses'].flatMap((list) => (status?.[list] ?? []) as Fields[])

/** For the name of the file. */
function wordsOf(object: Recorded): string[] {
  if (object.kind === 'Event') return [(object.reason ?? '').toLowerCase()]
  if (object.kind === 'ReplicaSet') return ['replicafailure']
  if (object.metadata['deletionTimestamp'] !== undefined) return ['deleting']
  const words = containersOf(object).map((container) => {
    const [state, facts] = Object.entries((container['state'] ?? {}) as Record<string, { reason?: string }>)[0] ?? [
      '',
      {},
    ]
    return (facts.reason ?? (container['ready'] === true ? 'ready' : state)).toLowerCase()
  })
  const unscheduled = conditionsOf(object).find(({ type, status }) => type === 'PodScheduled' && status === 'False')
  return unscheduled ? [String(unscheduled['reason']).toLowerCase()] : words.length > 0 ? words : ['created']
}

/** An Event that repeats is written down once. */
function subjectOf(event: Recorded): string {
  return JSON.stringify([event.reason, (event as unknown as { involvedObject: Fields }).involvedObject['uid']])
}

/** All that changes, apart from the times. */
function fingerprint(object: Recorded): string {
  if (object.kind === 'Event') return ''
  const isTime = (field: string) => /Time$|Timestamp$|At$|^resourceVersion$|^managedFields$/.test(field)
  return JSON.stringify(object, (field, value: unknown) => (isTime(field) ? field : value))
}

/** What says nothing about Kubernetes, and something about where it ran, stays out of the recording. */
function withoutMachine(object: Recorded): unknown {
  return JSON.parse(
    JSON.stringify(object, (field, value: unknown) =>
      ['managedFields', 'hostIP', 'hostIPs', 'podIP', 'podIPs'].includes(field) ? undefined : value,
    ),
  )
}

const names = process.argv.slice(2)
for (const [name, story] of Object.entries(STORIES)) {
  if (names.length === 0 || names.includes(name)) await record(name, story)
}
