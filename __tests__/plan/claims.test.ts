import { describe, expect, it } from '@jest/globals'
import type { Manifest, ObjectMeta } from '../../src/manifest/object.ts'
import { type Claim, ownershipProblems } from '../../src/plan/claims.ts'

const at = { file: 'k8s/app.yaml', line: 4 }
const manifest: Manifest = {
  object: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' } },
  at,
}
const problems = (live: Partial<ObjectMeta> | undefined, claim: Partial<Claim> = {}) =>
  ownershipProblems(manifest, live && { ...manifest.object, metadata: { ...manifest.object.metadata, ...live } }, {
    release: 'shop',
    namespace: 'shop',
    forceConflicts: false,
    ...claim,
  })
const ARGO = { annotations: { 'argocd.argoproj.io/tracking-id': 'apps:apps/Deployment:shop/web' } }
const FLUX = { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }
const HELM = { labels: { 'app.kubernetes.io/managed-by': 'Helm' }, annotations: { 'meta.helm.sh/release-name': 'web' } }
const OTHER = { labels: { 'rollsafe.dev/release': 'other' } }
const GOING = { deletionTimestamp: '2030-01-01T00:00:00Z' }

describe('a release may write', () => {
  it.each<[string, Partial<ObjectMeta> | undefined, Partial<Claim>]>([
    ['what is not there', undefined, {}],
    ['what is nobody’s', {}, {}],
    ['its own', { labels: { 'rollsafe.dev/release': 'shop' } }, {}],
    [
      'its own, seen from another namespace',
      { labels: { 'rollsafe.dev/release': 'shop', 'rollsafe.dev/release-namespace': 'home' } },
      { namespace: 'home' },
    ],
    ['what is Helm’s, when told to', HELM, { forceConflicts: true }],
    ['what is another release’s, when told to', OTHER, { forceConflicts: true }],
  ])('%s', (_name, live, claim) => {
    expect(problems(live, claim)).toEqual([])
  })
})

describe('a release may not write', () => {
  it.each<[string, Partial<ObjectMeta>, Partial<Claim>, string]>([
    ['what Argo CD keeps', ARGO, {}, 'is kept in sync by Argo CD, as a part of the Application apps'],
    ['what Argo CD keeps, by no means', ARGO, { forceConflicts: true }, 'is kept in sync by Argo CD'],
    ['what Flux keeps', FLUX, {}, 'is kept in sync by Flux, as a part of the Kustomization apps'],
    ['what Flux keeps, by no means', FLUX, { forceConflicts: true }, 'is kept in sync by Flux'],
    ['what is Helm’s', HELM, {}, 'belongs to the Helm release web'],
    ['what is another release’s', OTHER, {}, 'belongs to the release "other"'],
    [
      'what is a release’s of the same name in another namespace',
      { labels: { 'rollsafe.dev/release': 'shop', 'rollsafe.dev/release-namespace': 'staging' } },
      {},
      'belongs to the release "shop" in namespace staging',
    ],
    ['what is being deleted', GOING, {}, 'is being deleted'],
    ['what is being deleted, by no means', GOING, { forceConflicts: true }, 'is being deleted'],
    [
      'what a finalizer holds',
      { ...GOING, finalizers: ['foregroundDeletion', 'example.dev/wait'] },
      {},
      'is being deleted and held by the finalizers foregroundDeletion, example.dev/wait',
    ],
  ])('%s', (_name, live, claim, message) => {
    const [problem, ...more] = problems(live, claim)
    expect(more).toEqual([])
    expect(problem).toMatchObject({ code: 'Conflict', at })
    expect(problem?.message).toContain(`Deployment shop/web ${message}`)
    expect(problem?.hint).not.toBe('')
  })

  it('what is two others’ at once, which are both told', () => {
    const both = { labels: { ...HELM.labels, ...OTHER.labels }, annotations: HELM.annotations }
    expect(problems(both).map(({ message }) => message)).toEqual([
      expect.stringContaining('the Helm release web'),
      expect.stringContaining('the release "other"'),
    ])
  })

  it('what is going anyway, and whose it is no longer matters', () => {
    expect(problems({ ...ARGO, ...GOING })).toHaveLength(1)
  })
})
