/** Other tools that keep an object as they want it: what Rollsafe would write, or restore, they would take back. */
import type { KubeObject } from '../manifest/object.ts'

export interface Keeper {
  readonly tool: 'Argo CD' | 'Flux' | 'Helm'
  /** What the tool calls the thing that the object belongs to: `the Application shop`. */
  readonly owner: string
  /** Where that is written on the object. */
  readonly evidence: string
}

const ARGO_TRACKING_ID = 'argocd.argoproj.io/tracking-id'
const ARGO_INSTANCE = 'argocd.argoproj.io/instance'
const COMMON_INSTANCE = 'app.kubernetes.io/instance'
const ARGO_MANAGERS = ['argocd-controller', 'argocd-application-controller']
const FLUX_KINDS = [
  { label: 'kustomize.toolkit.fluxcd.io/name', kind: 'Kustomization' },
  { label: 'helm.toolkit.fluxcd.io/name', kind: 'HelmRelease' },
] as const
const HELM_RELEASE = 'meta.helm.sh/release-name'
const HELM_NAMESPACE = 'meta.helm.sh/release-namespace'
const MANAGED_BY = 'app.kubernetes.io/managed-by'

/**
 * Who keeps a live object in sync, by the marks that each tool documents; undefined when nobody does.
 *
 * Argo CD: https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/. Flux puts the name of the Kustomization or
 * HelmRelease into a label. Helm: https://helm.sh/docs/topics/charts_hooks and its check before it adopts an object.
 */
export function keeperOf({ metadata }: KubeObject): Keeper | undefined {
  const { labels = {}, annotations = {}, managedFields = [] } = metadata
  const trackingId = annotations[ARGO_TRACKING_ID]
  if (trackingId !== undefined) return argo(trackingId.split(':')[0] ?? '', `annotation ${ARGO_TRACKING_ID}`)
  const instance = labels[ARGO_INSTANCE]
  if (instance !== undefined) return argo(instance, `label ${ARGO_INSTANCE}`)
  // Argo CD before 3.0 tracks by a label that many others use as well, so that alone proves nothing.
  const common = labels[COMMON_INSTANCE]
  const isArgos = managedFields.some(({ manager }) => ARGO_MANAGERS.includes(manager ?? ''))
  if (common !== undefined && isArgos) return argo(common, `label ${COMMON_INSTANCE}, written by Argo CD`)

  for (const { label, kind } of FLUX_KINDS) {
    const name = labels[label]
    if (name !== undefined) return { tool: 'Flux', owner: `the ${kind} ${name}`, evidence: `label ${label}` }
  }
  const release = annotations[HELM_RELEASE]
  if (release !== undefined && labels[MANAGED_BY] === 'Helm') {
    const namespace = annotations[HELM_NAMESPACE]
    const where = namespace === undefined ? '' : ` in namespace ${namespace}`
    return { tool: 'Helm', owner: `the Helm release ${release}${where}`, evidence: `annotation ${HELM_RELEASE}` }
  }
  return undefined
}

function argo(application: string, evidence: string): Keeper {
  return { tool: 'Argo CD', owner: `the Application ${application}`, evidence }
}
