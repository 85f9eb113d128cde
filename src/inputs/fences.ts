import { parseDnsLabel, parseLines } from './parse.ts'
import type { InputReader } from './reader.ts'

/** How far a run may reach in the cluster. */
export interface Fences {
  /** The namespaces that it may write to. Absent: just that of the release. */
  readonly namespaces?: readonly string[]
  /** The cluster-scoped kinds that it may write: `ClusterRole`, of whatever group, or `ClusterRole.rbac.authorization.k8s.io`. */
  readonly clusterScoped: readonly string[]
}

const LONGEST_NAMESPACE = 63
/** A kind as in manifests; behind a full stop its group, without the version. */
const KIND = /^[A-Z][A-Za-z0-9]{0,62}(?:\.[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)?$/

/** Reads `allowed-namespaces` and `allow-cluster-scoped`, and notes what is wrong with their lines in the reader. */
export function readFences(reader: InputReader<'allowed-namespaces' | 'allow-cluster-scoped'>): Fences {
  const namespaces = parseLines(reader.text('allowed-namespaces'))
  for (const line of namespaces) {
    const parsed = parseDnsLabel(line, LONGEST_NAMESPACE)
    const fault = `has the line "${line}", which is not the name of a namespace`
    if (!parsed.ok)
      reader.refuse('allowed-namespaces', fault, `Write one name a line, without wildcards. ${parsed.hint}`)
  }
  const clusterScoped = parseLines(reader.text('allow-cluster-scoped'))
  for (const line of clusterScoped.filter((one) => !KIND.test(one))) {
    const hint =
      'Write one kind a line as manifests have it, such as ClusterRole, or with its group, such as ClusterRole.rbac.authorization.k8s.io.'
    reader.refuse('allow-cluster-scoped', `has the line "${line}", which is not a kind`, hint)
  }
  return { ...(namespaces.length > 0 && { namespaces }), clusterScoped }
}
