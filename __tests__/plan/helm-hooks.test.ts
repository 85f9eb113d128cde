import { describe, expect, it } from '@jest/globals'
import type { KubeObject, Manifest } from '../../src/manifest/object.ts'
import { isHelmHook, withoutHelmHooks } from '../../src/plan/helm-hooks.ts'
import { stageProblems, stagesOf } from '../../src/plan/stages.ts'
import { problemsOf } from '../manifest/problems.ts'

const API_VERSIONS: Readonly<Record<string, string>> = {
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  Deployment: 'apps/v1',
  Ingress: 'networking.k8s.io/v1',
  Certificate: 'cert-manager.io/v1',
}

function manifest(kind: string, name: string, annotations: Record<string, string> = {}): Manifest {
  const object: KubeObject = { apiVersion: API_VERSIONS[kind] ?? 'v1', kind, metadata: { name, annotations } }
  return { object, at: { file: 'helm template chart', line: 1 } }
}

const hook = (kind: string, name: string, events: string, more: Record<string, string> = {}) =>
  manifest(kind, name, { 'helm.sh/hook': events, ...more })
const weight = (text: string) => ({ 'helm.sh/hook-weight': text })

interface Mapped {
  readonly objects: Readonly<Record<string, string>>
  readonly notes: readonly string[]
}

/** The annotations of Rollsafe that each object that is left has. */
function map(manifests: readonly Manifest[], isUpgrade = false): Mapped {
  const { manifests: mapped, notes } = withoutHelmHooks(manifests, isUpgrade)
  const ours = (object: KubeObject) =>
    Object.entries(object.metadata.annotations ?? {})
      .filter(([name]) => name.startsWith('rollsafe.dev/'))
      .map(([name, value]) => `${name.slice('rollsafe.dev/'.length)}=${value}`)
      .toSorted()
      .join(' ')
  return { objects: Object.fromEntries(mapped.map(({ object }) => [object.metadata.name, ours(object)])), notes }
}

describe('Jobs', () => {
  it.each([
    'pre-install,pre-upgrade',
    'pre-install, pre-upgrade',
    'Pre-Upgrade,pre-install',
    'pre-install,pre-upgrade,pre-rollback',
  ])('with %s run before each release', (events) => {
    for (const isUpgrade of [false, true])
      expect(map([hook('Job', 'migrate', events)], isUpgrade)).toEqual({
        objects: { migrate: 'hook=pre-deploy wave=0' },
        notes: [],
      })
  })

  it('with post-install,post-upgrade run after each release', () => {
    expect(map([hook('Job', 'warm', 'post-install,post-upgrade')], true)).toEqual({
      objects: { warm: 'hook=post-deploy wave=0' },
      notes: [],
    })
  })

  it('of installations alone run as long as no revision was good', () => {
    const seed = hook('Job', 'seed', 'post-install')
    expect(map([seed], false)).toEqual({ objects: { seed: 'hook=post-deploy wave=0' }, notes: [] })
    expect(map([seed, manifest('Deployment', 'web')], true)).toEqual({
      objects: { web: '' },
      notes: ['left out, as this is an upgrade (there is a good revision): Job seed'],
    })
  })

  it('of upgrades alone run once there is a good revision', () => {
    const migrate = hook('Job', 'migrate', 'pre-upgrade')
    expect(map([migrate], true).objects).toEqual({ migrate: 'hook=pre-deploy wave=0' })
    expect(map([migrate, manifest('Deployment', 'web')], false).notes).toEqual([
      'left out, as this is an installation (no revision was good yet): Job migrate',
    ])
  })

  it('run one after the other, by weight and then by name', () => {
    const jobs = [
      hook('Job', 'last', 'pre-install', weight('10')),
      hook('Job', 'b', 'pre-install'),
      hook('Job', 'a', 'pre-install', weight('+0')),
      hook('Job', 'first', 'pre-install', weight('-5')),
      hook('Job', 'no-number', 'pre-install', weight('soon')),
      hook('Job', 'after', 'post-install', weight('-99')),
    ]
    const { manifests } = withoutHelmHooks([...jobs, manifest('Deployment', 'web')], false)
    expect(manifests.flatMap(stageProblems)).toEqual([])
    const stages = stagesOf(manifests.map((one) => ({ type: 'create', manifest: one })))
    expect(stages.map(({ changes }) => changes.map((change) => change.manifest.object.metadata.name).join())).toEqual([
      'first',
      'a',
      'b',
      'no-number',
      'last',
      'web',
      'after',
    ])
  })

  it('keep the hook and the wave that are written for Rollsafe', () => {
    const own = hook('Job', 'own', 'pre-install', { 'rollsafe.dev/hook': 'post-deploy' })
    expect(isHelmHook(own.object)).toBe(false)
    expect(map([own]).objects).toEqual({ own: 'hook=post-deploy' })
    expect(map([hook('Job', 'waved', 'pre-install', { 'rollsafe.dev/wave': '7' })]).objects).toEqual({
      waved: 'hook=pre-deploy wave=7',
    })
  })

  it('stay for their logs, which is said where Helm would delete them', () => {
    const policy = (text: string) => ({ 'helm.sh/hook-delete-policy': text })
    const { notes } = map([
      hook('Job', 'a', 'pre-install', policy('before-hook-creation')),
      hook('Job', 'b', 'pre-install', policy('before-hook-creation,hook-succeeded')),
      hook('Job', 'c', 'post-install', policy('hook-failed')),
      hook('ConfigMap', 'd', 'pre-install', policy('hook-succeeded')),
    ])
    expect(notes).toEqual(['helm.sh/hook-delete-policy is not followed, the Jobs stay for their logs: Job b, Job c'])
  })
})

