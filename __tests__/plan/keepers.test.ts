import { describe, expect, it } from '@jest/globals'
import type { KubeObject, ObjectMeta } from '../../src/manifest/object.ts'
import { keeperOf } from '../../src/plan/keepers.ts'

const web = (metadata: Partial<ObjectMeta>): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', ...metadata },
})
const ARGO = [{ manager: 'argocd-controller', operation: 'Apply' }]

describe('who keeps an object in sync', () => {
  it.each<[string, Partial<ObjectMeta>, string, string]>([
    [
      'Argo CD, by its annotation',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:here/web' } },
      'Argo CD',
      'the Application shop',
    ],
    [
      'Argo CD, by its annotation with the namespace of the Application',
      { annotations: { 'argocd.argoproj.io/tracking-id': 'team_shop:apps/Deployment:here/web' } },
      'Argo CD',
      'the Application team_shop',
    ],
    [
      'Argo CD, by its own label',
      { labels: { 'argocd.argoproj.io/instance': 'shop' } },
      'Argo CD',
      'the Application shop',
    ],
    [
      'Argo CD, by the common label that it has written itself',
      { labels: { 'app.kubernetes.io/instance': 'shop' }, managedFields: ARGO },
      'Argo CD',
      'the Application shop',
    ],
    [
      'a Kustomization of Flux',
      { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps', 'kustomize.toolkit.fluxcd.io/namespace': 'flux' } },
      'Flux',
      'the Kustomization apps',
    ],
    // What Flux installs by Helm has Helm's marks as well; Flux is who would take a change back.
    [
      'a HelmRelease of Flux, and not Helm',
      {
        labels: { 'helm.toolkit.fluxcd.io/name': 'shop', 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'shop' },
      },
      'Flux',
      'the HelmRelease shop',
    ],
    [
      'Argo CD before Helm',
      {
        labels: { 'argocd.argoproj.io/instance': 'shop', 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'shop' },
      },
      'Argo CD',
      'the Application shop',
    ],
    [
      'Helm',
      {
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'here' },
      },
      'Helm',
      'the Helm release shop in namespace here',
    ],
    [
      'Helm, which does not say where',
      { labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': 'shop' } },
      'Helm',
      'the Helm release shop',
    ],
  ])('%s', (_name, metadata, tool, owner) => {
    const keeper = keeperOf(web(metadata))
    expect(keeper).toMatchObject({ tool, owner })
    const [kind = '', name = ''] = keeper?.evidence.split(/[ ,]/) ?? []
    expect(metadata[kind === 'label' ? 'labels' : 'annotations']).toHaveProperty([name])
  })

  it.each<[string, Partial<ObjectMeta>]>([
    ['no marks', {}],
    // Every Helm chart and many people set these.
    ['the common label alone', { labels: { 'app.kubernetes.io/instance': 'shop' } }],
    [
      'the common label, written by Helm',
      { labels: { 'app.kubernetes.io/instance': 'shop' }, managedFields: [{ manager: 'helm' }] },
    ],
    ['Helm’s label without a release', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }],
    ['a release without Helm’s label', { annotations: { 'meta.helm.sh/release-name': 'shop' } }],
    ['our label', { labels: { 'rollsafe.dev/release': 'shop', 'app.kubernetes.io/managed-by': 'rollsafe' } }],
    ['Argo CD as one of its owners, without a mark', { managedFields: ARGO }],
    ['a label that only looks like Flux’s', { labels: { 'x.kustomize.toolkit.fluxcd.io/name': 'apps' } }],
  ])('nobody, with %s', (_name, metadata) => {
    expect(keeperOf(web(metadata))).toBeUndefined()
  })
})
