import { groupKindOf, isObject, type KubeObject } from '../manifest/object.ts'

/**
 * What to create to bring back an object that is gone: all of it, also what others had set, but for what the server keeps for
 * itself. Only the UID cannot come back.
 */
export function recreatable(before: KubeObject): KubeObject {
  const { status: _status, ...object } = before
  const {
    uid: _uid,
    resourceVersion: _resourceVersion,
    generation: _generation,
    creationTimestamp: _creationTimestamp,
    deletionTimestamp: _deletionTimestamp,
    managedFields: _managedFields,
    ...metadata
  } = before.metadata
  return withoutJobUid({ ...object, metadata })
}

/** The API server makes them for every Job out of its UID, and refuses a Job that has them already. */
const MADE_FOR_JOBS = ['controller-uid', 'job-name'].flatMap((name) => [name, `batch.kubernetes.io/${name}`])

function withoutJobUid(object: KubeObject): KubeObject {
  const { spec } = object
  if (groupKindOf(object) !== 'Job.batch' || !isObject(spec) || spec['manualSelector'] === true) return object
  const { selector: _selector, ...rest } = spec
  const { template } = spec
  if (!isObject(template) || !isObject(template['metadata'])) return { ...object, spec: rest }
  const { labels = {} } = template['metadata']
  const own = Object.entries(isObject(labels) ? labels : {}).filter(([name]) => !MADE_FOR_JOBS.includes(name))
  const metadata = { ...template['metadata'], labels: Object.fromEntries(own) }
  return { ...object, spec: { ...rest, template: { ...template, metadata } } }
}