describe('what Jobs need', () => {
  it('comes before them, with what pods need', () => {
    const manifests = [
      hook('ServiceAccount', 'migrator', 'pre-install,pre-upgrade', weight('-10')),
      hook('Certificate', 'tls', 'pre-install,pre-upgrade'),
      hook('Job', 'migrate', 'pre-install,pre-upgrade'),
      manifest('Deployment', 'web'),
    ]
    expect(map(manifests).objects).toEqual({ migrator: '', tls: '', migrate: 'hook=pre-deploy wave=0', web: '' })
    const { manifests: mapped } = withoutHelmHooks(manifests, false)
    const stages = stagesOf(mapped.map((one) => ({ type: 'create', manifest: one })))
    expect(stages.map(({ title, changes }) => `${title}: ${changes.length}`)).toEqual([
      'what pods need: 2',
      'pre-deploy Jobs: 1',
      'the release: 1',
    ])
  })

  it('comes with the first wave, or in one after the last', () => {
    const wave = (number: string) => ({ 'rollsafe.dev/wave': number })
    const manifests = [
      manifest('Deployment', 'early', wave('-2')),
      manifest('Deployment', 'late', wave('3')),
      hook('ConfigMap', 'before', 'pre-install,pre-upgrade'),
      hook('ConfigMap', 'after', 'post-install,post-upgrade'),
      hook('Ingress', 'door', 'post-install,post-upgrade'),
      hook('ConfigMap', 'both', 'pre-install,post-install,pre-upgrade'),
    ]
    expect(map(manifests).objects).toMatchObject({
      before: 'wave=-2',
      after: 'wave=4',
      door: 'wave=4',
      both: 'wave=-2',
    })
  })

  it('is not pruned when the next release does not have it, as it is made once', () => {
    const secret = hook('Secret', 'generated', 'pre-install')
    expect(map([secret], false).objects).toEqual({ generated: 'prune=keep' })
    expect(map([secret, manifest('Deployment', 'web')], true).objects).toEqual({ web: '' })
  })
})

describe('what is left out', () => {
  it('is said, by its reason', () => {
    const { objects, notes } = map([
      hook('Pod', 'smoke', 'test'),
      hook('Pod', 'old-smoke', 'test-success'),
      hook('Job', 'cleanup', 'pre-delete'),
      hook('Job', 'restore', 'pre-rollback,post-rollback'),
      manifest('Deployment', 'web'),
    ])
    expect(objects).toEqual({ web: '' })
    expect(notes).toEqual([
      'left out, as they are for "helm test": Pod smoke, Pod old-smoke',
      'left out, as no Job runs on the way back, or when something is deleted: Job cleanup, Job restore',
    ])
  })
})

describe('what cannot be had', () => {
  it('is refused by name, all together', () => {
    const found = problemsOf(() =>
      withoutHelmHooks(
        [
          hook('CustomResourceDefinition', 'carts', 'crd-install'),
          hook('Job', 'typo', 'pre-instal'),
          hook('Job', 'both', 'pre-install,post-install'),
          hook('Pod', 'migrate', 'pre-install,pre-upgrade'),
          hook('CronJob', 'nightly', 'post-install,post-upgrade'),
          hook('Ingress', 'door', 'pre-install,pre-upgrade'),
        ],
        false,
      ),
    )
    expect(found.map(({ message }) => message)).toEqual([
      'CustomResourceDefinition carts: the hook crd-install is of Helm 2',
      'Job typo: helm.sh/hook is "pre-instal", which Helm does not know',
      'Job both: a hook cannot run both before and after (pre-install, post-install)',
      'Pod migrate: cannot be a pre-install hook, as only a Job and what it needs can',
      'CronJob nightly: cannot be a post-install hook, as only a Job and what it needs can',
      'Ingress door: cannot be a pre-install hook, as only a Job and what it needs can',
    ])
    for (const problem of found) expect(problem).toMatchObject({ code: 'InvalidManifest', at: { line: 1 } })
  })

  it('is a release of nothing', () => {
    expect(problemsOf(() => withoutHelmHooks([hook('Pod', 'smoke', 'test')], false))).toMatchObject([
      { message: expect.stringMatching(/there is nothing to deploy: .* left out \(Pod smoke\)$/) },
    ])
  })

  it('is no matter when it is not for this release', () => {
    expect(map([hook('Pod', 'seed', 'pre-install'), manifest('Deployment', 'web')], true).objects).toEqual({ web: '' })
  })
})
