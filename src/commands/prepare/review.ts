import { ClusterError, messageOf, type Problem, rejectIfAny } from '../../errors.ts'
import { covers, type Right, rightsFor } from '../../plan/access.ts'
import { providedNamespaces, providedTypes } from '../../plan/provided.ts'
import { problemFrom } from '../../plan/rejections.ts'
import { describeRule, mergedRules, roleToPaste } from '../../plan/role-to-paste.ts'
import type { AccessRule } from '../../ports.ts'
import { mapLimited } from '../concurrency.ts'
import type { Run } from '../run.ts'
import { READ_EACH } from './live.ts'
import { identityOf, namespaceOf, type Rendered } from './render.ts'

export interface Review {
  /** What the login may not do that the release, or its way back, needs. Never throws RejectedError; writes nothing. */
  problems(rendered: Rendered): Promise<Problem[]>
  /** Throws RejectedError when there is any. */
  assertEnough(rendered: Rendered): Promise<void>
}

/**
 * Asks what the login may do, before anything depends on it. The rules of the release's own namespace are asked for at once, while
 * the manifests are read. Where they do not grant a right, a single question is asked for it, as many authorizers list no rules.
 */
export function beginReview(run: Run): Review {
  const { cluster } = run
  const known = new Map<string, Promise<readonly AccessRule[]>>()
  const rulesIn = (namespace: string): Promise<readonly AccessRule[]> => {
    const rules = known.get(namespace) ?? cluster.rules(namespace)
    known.set(namespace, rules)
    return rules
  }
  // Its failure is for whoever asks again.
  rulesIn(namespaceOf(run)).catch(() => undefined)

  async function lacks(right: Right): Promise<boolean> {
    const { namespace, names, verb, group, resource } = right
    if (namespace !== undefined && covers(await rulesIn(namespace), right)) return false
    const question = { verb, group, resource, ...(namespace !== undefined && { namespace }) }
    if (await cluster.isAllowed(question)) return false
    if (names.length === 0) return true
    return (await mapLimited(names, (name) => cluster.isAllowed({ ...question, name }))).includes(false)
  }

  async function missing(rights: readonly Right[]): Promise<Right[]> {
    const answers = await mapLimited(rights, lacks)
    return rights.filter((_right, index) => answers[index])
  }

  async function review(rendered: Rendered): Promise<Problem[]> {
    const rights = await rightsOf(rendered, run)
    const missingOf = async (some: readonly Right[]) => withoutNewNamespaces(await missing(some), rendered, run)
    const lacking = await missingOf(rights.filter(({ isOptional }) => !isOptional))
    if (lacking.length === 0) {
      for (const { namespace } of await missingOf(rights.filter(isForReplacingPods)))
        run.runner.info(
          `warning: pods may not be deleted in namespace ${namespace}, so a set of pods that hangs on a broken one, or has OnDelete, does not come back`,
        )
      return []
    }
    // Who has to ask for rights should have to ask once.
    const useful = await missingOf(rights.filter(({ isOptional }) => isOptional))
    const yaml = roleToPaste([...lacking, ...useful], run.inputs.release, await userName(run))
    return [forbidden(lacking, yaml)]
  }

  const problems = async (rendered: Rendered): Promise<Problem[]> => {
    try {
      return await review(rendered)
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error
      if (error.status === 401 || error.isUnreachable) return [problemFrom(error, 'the cluster')]
      run.runner.info(
        `warning: what the login may do cannot be asked, so a missing right shows late: ${messageOf(error)}`,
      )
      return []
    }
  }
  return { problems, assertEnough: async (rendered) => rejectIfAny(await problems(rendered)) }
}

/** The one optional right whose lack only shows when a release has to be taken back. */
function isForReplacingPods({ verb, resource, isOptional }: Right): boolean {
  return isOptional && verb === 'delete' && resource === 'pods'
}

async function rightsOf({ desired }: Rendered, run: Run): Promise<Right[]> {
  const provided = providedTypes(desired)
  const types = await mapLimited(desired, async ({ object: { apiVersion, kind } }) => {
    const served = await run.cluster.resourceType(apiVersion, kind)
    return served ?? provided.find((type) => type.apiVersion === apiVersion && type.kind === kind)
  })
  return rightsFor({
    identity: identityOf(run),
    desired: desired.map((manifest, index) => ({ manifest, type: types[index] })),
    takesBack: run.inputs.rollback === 'auto',
    listedFrom: READ_EACH + 1,
  })
}

/** What the login will be allowed in a namespace that this release makes, whoever sees to that decides then. */
async function withoutNewNamespaces(
  rights: readonly Right[],
  { desired }: Rendered,
  { cluster }: Run,
): Promise<Right[]> {
  const made = providedNamespaces(desired)
  const places = new Set(rights.flatMap(({ namespace }) => namespace ?? []).filter((name) => made.has(name)))
  const unknown = new Set<string>()
  for (const name of places) {
    try {
      if (!(await cluster.get({ apiVersion: 'v1', kind: 'Namespace', name }))) unknown.add(name)
    } catch (error) {
      // Then that right is among those that are lacking.
      if (!(error instanceof ClusterError) || error.status !== 403) throw error
    }
  }
  return rights.filter(({ namespace }) => namespace === undefined || !unknown.has(namespace))
}

async function userName({ cluster }: Run): Promise<string> {
  try {
    return await cluster.userName()
  } catch (error) {
    // The API of this question is younger than the others. The Role is worth something without its binding.
    if (error instanceof ClusterError) return ''
    throw error
  }
}

function forbidden(lacking: readonly Right[], paste: string): Problem {
  const places = [...Map.groupBy(lacking, ({ namespace }) => namespace)].map(([namespace, rights]) => {
    const where = namespace === undefined ? 'in the whole cluster' : `in namespace ${namespace}`
    return `${where}: ${mergedRules(rights).map(describeRule).join('; ')}`
  })
  return {
    code: 'Forbidden',
    message: `the login lacks rights that this release, or its way back, needs ${places.join('; and ')}`,
    hint: 'have somebody who may grant rights apply the YAML in the log or the job summary, which grants what is missing and nothing else',
    paste,
  }
}
