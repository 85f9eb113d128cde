/** Annotations by which an object outlives the release that no longer has it. */
import type { KubeObject } from '../manifest/object.ts'

export const PRUNE_ANNOTATION = 'rollsafe.dev/prune'
/** https://helm.sh/docs/howto/charts_tips_and_tricks/#tell-helm-not-to-uninstall-a-resource */
export const HELM_POLICY_ANNOTATION = 'helm.sh/resource-policy'

/** The annotation that says that the object is not to be pruned; undefined when none does. */
export function keepingAnnotation(object: KubeObject): string | undefined {
  return [PRUNE_ANNOTATION, HELM_POLICY_ANNOTATION].find((annotation) => isKeep(object, annotation))
}

/** Whether the object is never to be deleted, not even when a bad release is taken back. */
export function isKeptByPolicy(object: KubeObject): boolean {
  return isKeep(object, HELM_POLICY_ANNOTATION)
}

function isKeep({ metadata }: KubeObject, annotation: string): boolean {
  return metadata.annotations?.[annotation]?.trim().toLowerCase() === 'keep'
}
