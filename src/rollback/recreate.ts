import type { KubeObject } from '../manifest/object.ts'

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
  return { ...object, metadata }
}
