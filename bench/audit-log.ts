import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Testbed } from '../testbed/testbed.ts'

/** How many requests the API server has had of clients whose User-Agent begins like this; a watch counts as one. */
export async function countRequests(testbed: Testbed, agent: string): Promise<number> {
  const seen = new Set<string>()
  for await (const line of createInterface({ input: createReadStream(testbed.auditLog) })) {
    if (!line.includes(`"userAgent":"${agent}`)) continue
    seen.add((JSON.parse(line) as { auditID: string }).auditID)
  }
  return seen.size
}
