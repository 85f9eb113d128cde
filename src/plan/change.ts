import type { KubeObject, Manifest } from '../manifest/object.ts'
import { isEqual } from './json.ts'

/**
 * What will be done to one object. `live` is the object before the run and `expected` what the server says it will become;
 * `expected` is missing while a namespace, a kind or a role that it needs is only made by this same release.
 */
export type Change =
  | { readonly type: 'create'; readonly manifest: Manifest; readonly expected?: KubeObject }
  | { readonly type: 'update'; readonly manifest: Manifest; readonly live: KubeObject; readonly expected: KubeObject }
  | { readonly type: 'unchanged'; readonly manifest: Manifest; readonly live: KubeObject }
  /** Deleted and made anew; `why` goes on from its name. `expected` is missing where it can only be checked once `live` is gone. */
  | {
      readonly type: 'recreate'
      readonly manifest: Manifest
      readonly live: KubeObject
      readonly expected?: KubeObject
      readonly why: string
    }
  /** A hook: a Job that is made anew for every release that changes something. `live` is the one of the last time. */
  | { readonly type: 'run'; readonly manifest: Manifest; readonly live?: KubeObject }

/** Compares the live object with what a server dry-run says it will become. */
export function changeOf(manifest: Manifest, live: KubeObject | undefined, expected: KubeObject): Change {
  if (!live) return { type: 'create', manifest, expected }
  return isEqual(content(live), content(expected))
    ? { type: 'unchanged', manifest, live }
    : { type: 'update', manifest, live, expected }
}

/** An object without what the server keeps for itself: everything a write can change and a person would call a change. */
export function content(object: KubeObject): Record<string, unknown> {
  const { status: _status, ...rest } = object
  const {
    managedFields: _managedFields,
    resourceVersion: _resourceVersion,
    generation: _generation,
    ...metadata
  } = object.metadata
  return { ...rest, metadata }
}
