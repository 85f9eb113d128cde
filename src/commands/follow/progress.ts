import { describe, keyOf, type KubeObject, type ObjectRef } from '../../manifest/object.ts'
import { objectsIn, podTemplateOf } from '../../manifest/pod-template.ts'
import { hookOf } from '../../plan/stages.ts'
import type { PodFacts } from '../../rollout/pod-facts.ts'
import { newPodsIn, type RolloutState, type Tracked } from '../../rollout/tracker.ts'
import type { LogStreams } from './log-streams.ts'
import type { Run } from '../run.ts'

/** With more objects than this, only those that become healthy or fail get a line, and a count says how far all are. */
const TABLE_ROWS = 12
/** The whole log of a hook is of interest, but not gigabytes of it. */
const HOOK_LOG_LINES = 10_000

/** Tells a rollout in the log: a row for each object whenever its status changes, and each trouble of its pods once. */
export interface Progress {
  tell(before: RolloutState, now: RolloutState): void
}

export function openProgress(
  { clock, runner, journal, inputs }: Run,
  logs: LogStreams,
  onSettled: (key: string) => void,
): Progress {
  const started = clock.now()
  const told = new Set<string>()

  function tellStatus(
    before: Tracked | undefined,
    { target, status }: Tracked,
    isLong: boolean,
    width: number,
  ): boolean {
    const isSettled = status.state !== before?.status.state
    if (status.message === before?.status.message && !isSettled) return false
    if (!isLong || status.state === 'failed') runner.info(row(target.ref, status.message, width))
    if (isSettled) {
      onSettled(keyOf(target.ref))
      if (status.state !== 'progressing') journal.note(`${describe(target.ref)}: ${status.message}`)
    }
    return isSettled
  }

  function tellTrouble({ target, object }: Tracked, pod: PodFacts, width: number) {
    const { trouble } = pod
    const ref: ObjectRef = { apiVersion: 'v1', kind: 'Pod', namespace: pod.namespace, name: pod.name }
    if (object && hookOf(object)) {
      for (const container of containersOf(object)) logs.print(ref, container, HOOK_LOG_LINES)
    }
    if (!trouble || trouble.gravity === 'passing') return
    const key = `${keyOf(target.ref)} ${trouble.container ?? ''} ${trouble.reason}`
    if (told.has(key)) return
    told.add(key)
    runner.info(row(target.ref, `${trouble.reason}: ${trouble.message}`, width))
    if (trouble.container !== undefined) logs.print(ref, trouble.container, inputs.logLines)
  }

  function row(ref: ObjectRef, message: string, width: number): string {
    const seconds = `${Math.floor((clock.now() - started) / 1000)}s`
    return `${seconds.padStart(5)}  ${describe(ref).padEnd(width)}  ${message}`
  }

  return {
    tell(before, now) {
      const all = [...now.tracked.values()]
      const changed = all.filter((tracked) => tracked.status !== before.tracked.get(keyOf(tracked.target.ref))?.status)
      const hooks = all.filter(isHook)
      const hasNewTrouble = now.podsVersion !== before.podsVersion && (now.pods.hasTrouble || hooks.length > 0)
      if (changed.length === 0 && !hasNewTrouble) return
      const isLong = all.length > TABLE_ROWS
      const width = Math.max(0, ...all.map(({ target }) => describe(target.ref).length))
      const settled = changed.filter((tracked) =>
        tellStatus(before.tracked.get(keyOf(tracked.target.ref)), tracked, isLong, width),
      )
      if (isLong && settled.length > 0) {
        const healthy = all.filter(({ status }) => status.state === 'healthy').length
        runner.info(`${healthy} of ${all.length} objects are healthy`)
      }
      if (!hasNewTrouble) return
      for (const tracked of all) {
        if (tracked.status.state === 'healthy' && !isHook(tracked)) continue
        for (const pod of newPodsIn(now, tracked)) tellTrouble(tracked, pod, width)
      }
    },
  }
}

function isHook({ object }: Tracked): boolean {
  return object !== undefined && hookOf(object) !== undefined
}

function containersOf(job: KubeObject): string[] {
  const spec = podTemplateOf(job)?.spec ?? {}
  return [spec['initContainers'], spec['containers']].flatMap(objectsIn).map(({ item }) => String(item['name']))
}
