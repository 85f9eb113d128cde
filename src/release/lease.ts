/**
 * The lock of a release: a Lease that the run at work keeps renewing, and what others may conclude from seeing it. The rule is
 * that of client-go (tools/leaderelection/leaderelection.go): the times in a Lease were written by a clock that may be hours
 * off, so they are never compared with ours. What counts is whether the Lease changes, timed by our own clock.
 */
import { isObject, type KubeObject, type ObjectRef } from '../manifest/object.ts'
import type { RunFacts } from '../report/report.ts'

/** How long a lock lasts that nobody renews. */
export const LEASE_SECONDS = 30
const HOLDER = 'rollsafe.dev/holder'
/** `leaseTransitions` is an int32. */
const MOST_TRANSITIONS = 2 ** 31 - 1

/** Another run has the lock now, or this run cannot be sure that none has: it must not write any more. */
export class LockLostError extends Error {
  override readonly name = 'LockLostError'
  /** Who has it now, for people; absent when that is not known. */
  readonly takenBy?: string

  constructor(message: string, takenBy?: string) {
    super(message)
    if (takenBy !== undefined) this.takenBy = takenBy
  }
}

export function leaseRef(release: string, namespace: string): ObjectRef {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: `rollsafe.${release}` }
}

export interface LeaseContent {
  readonly namespace: string
  readonly release: string
  readonly holder: string
  /** Absent when the run is not on GitHub. */
  readonly run?: RunFacts | undefined
  readonly acquired: Date
  readonly renewed: Date
  /** How often the lock has gone from one holder to the next. */
  readonly transitions: number
}

/**
 * The Lease to write; `over` one that is there, whose UID and resourceVersion it keeps, so that the server refuses it when
 * anybody has written in between, or has deleted it: a PUT may create a Lease.
 */
export function leaseManifest(content: LeaseContent, over?: KubeObject): KubeObject {
  const { release, namespace, run } = content
  const { apiVersion, kind, name } = leaseRef(release, namespace)
  const holder = run && { url: run.url, sha: run.sha, actor: run.actor, attempt: run.attempt }
  return {
    apiVersion,
    kind,
    metadata: {
      ...over?.metadata,
      name,
      namespace,
      labels: {
        ...over?.metadata.labels,
        'rollsafe.dev/record-of': release,
        'app.kubernetes.io/managed-by': 'rollsafe',
      },
      annotations: { ...over?.metadata.annotations, [HOLDER]: JSON.stringify(holder ?? {}) },
    },
    spec: {
      holderIdentity: content.holder,
      leaseDurationSeconds: LEASE_SECONDS,
      acquireTime: microTime(content.acquired),
      renewTime: microTime(content.renewed),
      leaseTransitions: content.transitions > MOST_TRANSITIONS ? 0 : content.transitions,
    },
  }
}

/** A MicroTime of Kubernetes: six digits after the second, no more and no fewer. */
function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z')
}

/** What a Lease says. Anybody who may write Leases may have written it, so nothing in it is trusted. */
export interface Lease {
  /** Empty when nobody holds it. */
  readonly holder: string
  readonly durationSeconds: number
  readonly transitions: number
  /** A different one after every write. */
  readonly version: string
  /** The run that holds it, for people. */
  readonly who: string
}

/** Reads a Lease; what is missing, or of the wrong type, counts as not said. */
export function readLease(object: KubeObject): Lease {
  const spec = isObject(object['spec']) ? object['spec'] : {}
  const { holderIdentity, leaseDurationSeconds: duration, leaseTransitions: transitions } = spec
  const holder = typeof holderIdentity === 'string' ? holderIdentity : ''
  const { uid = '', resourceVersion = '', annotations } = object.metadata
  return {
    holder,
    durationSeconds: isWhole(duration) && duration > 0 ? duration : LEASE_SECONDS,
    transitions: isWhole(transitions) && transitions >= 0 ? transitions : 0,
    version: JSON.stringify([uid, resourceVersion, holder, spec['renewTime'] ?? '']),
    who: describeHolder(holder, parse(isObject(annotations) ? annotations[HOLDER] : undefined)),
  }
}

/** `https://github.com/acme/shop/actions/runs/1 (commit abc1234 by octocat, attempt 1)`, as far as it is known. */
function describeHolder(holder: string, { url, sha, actor, attempt }: Record<string, unknown>): string {
  const commit = typeof sha === 'string' && /^[0-9a-f]{7,64}$/.test(sha) ? `commit ${sha.slice(0, 7)}` : ''
  // User names of GitHub, and of its apps: `dependabot[bot]`.
  const by = typeof actor === 'string' && /^[\w.-]{1,60}(\[bot\])?$/.test(actor) ? `by ${actor}` : ''
  const details = [
    [commit, by].filter((part) => part !== '').join(' '),
    isWhole(attempt) && attempt > 0 ? `attempt ${attempt}` : '',
  ].filter((part) => part !== '')
  return `${linkOf(url) ?? JSON.stringify(cut(holder))}${details.length > 0 ? ` (${details.join(', ')})` : ''}`
}

const LONGEST_LINK = 500

function linkOf(text: unknown): string | undefined {
  if (typeof text !== 'string' || text.length > LONGEST_LINK || !URL.canParse(text)) return undefined
  const { protocol, href } = new URL(text)
  return protocol === 'https:' || protocol === 'http:' ? href : undefined
}

function cut(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

function parse(text: unknown): Record<string, unknown> {
  try {
    const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

/** For how long a Lease has been seen unchanged, in milliseconds of our own monotonic clock. */
export interface Watch {
  readonly version: string
  /** When it was first seen like this. */
  readonly since: number
  /** When it was last seen at all. */
  readonly last: number
}

/**
 * Time in which we could not look is not time in which the holder was silent: an API server that was down for us was most
 * likely down for the holder too. After a pause longer than this the holder has its whole time again.
 */
const LONGEST_BLINK_MS = 15_000

/** Looks at a Lease at `now`, having looked `before`. */
export function watchLease({ version }: Lease, before: Watch | undefined, now: number): Watch {
  const goesOn = before?.version === version && now - before.last <= LONGEST_BLINK_MS
  return { version, since: goesOn ? before.since : now, last: now }
}

export type Standing =
  /** Nobody holds it. */
  | { readonly type: 'free' }
  /** This very run holds it, perhaps by another process: the post step goes on where the main step was killed. */
  | { readonly type: 'ours' }
  /** Another run holds it, and will be taken for dead at `until` if it is not heard of before. */
  | { readonly type: 'held'; readonly until: number }
  /** Another run holds it that has been silent for its whole time. */
  | { readonly type: 'expired' }

/** Whether `holder` may take the lock. The write that takes it must be refused if the Lease has changed since. */
export function judgeLease(lease: Lease, watch: Watch, holder: string): Standing {
  if (lease.holder === '') return { type: 'free' }
  if (lease.holder === holder) return { type: 'ours' }
  const until = watch.since + lease.durationSeconds * 1000
  return watch.last >= until ? { type: 'expired' } : { type: 'held', until }
}
