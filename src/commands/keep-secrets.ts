/** Tells the runner what is secret, as soon as it is known, so that nothing that is printed or written later holds it. */
import type { Inputs } from '../inputs/inputs.ts'
import type { KubeObject } from '../manifest/object.ts'
import type { Cluster, Observation, Runner, SourceFile } from '../ports.ts'
import { OWN_WORDS } from '../report/redact-report.ts'
import { isSecretName } from '../secrets/names.ts'
import { namesIn, secretTextsIn, secretValuesOf } from '../secrets/values.ts'
import type { Records } from './session/records.ts'
import type { Run } from './run.ts'

type Discreet = Pick<Runner, 'hide' | 'spare'>

/** Words that Secrets hold as often as everything else does: they tell nothing, and are half of every message. */
const COMMON_WORDS =
  'default disabled enabled development production staging testing localhost kubernetes postgres postgresql mongodb rabbitmq ' +
  'elasticsearch username password secret cluster service'

/** Names and words that are printed everywhere in this run. */
export function spareNames({ inputs, cluster, runner }: Pick<Run, 'inputs' | 'cluster' | 'runner'>): void {
  const { release, namespace, run } = inputs
  const { repository, sha, ref, actor, url } = run ?? {}
  const names = [release, namespace, cluster.contextNamespace, cluster.server, repository, sha, ref, actor, url]
  runner.spare([...OWN_WORDS, COMMON_WORDS, ...names.filter((name) => name !== undefined)])
}

/** Values for a chart whose keys say that they are secret: what `helm-set` is given out of the secrets of the workflow. */
export function hideSettings({ sources }: Inputs, runner: Discreet): void {
  for (const line of sources.helm?.set ?? []) {
    const equals = line.indexOf('=')
    if (isSecretName(line.slice(0, equals))) runner.hide(line.slice(equals + 1))
  }
}

/** The objects of a release: what is secret in them is hidden, and their names are not. */
export function keepSecrets(of: readonly { readonly object: KubeObject }[], runner: Discreet): void {
  runner.spare(of.flatMap(({ object }) => namesIn(object)))
  for (const { object } of of) hideSecrets(object, runner)
}

/** Files with manifests that cannot be read: the message that says so quotes them. */
export function keepSecretsOfFiles(files: readonly SourceFile[], runner: Discreet): void {
  for (const { text } of files) for (const value of secretTextsIn(text)) runner.hide(value)
}

/** The cluster, with everything hidden that is secret in what it tells. */
export function discreetCluster(cluster: Cluster, runner: Discreet): Cluster {
  const discreet = <Result extends KubeObject | undefined>(object: Result): Result => {
    if (object) hideSecrets(object, runner)
    return object
  }
  return {
    ...cluster,
    get: async (...asked) => discreet(await cluster.get(...asked)),
    list: async (...asked) => {
      const list = await cluster.list(...asked)
      list.objects.forEach(discreet)
      return list
    },
    apply: async (...asked) => discreet(await cluster.apply(...asked)),
    create: async (...asked) => discreet(await cluster.create(...asked)),
    replace: async (...asked) => discreet(await cluster.replace(...asked)),
    replaceManagedFields: async (...asked) => discreet(await cluster.replaceManagedFields(...asked)),
    async *watch(...asked) {
      for await (const observation of cluster.watch(...asked)) {
        objectsOf(observation).forEach(discreet)
        yield observation
      }
    },
  }
}

/** The records, with everything hidden that is secret in the revisions that are read. */
export function discreetRecords(records: Records, runner: Discreet): Records {
  return {
    ...records,
    async read(head) {
      const record = await records.read(head)
      keepSecrets(record.objects, runner)
      for (const { before, after } of record.writes) {
        for (const object of [before, after]) if (object) hideSecrets(object, runner)
      }
      return record
    },
  }
}

function objectsOf(observation: Observation): readonly KubeObject[] {
  switch (observation.type) {
    case 'listed':
      return observation.objects
    case 'changed':
    case 'deleted':
      return [observation.object]
    case 'lost':
    case 'found':
      return []
  }
}

function hideSecrets(object: KubeObject, runner: Discreet): void {
  for (const value of secretValuesOf(object)) runner.hide(value)
}
