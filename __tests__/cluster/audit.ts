/** Who has written what, by the API server's own audit log. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { testbed } from './testbed.ts'

interface AuditEvent {
  readonly stage: string
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly objectRef?: { readonly resource?: string; readonly namespace?: string; readonly name?: string }
  readonly responseStatus?: { readonly code?: number }
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
}

/** A request that changes something, or was meant to. */
export interface AuditedWrite {
  /** `patch configmaps web: 200` */
  readonly what: string
  readonly namespace: string
  /** The name of the ServiceAccount. */
  readonly user: string
  readonly kind: 'lock' | 'record' | 'object'
  /** When the API server had the request, and when it had answered it: ISO 8601 with microseconds. */
  readonly began: string
  readonly ended: string
}

const WRITES = ['create', 'update', 'patch', 'delete', 'deletecollection']

/** All writes of ServiceAccounts in namespaces that begin so, in the order in which they were received; no dry-runs. */
export async function auditedWrites(prefix: string): Promise<AuditedWrite[]> {
  const found: AuditedWrite[] = []
  for await (const line of createInterface({ input: createReadStream(testbed().auditLog) })) {
    if (!line.includes(`system:serviceaccount:${prefix}`)) continue
    const event = JSON.parse(line) as AuditEvent
    const { resource = '', namespace = '', name = '' } = event.objectRef ?? {}
    const [, , home, user = ''] = event.user.username.split(':')
    if (event.stage !== 'ResponseComplete' || !WRITES.includes(event.verb) || event.requestURI.includes('dryRun='))
      continue
    if (home !== namespace || !namespace.startsWith(prefix)) continue
    const isRecord = resource === 'secrets' && name.startsWith('rollsafe.')
    found.push({
      what: `${event.verb} ${resource} ${name}: ${event.responseStatus?.code ?? 0}`,
      namespace,
      user,
      kind: resource === 'leases' ? 'lock' : isRecord ? 'record' : 'object',
      began: event.requestReceivedTimestamp,
      ended: event.stageTimestamp,
    })
  }
  return found.toSorted((one, other) => one.began.localeCompare(other.began))
}
