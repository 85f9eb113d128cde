/** The records of a release, as a later run finds them. */
import { openRecords, type Records } from '../../src/commands/session/records.ts'
import type { Cluster } from '../../src/ports.ts'
import type { ReleaseRecord } from '../../src/release/record.ts'
import { connect } from './settled.ts'
import type { TestNamespace } from './testbed.ts'

/** Those of the release `shop`, which is what the tests' repository is called. */
export function recordsIn(namespace: TestNamespace, cluster: Cluster): Records {
  return openRecords(cluster, { namespace: namespace.name, release: 'shop' })
}

/** All revisions on record, the oldest first. */
export async function readHistory(namespace: TestNamespace): Promise<ReleaseRecord[]> {
  await using cluster = await connect()
  const records = recordsIn(namespace, cluster)
  return await Promise.all((await records.list()).map(records.read))
}

/** `1 good`, `2 rolled-back`, `4 good like 2`: the history in short. */
export async function historyOf(namespace: TestNamespace): Promise<string[]> {
  return (await readHistory(namespace)).map(
    ({ revision, status, copyOf }) => `${revision} ${status}${copyOf === undefined ? '' : ` like ${copyOf}`}`,
  )
}
