import { messageOf } from '../../errors.ts'
import type { ObjectRef } from '../../manifest/object.ts'
import { createKeyFilter } from '../../secrets/patterns.ts'
import type { Run } from '../run.ts'

/** Logs of containers, printed as they come, each line with the name of its pod before it. */
export interface LogStreams {
  /** Begins to print a container's log, once; at most `lines` lines of it. Call again when the container has not begun. */
  print(pod: ObjectRef, container: string, lines: number): void
  /** Stops all. Resolves when the last line is printed. */
  close(): Promise<void>
}

function keyOf({ namespace, name }: ObjectRef, container: string): string {
  return `${namespace ?? ''}/${name}/${container}`
}

export function openLogStreams({ cluster, runner }: Pick<Run, 'cluster' | 'runner'>): LogStreams {
  const closing = new AbortController()
  const streams = new Map<string, Promise<void>>()

  async function stream(pod: ObjectRef, container: string, lines: number): Promise<void> {
    const prefix = `[${pod.name} ${container}]`
    let left = lines
    try {
      const withoutKeys = createKeyFilter()
      for await (const line of cluster.followLogs(pod, container, closing.signal)) {
        const told = withoutKeys(line)
        if (told !== undefined) runner.info(`${prefix} ${told}`)
        left -= 1
        if (left > 0) continue
        runner.info(
          `${prefix} (more is in the log of the container: kubectl logs ${pod.name} --container ${container})`,
        )
        return
      }
    } catch (error) {
      // The container has not begun, or is gone again. The log is for people, and nothing depends on it.
      streams.delete(keyOf(pod, container))
      if (!closing.signal.aborted) runner.debug(`${prefix} has no log to follow: ${messageOf(error)}`)
    }
  }

  return {
    print(pod, container, lines) {
      const key = keyOf(pod, container)
      if (lines > 0 && !streams.has(key)) streams.set(key, stream(pod, container, lines))
    },
    async close() {
      closing.abort(new Error('the rollout is over'))
      await Promise.all(streams.values())
    },
  }
}
