import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Testbed } from '../testbed/testbed.ts'

/** A request as the API server's audit log tells it. */
export interface AuditedRequest {
  /** When it arrived, in milliseconds of the wall clock. */
  readonly at: number
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete` … */
  readonly verb: string
  /** `pods/log`: the plural, and the subresource if there is one; empty for what is no resource. */
  readonly resource: string
  readonly namespace: string
  readonly isDryRun: boolean
}

interface AuditEvent {
  readonly auditID: string
  readonly verb: string
  readonly requestURI: string
  readonly requestReceivedTimestamp: string
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly namespace?: string }
}

/** The requests of clients whose User-Agent begins like this, in the order in which they arrived; a watch counts as one. */
export async function readRequests(testbed: Testbed, agent: string): Promise<AuditedRequest[]> {
  const requests = new Map<string, AuditedRequest>()
  for await (const line of createInterface({ input: createReadStream(testbed.auditLog) })) {
    if (!line.includes(`"userAgent":"${agent}`)) continue
    const { auditID, verb, requestURI, requestReceivedTimestamp, objectRef = {} } = JSON.parse(line) as AuditEvent
    const { resource = '', subresource, namespace = '' } = objectRef
    requests.set(auditID, {
      // Down to the microsecond, of which Date keeps three digits.
      at: Date.parse(requestReceivedTimestamp),
      verb,
      resource: subresource === undefined ? resource : `${resource}/${subresource}`,
      namespace,
      isDryRun: requestURI.includes('dryRun='),
    })
  }
  return [...requests.values()].toSorted((one, other) => one.at - other.at)
}

export async function countRequests(testbed: Testbed, agent: string): Promise<number> {
  return (await readRequests(testbed, agent)).length
}
