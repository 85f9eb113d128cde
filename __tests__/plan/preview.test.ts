import { describe, expect, it } from '@jest/globals'
import type { KubeObject, Manifest } from '../../src/manifest/object.ts'
import { previewOf, strangerProblem, withPreview } from '../../src/plan/preview.ts'

const PREVIEW = { repositoryId: 4711, pullRequest: 12, headSha: 'a1'.repeat(20), ttlSeconds: 3600 }
const NAME = 'shop-pr-12'
const NOW = new Date('2030-01-10T00:00:00Z')
const LABELS = {
  'rollsafe.dev/preview-repository': '4711',
  'rollsafe.dev/preview-pull-request': '12',
  'rollsafe.dev/release': NAME,
  'rollsafe.dev/release-namespace': NAME,
}

const namespace = (labels: Record<string, string>, name = NAME): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
})
const manifest = (object: KubeObject): Manifest => ({ object, at: { file: 'k8s/app.yaml', line: 1 } })
const rendered = (manifests: readonly Manifest[], live?: KubeObject): KubeObject[] =>
  withPreview(manifests, { preview: PREVIEW, name: NAME, live, now: NOW }).map(({ object }) => object)
const expiry = (object: KubeObject | undefined) => object?.metadata.labels?.['rollsafe.dev/preview-expires-at']

describe('whose preview a namespace is', () => {
  it('is told by labels that agree', () => {
    expect(previewOf(namespace(LABELS))).toEqual({ repositoryId: 4711, pullRequest: 12, name: NAME })
    expect(strangerProblem(namespace(LABELS), PREVIEW)).toBeUndefined()
    expect(strangerProblem(undefined, PREVIEW)).toBeUndefined()
  })

  it.each<[string, KubeObject, string]>([
    ['no labels', namespace({}), 'has not the labels'],
    ['another repository', namespace({ ...LABELS, 'rollsafe.dev/preview-repository': '4712' }), 'the id 4712'],
    ['another pull request', namespace({ ...LABELS, 'rollsafe.dev/preview-pull-request': '2' }), 'has not the labels'],
    ['a number that is none', namespace({ ...LABELS, 'rollsafe.dev/preview-pull-request': '012' }), 'has not'],
    ['another release', namespace({ ...LABELS, 'rollsafe.dev/release': 'prod' }), 'belongs to the release prod'],
    ['a name that does not fit', namespace(LABELS, 'prod'), 'belongs to the release shop-pr-12'],
  ])('is not ours with %s', (_name, live, why) => {
    expect(previewOf(live)?.repositoryId === 4711 && previewOf(live)?.pullRequest === 12).toBe(false)
    expect(strangerProblem(live, PREVIEW)).toMatchObject({ code: 'Fenced', message: expect.stringContaining(why) })
  })
})

describe('the objects of a preview', () => {
  it('are its namespace, what guards it, and the manifests', () => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'web' } }
    const [home, ...rest] = rendered([manifest(config)])
    expect(home?.metadata.labels).toEqual({
      'rollsafe.dev/preview-repository': '4711',
      'rollsafe.dev/preview-pull-request': '12',
      'rollsafe.dev/preview-head': PREVIEW.headSha,
      'rollsafe.dev/preview-expires-at': '20300110T010000Z',
    })
    expect(rest.map(({ kind }) => kind)).toEqual(['ResourceQuota', 'LimitRange', 'NetworkPolicy', 'ConfigMap'])
  })

  it('are the user’s own where there are some of that kind', () => {
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'mine' } }
    const own = namespace({ team: 'shop', 'rollsafe.dev/preview-repository': '1' })
    const [home, ...rest] = rendered([manifest(quota), manifest(own)])
    expect(home?.metadata.labels).toMatchObject({ team: 'shop', 'rollsafe.dev/preview-repository': '4711' })
    expect(rest.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'LimitRange rollsafe-preview',
      'NetworkPolicy rollsafe-preview',
      'ResourceQuota mine',
    ])
  })

  it.each([
    ['keeps its end in the first half', PREVIEW.headSha, '20300110T004000Z', '20300110T004000Z'],
    ['has it put off in the second half', PREVIEW.headSha, '20300110T002000Z', '20300110T010000Z'],
    ['has it put off for another commit', 'b2'.repeat(20), '20300110T004000Z', '20300110T010000Z'],
    ['does not keep one that is too late', PREVIEW.headSha, '20310101T000000Z', '20300110T010000Z'],
    ['does not keep one that is none', PREVIEW.headSha, 'soon', '20300110T010000Z'],
  ])('the namespace %s', (_name, head, before, after) => {
    const labels = { ...LABELS, 'rollsafe.dev/preview-head': head, 'rollsafe.dev/preview-expires-at': before }
    expect(expiry(rendered([], namespace(labels))[0])).toBe(after)
  })

  it('have labels that Kubernetes takes, however long the commit is', () => {
    const preview = { ...PREVIEW, headSha: 'c3'.repeat(32) }
    const [home] = withPreview([], { preview, name: NAME, live: undefined, now: NOW })
    for (const value of Object.values(home?.object.metadata.labels ?? {})) expect(value).toMatch(/^\w{1,63}$/)
    const later = new Date(NOW.getTime() + 1000)
    expect(withPreview([], { preview, name: NAME, live: home?.object, now: later })[0]).toEqual(home)
  })
})
